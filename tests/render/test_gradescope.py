"""Gradescope's rules, as its specification has them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from grader.render import render
from tests.render import sample

VISIBILITIES = {"hidden", "after_due_date", "after_published", "visible"}
FORMATS = {"text", "html", "simple_format", "md", "ansi"}
TOP = {
    *("score", "execution_time", "output", "output_format", "test_output_format", "test_name_format"),
    *("visibility", "stdout_visibility", "extra_data", "tests", "leaderboard"),
}
TEST = {
    *("score", "max_score", "status", "name", "name_format", "number", "output", "output_format"),
    *("tags", "visibility", "extra_data"),
}


def results(name: str) -> Any:
    """The results of a sample report."""
    return json.loads(render(sample.ALL[name](), "gradescope"))


@pytest.mark.parametrize("name", sample.ALL)
def test_keeps_the_rules(name: str) -> None:
    """Known keys with values of the right kind."""
    found = results(name)
    assert set(found) <= TOP
    assert isinstance(found["execution_time"], (int, float))
    assert {found["visibility"], found["stdout_visibility"]} <= VISIBILITIES
    assert found["output_format"] in FORMATS
    for test in found.get("tests", []):
        assert set(test) <= TEST
        assert test["status"] in ("passed", "failed")
        assert isinstance(test["number"], str)
        assert isinstance(test["score"], (int, float))
        assert isinstance(test["max_score"], (int, float))
        assert 0 <= test["score"] <= test["max_score"]
        assert test["output_format"] in FORMATS
        assert test["visibility"] == "visible", "a hidden test hides the learner's total"
        assert all(isinstance(tag, str) for tag in test["tags"])


@pytest.mark.parametrize("name", sorted(set(sample.ALL) - {"grader_error", "unsound"}))
def test_has_a_score_that_is_the_reports(name: str) -> None:
    """The top score overrides the sum of the tests, so it must be right."""
    assert str(results(name)["score"]) == f"{sample.ALL[name]().points.normalize():f}"


def test_a_grader_error_has_no_score_anywhere() -> None:
    """No top score and no tests that could be summed, so that Gradescope records none; the output says why."""
    found = results("grader_error")
    assert "score" not in found
    assert "tests" not in found
    assert "the grader failed, not your code" in found["output"]


def test_numbers_count_tests_within_tasks() -> None:
    """Shown as 1.1, 1.2, 2.1 ..."""
    numbers = [test["number"] for test in results("failed")["tests"]]
    assert numbers == ["1.1", "1.2", "1.3", "2.1", "2.2", "2.3", "2.4", "2.5"]
