"""The tiny exercise of the tests, and one submission a situation."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec

from grader.exercise import App, Exercise, load_exercise
from grader.grading import Options, grade
from grader.report import Report, TestResult
from grader.sandbox.choose import Choice
from grader.submission import Submission, read_submission

EXERCISES = Path(__file__).parent / "exercises"


@cache
def shop() -> Exercise:
    """Load the exercise `Keep a shop's stock`."""
    return load_exercise(EXERCISES / "exercise-90-shop")


def reference() -> Submission:
    """Give the shop's reference as a submission."""
    return read_submission(EXERCISES / "exercise-90-shop" / "reference")


def shop_of_any_language(address: str) -> Exercise:
    """Give the shop for submissions that are programs, which are told the address to listen on."""
    return msgspec.structs.replace(
        shop(), app=App(command=("python", "app.py"), env={"ADDRESS": address, "PATH": "/nowhere"})
    )


def situation(name: str) -> Submission:
    """Give the submission of a situation."""
    return read_submission(EXERCISES / "situations" / name)


def graded(choice: Choice, name: str, **options: float) -> Report:
    """Grade the submission of a situation."""
    return grade(shop(), situation(name), choice, Options(**options))  # type: ignore[arg-type]


def told(report: Report) -> str:
    """Say all that a report tells of what went wrong, for a test that expected otherwise."""
    lines = [report.message, report.output]
    for test in report.tests:
        if test.status != "pass":
            lines += [f"{test.name}: {test.message}", f"expected {test.expected}, got {test.got}", test.output]
            lines += [f"{step.kind} {step.note} {step.request} -> {step.response}" for step in test.transcript[-2:]]
    return "\n".join(lines)


def without_times(report: Report) -> object:
    """Give what of a report is the same whenever and wherever the same was graded."""
    tests = [(test.name, test.status, test.points, test.message, test.got) for test in report.tests]
    return report.status, report.points, report.message, report.seed, tests


def of(report: Report, name: str) -> TestResult:
    """Give the result of one test."""
    return next(test for test in report.tests if test.name == name)
