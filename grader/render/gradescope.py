"""Gradescope's `results/results.json`.

Rules: https://gradescope-autograders.readthedocs.io/en/latest/specs/

When the grader failed there must be no score, least of all a zero. Gradescope has no status for that, but it asks
for a `score` at the top or for `tests` that carry one. So the file then has neither, on purpose: `output` says
what happened, Gradescope marks the submission as not graded, and "Rerun autograder" grades it. (An empty list
of tests would be summed to 0.) `run_autograder` should also end with an exit code other than 0.

Every test is visible, because a single hidden one hides the learner's total.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from grader.render import account
from grader.render.plain import cut, fit, number, one_line, to_json

if TYPE_CHECKING:
    from grader.report import Report

LIMIT_BYTES = 1_000_000


def render(report: Report) -> bytes:
    """Write the results; the top `score` is exact and overrides the sum of the tests."""
    told = [account.text_of_test(test) for test in report.tests]
    return fit(lambda size: to_json(_results(report, told, size)) + b"\n", LIMIT_BYTES)


def _results(report: Report, told: Sequence[str], size: int) -> dict[str, Any]:
    results: dict[str, Any] = {
        "output": _output(report, size),
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "execution_time": account.duration_s(report),
        "extra_data": {
            "report": report.id,
            "status": report.status,
            "exercise": report.exercise.digest,
            "submission": report.submission.digest,
            "seed": str(report.seed),
            "grader_version": report.grader_version,
        },
    }
    if report.status == "grader-error":
        return results
    results["score"] = number(report.points)
    results["test_output_format"] = "text"
    results["test_name_format"] = "text"
    results["tests"] = _tests(report, told, size)
    return results


def _output(report: Report, size: int) -> str:
    told = cut(account.text_of_report(report), size)
    if report.status == "grader-error":
        return told
    return f"{account.headline(report)}\n\n{told}".rstrip("\n")


def _tests(report: Report, told: Sequence[str], size: int) -> list[dict[str, Any]]:
    titles = {task.id: one_line(task.title, 200) for task in report.tasks}
    numbers = {task.id: place for place, task in enumerate(report.tasks, 1)}
    counts: dict[str, int] = {}
    tests: list[dict[str, Any]] = []
    for test, text in zip(report.tests, told, strict=True):
        counts[test.task] = counts.get(test.task, 0) + 1
        tests.append(
            {
                "name": cut(one_line(test.title), size),
                "number": f"{numbers.get(test.task, len(numbers) + 1)}.{counts[test.task]}",
                "status": "passed" if test.status == "pass" else "failed",
                "score": number(test.points),
                "max_score": number(test.points_max),
                "output": cut(text, size),
                "output_format": "text",
                "tags": [titles.get(test.task, test.task)],
                "visibility": "visible",
                "extra_data": {"name": test.name, "status": test.status},
            }
        )
    return tests
