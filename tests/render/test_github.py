"""Workflow commands for GitHub Actions, read as the runner reads them."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from grader.render import github, render
from grader.report import ExerciseRef, Frame, Report
from tests.render import sample

COMMAND = re.compile(r"^::(error|warning|notice) ([^\n]*?)::(.*)$")
PROPERTIES = {"title", "file", "line", "endLine", "col", "endColumn"}


def unescaped(text: str, *, is_property: bool = False) -> str:
    """Undo the escapes, in the runner's order."""
    if is_property:
        text = text.replace("%3A", ":").replace("%2C", ",")
    return text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")


def commands(output: bytes) -> list[tuple[str, dict[str, str], str]]:
    """The commands of an output; any other line is an error."""
    found = []
    for line in output.decode().removesuffix("\n").split("\n"):
        match = COMMAND.match(line)
        assert match, line
        pairs = (pair.split("=", 1) for pair in match.group(2).split(","))
        properties = {key: unescaped(value, is_property=True) for key, value in pairs}
        assert set(properties) <= PROPERTIES
        found.append((match.group(1), properties, unescaped(match.group(3))))
    return found


@pytest.mark.parametrize("name", sample.ALL)
def test_every_line_is_a_command_and_there_are_at_most_ten_errors(name: str) -> None:
    """GitHub shows no more than ten of a kind."""
    found = commands(render(sample.ALL[name](), "github"))
    assert sum(kind == "error" for kind, _, _ in found) <= 10


def test_a_failure_stands_at_the_learners_line() -> None:
    """The path is that of the repository."""
    found = commands(render(sample.failed(), "github", folder="solutions/03"))
    assert found[1][1] == {"file": "solutions/03/app.py", "line": "12", "title": "An unknown id gets a 404."}
    assert found[-1] == ("notice", {"title": "Find one dish, or say it is missing"}, "6 of 10 points")


@pytest.mark.parametrize("file", ["../../.github/workflows/ci.yml", "/etc/passwd", "a\nb.py", "x\\y.py"])
def test_a_frame_outside_the_submission_has_no_place(file: str) -> None:
    """A learner can't put annotations on other people's files."""
    frame = Frame(file=file, line=1, function="f", code="")
    test = sample.failing("test_a", "A.", "t", frames=[frame], expected="1", got="2")
    (kind, properties, _), _ = commands(render(sample.report(tests=[test]), "github"))
    assert kind == "error"
    assert set(properties) == {"title"}


def test_what_a_learner_printed_comes_back_whole_and_has_no_force() -> None:
    """Percent signs, newlines and colons are escaped, so no line begins a command of theirs."""
    found = commands(render(sample.hostile(), "github"))
    assert [kind for kind, _, _ in found] == ["error", "notice"]
    assert "::error::fake %0A::set-output name=x::y" in found[0][2]


@pytest.mark.parametrize(("name", "title"), [("broken", "3 of 10 points"), ("grader_error", "the grader failed, not")])
def test_what_ended_the_grading_is_one_error(name: str, title: str) -> None:
    """One message, not one for each test."""
    ((kind, properties, _),) = commands(render(sample.ALL[name](), "github"))
    assert kind == "error"
    assert title in properties["title"]


def test_a_grader_error_says_no_points() -> None:
    """Nobody reads a zero."""
    assert b" points" not in render(sample.grader_error(), "github")


def test_more_failures_than_github_shows_are_named_together() -> None:
    """None is lost."""
    tests = [sample.failing(f"test_{place}", f"Promise {place}.", "t", expected="1", got="2") for place in range(14)]
    found = commands(render(sample.report(tests=tests), "github"))
    assert found[-2][1]["title"] == "5 more tests failed"
    assert found[-2][2].count("\n") == 4


def test_a_syntax_error_stands_at_its_line() -> None:
    """Though nothing was run there; a name that leads out of the submission is only text."""
    report = sample.not_run()
    ((kind, properties, _),) = commands(render(report, "github", folder="x/solution"))
    assert (kind, properties["file"], properties["line"]) == ("error", "x/solution/app.py", "3")

    outside = msgspec.structs.replace(report.frames[0], file="../conftest.py")
    ((_, properties, _),) = commands(render(msgspec.structs.replace(report, frames=[outside]), "github"))
    assert "file" not in properties


def failing(failures: int, title: str) -> Report:
    """A report in which so many tests failed."""
    tests = [
        sample.failing(f"test_{place}", f"Promise {place}.", "t", expected="1", got="2") for place in range(failures)
    ]
    exercise = ExerciseRef(id="exercise-01-x", title=title, digest="x")
    return msgspec.structs.replace(sample.report(tests=tests), exercise=exercise)


@pytest.mark.parametrize("failures", [[10], [3, 2], [14, 1, 0, 12], [2] * 9, [1] * 10, [1] * 11, [4] * 30, [0, 0]])
def test_several_reports_have_no_more_errors_together_than_github_shows(failures: list[int]) -> None:
    """What stands behind the tenth is shown nowhere: so each exercise has its share, and none is left out in silence."""
    reports = [(failing(count, f"Exercise {place}"), "") for place, count in enumerate(failures)]
    found = commands(github.render_all(reports))
    errors = [(properties["title"], text) for kind, properties, text in found if kind == "error"]

    assert len(errors) == min(sum(failures), 10)
    named = 0
    for title, text in errors:
        lines = text.count("\n") + 1
        named += (
            max(failures) * lines if "exercises did not pass" in title else lines if title.endswith("failed") else 1
        )
    assert named >= sum(failures)
    notices = {properties["title"] for kind, properties, _ in found if kind == "notice"}
    told = notices | {line[2:].partition(":")[0] for _, text in errors for line in text.split("\n")}
    assert {f"Exercise {place}" for place in range(len(failures))} <= told


def test_the_step_summary_is_the_markdown() -> None:
    """One text for all places that show Markdown."""
    report: Any = msgspec.structs.replace(sample.failed(), seed=1)
    assert github.step_summary(report) == render(report, "markdown")
