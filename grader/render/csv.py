"""One row a test, for a spreadsheet.

A cell that a spreadsheet would take for a formula gets an apostrophe in front (OWASP, "CSV Injection"). Lines end as
in RFC 4180. Text stays on one line. When the grader failed, the points are empty, never 0.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from grader.render import account
from grader.render.plain import figure, one_line

if TYPE_CHECKING:
    from grader.report import Report, TestResult

COLUMNS = (
    "exercise",
    "submission",
    "created",
    "seed",
    "result",
    "task",
    "test",
    "title",
    "status",
    "points",
    "points_max",
    "duration_ms",
    "expected",
    "got",
    "message",
)
CELL_CHARACTERS = 1000
_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")  # noqa: RUF001  full-width forms count too


def render(report: Report, *, has_header: bool = True) -> bytes:
    """Write the rows; a report without tests has one row, with the message."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    if has_header:
        writer.writerow(COLUMNS)
    for test in report.tests:
        writer.writerow(_row(report, test))
    if not report.tests:
        writer.writerow(_empty_row(report))
    return text.getvalue().encode()


def cell(text: str) -> str:
    """Make text safe in a cell: one line, bounded, no formula."""
    shown = one_line(text, CELL_CHARACTERS)
    return f"'{shown}" if shown.lstrip(" ").startswith(_STARTS_FORMULA) else shown


def _about(report: Report) -> list[str]:
    return [
        cell(report.exercise.id),
        cell(report.submission.digest),
        cell(report.created),
        str(report.seed),
        report.status,
    ]


def _row(report: Report, test: TestResult) -> list[str]:
    has_score = report.status != "grader-error"
    message = account.skip_text(test) if test.status == "skip" else test.message
    if report.status == "grader-error":
        message = report.message
    elif report.status == "broken" and test.status != "pass" and report.message:
        # That a test was not run is the result of what the report says, and nothing more.
        is_new = test.status != "skip" and message not in ("", report.message)
        message = f"{report.message}; {message}" if is_new else report.message
    return [
        *_about(report),
        cell(test.task),
        cell(test.name),
        cell(test.title),
        test.status,
        figure(test.points) if has_score else "",
        figure(test.points_max),
        f"{test.duration_ms:.1f}",
        cell(test.expected or ""),
        cell(test.got or ""),
        cell(message),
    ]


def _empty_row(report: Report) -> list[str]:
    points = "" if report.status == "grader-error" else figure(report.points)
    return [*_about(report), "", "", "", "", points, figure(report.points_max), "", "", "", cell(report.message)]
