"""Rows for a spreadsheet: RFC 4180, no formulas, no invented zero."""

from __future__ import annotations

import csv
import io

import pytest

from grader.render import csv as csv_format
from grader.render import render
from tests.render import sample


def rows(name: str) -> list[dict[str, str]]:
    """The rows of a sample report."""
    data = render(sample.ALL[name](), "csv").decode()
    return list(csv.DictReader(io.StringIO(data, newline=""), strict=True))


@pytest.mark.parametrize("name", sample.ALL)
def test_there_is_one_row_a_test_with_all_columns(name: str) -> None:
    """Each on a line of its own, ended as RFC 4180 says."""
    report = sample.ALL[name]()
    found = rows(name)
    assert len(found) == max(len(report.tests), 1)
    assert all(list(row) == list(csv_format.COLUMNS) and None not in row.values() for row in found)
    assert render(report, "csv").count(b"\r\n") == len(found) + 1
    assert b"\n" not in render(report, "csv").replace(b"\r\n", b"")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", " =", "＝", "－"])  # noqa: RUF001
def test_no_cell_is_a_formula(start: str) -> None:
    """A spreadsheet shows what a learner printed and does nothing with it."""
    assert csv_format.cell(f"{start}1+1").startswith("'")
    assert csv_format.cell("1=1") == "1=1"


def test_hostile_cells_are_bounded_and_on_one_line() -> None:
    """Whatever came back."""
    for row in rows("huge"):
        for value in row.values():
            assert "\n" not in value
            assert len(value) <= csv_format.CELL_CHARACTERS + 1
            assert not value.startswith(("=", "+", "-", "@", "\t", "\r"))


def test_points_are_exact() -> None:
    """Written as people write them."""
    assert [row["points"] for row in rows("decimals")] == ["0.1", "0.1", "0.1", "0"]


def test_a_grader_error_has_no_points() -> None:
    """An empty cell is not a zero."""
    for row in rows("grader_error"):
        assert row["result"] == "grader-error"
        assert row["points"] == ""
        assert row["message"] == "the container engine stopped answering"


def test_each_row_of_a_broken_submission_says_why() -> None:
    """A row may be all that somebody looks at; a test's own reason stands behind it."""
    assert {row["message"] for row in rows("not_run")} == {sample.NOT_READ.replace("\n", "\\n")}
    for row in rows("broken"):
        assert row["status"] == "pass" or row["message"].startswith(sample.broken().message)


def test_the_header_can_be_left_out() -> None:
    """To append to a file."""
    assert render(sample.passed(), "csv", has_header=False).count(b"\r\n") == len(sample.passed().tests)
