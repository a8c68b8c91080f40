"""Annotations for GitHub Actions, as workflow commands on stdout.

Rules: https://docs.github.com/actions/reference/workflow-commands-for-github-actions and `core.issueCommand` of
actions/toolkit, for the escapes. GitHub shows ten errors and ten warnings a step at most.

Every line is a command with its text escaped, so nothing that a learner printed can become one.
For `$GITHUB_STEP_SUMMARY` see `step_summary`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from grader.render import account
from grader.render.plain import counted, cut, one_line

if TYPE_CHECKING:
    from grader.report import Frame, Report

MOST_ERRORS = 9
MESSAGE_CHARACTERS = 4000


def render(report: Report, *, folder: str = "") -> bytes:
    """Write one error for each failed test, at the learner's line where it is known, and a notice with the points.

    `folder` is where the submission lies in the repository, such as `exercises/exercise-03-one-dish/solution`.
    """
    title = one_line(report.exercise.title, 200)
    lines: list[str] = []
    if report.status in ("broken", "grader-error"):
        text = cut(account.text_of_report(report, account.SHORT), MESSAGE_CHARACTERS)
        name = account.GRADER_FAILED if report.status == "grader-error" else f"{title}: {account.headline(report)}"
        return (_command("error", text, name, _place(report.frames, folder)) + "\n").encode()
    failures = [test for test in report.tests if test.status in ("fail", "error")]
    for test in failures[:MOST_ERRORS]:
        text = cut(account.text_of_test(test, account.SHORT), MESSAGE_CHARACTERS) or account.brief(test)
        lines.append(_command("error", text, one_line(test.title, 200), _place(test.frames, folder)))
    if len(failures) > MOST_ERRORS:
        rest = [f"- {one_line(test.title, 200)}" for test in failures[MOST_ERRORS:]]
        text = cut("\n".join(rest), MESSAGE_CHARACTERS)
        lines.append(_command("error", text, f"{counted(len(rest), 'more test')} failed", {}))
    lines.append(_command("notice", account.headline(report), title, {}))
    return ("\n".join(lines) + "\n").encode()


def step_summary(report: Report) -> bytes:
    """Write the report as Markdown to append to `$GITHUB_STEP_SUMMARY`."""
    from grader.render import markdown

    return markdown.render(report)


def _place(frames: Sequence[Frame], folder: str) -> dict[str, str]:
    """Give file and line of the innermost frame, unless its name points out of the submission."""
    if not frames:
        return {}
    frame = frames[-1]
    parts = frame.file.split("/")
    if not frame.file.isprintable() or frame.file.startswith("/") or ".." in parts or "\\" in frame.file:
        return {}
    file = "/".join([*(part for part in folder.split("/") if part), *(part for part in parts if part not in ("", "."))])
    return {"file": one_line(file, 300), "line": str(max(frame.line, 1))}


def _command(kind: str, message: str, title: str, place: dict[str, str]) -> str:
    properties = ",".join(f"{key}={_escape_property(value)}" for key, value in {**place, "title": title}.items())
    return f"::{kind} {properties}::{_escape(message)}"


def _escape(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape(text).replace(":", "%3A").replace(",", "%2C")
