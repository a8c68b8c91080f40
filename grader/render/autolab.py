"""The lines that Autolab reads from an autograder's stdout.

Rules: https://docs.autolabproject.com/lab/ and https://docs.autolabproject.com/features/formatted-feedback/, and
`parseAutoresult` in Autolab's `app/helpers/assessment_autograde_core.rb`.

The last line has the scores: one problem a task, named by the task's id. (Autolab puts quotes round every `word:` in
that line before it reads it, so a title with a colon would break it.) The line before has the tests, a stage a task.

When the grader failed, each score is null: Autolab then keeps the feedback and leaves the problem ungraded. A line
without scores would not do: Autolab gives 0 to every problem when it can't read the line.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from grader.render import account
from grader.render.plain import cut, fit, number, one_line, to_json

if TYPE_CHECKING:
    from grader.report import Report, TestResult

LIMIT_BYTES = 1_000_000


def render(report: Report) -> bytes:
    """Write the feedback as text, then the line with the tests, then the line with the scores."""
    told = [account.text_of_test(test) for test in report.tests]
    return fit(lambda size: _lines(report, told, size), LIMIT_BYTES)


def _lines(report: Report, told: Sequence[str], size: int) -> bytes:
    scores = {task.id: None if report.status == "grader-error" else number(task.points) for task in report.tasks} or {
        "score": None if report.status == "grader-error" else number(report.points)
    }
    parts = [_feedback(report, told, size).encode()]
    stages = _stages(report)
    if stages:
        semantic: dict[str, Any] = {"_presentation": "semantic", "stages": list(stages), **stages}
        parts.append(to_json(semantic, indent=0))
    parts.append(to_json({"scores": scores}, indent=0))
    return b"\n".join(parts) + b"\n"


def _feedback(report: Report, told: Sequence[str], size: int) -> str:
    parts = [f"{one_line(report.exercise.title, 200)}: {account.headline(report)}"]
    if report.status in ("broken", "grader-error"):
        parts.append(cut(account.text_of_report(report), size))
    else:
        parts += [
            f"{one_line(test.title)}\n{cut(text, size)}" for test, text in zip(report.tests, told, strict=True) if text
        ]
    return "\n\n".join(parts)


def _stages(report: Report) -> dict[str, dict[str, Any]]:
    """Give the tests by task, each under a key that is not taken and not one of Autolab's own."""
    if report.status == "grader-error":
        return {}
    stages: dict[str, dict[str, Any]] = {}
    taken = {"_presentation", "stages", "_scores_order"}
    for task in report.tasks:
        tests = [test for test in report.tests if test.task == task.id]
        if tests:
            results: dict[str, Any] = {}
            for test in tests:
                results[_free(one_line(test.title, 200), {*results, "_order"})] = _result(test)
            stages[_free(one_line(task.title, 200), taken | set(stages))] = results
    return stages


def _result(test: TestResult) -> dict[str, Any]:
    if test.status == "pass":
        return {"passed": True}
    return {"passed": False, "hint": one_line(test.usually or account.brief(test), 300)}


def _free(name: str, taken: set[str]) -> str:
    name = name.lstrip("_") or "test"
    found, count = name, 1
    while found in taken:
        count += 1
        found = f"{name} ({count})"
    return found
