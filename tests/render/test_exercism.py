"""Exercism's test runner interface, version 3."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from grader.render import exercism, render
from tests.render import sample


def results(name: str) -> Any:
    """The results of a sample report."""
    return json.loads(render(sample.ALL[name](), "exercism"))


@pytest.mark.parametrize("name", sample.ALL)
def test_keeps_the_rules(name: str) -> None:
    """Known keys with values of the right kind and size."""
    found = results(name)
    assert set(found) == {"version", "status", "message", "tests"}
    assert found["version"] == 3
    assert found["status"] in ("pass", "fail", "error")
    if found["status"] == "error":
        assert found["message"]
        assert len(found["message"].encode()) <= 65_535
        assert found["tests"] == []
    else:
        assert found["message"] is None
        assert found["tests"]
    is_passed = all(test["status"] == "pass" for test in found["tests"])
    assert (found["status"] == "pass") == (is_passed and found["status"] != "error")
    for test in found["tests"]:
        assert set(test) <= {"name", "status", "message", "output", "test_code", "task_id"}
        assert test["status"] in ("pass", "fail", "error")
        assert test["status"] == "pass" or test["message"]
        assert len(test.get("output", "").removesuffix(exercism.WAS_CUT)) <= 500
        if "task_id" in test:
            assert test["task_id"] in range(1, len(sample.ALL[name]().tasks) + 1)


@pytest.mark.parametrize(
    ("name", "status"),
    [("passed", "pass"), ("failed", "fail"), ("broken", "fail"), ("not_started", "error"), ("grader_error", "error")],
)
def test_error_only_when_no_test_ran(name: str, status: str) -> None:
    """`error` at the top is for a submission that did not start, or a grader that failed."""
    assert results(name)["status"] == status


def test_a_grader_error_says_whose_fault_it_was() -> None:
    """The message is all that a learner sees."""
    assert results("grader_error")["message"].startswith("the grader failed, not your code")


def test_the_first_test_that_a_broken_submission_misses_says_why() -> None:
    """Exercism shows only the first failure."""
    first = next(test for test in results("broken")["tests"] if test["status"] != "pass")
    assert "stopped: it used more than 256 MiB" in first["message"]


def test_a_submission_that_breaks_after_its_last_test_is_no_pass() -> None:
    """Every test passed, but the report says that it broke."""
    report = msgspec.structs.replace(sample.passed(), status="broken", message="stopped: it ran for more than 60 s")
    found = json.loads(render(report, "exercism"))
    assert found["status"] == "fail"
    assert "60 s" in found["tests"][-1]["message"]


def test_output_is_only_the_learners_and_says_when_it_was_cut() -> None:
    """At most 500 characters, then the note."""
    assert results("failed")["tests"][3]["output"].startswith("looking for 93\n")
    assert results("huge")["tests"][0]["output"].endswith(exercism.WAS_CUT)


def test_code_is_what_was_sent() -> None:
    """The hidden test's source has no place; the command that repeats it does."""
    assert results("failed")["tests"][3]["test_code"] == "curl -i http://127.0.0.1:8000/dishes/93"
