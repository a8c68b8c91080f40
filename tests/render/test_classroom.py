"""GitHub Classroom's autograding reporter: its two totals, its environment variable, its log."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from grader.render import render
from grader.report import Report
from tests.render import sample

MAX_ARG_STRLEN = 128 * 1024
WITH_SCORE = sorted(set(sample.ALL) - {"grader_error", "unsound"})


def result(report: Report, **options: Any) -> Any:
    """The result of a report."""
    return json.loads(render(report, "classroom", **options))


def table_total(found: Any) -> float:
    """`getTestScore` of the reporter: passed / all x `max_score`."""
    passed = sum(test["status"] == "pass" for test in found["tests"])
    return float(passed / len(found["tests"]) * found["max_score"])


def classroom_total(found: Any) -> float | None:
    """What `NotifyClassroom` of the reporter sends, added up as JavaScript does; `None` where it sends nothing."""
    if not found["max_score"]:
        return None
    total = 0.0
    for test in found["tests"]:
        total += test["score"]
    return total


@pytest.mark.parametrize("name", sample.ALL)
def test_keeps_the_rules(name: str) -> None:
    """Every key that the reporter reads is there."""
    found = result(sample.ALL[name]())
    assert found["version"] == 3
    assert found["status"] in ("pass", "fail", "error")
    assert found["tests"], "no test at all would make the score NaN"
    for test in found["tests"]:
        assert test["status"] in ("pass", "fail", "error")
        assert isinstance(test["score"], (int, float))
        assert test["line_no"] == 0
        assert test["test_code"] == ""
        assert isinstance(test["message"], str)
        assert {"filename", "duration", "task_id"} <= set(test)
    assert (found["status"] == "pass") == all(test["status"] == "pass" for test in found["tests"])


@pytest.mark.parametrize("name", WITH_SCORE)
def test_both_totals_are_the_reports_points(name: str) -> None:
    """The table and Classroom say the same."""
    report = sample.ALL[name]()
    found = result(report)
    assert table_total(found) == classroom_total(found) == float(report.points)
    assert found["max_score"] == float(report.points_max)


@pytest.mark.parametrize("name", WITH_SCORE)
def test_one_runner_a_task_adds_up_too(name: str) -> None:
    """The tasks' results together are the report's."""
    report = sample.ALL[name]()
    parts = [result(report, task=task.id) for task in report.tasks]
    for part, task in zip(parts, report.tasks, strict=True):
        assert table_total(part) == classroom_total(part) == float(task.points)
    assert sum(part["max_score"] for part in parts) == float(report.points_max)


def test_weights_without_a_common_share_keep_what_classroom_is_told() -> None:
    """Where a test would stand more than 400 times, the score stays exact."""
    tests = [
        sample.passing("test_a", "A.", "t", "0.001"),
        sample.failing("test_b", "B.", "t", "7", expected="1", got="2"),
    ]
    found = result(sample.report(tests=tests))
    assert len(found["tests"]) == 2
    assert classroom_total(found) == 0.001


def test_a_broken_submission_is_told_why_in_its_first_entry() -> None:
    """That nothing was run is no reason that a learner could do anything about."""
    report = sample.not_run()
    first, *others = result(report)["tests"]
    assert first["message"].startswith("app.py, line 3 can't be read as Python: expected")
    assert {test["message"] for test in others} <= {"", "not run: it was not run"}
    (second, *_) = result(report, task="missing-dish")["tests"]
    assert second["message"].startswith("app.py, line 3")


def test_a_grader_error_tells_classroom_nothing() -> None:
    """No points can be had, so the reporter sends no score; the error still fails the step."""
    found = result(sample.grader_error())
    assert classroom_total(found) is None
    assert found["status"] == "error"
    assert "the grader failed" in found["tests"][0]["message"]


@pytest.mark.parametrize("name", sample.ALL)
def test_the_output_line_fits_into_the_environment(name: str) -> None:
    """The reporter gets it in one variable, which Linux bounds."""
    line = render(sample.ALL[name](), "classroom", as_output=True)
    assert line.startswith(b"result=")
    assert line.count(b"\n") == 1
    assert len(line) < MAX_ARG_STRLEN
    assert json.loads(base64.b64decode(line.removeprefix(b"result="))) == json.loads(
        render(sample.ALL[name](), "classroom")
    )


def test_a_learners_workflow_commands_have_no_force() -> None:
    """The reporter writes names and messages to the log."""
    text = render(sample.hostile(), "classroom").decode()
    assert "::" not in text
    assert "error: :fake" in text
