"""Keeping one report, fast and for good."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import pytest

from grader.error import DamagedReport
from grader.report import from_json
from grader.store import inbox
from grader.store.inbox import keep, pending


def test_a_kept_report_is_one_file_with_the_reports_own_json(state_dir: Path, make_report) -> None:
    """The file can be given to anything that reads a report."""
    report = make_report(points=Decimal("0.1"), points_max=Decimal("0.3"))
    kept = keep(report, state_dir)
    assert kept.note is None
    assert pending(state_dir) == [kept.path]
    assert kept.path.parent == state_dir / "inbox"
    assert from_json(kept.path.read_bytes()) == report
    assert b'"points": 0.1,' in kept.path.read_bytes()


@pytest.mark.parametrize("learner", ["", "Amélie"])
def test_a_grader_errors_points_are_null_in_its_file_and_none_when_read(learner: str, make_report) -> None:
    """Its receipt, if it has one, is of what the file says; and nothing that reads it has to know of null."""
    data = inbox.encode(make_report(status="grader-error", points=Decimal(0)), learner=learner)
    assert json.loads(data)["points"] is None
    assert (inbox.decode(data).report.points, inbox.decode(data).learner) == (0, learner)
    assert inbox.decode(data.replace(b'"points": null', b'"points": 0')).report.points == 0


def test_whose_report_it_is_stands_beside_it(state_dir: Path, make_report) -> None:
    """The learner's name is kept, and a program that doesn't know that key still reads the report."""
    report = make_report()
    kept = keep(report, state_dir, learner="Amélie Nguyễn")
    assert json.loads(kept.path.read_bytes())["learner"] == "Amélie Nguyễn"
    assert from_json(kept.path.read_bytes()) == report
    assert inbox.decode(kept.path.read_bytes(), kept.path.name).learner == "Amélie Nguyễn"


def test_reports_stay_in_order_when_the_clock_is_set_back(
    state_dir: Path, make_report, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later report sorts after an earlier one, also after the earlier one was taken in."""
    now = time.time_ns()
    paths = []
    for offset_s in (0, -86_400, -10 * 86_400, 0):
        monkeypatch.setattr(time, "time_ns", lambda moment=now + offset_s * 10**9: moment)
        paths.append(keep(make_report(), state_dir).path)
        stamp, report_id = inbox.name_parts(paths[-1].name)
        filed = inbox.filed_path(state_dir, stamp, report_id)
        filed.parent.mkdir(parents=True, exist_ok=True)
        paths[-1].rename(filed)
    assert [path.name for path in paths] == sorted(path.name for path in paths)
    assert [path.name for path in inbox.report_files(state_dir)] == [path.name for path in paths]


def test_a_foreign_file_in_the_inbox_does_not_confuse_the_order(state_dir: Path, make_report) -> None:
    """Only names of ours are read for the newest stamp."""
    (state_dir / "inbox").mkdir(parents=True)
    (state_dir / "inbox" / "zzz.json").write_text("{}")
    first, second = keep(make_report(), state_dir).path, keep(make_report(), state_dir).path
    assert first.name < second.name
    assert inbox.name_parts(first.name)


def test_an_id_that_can_not_name_a_file_is_told_and_not_raised(state_dir: Path, make_report) -> None:
    """A grading never fails because its report can't be kept."""
    kept = keep(make_report(id="../../escaped"), state_dir)
    assert kept.path is None
    assert "not recorded" in kept.note.message
    assert not state_dir.exists()


def test_text_that_is_not_unicode_is_told_and_not_raised(state_dir: Path, make_report) -> None:
    """Half of a surrogate pair can't be written as UTF-8."""
    kept = keep(make_report(message="\udc80"), state_dir)
    assert kept.path is None
    assert "not recorded" in kept.note.message


def test_a_report_is_on_the_disk_before_it_has_its_name(
    state_dir: Path, make_report, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut leaves all of it or nothing: content, name, and the names of new folders are flushed, in this order."""
    steps: list[str] = []
    made = ""
    fsync, replace = os.fsync, os.replace

    def noted_fsync(handle: int) -> None:
        steps.append(f"flush {Path(os.readlink(f'/proc/self/fd/{handle}')).name}")
        fsync(handle)

    def noted_replace(source: Path, target: Path) -> None:
        nonlocal made
        made = Path(source).name
        steps.append("name")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "replace", noted_replace)
    keep(make_report(), state_dir)
    assert steps == [
        f"flush {state_dir.parent.name}",
        "flush .grade",
        f"flush {made}",
        "name",
        "flush inbox",
    ]


def test_nothing_half_written_is_ever_listed(state_dir: Path, make_report) -> None:
    """What a killed program left under a temporary name is no report."""
    kept = keep(make_report(), state_dir)
    (state_dir / "inbox" / f".{kept.path.name}.1.tmp").write_bytes(b'{"version": 1, ')
    assert pending(state_dir) == [kept.path]


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe", b"[]", b'{"version": 1}', b"null"])
def test_bytes_that_are_no_report_are_refused(data: bytes) -> None:
    """They are a `DamagedReport`, whatever they are."""
    with pytest.raises(DamagedReport, match="not a report"):
        inbox.decode(data)


def test_a_report_without_a_readable_time_gets_the_earliest_stamp() -> None:
    """A stamp is always had, and never one from the future."""
    assert inbox.stamp_of("yesterday") == "00010101T000000.000000Z"
    assert inbox.stamp_of("2025-03-01T10:00:00+02:00") == "20250301T080000.000000Z"
    assert inbox.stamp_of("9000-01-01T00:00:00Z")[:2] == "20"
    assert inbox.is_stamp(inbox.stamp_of("2025-03-01T10:00:00"))
    assert not inbox.is_stamp("90000101T000000.000000Z")
    assert not inbox.is_stamp("20251301T000000.000000Z")


def test_the_fast_ways_import_no_database_library() -> None:
    """SQLAlchemy costs 0.3 s, which a grading and a listing must not pay."""
    code = """
import sys
import grader.store.inbox, grader.store.hint, grader.store.submissions, grader.store.glance, grader.progress
print([name for name in ("sqlalchemy", "alembic", "click", "rich") if name in sys.modules])
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
