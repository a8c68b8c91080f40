"""The line of help that an exercise has for a wrong answer, where a submission does the same as that answer.

That the same tests fail is not enough: a misspelt text and a page of HTML may fail the same test. So the wrong answer is graded
too, with the same hidden data, and must be told the same of in every test that fails.
"""

from __future__ import annotations

from typing import Any

import msgspec

from grader.error import BrokenExercise, RefusedSubmission, SandboxError
from grader.exercise import Exercise, Mutant
from grader.grading import Options, grade
from grader.report import Report, TestResult
from grader.sandbox.choose import Choice
from grader.submission import submission_of

MOST_MUTANTS = 2
MOST_S = 5.0
"""Nobody waits longer for a line that may not come: where the submission's tests took more, a wrong answer's would too."""


def with_help(report: Report, exercise: Exercise, choice: Choice) -> Report:
    """Add the help line of the one wrong answer that this submission does the same as; give the report as it is otherwise."""
    failing = {test.name for test in report.tests if test.status == "fail"}
    # What fails every test, as a starter does, resembles no wrong answer in particular.
    if report.status != "failed" or len(failing) == len(report.tests):
        return report
    possible = [each for each in exercise.mutants if _may_fail(each, failing)]
    took_s = sum(test.duration_ms for test in report.tests) / 1000
    if not 0 < len(possible) <= MOST_MUTANTS or not any(each.help for each in possible) or took_s > MOST_S:
        return report
    told = _failures(report)
    same = [each for each in possible if _told_of(each, exercise, report.seed, choice) == told]
    if len(same) != 1 or not same[0].help:
        return report
    # The first failure is the one to mend, so that is where the line stands.
    first = next(place for place, test in enumerate(report.tests) if test.status == "fail")
    tests = list(report.tests)
    tests[first] = msgspec.structs.replace(tests[first], usually=same[0].help)
    return msgspec.structs.replace(report, tests=tests, usually=same[0].help)


def _may_fail(mutant: Mutant, failing: set[str]) -> bool:
    return set(mutant.fails) <= failing <= {*mutant.fails, *mutant.also}


def _told_of(mutant: Mutant, exercise: Exercise, seed: int, choice: Choice) -> dict[str, Any] | None:
    try:
        submission = submission_of(exercise.variant("mutants", mutant.id))
        return _failures(grade(exercise, submission, choice, Options(seed=seed)))
    except (BrokenExercise, RefusedSubmission, SandboxError):
        return None  # the line is an extra; the report stands without it


def _failures(report: Report) -> dict[str, Any]:
    """Give what each failing test tells, but for the code that it names and the time that it took."""
    return {test.name: _told(test) for test in report.tests if test.status == "fail"}


def _told(test: TestResult) -> tuple[Any, ...]:
    response = next((step.response for step in reversed(test.transcript) if step.is_deciding), None) or {}
    headers = {str(name).lower(): value for name, value in response.get("headers") or ()}
    return (
        test.message,
        test.expected,
        test.got,
        test.usually,
        *(response.get(name) for name in ("status", "body", "value", "raised")),
        *(headers.get(name) for name in ("content-type", "location")),
    )
