"""check50's JSON specification, and the way its own code reads it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from grader.render import render
from tests.render import sample


def results(name: str) -> Any:
    """The results of a sample report."""
    return json.loads(render(sample.ALL[name](), "check50"))


def check50_fails(found: Any) -> bool:
    """How check50 itself tells whether anything went wrong."""
    return "error" in found or any(not result["passed"] for result in found["results"])


@pytest.mark.parametrize("name", sample.ALL)
def test_keeps_the_rules(name: str) -> None:
    """Known keys with values of the right kind."""
    found = results(name)
    assert set(found) in ({"slug", "results", "version"}, {"slug", "error", "version"})
    assert isinstance(found["slug"], str)
    assert isinstance(found["version"], str)
    names = [result["name"] for result in found.get("results", [])]
    assert len(names) == len(set(names))
    for result in found.get("results", []):
        assert set(result) == {"name", "description", "passed", "log", "cause", "data", "dependency"}
        assert result["passed"] in (True, False, None)
        assert all(isinstance(line, str) and "\n" not in line for line in result["log"])
        assert len(result["log"]) <= 100
        assert isinstance(result["data"], dict)
        assert result["dependency"] is None or result["dependency"] in names
        cause = result["cause"]
        assert (cause is None) == (result["passed"] is True)
        if cause is not None:
            assert isinstance(cause["rationale"], str)
            assert cause["rationale"]
            assert ("expected" in cause) == ("actual" in cause)


@pytest.mark.parametrize("name", sample.ALL)
def test_only_a_passed_report_counts_as_passed(name: str) -> None:
    """Also where not a single test was run."""
    assert check50_fails(results(name)) == (name != "passed")


def test_a_grader_error_stands_in_place_of_the_results() -> None:
    """As check50 reports its own failures."""
    found = results("grader_error")
    assert set(found["error"]) == {"type", "value", "traceback", "data"}
    assert "the grader failed, not your code" in found["error"]["value"]


def test_what_was_not_run_is_neither_passed_nor_failed() -> None:
    """`passed` is null."""
    last = results("failed")["results"][-1]
    assert last["passed"] is None
    assert last["cause"]["rationale"].startswith("not run")


def test_expected_and_actual_come_whole() -> None:
    """Values aren't cut at fifteen characters."""
    cause = results("failed")["results"][2]["cause"]
    assert json.loads(cause["expected"])["price"] == 950
    assert json.loads(cause["actual"])["price"] == 9.5
