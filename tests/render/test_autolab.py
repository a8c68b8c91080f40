"""Autolab's last lines, read as Autolab's own code reads them."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec
import pytest

from grader.render import render
from grader.report import Report
from tests.render import sample


def autoresult(output: str) -> Any:
    """`saveAutograde` and `parseAutoresult`: the last line, with quotes put round each `word:`."""
    last = output.rstrip().split("\n")[-1]
    parsed = json.loads(re.sub(r"([a-zA-Z0-9]+):", r'"\1":', last))
    assert parsed["scores"], "without scores, Autolab gives zero to every problem"
    return parsed["scores"]


def semantic(output: str) -> Any:
    """`parseFeedback` and `parse_stages`: the line before the last."""
    try:
        found = json.loads(output.rstrip().split("\n")[-2])
    except ValueError:
        return None
    return found if isinstance(found, dict) and found.get("_presentation") == "semantic" else None


@pytest.mark.parametrize("name", sample.ALL)
def test_scores_are_the_tasks_points(name: str) -> None:
    """One problem a task."""
    report = sample.ALL[name]()
    scores = autoresult(render(report, "autolab").decode())
    assert set(scores) == {task.id for task in report.tasks} or (name, scores) == ("unsound", {"score": None})
    if name != "grader_error":
        for task in report.tasks:
            assert str(scores[task.id]) == f"{task.points.normalize():f}"


@pytest.mark.parametrize("name", sample.ALL)
def test_stages_hold_tests_with_passed_and_hint(name: str) -> None:
    """The view shows a table only where every entry is a hash with `passed`."""
    found = semantic(render(sample.ALL[name](), "autolab").decode())
    if found is None:
        assert name in ("not_started", "grader_error", "unsound")
        return
    assert found["stages"]
    for stage in found["stages"]:
        assert found[stage]
        for key, test in found[stage].items():
            assert not key.startswith("_"), "such keys are not shown"
            assert isinstance(test["passed"], bool)
            assert isinstance(test.get("hint", ""), str)


def test_a_grader_error_leaves_every_problem_ungraded() -> None:
    """A null is stored as no score; a line without scores would become zeros."""
    output = render(sample.grader_error(), "autolab").decode()
    assert autoresult(output) == {"known-dish": None}
    assert "the grader failed, not your code" in output


def _titled(*titles: str) -> Report:
    tests = [sample.passing(f"test_{place}", title, "known-dish") for place, title in enumerate(titles)]
    report = sample.failed()
    return msgspec.structs.replace(report, tests=tests, tasks=report.tasks[:1])


def test_titles_that_collide_are_all_kept() -> None:
    """Two tests of one title, or one named like a key of Autolab's own, lose nothing."""
    found = semantic(render(_titled("Same.", "Same.", "_order"), "autolab").decode())
    (stage,) = found["stages"]
    assert set(found[stage]) == {"Same.", "Same. (2)", "order"}
