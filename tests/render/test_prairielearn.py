"""PrairieLearn's grading results, and the way its server takes them in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from grader.render import render
from tests.render import sample


def results(name: str) -> Any:
    """The results of a sample report."""
    return json.loads(render(sample.ALL[name](), "prairielearn"))


@pytest.mark.parametrize("name", sample.ALL)
def test_keeps_the_rules(name: str) -> None:
    """Known keys with values of the right kind, and at most a mebibyte."""
    data = render(sample.ALL[name](), "prairielearn")
    assert len(data) <= 1024 * 1024
    assert b"\\u0000" not in data, "the database behind it refuses NUL"
    found = json.loads(data)
    assert set(found) <= {"gradable", "score", "message", "output", "images", "format_errors", "tests"}
    assert isinstance(found["gradable"], bool)
    assert isinstance(found["message"], str)
    if found["gradable"]:
        assert isinstance(found["score"], (int, float))
        assert 0 <= found["score"] <= 1
    for test in found["tests"]:
        assert set(test) == {"name", "description", "points", "max_points", "message", "output"}
        assert 0 <= test["points"] <= test["max_points"]


def test_the_score_is_the_share_of_the_points() -> None:
    """Six of ten points are 0.6."""
    assert results("failed")["score"] == 0.6
    assert results("passed")["score"] == 1
    assert results("decimals")["score"] == 0.3


def test_a_grader_error_is_not_gradable() -> None:
    """No score, no attempt."""
    found = results("grader_error")
    assert found["gradable"] is False
    assert "score" not in found
    assert "the grader failed, not your code" in found["message"]


def test_a_submission_that_does_not_start_was_graded() -> None:
    """It has no points, and the message says why."""
    found = results("not_started")
    assert found["gradable"] is True
    assert found["score"] == 0
    assert "app.py, line 3" in found["message"]
