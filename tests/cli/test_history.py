"""`grade history`: the list, the plot, and the history as a file."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from grader.render.plot import plot
from grader.report import Report, to_json
from grader.store.hint import hints, record_hint
from tests.cli.conftest import FIRST, SECOND, Invoke

Record = Callable[..., Report]


def test_without_a_grading_it_says_how_to_begin(invoke: Invoke) -> None:
    """Of all exercises, and of one."""
    assert "Nothing was graded here yet." in invoke("history").out
    assert "Not graded yet: `grade exercise-03` does it." in invoke("history", "3").out


def test_all_exercises_have_a_line_with_best_and_scores(invoke: Invoke, record: Record) -> None:
    """In the order of the course; one that left the course stays in its history."""
    record("exercise-00-gone", "3")
    for points in ("0", "3", "4.5"):
        record(SECOND, points, day=2)
    record(FIRST, "1")

    lines = invoke("history").out.splitlines()

    assert [line.split() for line in lines[1:4]] == [
        ["01-hello", "1/4.5", "1", "try", "2025-03-01", "▃"],
        ["03-one-dish", "4.5/4.5", "3", "tries", "2025-03-02", "▁▆█"],
        ["00-gone", "3/4.5", "1", "try", "2025-03-01", "▆"],
    ]
    assert lines[5].startswith("5 gradings on 2 days;")


def test_one_exercise_shows_every_result_and_a_plot(invoke: Invoke, record: Record) -> None:
    """Oldest first, in local time, with the report's id."""
    record(SECOND, "0")
    last = record(SECOND, "4.5", day=2)

    lines = invoke("history", "one-dish").out.splitlines()

    assert lines[0] == "exercise-03, Find one dish"
    assert lines[2] == "4.5 │   ██"
    assert lines[-3] == f"2025-03-02 10:02  4.5/4.5  passed  {last.id}"
    assert lines[-1] == "2 tries; best 4.5 of 4.5 points"


def test_a_fault_of_the_grader_is_listed_and_is_no_try(invoke: Invoke, record: Record) -> None:
    """It has no points, and doesn't count."""
    record(SECOND, "3")
    record(SECOND, "0", status="grader-error")

    out = invoke("history", "3").out

    assert "-  the grader failed" in out
    assert "1 try; best 3 of 4.5 points; a fault of the grader is no try" in out


def test_a_long_history_shows_the_newest(invoke: Invoke, record: Record) -> None:
    """`--all` shows every one."""
    for _ in range(25):
        record(SECOND, "1")

    assert "the newest 20 of 25; `--all` shows every one" in invoke("history", "3").out
    assert "r0001" in invoke("history", "3", "--all").out


def test_an_export_is_written_through_a_link(invoke: Invoke, record: Record, tmp_path: Path) -> None:
    """As the shell's `>` does: whoever linked the file wants it where the link leads."""
    record(FIRST, "4.5")
    (tmp_path / "link.json").symlink_to("export.json")

    assert invoke("history", "--export", "json", "--output", str(tmp_path / "link.json")).code == 0
    assert (tmp_path / "link.json").is_symlink()
    assert json.loads((tmp_path / "export.json").read_text())["kind"] == "kata-grader-history"


def test_an_export_can_be_imported_elsewhere_and_nothing_is_taken_twice(
    invoke: Invoke, record: Record, course: Path, tmp_path: Path
) -> None:
    """Reports and hints make the journey."""
    record(SECOND, "3")
    record(FIRST, "4.5")
    record_hint(course / ".grade", SECOND, "known-dish", 2)
    path = tmp_path / "history.json"

    ended = invoke("history", "--export", "json", "--output", str(path))

    assert (ended.code, ended.out) == (0, "")
    assert ended.err == f"the history is in {path}\n"
    (course / ".grade").rename(tmp_path / "elsewhere")
    assert invoke("history", "--import", str(path)).out == "took in 2 reports and 1 shown hint\n"
    assert invoke("history", "--import", str(path)).out == "took in 0 reports; 2 were here already\n"
    assert "03-one-dish" in invoke("history").out
    assert hints(course / ".grade", SECOND) == {"known-dish": 2}


def test_a_single_report_can_be_imported(invoke: Invoke, record: Record, tmp_path: Path) -> None:
    """What `--format json` wrote somewhere else."""
    report = record(SECOND, "3", id="another")
    path = tmp_path / "report.json"
    path.write_bytes(to_json(report).replace(b"another", b"foreign"))

    assert invoke("history", "--import", str(path)).out == "took in 1 report\n"


def test_csv_has_a_line_for_each_report(invoke: Invoke, record: Record) -> None:
    """On stdout, without `--output`, and nothing else is there."""
    record(SECOND, "3")

    rows = list(csv.DictReader(invoke("history", "--export", "csv").out.splitlines()))

    assert [(row["exercise"], row["points"]) for row in rows] == [(SECOND, "3")]
    assert json.loads(invoke("history", "--export", "json", "--output", "-").out)["kind"] == "kata-grader-history"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--import", "gone.json"], "`gone.json` can't be read: no such file or directory"),
        (["--import", "exercises/exercise-03-one-dish/README.md"], "this is not the JSON of a history or of a report"),
        (
            ["--export", "json", "--output", "gone/x"],
            "the export can't be written to `gone/x`: no such file or directory",
        ),
        (["--export", "json", "--import", "x"], "`--export` and `--import` don't go together"),
        (["3", "--export", "json"], "an export or import is of the whole history"),
        (["--output", "x"], "`--output` needs `--export`"),
    ],
)
def test_what_cannot_be_done_is_said(invoke: Invoke, arguments: list[str], message: str) -> None:
    """Exit code 2, one sentence."""
    ended = invoke("history", *arguments)

    assert ended.code == 2
    assert f"error: {message}" in ended.err


def test_a_plot_never_shows_nearly_all_as_all() -> None:
    """Nor a little as nothing; the newest scores that fit are drawn."""
    scores = [Decimal(0), Decimal("0.1"), Decimal("9.9"), Decimal(10)]

    assert plot(scores, Decimal(10), width=30, height=2) == [
        "10 │      ▇▇ ██",
        "   │   ▁▁ ██ ██",
        " 0 └───────────",
    ]
    assert plot(scores, Decimal(10), width=30, height=2, is_unicode=False) == [
        "10 |      ## ##",
        "   |   ## ## ##",
        " 0 +-----------",
    ]
    assert [len(line) for line in plot([Decimal(5)] * 100, Decimal(10), width=20, height=1)] == [20, 20]
