"""A class of learners, and a sandbox that takes each file at its word: what it says is what comes of it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from grader.batch.batch import Results, Settings, Settled, run
from grader.batch.journal import open_journal
from grader.batch.source import find_submissions
from grader.error import SandboxError
from grader.exercise import Exercise, load_exercise
from grader.sandbox.choose import Choice
from grader.sandbox.fake import FakeSandbox
from grader.sandbox.pod import Listener, Pod, PodResult
from tests.build import FILES, make_exercise


class AtItsWord(FakeSandbox):
    """`app.py` says which tests pass, by their letters: `pff` passes the first. `lost` loses the examiner, `fault` is the
    engine's; `lost once` and `fault once` do so the first time only. `log` gets a line for each grading begun.

    The exercise's own wrong answer, which is graded for its line of help, is no submission and isn't counted.
    """

    def __init__(self, *, takes_s: float = 0, log: Path | None = None) -> None:
        super().__init__()
        self._takes_s = takes_s
        self._log = log
        self._lock = threading.Lock()
        self.begun: list[str] = []

    def run(self, pod: Pod, listen: Listener | None = None) -> PodResult:
        words = pod.solution.files["app.py"].decode().split("\n")[0]
        if pod.solution.files["app.py"].decode() == FILES["mutants/always-soup/app.py"]:
            return PodResult(events=(), ending="done")
        with self._lock:
            is_first = words not in self.begun
            self.begun.append(words)
            self.pods.append(pod)
            if self._log is not None:
                with self._log.open("a") as log:
                    log.write(f"{words}\n")
        time.sleep(self._takes_s)
        if words.startswith("fault") and (is_first or "once" not in words):
            raise SandboxError("the engine is out of order")
        if words.startswith("lost") and (is_first or "once" not in words):
            return PodResult(events=(), ending="examiner-lost", detail="it was lost")
        letters = words.split()[0] if set(words.split()[0]) <= set("pf") else "ppp"
        names = ("test_a_known_dish_is_answered", "test_every_dish_has_its_name", "test_an_unknown_dish_is_missing")
        events: list[Mapping[str, Any]] = [
            {
                "event": "test",
                "name": name,
                "status": "pass" if letter == "p" else "fail",
                "message": "" if letter == "p" else "no",
                "duration_ms": 1.0,
            }
            for name, letter in zip(names, letters, strict=True)
        ]
        return PodResult(events=tuple(events), ending="done")


@pytest.fixture
def exercise(tmp_path: Path) -> Exercise:
    """An exercise of three tests: 1, 2 and 1.5 points."""
    return load_exercise(make_exercise(tmp_path / "course"))


@pytest.fixture
def sent(tmp_path: Path) -> Path:
    """The folder that a teacher has: empty."""
    folder = tmp_path / "sent"
    folder.mkdir()
    return folder


@pytest.fixture
def send(sent: Path) -> Callable[..., Path]:
    """Put files into the teacher's folder; a text alone is the `app.py` of a learner's folder."""

    def put(learner: str, content: str | bytes, name: str = "app.py") -> Path:
        path = sent / learner / name if name else sent / learner
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return put


@pytest.fixture
def grade_class(tmp_path: Path, exercise: Exercise, sent: Path) -> Callable[..., Any]:
    """Grade the teacher's folder. The journal is open as long as the results are used."""

    @contextmanager
    def graded(
        sandbox: FakeSandbox | None = None,
        *,
        heard: list[Settled] | None = None,
        is_fresh: bool = False,
        **settings: Any,
    ) -> Iterator[Results]:
        choice = Choice(sandbox or AtItsWord(), "a test asked for it")
        with open_journal(tmp_path / "course" / ".grade", exercise, choice.name, is_fresh=is_fresh) as journal:
            listen = (lambda _one: None) if heard is None else heard.append
            yield run(
                exercise,
                find_submissions(sent).sent,
                choice,
                journal,
                Settings(**{"jobs": 2, **settings}),
                listen,
            )

    return graded


def main() -> None:
    """Be the command `grade` with that sandbox: for tests that kill it. `WORD_LOG` and `WORD_S` set it up."""
    import sys

    from grader.cli.main import run as run_command
    from grader.sandbox import choose

    sandbox = AtItsWord(takes_s=float(os.environ["WORD_S"]), log=Path(os.environ["WORD_LOG"]))
    choose.choose = lambda *_, **__: Choice(sandbox, "a test asked for it")
    sys.exit(run_command())


if __name__ == "__main__":
    main()
