"""The report as JSON: whole, exact, and valid by its own schema."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from grader.error import DamagedReport
from grader.render import render
from grader.report import from_json, schema
from tests.render import sample

WITHOUT_HALF_CHARACTERS = ["passed", "failed", "broken", "not_started", "grader_error", "decimals"]


@pytest.mark.parametrize("name", WITHOUT_HALF_CHARACTERS)
def test_comes_back_as_it_was(name: str) -> None:
    """Nothing is lost on the way."""
    report = sample.ALL[name]()
    assert from_json(render(report, "json")) == report


@pytest.mark.parametrize("name", sample.ALL)
def test_keeps_its_schema(name: str) -> None:
    """Which is published with the program."""
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.validate(json.loads(render(sample.ALL[name](), "json")), schema())


@pytest.mark.parametrize("name", ["grader_error", "unsound"])
def test_a_grader_error_has_no_zero(name: str) -> None:
    """Whoever reads nothing but points must not take our failure for the learner's."""
    data = json.loads(render(sample.ALL[name](), "json"))
    assert [part["points"] for part in (data, *data["tasks"], *data["tests"])].count(None) == 1 + len(
        [*data["tasks"], *data["tests"]]
    )
    again = from_json(render(sample.ALL[name](), "json"))
    assert [part.points for part in (again, *again.tasks, *again.tests)] == [0] * (
        1 + len([*again.tasks, *again.tests])
    )


def test_points_that_are_missing_elsewhere_are_damage() -> None:
    """Only the grader's failure excuses them."""
    data = render(sample.failed(), "json").replace(b'"points": 6,', b'"points": null,', 1)
    with pytest.raises(DamagedReport, match="no points"):
        from_json(data)


def test_half_characters_are_shown_and_all_else_is_kept() -> None:
    """JSON in UTF-8 can't hold a lone surrogate."""
    report = from_json(render(sample.hostile(), "json"))
    assert (
        report.output == sample.HOSTILE.replace("\ud800", "\\ud800").replace("\r\n", "\n") or "\\ud800" in report.output
    )
    assert report.points == Decimal(1)


def test_points_are_exact_numbers() -> None:
    """No 0.30000000000000004."""
    data = json.loads(render(sample.decimals(), "json"), parse_float=Decimal)
    assert data["points"] == Decimal("0.3")


def test_compact_form_is_one_line() -> None:
    """For a file with one report a line."""
    assert render(sample.failed(), "json", indent=0).count(b"\n") == 1
