"""`grade batch` as a teacher uses it: also killed, interrupted, and with real boxes."""

from __future__ import annotations

import json
import os
import pty
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.exercise import Exercise
from tests.build import APP
from tests.conftest import ROOT, make_sandbox

Send = Callable[..., Path]
CLASS = ["ppp", "pff", "fff", "ppp 2", "pfp", "ffp", "pff", "lost once"]
RIGHT = APP.format(body='return DISHES[dish_id] if dish_id in DISHES else ({"error": "no such dish"}, 404)')
WRONG = APP.format(body="return DISHES[1]")
BOOKS = ("book.csv", "book.json", "book.html")
TIMEOUT_S = 100


class Teacher:
    """Starts the command in a process of its own, in a folder of its own."""

    def __init__(self, folder: Path, sent: Path, *, words_s: float | None) -> None:
        self.folder = folder
        self.log = folder / "log"
        self._sent = sent
        self._words_s = words_s

    def start(self, *options: str) -> subprocess.Popen[bytes]:
        """Start it; the gradebooks are to be in the folder."""
        program = ["-m", "grader"] if self._words_s is None else ["-m", "tests.batch.conftest"]
        books = [part for book in BOOKS for part in ("--out", str(self.folder / book))]
        return subprocess.Popen(
            [sys.executable, *program, "batch", "3", str(self._sent), "--jobs", "2", *books, *options],
            cwd=self.folder / "course",
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.folder),
                "PYTHONPATH": str(ROOT),
                "GRADE_SANDBOX": "bubblewrap",
                "WORD_S": str(self._words_s),
                "WORD_LOG": str(self.log),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def finish(self, *options: str) -> tuple[int, str, str]:
        """Run it to its end."""
        process = self.start(*options)
        out, err = process.communicate(timeout=TIMEOUT_S)
        return process.returncode, out.decode(), err.decode()

    def books(self) -> list[bytes]:
        """Give what the gradebooks hold."""
        return [(self.folder / book).read_bytes() for book in BOOKS]

    def lines(self) -> int:
        """Count the results that the journal has now."""
        return sum(path.read_bytes().count(b"\n") for path in (self.folder / "course/.grade/batch").glob("*.jsonl"))


@pytest.fixture
def teacher(tmp_path: Path, exercise: Exercise, sent: Path) -> Callable[..., Teacher]:
    """Give a teacher with a copy of the course."""

    def make(name: str, *, words_s: float | None = 0.0) -> Teacher:
        folder = tmp_path / name
        shutil.copytree(tmp_path / "course", folder / "course")
        return Teacher(folder, sent, words_s=words_s)

    return make


def send_class(send: Send) -> None:
    """Let the class send its words."""
    for number, words in enumerate(CLASS):
        send(f"learner-{number}", words)


def test_a_class_is_graded_and_shown(send: Send, teacher: Callable[..., Teacher]) -> None:
    """The summary is on stdout, progress and problems are on stderr, the exit code is 0."""
    send_class(send)
    send("bad.zip", b"PK\x03\x04", name="")
    someone = teacher("someone")

    code, out, err = someone.finish("--reports", str(someone.folder / "reports"))

    assert code == 0, err
    assert out.startswith("9 learners: 3 passed, 5 failed, 1 refused\n")
    assert "the same files (1)\n  learner-1, learner-6" in out
    assert "9 submissions, 2 at a time" in err
    assert re.search(r"^9/9 [0-9.]+/s: 3 passed, 5 failed, 1 refused$", err, re.MULTILINE)
    assert "problem: bad: refused: " in err
    assert len(list((someone.folder / "reports").iterdir())) == 9
    assert [row["points"] for row in json.loads(someone.books()[1])["learners"]] == [
        None,
        4.5,
        1,
        0,
        4.5,
        2.5,
        1.5,
        1,
        4.5,
    ]


def test_a_run_that_is_killed_again_and_again_ends_as_if_it_never_was(
    send: Send, teacher: Callable[..., Teacher]
) -> None:
    """Nothing is graded twice, nothing is left out, and the gradebooks are the same to the last byte."""
    send_class(send)
    for number in range(4):
        send(f"more-{number}", f"ppf {number}")
    undisturbed, killed = teacher("undisturbed"), teacher("killed", words_s=0.15)
    assert undisturbed.finish()[0] == 0
    contents = len(set(CLASS)) + 4
    rng = random.Random(os.getpid())

    begun, kills = 0, 0
    for _ in range(3):
        process = killed.start()
        deadline = time.monotonic() + TIMEOUT_S
        # At any moment after the first new grading has begun: before that only Python itself starts.
        while _count(killed.log) <= begun and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(rng.uniform(0, 0.25))
        process.kill()
        process.communicate()
        begun = _count(killed.log)
        # On a machine that stalls, a kill may come after the end; the first one can't.
        if process.returncode == -signal.SIGKILL and killed.lines() < contents:
            kills += 1
            assert not any((killed.folder / book).exists() for book in BOOKS)
    code, _, err = killed.finish()

    assert code == 0, err
    assert killed.books() == undisturbed.books()
    assert kills >= 1
    assert killed.lines() == contents
    # A kill costs what was running then, two at a time.
    assert contents + 1 <= _count(killed.log) <= contents + 1 + 3 * 2


