"""`grade watch`, on a pseudo-terminal as a learner has it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from grader.report import Report
from tests.cli.conftest import ALWAYS_SOUP, FIRST, RIGHT, SECOND, Invoke
from tests.conftest import ROOT

WAIT_S = 60


class Terminal:
    """A `grade watch` on a terminal of 60 columns, what it has written, and its keyboard."""

    def __init__(self, course: Path, exercise: str) -> None:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 60, 0, 0))
        self._fd = ours
        self._text = ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "grader", "watch", exercise],
            cwd=course,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            env={
                "PATH": os.environ["PATH"],
                "HOME": os.environ["HOME"],
                "PYTHONPATH": str(ROOT),
                "GRADE_SANDBOX": "bubblewrap",
                "TERM": "xterm",
                "LANG": "C.UTF-8",
                "NO_COLOR": "1",
            },
        )
        os.close(theirs)

    def wait_for(self, pattern: str) -> str:
        """Read until the pattern has been written; give all that was written up to there and forget it."""
        deadline = time.monotonic() + WAIT_S
        while not (found := re.search(pattern, self._text)):
            assert time.monotonic() < deadline, f"no {pattern!r} in:\n{self._text}"
            if select.select([self._fd], [], [], 0.1)[0]:
                try:
                    self._text += os.read(self._fd, 65536).decode("utf-8", "replace").replace("\r\n", "\n")
                except OSError:
                    raise AssertionError(f"it ended, without {pattern!r}:\n{self._text}") from None
        text, self._text = self._text[: found.end()], self._text[found.end() :]
        return text

    def press(self, key: str) -> None:
        """Press a key."""
        os.write(self._fd, key.encode())

    def close(self) -> None:
        """End it, however it stands."""
        self.process.kill()
        self.process.wait()
        os.close(self._fd)


Watch = Callable[[str], Terminal]


@pytest.fixture
def watch(course: Path, isolated: None) -> Iterator[Watch]:
    """Start `grade watch` on the tiny course."""
    opened: list[Terminal] = []

    def begin(exercise: str) -> Terminal:
        opened.append(Terminal(course, exercise))
        return opened[-1]

    yield begin
    for each in opened:
        each.close()


def test_a_save_is_graded(watch: Watch, submit: Callable[..., Path]) -> None:
    """The result of the starter stands there at first, and that of each save after it."""
    terminal = watch("3")
    terminal.wait_for(r"0 of 4\.5 points")
    terminal.wait_for(r"\nin \d+ ms\n")

    submit(RIGHT)

    terminal.wait_for(r"4\.5 of 4\.5 points")
    terminal.wait_for(r"ms after the save")
    terminal.press("q")
    assert terminal.process.wait(WAIT_S) == 0


def test_a_save_during_a_grading_is_what_counts(watch: Watch, submit: Callable[..., Path]) -> None:
    """The grading of what was saved before is ended, and the last save is the one that is shown."""
    terminal = watch("3")
    terminal.wait_for(r"in \d+ ms")

    submit(f"import time\n\ntime.sleep(30)\n{RIGHT}")
    time.sleep(0.6)
    submit(RIGHT)

    assert "4.5 of 4.5" in terminal.wait_for(r"\d of 4\.5 points")


def test_the_keys(watch: Watch) -> None:
    """`h` gives a hint, `t` the text, `r` runs again; Ctrl-C ends it with nothing left behind."""
    terminal = watch("3")
    terminal.wait_for(r"h hint   t task   r run again   n next   q quit")
    terminal.press("h")
    terminal.wait_for(r"[Hh]int 1 of 3")
    terminal.press("t")
    terminal.wait_for(r"How it will be tested")
    terminal.press("r")
    terminal.wait_for(r"\nin \d+ ms\n")

    terminal.process.send_signal(signal.SIGINT)

    assert terminal.process.wait(WAIT_S) == 130
    mark = f"{terminal.process.pid}-"
    groups = [path.name for path in Path("/sys/fs/cgroup").glob("**/kata-grader/*") if path.name.startswith(mark)]
    assert groups == []


def test_another_exercise_that_is_open_is_gone_on_with(watch: Watch, record: Callable[..., Report]) -> None:
    """Also one that comes before in the course, and though what is watched was begun last."""
    record(FIRST, "0")
    record(SECOND, "0", day=2)
    terminal = watch("3")
    terminal.wait_for(r"0 of 4\.5 points")
    terminal.wait_for(r"n next")
    terminal.press("n")
    assert "no other exercise" not in terminal.wait_for(r"Say hello")


def test_a_deleted_solution_is_said(watch: Watch, course: Path, submit: Callable[..., Path]) -> None:
    """When the folder goes away it says so and waits; when it is there again, grading goes on."""
    terminal = watch("3")
    terminal.wait_for(r"in \d+ ms")
    solution = course / "exercises" / SECOND / "solution"
    for path in solution.iterdir():
        path.unlink()
    terminal.wait_for(r"is empty: there is no file to grade")
    solution.rmdir()  # as `rm -r` does it: what is in it first, and then the folder
    terminal.wait_for(r"there is no folder")
    terminal.wait_for(r"waiting for the next save")

    submit(RIGHT)

    terminal.wait_for(r"4\.5 of 4\.5 points")


def test_an_error_is_broken_between_words(watch: Watch, course: Path, submit: Callable[..., Path]) -> None:
    """Not wherever the terminal ends; what stands in backticks stays whole."""
    terminal = watch("3")
    terminal.wait_for(r"in \d+ ms")
    (course / "exercises" / SECOND / "solution" / "a-link-to-something-else.py").symlink_to("app.py")

    told = terminal.wait_for(r"waiting for the next save").partition("error: ")[2].partition("\n\n")[0]

    assert all(len(line) <= 60 for line in told.splitlines())
    assert "a-link-to-something-else.py" in told


def test_without_a_terminal_it_says_so(grade: Invoke) -> None:
    """In a pipe there is nothing to watch on."""
    ended = grade("watch", "3")

    assert ended.code == 2
    assert "`grade watch` needs a terminal" in ended.err
    assert "`grade 3` grades once" in ended.err


def test_a_line_of_help_comes_after_the_result(watch: Watch, submit: Callable[..., Path]) -> None:
    """The result is not kept waiting for it, and stands there with its time once more."""
    terminal = watch("3")
    terminal.wait_for(r"in \d+ ms")

    submit(ALWAYS_SOUP)

    first = terminal.wait_for(r"(\d+) ms after the save")
    assert "usually means" not in first
    assert "look the dish up by its number" in terminal.wait_for(re.escape(first[first.rindex("\n") :]))
