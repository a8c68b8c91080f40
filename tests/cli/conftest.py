"""A tiny course, and two ways to use a command on it: in this process, and as a user starts it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from grader.cli.main import run
from grader.report import ExerciseRef, Report, SandboxRef, SubmissionRef, TaskResult
from grader.store.inbox import keep
from tests.build import APP, make_exercise
from tests.conftest import ROOT, make_sandbox

FIRST, SECOND, THIRD = "exercise-01-hello", "exercise-03-one-dish", "exercise-07-cabinet"
TIMEOUT_S = 90
# How an image is built on this machine is no setting of a learner.
KEPT = ("GRADE_BASE_IMAGE", "GRADE_CA_BUNDLE", "GRADE_WHEELS", "GRADE_BUILD_NETWORK", "GRADE_TEST_REQUIRE")
RIGHT = APP.format(body='return DISHES[dish_id] if dish_id in DISHES else ({"error": "no such dish"}, 404)')
ALWAYS_SOUP = APP.format(body="return DISHES[1]")

Edits = Mapping[str, str]


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code and what it wrote."""

    code: int
    out: str
    err: str


Invoke = Callable[..., Ended]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The learner's home folder, and nothing of this machine's settings."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    for name in list(os.environ):
        if name.startswith(("GRADE_", "XDG_", "LC_")) and name not in KEPT:
            monkeypatch.delenv(name)
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "PYTHONIOENCODING", "LANG", "DOCKER_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TZ", "UTC")
    return folder


@pytest.fixture
def course(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A course of three exercises: the second builds on the first, and the third on the second."""
    root = tmp_path / "course"
    make_exercise(root, id=FIRST, edits=_about("Say hello", "json-response", needs="", track="routing/APIs", minutes=5))
    make_exercise(root, id=SECOND)
    make_exercise(root, id=THIRD, edits=_about("Keep records", "orm-model", needs='"path-parameters"', minutes=45))
    monkeypatch.chdir(root)
    return root


def _about(title: str, teaches: str, *, needs: str, track: str = "databases/queries", minutes: int) -> Edits:
    return {
        'title = "Find one dish"': f'title = "{title}"',
        'teaches = "path-parameters"': f'teaches = "{teaches}"',
        'needs = ["json-response"]': f"needs = [{needs}]",
        'track = "routing/APIs"': f'track = "{track}"',
        "minutes = 10": f"minutes = {minutes}",
    }


@pytest.fixture
def invoke(
    course: Path, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Invoke]:
    """Use a command in this process: for all that needs no sandbox."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]

    def use(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["grade", *arguments])
        capfdbinary.readouterr()
        try:
            code = run()
        except SystemExit as ended:
            code = int(ended.code or 0)
        sys.stdout.flush()
        sys.stderr.flush()
        captured = capfdbinary.readouterr()
        return Ended(code, captured.out.decode(), captured.err.decode())

    yield use
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.fixture
def isolated() -> None:
    """Skip where the sandbox that these tests use isn't at hand."""
    make_sandbox("bubblewrap")


def start(
    *arguments: str, course: Path, environ: Mapping[str, str | None] | None = None, before: tuple[str, ...] = ()
) -> subprocess.Popen[bytes]:
    """Start `grade` as a user does. `environ` changes the environment (None removes); `before` is put before it."""
    variables: dict[str, str | None] = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ["HOME"],
        "PYTHONPATH": str(ROOT),
        "GRADE_SANDBOX": "bubblewrap",
        # Boxes that wait for a next grading would outlive the test.
        "GRADE_KEEP": "0",
        "TZ": "UTC",
        **(environ or {}),
    }
    return subprocess.Popen(
        [*before, sys.executable, "-m", "grader", *arguments],
        cwd=course,
        env={name: value for name, value in variables.items() if value is not None},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def finished(process: subprocess.Popen[bytes]) -> Ended:
    """Wait for its end."""
    try:
        out, err = process.communicate(timeout=TIMEOUT_S)
    finally:
        process.kill()
    return Ended(process.returncode, out.decode(), err.decode())


@pytest.fixture
def grade(course: Path, isolated: None) -> Invoke:
    """Use a command as a user does, in a process of its own."""

    def use(*arguments: str, **options: Any) -> Ended:
        return finished(start(*arguments, **{"course": course, **options}))

    return use


@pytest.fixture
def submit(course: Path) -> Callable[..., Path]:
    """Put files into the solution of an exercise; text alone is its `app.py`."""

    def put(content: str | bytes = RIGHT, exercise: str = SECOND, name: str = "app.py") -> Path:
        path = course / "exercises" / exercise / "solution" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return put


@pytest.fixture
def record(course: Path) -> Callable[..., Report]:
    """Put a report into the course's history, as a grading does: of the first task only, of both, or of none."""
    numbers = iter(range(1, 1000))

    def put(exercise: str = SECOND, points: str = "0", day: int = 1, **fields: Any) -> Report:
        number = next(numbers)
        earned = Decimal(points)
        first = min(earned, Decimal(3))
        plain: dict[str, Any] = {
            "id": f"r{number:04}",
            "created": f"2025-03-{day:02}T10:{number % 60:02}:00Z",
            "exercise": ExerciseRef(id=exercise, title="Find one dish", digest="e" * 64),
            "submission": SubmissionRef(digest="s" * 64, files=["app.py"]),
            "seed": number,
            "sandbox": SandboxRef(name="fake", reason="a test"),
            "status": "passed" if earned == Decimal("4.5") else "failed",
            "message": "",
            "points": earned,
            "points_max": Decimal("4.5"),
            "tasks": [
                _task("known-dish", "Answer a known dish", first, Decimal(3)),
                _task("missing-dish", "Say that a dish is missing", earned - first, Decimal("1.5")),
            ],
            "tests": [],
            "grader_version": "1",
        }
        report = Report(**{**plain, **fields})
        assert keep(report, course / ".grade").path is not None
        return report

    return put


def _task(id: str, title: str, points: Decimal, points_max: Decimal) -> TaskResult:
    return TaskResult(id=id, title=title, points=points, points_max=points_max)
