"""Every exercise of the course, proven by running it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache
from typing import cast

import pytest

from grader.course import find_course
from grader.exercise import Exercise, load_exercise
from grader.grading import grade, grade_on_seeds
from grader.sandbox.choose import Choice
from grader.sandbox.pod import WarmSandbox
from grader.sandbox.reused import SameExaminer
from grader.submission import submission_of
from tests.conftest import ROOT, make_sandbox

COURSE = find_course(ROOT, explicit=ROOT)
NAMES = [entry.id for entry in COURSE.exercises()]
SEEDS = 20
SLOW = ("11", "12", "19", "20", "21", "23", "28")
"""These hash passwords, or start an app dozens of times: an alternative is tried on half of the seeds, on all by `grade verify`."""


@cache
def load(name: str) -> Exercise:
    return load_exercise(ROOT / "exercises" / name)


def _cases(kind: str) -> list[tuple[str, str]]:
    return [(name, each.id) for name in NAMES for each in getattr(load(name), kind)]


def _seeds(name: str) -> list[int]:
    return [random.Random(f"{name}:{number}").randrange(2**40) for number in range(SEEDS)]


@pytest.fixture(scope="module")
def same() -> Iterator[Choice]:
    """The sandbox that starts fastest, with one examiner as long as the exercise is the same."""
    with SameExaminer(cast(WarmSandbox, make_sandbox("bubblewrap"))) as sandbox:
        yield Choice(sandbox, "a test asked for it")


def _passes_on_every_seed(name: str, files: dict[str, bytes], choice: Choice, *, count: int = SEEDS) -> None:
    seeds = _seeds(name)[:count]
    reports = grade_on_seeds(load(name), submission_of(files), choice, seeds)
    for seed, report in zip(seeds, reports, strict=True):
        assert report.status == "passed", (seed, report.message, [t for t in report.tests if t.status != "pass"][:1])
        assert report.seed == seed


@pytest.mark.parametrize("name", NAMES)
def test_the_starter_fails_every_task(name: str, quick: Choice) -> None:
    """The starter runs, says where to type, and leaves something to do in each task."""
    exercise = load(name)
    files = exercise.files_of("starter")
    report = grade(exercise, submission_of(files), quick)

    assert report.status == "failed", report.message
    assert [task.id for task in report.tasks if task.points == task.points_max] == []
    assert any(b"TODO" in content for content in files.values())


@pytest.mark.parametrize("name", NAMES)
def test_the_reference_earns_every_point(name: str, quick: Choice) -> None:
    """The reference passes on twenty seeds: there is no flake, and no test that only some data pass."""
    _passes_on_every_seed(name, load(name).files_of("reference"), quick)


@pytest.mark.parametrize(("name", "alternative"), _cases("alternatives"))
def test_an_alternative_earns_every_point(name: str, alternative: str, quick: Choice) -> None:
    """A right answer that is written another way passes as well, on as many seeds."""
    count = SEEDS // 2 if name.removeprefix("exercise-").startswith(SLOW) else SEEDS
    _passes_on_every_seed(name, load(name).variant("alternatives", alternative), quick, count=count)


@pytest.mark.parametrize(("name", "mutant"), _cases("mutants"))
def test_a_known_wrong_answer_is_caught(name: str, mutant: str, same: Choice) -> None:
    """Each wrong answer fails the tests that must catch it, and no test of another task that it doesn't name."""
    exercise = load(name)
    known = next(each for each in exercise.mutants if each.id == mutant)
    report = grade(exercise, submission_of(exercise.variant("mutants", mutant)), same)

    assert report.status in ("failed", "broken"), report.message
    if report.status == "broken":
        return
    failing = {test.name for test in report.tests if test.status == "fail"}
    assert set(known.fails) <= failing
    tasks = {test.task for test in exercise.tests if test.name in known.fails}
    assert {test.name for test in exercise.tests if test.name in failing and test.task not in tasks} <= set(known.also)
