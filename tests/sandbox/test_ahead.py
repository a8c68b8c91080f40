"""Boxes that were made ahead: processes that wait in them change nothing of a grading, and hide nothing of a submission's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pytest

from grader.boxes import make_pod
from grader.exercise import Exercise, load_exercise
from grader.grading import grade
from grader.render import render
from grader.report import Report
from grader.sandbox.choose import Choice
from grader.sandbox.conduct import open_boxes
from grader.sandbox.pod import Listener, OpenPod, Pod, PodResult, WarmSandbox
from grader.submission import Submission, read_submission
from tests.situation import EXERCISES, of, reference, shop, without_times

ATTACKS = Path(__file__).parents[1] / "attacks"


class _Waited:
    """A sandbox whose boxes were made ahead, for one pod."""

    name = "waited"

    def __init__(self, opened: OpenPod) -> None:
        self._opened = opened

    def run(self, pod: Pod, listen: Listener | None = None) -> PodResult:
        return self._opened.run(pod, listen)


@contextmanager
def _waiting(choice: Choice, exercise: Exercise, *, expected: Exercise | None = None) -> Iterator[Choice]:
    """Give boxes that wait for a submission to `exercise`, and for the tests of `expected` where that is told."""
    sandbox = cast(WarmSandbox, choice.sandbox)
    pod = make_pod(exercise, reference(), seed=0)
    examiner = None if expected is None else make_pod(expected, reference(), seed=0).examiner
    with open_boxes(sandbox, pod.shape, ahead=True, expected=examiner) as opened:
        yield Choice(_Waited(opened), "a test asked for it")


def _graded_ahead(choice: Choice, exercise: Exercise, submission: Submission) -> Report:
    with _waiting(choice, exercise, expected=exercise) as waited:
        return grade(exercise, submission, waited)


@pytest.mark.parametrize(
    "situation", ["greets_only", "raises_in_view", "survives", "crashes_at_import", "never_answers"]
)
def test_boxes_that_waited_say_the_same(isolating: Choice, situation: str) -> None:
    """The same submission has the same result, whether its boxes waited for it or not."""
    submission = read_submission(EXERCISES / "situations" / situation)

    ahead = _graded_ahead(isolating, shop(), submission)

    assert without_times(ahead) == without_times(grade(shop(), submission, isolating))


def test_other_tests_than_expected_are_run(isolating: Choice) -> None:
    """Tests that were collected for nothing leave no trace: those that the pod brings are run."""
    bank = load_exercise(ATTACKS / "exercise-bank")
    with _waiting(isolating, shop(), expected=bank) as waited:
        report = grade(shop(), reference(), waited)

    assert report.status == "passed", report.message
    assert [test.name for test in report.tests] == [test.name for test in shop().tests]


def test_nothing_waits_any_more_and_apps_start_all_the_same(quick: Choice, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exercise with more starts than processes wait is graded to its end."""
    monkeypatch.setattr(f"{type(quick.sandbox).__module__}.SPARES", 3)
    bank = load_exercise(ATTACKS / "exercise-bank")
    assert len(bank.tests) > 3

    report = _graded_ahead(quick, bank, read_submission(bank.folder / "reference"))

    assert report.status == "passed", report.message


def test_memory_is_limited_beside_what_waits(isolating: Choice) -> None:
    """Processes that wait take nothing from the submission's own limit, and give it no second one."""
    report = _graded_ahead(isolating, shop(), read_submission(EXERCISES / "situations" / "eats_memory"))

    assert "it used more than 128 MiB of memory" in of(report, "test_it_greets").message


@pytest.mark.parametrize("name", ["f04_survive_a_restart", "f41_in_place_of_those_that_wait", "c12_daemon_survivor"])
def test_no_process_takes_the_place_of_one_that_waits(isolating: Choice, name: str) -> None:
    """What a submission leaves running is ended, also where it ended as many of those that waited."""
    bank = load_exercise(ATTACKS / "exercise-bank")
    folder = ATTACKS / "submissions" / name

    report = _graded_ahead(isolating, bank, read_submission(folder))

    assert report.status in ("failed", "broken", "passed")
    assert report.points <= json.loads((folder / "manifest.json").read_text())["max_honest_score"]
    told = render(report, "json").decode()
    for evidence in ("survivor", "process", "abstract", "read", "nice", "shm"):
        assert f"EVIDENCE:{evidence}:YES" not in told
