"""PrairieLearn's `/grade/results/results.json`.

Rules: https://prairielearn.readthedocs.io/en/latest/externalGrading/#grading-results

`gradable: false` costs the learner no attempt and leaves no score. It is kept for a failure of the grader: a
submission that does not start was graded, and has the points that it earned.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from grader.render import account
from grader.render.plain import cut, fit, number, one_line, to_json, visible

if TYPE_CHECKING:
    from grader.report import Report

LIMIT_BYTES = 1_000_000


def render(report: Report) -> bytes:
    """Write the results; `score` is the share of the points, from 0 to 1."""
    told = [account.text_of_test(test) for test in report.tests]
    return fit(lambda size: to_json(_results(report, told, size)) + b"\n", LIMIT_BYTES)


def _results(report: Report, told: Sequence[str], size: int) -> dict[str, Any]:
    if report.status == "grader-error":
        message = cut(account.text_of_report(report), size)
        return {"gradable": False, "message": message, "output": "", "images": [], "format_errors": [], "tests": []}
    return {
        "gradable": True,
        "score": _share(report),
        "message": f"{account.headline(report)}\n\n{cut(account.text_of_report(report), size)}".rstrip("\n"),
        "output": cut(visible(report.output[: size * 2]), size),
        "images": [],
        "format_errors": [],
        "tests": [
            {
                "name": cut(one_line(test.title), size),
                "description": "",
                "points": number(test.points),
                "max_points": number(test.points_max),
                "message": cut(text, size),
                "output": cut(visible(test.output[: size * 2]), size),
            }
            for test, text in zip(report.tests, told, strict=True)
        ],
    }


def _share(report: Report) -> float:
    if not report.points_max:
        return 1.0 if report.status == "passed" else 0.0
    return min(max(float(report.points / report.points_max), 0.0), 1.0)
