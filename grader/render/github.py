"""Annotations for GitHub Actions, as workflow commands on stdout.

Rules: https://docs.github.com/actions/reference/workflow-commands-for-github-actions and `core.issueCommand` of
actions/toolkit, for the escapes. GitHub shows ten errors and ten warnings a step at most, whatever number of
exercises a step is about: `render_all` shares them out.

Every line is a command with its text escaped, so nothing that a learner printed can become one.
For `$GITHUB_STEP_SUMMARY` see `step_summary`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from grader.render import account
from grader.render.plain import counted, cut, one_line

if TYPE_CHECKING:
    from grader.report import Frame, Report, TestResult

MOST_ERRORS = 10
MESSAGE_CHARACTERS = 4000


def render(report: Report, *, folder: str = "", most_errors: int = MOST_ERRORS) -> bytes:
    """Write one error for each failed test, at the learner's line where it is known, and a notice with the points.

    `folder` is where the submission lies in the repository, such as `exercises/exercise-03-one-dish/solution`. Where more
    than `most_errors` failed, the last error names the rest.
    """
    title = one_line(report.exercise.title, 200)
    lines: list[str] = []
    if report.status in ("broken", "grader-error"):
        text = cut(account.text_of_report(report, account.SHORT), MESSAGE_CHARACTERS)
        name = account.GRADER_FAILED if report.status == "grader-error" else f"{title}: {account.headline(report)}"
        return (_command("error", text, name, _place_of(report.frames, folder)) + "\n").encode()
    failures = _failures(report)
    shown = failures if len(failures) <= most_errors else failures[: most_errors - 1]
    for test in shown:
        text = cut(account.text_of_test(test, account.SHORT), MESSAGE_CHARACTERS) or account.brief(test)
        lines.append(_command("error", text, one_line(test.title, 200), _place_of(test.frames, folder)))
    if rest := failures[len(shown) :]:
        text = cut("\n".join(f"- {one_line(test.title, 200)}" for test in rest), MESSAGE_CHARACTERS)
        told = counted(len(rest), "more test" if shown else "test")
        lines.append(_command("error", text, f"{told} failed", {}))
    lines.append(_command("notice", account.headline(report), title, {}))
    return ("\n".join(lines) + "\n").encode()


def render_all(reports: Sequence[tuple[Report, str]]) -> bytes:
    """Write the commands for several reports, each with its folder: together no more errors than GitHub shows.

    Each that did not pass has at least one, as far as there are that many; what is left is shared out in turn.
    """
    wanted = [_count(report) for report, _ in reports]
    failing = [place for place, count in enumerate(wanted) if count]
    told = failing if len(failing) <= MOST_ERRORS else failing[: MOST_ERRORS - 1]
    allotted = [1 if place in told else 0 for place in range(len(reports))]
    left = MOST_ERRORS - len(told) if told == failing else 0
    while left and (hungry := [place for place in told if allotted[place] < wanted[place]]):
        for place in hungry[:left]:
            allotted[place] += 1
        left -= len(hungry[:left])
    written = [
        render(report, folder=folder, most_errors=count)
        for (report, folder), count, failures in zip(reports, allotted, wanted, strict=True)
        if count or not failures
    ]
    if rest := failing[len(told) :]:
        lines = [
            f"- {one_line(report.exercise.title, 200)}: {account.headline(report)}"
            for report in (reports[place][0] for place in rest)
        ]
        text = cut("\n".join(lines), MESSAGE_CHARACTERS)
        written.append((_command("error", text, f"{len(rest)} more exercises did not pass", {}) + "\n").encode())
    return b"".join(written)


def _failures(report: Report) -> list[TestResult]:
    return [test for test in report.tests if test.status in ("fail", "error")]


def _count(report: Report) -> int:
    """Count the errors that a report would have if there were no bound."""
    return 1 if report.status in ("broken", "grader-error") else len(_failures(report))


def render_error(message: str, *, hint: str = "") -> bytes:
    """Write one error for what kept the grader from grading."""
    text = cut("\n".join(part for part in (message, hint) if part), MESSAGE_CHARACTERS)
    return (_command("error", text, "not graded", {}) + "\n").encode()


def step_summary(report: Report) -> bytes:
    """Write the report as Markdown to append to `$GITHUB_STEP_SUMMARY`."""
    from grader.render import markdown

    return markdown.render(report)


def _place_of(frames: Sequence[Frame], folder: str) -> dict[str, str]:
    """Give the place of the innermost frame."""
    return _place(frames[-1].file, frames[-1].line, folder) if frames else {}


def _place(name: str, line: int, folder: str) -> dict[str, str]:
    """Give file and line, unless the name points out of the submission."""
    parts = name.split("/")
    if not name.isprintable() or name.startswith("/") or ".." in parts or "\\" in name:
        return {}
    file = "/".join([*(part for part in folder.split("/") if part), *(part for part in parts if part not in ("", "."))])
    return {"file": one_line(file, 300), "line": str(max(line, 1))}


def _command(kind: str, message: str, title: str, place: dict[str, str]) -> str:
    properties = ",".join(f"{key}={_escape_property(value)}" for key, value in {**place, "title": title}.items())
    return f"::{kind} {properties}::{_escape(message)}"


def _escape(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape(text).replace(":", "%3A").replace(",", "%2C")