def _count(path: Path) -> int:
    return len(path.read_text().splitlines()) if path.exists() else 0


def test_ctrl_c_finishes_what_runs_and_says_how_to_go_on(send: Send, teacher: Callable[..., Teacher]) -> None:
    """The exit code is that of an interruption; the same command goes on."""
    send_class(send)
    someone = teacher("someone", words_s=0.3)
    process = someone.start()
    while _count(someone.log) < 1 and process.poll() is None:
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=TIMEOUT_S)

    assert process.returncode == 130
    assert re.search(rb"stopped: [1-7] of 8 are settled, and kept; no gradebook was written", err)
    assert b"hint: the same command goes on from there" in err
    kept = someone.lines()
    assert kept >= 1
    assert someone.finish()[0] == 0
    assert someone.lines() == len(set(CLASS))


def test_a_grader_error_that_stays_has_an_exit_code(send: Send, teacher: Callable[..., Teacher]) -> None:
    """A script can tell that somebody has no score yet."""
    send("amal", "lost")
    send("bo", "ppp")

    code, out, err = teacher("someone").finish()

    assert code == 3
    assert "no score (1)\n  amal: grader-error" in out
    assert "1 without a score because the grader failed" in err


def test_gradebooks_that_cannot_be_written_are_told_before_grading(send: Send, teacher: Callable[..., Teacher]) -> None:
    """All of them, and not after a night."""
    send("amal", "ppp")
    someone = teacher("someone")
    (someone.folder / "file").write_text("")
    (someone.folder / "folder.csv").mkdir()

    wrong = ("--out", str(someone.folder / "file" / "a.csv"), "--out", str(someone.folder / "folder.csv"))
    code, _, err = someone.finish(*wrong)

    assert (code, _count(someone.log)) == (2, 0)
    assert "file/a.csv`: a file is in the way of the folder" in err
    assert "folder.csv`: it is a folder" in err


def test_a_gradebook_that_cannot_be_written_costs_only_itself(send: Send, teacher: Callable[..., Teacher]) -> None:
    """It became impossible while the class was graded: the others are there, and the summary is."""
    send("amal", "ppp")
    someone = teacher("someone", words_s=2.0)
    process = someone.start("--out", str(someone.folder / "last.csv"))
    while not _count(someone.log) and process.poll() is None:
        time.sleep(0.005)
    for book in BOOKS[:2]:
        (someone.folder / book).mkdir()
    out, err = process.communicate(timeout=TIMEOUT_S)

    assert process.returncode == 2
    assert (someone.folder / "book.html").is_file()
    assert (someone.folder / "last.csv").is_file()
    assert all(f"{book}`: ".encode() in err for book in BOOKS[:2])
    assert out.startswith(b"1 learner")


def test_a_course_in_an_archive_is_remembered(send: Send, teacher: Callable[..., Teacher], tmp_path: Path) -> None:
    """It is unpacked for each run, and what came of the last one lies in the user's own folder."""
    send_class(send)
    archive = shutil.make_archive(str(tmp_path / "course"), "gztar", tmp_path / "course")
    someone = teacher("someone")

    for _ in range(2):
        code, _, err = someone.finish("--course", archive)
        assert code == 0, err

    assert _count(someone.log) == len(set(CLASS)) + 1
    assert list((someone.folder / ".local/state/kata-grader").glob("*/batch/*.jsonl"))


def test_a_terminal_has_one_line_that_is_written_over(send: Send, teacher: Callable[..., Teacher]) -> None:
    """A thousand submissions don't scroll away what matters."""
    send_class(send)
    someone = teacher("someone")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.batch.conftest", "batch", "3", str(someone._sent)],
        cwd=someone.folder / "course",
        env={
            "PATH": os.environ["PATH"], "HOME": str(someone.folder), "PYTHONPATH": str(ROOT), "WORD_S": "0.05",
            "WORD_LOG": str(someone.log), "TERM": "xterm",
        },
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    seen = b""
    while True:
        try:
            data = os.read(ours, 4096)
        except OSError:
            break
        if not data:
            break
        seen += data
    os.close(ours)

    assert process.wait(TIMEOUT_S) == 0
    assert b"\r\x1b[K[####################] 8/8 " in seen
    assert seen.count(b"\n") == 1


@pytest.mark.bubblewrap
def test_real_boxes_and_a_kill(send: Send, teacher: Callable[..., Teacher]) -> None:
    """The same with boxes: a killed run's are gone, and the scores are those of each one's own code."""
    make_sandbox("bubblewrap")
    for number in range(4):
        send(f"learner-{number}", (RIGHT, WRONG)[number % 2] + f"\n# {number}\n")
    undisturbed, killed = teacher("undisturbed", words_s=None), teacher("killed", words_s=None)
    code, _, err = undisturbed.finish()
    assert code == 0, err

    process = killed.start()
    while not killed.lines() and process.poll() is None:
        time.sleep(0.01)
    process.kill()
    process.communicate()
    code, _, err = killed.finish()

    assert code == 0, err
    assert killed.books() == undisturbed.books()
    assert [row["points"] for row in json.loads(killed.books()[1])["learners"]] == [4.5, 1, 4.5, 1]
