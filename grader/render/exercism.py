"""Exercism's `results.json`, version 3.

Rules: https://exercism.org/docs/building/tooling/test-runners/interface

`error` at the top means that no test ran: the submission did not start, or the grader failed, and `message` says
which of the two. `test_code` shows what was sent, never the hidden test's source. A test that was not run is an
`error` of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from grader.render import account
from grader.render.plain import cut, fit, one_line, to_json, visible

if TYPE_CHECKING:
    from grader.report import Report, TestResult

LIMIT_BYTES = 500_000
MESSAGE_BYTES = 65_535
OUTPUT_CHARACTERS = 500
WAS_CUT = "\nOutput was truncated. Please limit to 500 chars"


def render(report: Report) -> bytes:
    """Write the results, tests in file order."""
    told = [account.text_of_test(test) for test in report.tests]
    return fit(lambda size: to_json(_results(report, told, size)) + b"\n", LIMIT_BYTES)


def _results(report: Report, told: Sequence[str], size: int) -> dict[str, Any]:
    has_run = any(test.status in ("pass", "fail") for test in report.tests)
    if report.status == "grader-error" or not has_run:
        message = cut(account.text_of_report(report), size) or account.headline(report)
        return {"version": 3, "status": "error", "message": _within(message, MESSAGE_BYTES), "tests": []}
    numbers = {task.id: place for place, task in enumerate(report.tasks, 1)}
    tests = [
        _test(test, cut(text, size), numbers.get(test.task)) for test, text in zip(report.tests, told, strict=True)
    ]
    if report.status != "passed":
        _tell_the_end(report, tests, size)
    status = "pass" if report.status == "passed" else "fail"
    return {"version": 3, "status": status, "message": None, "tests": tests}


def _tell_the_end(report: Report, tests: list[dict[str, Any]], size: int) -> None:
    """Say why a submission broke at the first test that it kept from passing: learners see only that one."""
    first = next((test for test in tests if test["status"] != "pass"), None)
    if first is None:
        first = {"name": "The rest of the tests", "status": "error", "message": None}
        tests.append(first)
    if report.status == "broken" or not first["message"]:
        message = cut(account.text_of_report(report), size) or account.headline(report)
        first["message"] = _within(message, MESSAGE_BYTES)


def _test(test: TestResult, told: str, task_number: int | None) -> dict[str, Any]:
    result: dict[str, Any] = {
        "name": one_line(test.title, 500),
        "status": test.status if test.status in ("pass", "fail") else "error",
        "message": _within(told, MESSAGE_BYTES) or None,
        "output": _output(test.output),
        "test_code": account.text_of_sent(test, 4000),
    }
    if task_number is not None:
        result["task_id"] = task_number
    return {key: value for key, value in result.items() if value is not None or key == "message"}


def _output(text: str) -> str | None:
    if not text.strip():
        return None
    shown = visible(text[: OUTPUT_CHARACTERS * 2]).strip("\n")
    if len(shown) <= OUTPUT_CHARACTERS and len(text) <= OUTPUT_CHARACTERS * 2:
        return shown
    return shown[:OUTPUT_CHARACTERS] + WAS_CUT


def _within(text: str, limit_bytes: int) -> str:
    """Cut a text so that its UTF-8 form has at most `limit_bytes`."""
    data = text.encode()
    return text if len(data) <= limit_bytes else data[: limit_bytes - 3].decode(errors="ignore") + "…"
