"""The learner's own tests are run against hidden apps: they see an address, and what they tell is data."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.exercise import load_exercise
from grader.grading import Options, grade
from grader.report import Report
from grader.sandbox.choose import Choice
from grader.submission import read_submission
from tests.situation import EXERCISES, of, told

FOLDER = EXERCISES / "exercise-91-own-tests"
ALL = ["test_right", "test_wrong", "test_nothing_left", "test_the_app_still_answers"]

FORGES = """
import os, struct, json

def _told(status):
    tests = [["test_app.py::a", status, "x"], ["test_app.py::b", status, "x"]]
    return {{"value": {{"dict": [["tests", tests], ["problems", []], ["left", []], ["exit", 0]]}}}}

body = json.dumps(_told("{status}")).encode()
for fd in range(3, 9):
    try:
        os.write(fd, struct.pack(">I", len(body)) + body)
    except OSError:
        pass
import time
time.sleep(0.3)
os._exit(0)
"""
REMEMBERS = """
import os, pathlib

PLACES = [pathlib.Path(os.environ["HOME"]), pathlib.Path(os.environ["TMPDIR"]), pathlib.Path("."), pathlib.Path("/dev/shm")]

def test_only_the_first_run_passes():
    seen = [place for place in PLACES if (place / "seen").exists()]
    for place in PLACES:
        try:
            (place / "seen").write_text("seen")
        except OSError:
            pass
    assert not seen

def test_nothing():
    assert True
"""


def _graded(choice: Choice, tmp_path: Path, tests: str, **options: float) -> Report:
    """Grade the reference with other tests."""
    folder = tmp_path / "submission"
    folder.mkdir()
    (folder / "app.py").write_bytes((FOLDER / "reference" / "app.py").read_bytes())
    (folder / "test_app.py").write_text(tests)
    return grade(load_exercise(FOLDER), read_submission(folder), choice, Options(**options))  # type: ignore[arg-type]


def test_tests_that_tell_right_from_wrong_earn_every_point(choice: Choice) -> None:
    """Plain pytest, with its fixtures and parameters, reaches an app that the examiner serves, in every sandbox alike."""
    report = grade(load_exercise(FOLDER), read_submission(FOLDER / "reference"), choice)

    assert report.status == "passed", told(report)
    assert [test.name for test in report.tests if test.status == "pass"] == ALL


def test_no_tests_pass_nothing(quick: Choice, tmp_path: Path) -> None:
    """A folder without tests isn't a suite in which all passed."""
    report = _graded(quick, tmp_path, "")

    assert [test.status for test in report.tests] == ["fail"] * 4


@pytest.mark.parametrize("status", ["passed", "failed"])
def test_forged_results_don_t_tell_right_from_wrong(quick: Choice, tmp_path: Path, status: str) -> None:
    """Whoever writes the results by hand still has to know which app is served."""
    report = _graded(quick, tmp_path, FORGES.format(status=status))

    assert of(report, "test_wrong").status == "fail"


def test_a_run_is_never_known_to_be_the_second(quick: Choice, tmp_path: Path) -> None:
    """Nothing that a run wrote is there in the next one."""
    report = _graded(quick, tmp_path, REMEMBERS)

    assert of(report, "test_right").status == "pass"
    assert of(report, "test_wrong").status == "fail"
    assert of(report, "test_nothing_left").got is not None


def test_tests_that_end_pytest_are_said(quick: Choice, tmp_path: Path) -> None:
    """A process that ends without a word fails the test, and the learner is told why."""
    report = _graded(quick, tmp_path, "import os\nos._exit(0)\n")

    assert of(report, "test_right").status == "fail"
    assert "your tests ended pytest itself" in of(report, "test_right").message


def test_tests_that_never_end_cost_a_test_its_time(quick: Choice, tmp_path: Path) -> None:
    """The time of a hidden test holds for the learner's tests in it."""
    report = _graded(quick, tmp_path, "def test_app():\n    while True: pass\n", wall_s=9)

    assert of(report, "test_right").status == "fail"
    assert "did not return within 6 s" in of(report, "test_right").message


def test_files_that_cannot_be_collected_are_told(quick: Choice, tmp_path: Path) -> None:
    """A mistake in the learner's file is shown in pytest's words."""
    report = _graded(quick, tmp_path, "import nothing_of_that_name\n")
    (step,) = [step for step in of(report, "test_nothing_left").transcript if step.kind == "call"]

    assert step.response is not None
    assert "could not be collected" in step.response["value"]
    assert "nothing_of_that_name" in step.response["value"]
