"""check50's JSON.

Rules: https://cs50.readthedocs.io/projects/check50/en/latest/json_specification.html

A result's `passed` is null for a test that was not run. When the grader failed, `error` stands in place of
`results`. A submission that did not start has one failed result: without any, it would count as passed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from grader.render import account
from grader.render.plain import cut, fit, of_points, one_line, to_json, visible

if TYPE_CHECKING:
    from grader.report import Report, TestResult

LIMIT_BYTES = 1_000_000
LOG_LINES = 100


def render(report: Report) -> bytes:
    """Write the results; each result's `data` carries its points."""
    logs = [_log(account.text_of_test(test)) for test in report.tests]
    return fit(lambda size: to_json(_results(report, logs, size), indent=4) + b"\n", LIMIT_BYTES)


def _results(report: Report, logs: Sequence[list[str]], size: int) -> dict[str, Any]:
    results: dict[str, Any] = {"slug": report.exercise.id, "version": report.grader_version}
    if report.status == "grader-error":
        value = cut(account.text_of_report(report), size)
        return {**results, "error": {"type": "GraderError", "value": value, "traceback": [], "data": {"id": report.id}}}
    checks = [_check(test, log, size) for test, log in zip(report.tests, logs, strict=True)]
    if report.status == "broken":
        checks.insert(0, _broken(report, size))
    return {**results, "results": checks}


def _broken(report: Report, size: int) -> dict[str, Any]:
    return {
        "name": "keeps_running",
        "description": "Your code starts and keeps running.",
        "passed": False,
        "log": [cut(line, size) for line in _log(account.text_of_report(report))],
        "cause": {"rationale": one_line(report.message, size) or "it broke", "help": _help(report.usually)},
        "data": {"limit": report.limit},
        "dependency": None,
    }


def _check(test: TestResult, log: list[str], size: int) -> dict[str, Any]:
    return {
        "name": test.name,
        "description": cut(one_line(test.title), size),
        "passed": {"pass": True, "fail": False}.get(test.status),
        "log": [cut(line, size) for line in log],
        "cause": _cause(test, size),
        "data": {"points": of_points(test.points, test.points_max), "task": test.task},
        "dependency": None,
    }


def _cause(test: TestResult, size: int) -> dict[str, Any] | None:
    if test.status == "pass":
        return None
    if test.status == "skip":
        return {"rationale": cut(account.brief(test), size), "help": None}
    if test.status == "error":
        error = {"type": "GraderError", "value": one_line(test.message, size), "traceback": [], "data": {}}
        return {"rationale": account.brief(test), "help": None, "error": error}
    cause: dict[str, Any] = {
        "rationale": cut(account.brief(test), size),
        "help": _help(test.usually),
    }
    if test.expected is not None and test.got is not None:
        cause["expected"] = cut(visible(test.expected[: size * 2]), size)
        cause["actual"] = cut(visible(test.got[: size * 2]), size)
    return cause


def _help(usually: str | None) -> str | None:
    return f"usually means: {one_line(usually)}" if usually else None


def _log(text: str) -> list[str]:
    return text.split("\n")[:LOG_LINES] if text else []
