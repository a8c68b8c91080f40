"""Markdown: for GitHub's step summary, a comment, a wiki.

Text from a learner only ever stands in code, where Markdown has no power, or with every sign escaped.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from grader.render import account
from grader.render.account import Block, Line
from grader.render.plain import cut, fit, of_points, one_line

if TYPE_CHECKING:
    from grader.report import Report, TestResult

# GitHub takes 1 MiB a step's summary and 65,536 characters a comment.
LIMIT_BYTES = 60_000
_WORDS = {"pass": "passed", "fail": "**failed**", "skip": "not run", "error": "**not graded**"}
_CODE_SPAN = re.compile(r"(`[^`\n]+`)")
_POWER = re.compile(r"([\\`*_{}\[\]<>#!|~$:^&]|^[-+=]|(?<=^\d)[.)])")
_SIGNS = {"minus": "- ", "plus": "+ ", "same": "  ", "gap": "@@ "}


def render(report: Report, *, details: int = 10) -> bytes:
    """Write the result, the tasks, the tests, and why the first `details` tests failed."""
    return fit(lambda size: _document(report, size, details).encode(), LIMIT_BYTES)


def escape(text: str, limit: int = 500) -> str:
    """Put text on one line without Markdown's power; spans in backticks stay code."""
    parts = _CODE_SPAN.split(one_line(text, limit))
    return "".join(_code(part[1:-1]) if _CODE_SPAN.fullmatch(part) else _powerless(part) for part in parts)


def _document(report: Report, size: int, details: int) -> str:
    lines = [f"## {escape(report.exercise.title)}", "", f"**{_capital(account.headline(report))}**"]
    counts = account.tally(report)
    if counts and report.status == "failed":
        lines[-1] += f" ({counts})"
    lines.append("")
    if report.status in ("broken", "grader-error"):
        lines += _account(account.of_report(report), size)
    if report.status != "grader-error":
        lines += _tasks(report)
        lines += _tests(report)
    if report.status == "failed":
        lines += _failures(report, size, details)
    lines += [escape(account.next_step(report)), ""]
    facts = f"exercise {report.exercise.digest}, submission {report.submission.digest}, seed {report.seed}"
    lines += [f"<sub>Graded in {escape(report.sandbox.name)}: {escape(facts)}.</sub>", ""]
    return "\n".join(lines)


def _tasks(report: Report) -> list[str]:
    if not report.tasks:
        return []
    rows = [f"| {escape(task.title)} | {of_points(task.points, task.points_max)} |" for task in report.tasks]
    return ["| Task | Points |", "| --- | ---: |", *rows, ""]


def _tests(report: Report) -> list[str]:
    if not report.tests:
        return []
    rows = []
    for test in report.tests:
        # Where the whole submission broke, its message says why; a reason for each test would only repeat it.
        word = account.NOT_RUN if test.status == "error" and report.status == "broken" else _WORDS[test.status]
        rows.append(f"| {word} | {escape(test.title)} |")
    return ["| Result | Test |", "| --- | --- |", *rows, ""]


def _failures(report: Report, size: int, details: int) -> list[str]:
    failures = [test for test in report.tests if test.status in ("fail", "error")]
    lines: list[str] = []
    for test in failures[:details]:
        lines += [f"### {escape(test.title)}", "", *_account(account.of_test(test), size)]
    lines += _rest(failures[details:])
    return lines


def _rest(tests: Sequence[TestResult]) -> list[str]:
    return ["Also failed:", "", *(f"- {escape(test.title)}" for test in tests), ""] if tests else []


def _account(blocks: Sequence[Block], size: int) -> list[str]:
    lines: list[str] = []
    for block in blocks:
        is_prose = all(line.kind == "prose" for line in block.lines)
        if is_prose and len(block.lines) == 1:
            text = escape(block.lines[0].text, size)
            lines += [f"{_capital(block.label)}: {text}" if block.label else _capital(text), ""]
            continue
        if block.label:
            lines += [f"{_capital(block.label)}:", ""]
        lines += _fenced(block.lines, size)
    return lines


def _fenced(lines: Sequence[Line], size: int) -> list[str]:
    is_diff = any(line.kind in ("minus", "plus") for line in lines)
    text = cut("\n".join((_SIGNS.get(line.kind, "") if is_diff else "") + line.text for line in lines), size)
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return [fence + ("diff" if is_diff else "text"), *text.split("\n"), fence, ""]


def _powerless(text: str) -> str:
    # A backslash doesn't stop GitHub from reading a mention; an empty comment between the sign and the name does.
    return _POWER.sub(r"\\\1", text).replace("@", "@<!-- -->")


def _code(text: str) -> str:
    # In a table a bar ends the cell, even in code.
    return f"`{text.replace('|', chr(92) + '|')}`"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
