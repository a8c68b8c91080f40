"""A line of help that an exercise has for a wrong answer: there for who does the same, and for nobody else."""

from __future__ import annotations

import pytest

from grader.exercise import Exercise, load_exercise
from grader.grading import grade
from grader.report import Report
from grader.resemblance import with_help
from grader.sandbox.choose import Choice
from grader.submission import submission_of
from tests.conftest import ROOT

MISSING = b'return {"error": "dish not found"}, 404'
FOUND = b"        return dish\n"


@pytest.fixture
def exercise() -> Exercise:
    """Give the exercise of one dish, whose wrong answers have lines of help."""
    return load_exercise(ROOT / "exercises" / "exercise-03-one-dish")


def helped(exercise: Exercise, choice: Choice, old: bytes, new: bytes) -> Report:
    """Grade the reference with one piece of its code changed."""
    files = exercise.files_of("reference")
    assert old in files["app.py"]
    submission = submission_of({"app.py": files["app.py"].replace(old, new)})
    return with_help(grade(exercise, submission, choice), exercise, choice)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (MISSING, b"import flask; flask.abort(404)", "`abort(404)` sends an HTML page"),
        (b'["DISHES"].get(dish_id)', b'["DISHES"].pop(dish_id, None)', "`pop` takes the entry out"),
    ],
)
def test_who_does_the_same_gets_the_line(exercise: Exercise, quick: Choice, old: bytes, new: bytes, words: str) -> None:
    """However it is written."""
    report = helped(exercise, quick, old, new)

    assert report.usually is not None
    assert report.usually.startswith(words)
    assert next(test for test in report.tests if test.status == "fail").usually == report.usually


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (MISSING, b'return {"error": "Dish not found"}, 404'),
        (MISSING, b'return "dish not found", 404'),
        (MISSING, b'return "", 404'),
        (FOUND, b'        told = dict(dish)\n        dish["price_cents"] = 0\n        return told\n'),
    ],
)
def test_who_fails_the_same_tests_in_another_way_does_not(
    exercise: Exercise, quick: Choice, old: bytes, new: bytes
) -> None:
    """A wrong line is worse than none."""
    report = helped(exercise, quick, old, new)

    failing = {test.name for test in report.tests if test.status == "fail"}
    assert any(failing == set(mutant.fails) for mutant in exercise.mutants), failing
    assert report.usually is None
    lines = {mutant.help for mutant in exercise.mutants}
    assert not lines & {test.usually for test in report.tests}


def test_who_fails_everything_resembles_nobody(exercise: Exercise, quick: Choice) -> None:
    """A starter is not asked what it is like."""
    submission = submission_of(exercise.files_of("starter"))
    report = grade(exercise, submission, quick)

    assert with_help(report, exercise, Choice(None, "nothing is graded")) is report  # type: ignore[arg-type]
