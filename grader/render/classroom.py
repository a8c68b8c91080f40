"""The result that GitHub Classroom's autograding reporter reads.

Rules: https://github.com/classroom-resources/autograding-grading-reporter (`src/`). A step writes
`result=<base64 of the JSON>` to `$GITHUB_OUTPUT`, and the workflow hands it on as `<RUNNER-ID>_RESULTS`.

The reporter makes two totals: its table shows passed / all tests x `max_score`, Classroom is told the sum of the
tests' `score`. They agree only where all tests weigh the same. So a test that weighs more stands several times,
one time for each share ("share 2 of 3"), a share being the largest weight that divides all of them. Where that
would make more than 400 entries, each test stands once: what Classroom is told is still exact, only the table is not.

When the grader failed, `max_score` is 0: the step fails with the message, and the reporter tells Classroom nothing
at all, which leaves the learner's last score as it was.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from decimal import Decimal
from math import gcd
from typing import TYPE_CHECKING, Any, NamedTuple

from grader.render import account
from grader.render.plain import cut, fit, number, one_line, to_json

if TYPE_CHECKING:
    from grader.report import Report, TestResult

# Linux takes at most 128 KiB in one environment variable, and base64 makes 4 bytes of 3.
LIMIT_BYTES = 90_000
MOST_SHARES = 400


class _Entry(NamedTuple):
    name: str
    status: str
    message: str
    points: Decimal
    points_max: Decimal
    duration_ms: float
    task: str


def render(report: Report, *, task: str | None = None, as_output: bool = False) -> bytes:
    """Write the result, of one `task` only where its id is given.

    With `as_output` it is the line `result=<base64>` for `$GITHUB_OUTPUT`.
    """
    data = fit(lambda size: to_json(_result(report, task, size), indent=0), LIMIT_BYTES)
    if as_output:
        return b"result=" + base64.b64encode(data) + b"\n"
    return data + b"\n"


def _result(report: Report, task: str | None, size: int) -> dict[str, Any]:
    if report.status == "grader-error":
        message = _without_commands(cut(account.text_of_report(report), size))
        entry = _Entry(account.GRADER_FAILED, "error", message, Decimal(0), Decimal(0), 0, task or "")
        return {"version": 3, "status": "error", "max_score": 0, "tests": [_written(entry, report)]}
    tests = [test for test in report.tests if task in (None, test.task)]
    entries = [_entry(test, size) for test in tests]
    if report.status == "broken":
        _tell_why(report, tests, entries, size)
    entries = _with_the_rest(report, task, entries)
    points_max = sum((entry.points_max for entry in entries), Decimal(0))
    return {
        "version": 3,
        "status": "pass" if all(entry.status == "pass" for entry in entries) else "fail",
        "max_score": number(points_max),
        "tests": _without_noise([_written(share, report) for share in _shares(entries)]),
    }


def _entry(test: TestResult, size: int) -> _Entry:
    is_passed = test.status == "pass" and test.points == test.points_max
    return _Entry(
        name=_without_commands(cut(one_line(test.title), size)),
        status="pass" if is_passed else "fail",
        message=_without_commands(cut(account.text_of_test(test, account.SHORT), size)),
        points=test.points_max if is_passed else Decimal(0),
        points_max=test.points_max,
        duration_ms=test.duration_ms,
        task=test.task,
    )


def _tell_why(report: Report, tests: Sequence[TestResult], entries: list[_Entry], size: int) -> None:
    """Say in the first entry that did not pass why the submission was not graded as a whole: no test says it."""
    for place, (test, entry) in enumerate(zip(tests, entries, strict=True)):
        if entry.status != "pass":
            why = _without_commands(cut(account.text_of_report(report, account.SHORT), size))
            if test.status != "skip" and entry.message and entry.message != why:
                why = f"{why}\n\n{entry.message}"
            entries[place] = entry._replace(message=why or entry.message)
            return


def _with_the_rest(report: Report, task: str | None, entries: list[_Entry]) -> list[_Entry]:
    """Add what the tests leave of the points: a submission that broke may have no tests at all."""
    wanted = {entry.id: entry.points_max for entry in report.tasks if task in (None, entry.id)}
    points_max = report.points_max if task is None else sum(wanted.values(), Decimal(0))
    rest = points_max - sum((entry.points_max for entry in entries), Decimal(0))
    if rest > 0 or not entries:
        name = "The rest of the tests" if entries else "The tests"
        message = _without_commands(cut(account.text_of_report(report, account.SHORT), 1000)) or account.NOT_RUN
        entries.append(_Entry(name, "fail", message, Decimal(0), max(rest, Decimal(0)), 0, task or ""))
    return entries


def _shares(entries: Sequence[_Entry]) -> list[_Entry]:
    """Split the entries into shares of equal weight."""
    weighty = [entry for entry in entries if entry.points_max > 0] or list(entries)
    scale = Decimal(10) ** max(max(0, -_exponent(entry.points_max)) for entry in weighty)
    weights = [int(entry.points_max * scale) for entry in weighty]
    share = gcd(*weights)
    if not share or sum(weights) // share > MOST_SHARES:
        return weighty
    shares: list[_Entry] = []
    for entry, weight in zip(weighty, weights, strict=True):
        times = weight // share
        for place in range(1, times + 1):
            shares.append(
                entry._replace(
                    name=f"{entry.name} (share {place} of {times})" if times > 1 else entry.name,
                    message=entry.message if place == 1 else "",
                    points=share / scale if entry.points else Decimal(0),
                    points_max=share / scale,
                )
            )
    return shares


def _exponent(points: Decimal) -> int:
    exponent = number(points).as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def _written(entry: _Entry, report: Report) -> dict[str, Any]:
    return {
        "name": entry.name,
        "status": entry.status,
        "score": number(entry.points),
        "message": entry.message,
        "test_code": "",
        "filename": "",
        "line_no": 0,
        "duration": round(entry.duration_ms, 1),
        "task_id": next((place for place, task in enumerate(report.tasks, 1) if task.id == entry.task), 0),
    }


def _without_noise(tests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Let the last score that counts take up what the reporter's sum in binary fractions is off by.

    Three times 0.1 is 0.30000000000000004 there, and learners would read that.
    """
    scores = [test["score"] for test in tests]
    wanted = float(sum(scores, Decimal(0)))
    last = max((place for place, score in enumerate(scores) if score), default=0)
    before = 0.0
    for score in scores[:last]:
        before += float(score)
    if before + float(scores[last]) != wanted and before + (wanted - before) == wanted:
        tests[last]["score"] = wanted - before
    return tests


def _without_commands(text: str) -> str:
    """Take the force from workflow commands in what learners print: the reporter writes this text to the log."""
    return re.sub(r"::|##\[", lambda found: found.group()[0] + " " + found.group()[1:], text)
