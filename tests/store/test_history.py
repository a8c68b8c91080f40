"""The whole history, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from pathlib import Path

import pytest

from grader.error import GraderError
from grader.store import inbox
from grader.store.error import HistoryUnavailable, RefusedImport, UnknownReport
from grader.store.glance import glance
from grader.store.history import BATCH, open_history
from grader.store.inbox import keep, pending


def test_a_kept_report_is_in_the_history_when_that_is_opened(state_dir: Path, url: str | None, make_report) -> None:
    """The inbox is taken in by opening; the file stays, in the folder of its month."""
    report = make_report()
    kept = keep(report, state_dir)
    with open_history(state_dir, url) as history:
        assert [summary.id for summary in history.reports()] == [report.id]
        assert history.report(report.id) == report
        assert history.notes == ()
        assert history.is_durable
    assert pending(state_dir) == []
    assert [path.name for path in inbox.report_files(state_dir)] == [kept.path.name]


def test_taking_in_twice_changes_nothing(state_dir: Path, url: str | None, make_report) -> None:
    """A file that comes back to the inbox, as after a kill between commit and move, is the same report."""
    report = make_report()
    kept = keep(report, state_dir)
    data = kept.path.read_bytes()
    for _ in range(2):
        with open_history(state_dir, url) as history:
            assert len(history.reports()) == 1
        kept.path.write_bytes(data)
    with open_history(state_dir, url) as history:
        assert history.take_in() == 0
        assert len(history.reports()) == 1
    assert pending(state_dir) == []


def test_numbers_stay_exact(state_dir: Path, url: str | None, make_report) -> None:
    """Points are decimal numbers and a seed may have more bits than a database's integers."""
    report = make_report(points=Decimal("0.30"), points_max=Decimal("12345678901234567890.5"), seed=2**130 + 1)
    with open_history(state_dir, url) as history:
        history.add(report)
        (summary,) = history.reports()
        assert (summary.points, summary.points_max) == (Decimal("0.3"), Decimal("12345678901234567890.5"))
        assert summary.seed == 2**130 + 1
        assert history.report(report.id) == report


def test_a_learners_text_comes_back_as_it_was(state_dir: Path, url: str | None, make_report) -> None:
    """NUL, which PostgreSQL refuses in a text, and long or odd names neither fail nor change the report."""
    report = make_report("x" * 5000, message="a\0b 🍜 \u202e", output="\x1b[31m\0")
    with open_history(state_dir, url) as history:
        history.add(report, learner="Zoë\0'; DROP TABLE reports; --")
        assert history.report(report.id) == report
        (summary,) = history.reports()
        assert summary.learner == "Zoë�'; DROP TABLE reports; --"


def test_reports_are_found_by_exercise_and_by_learner(state_dir: Path, url: str | None, make_report) -> None:
    """Each of the two narrows the list, and it is in the order of keeping."""
    with open_history(state_dir, url) as history:
        for exercise, learner in [("a", "ada"), ("b", "ada"), ("a", "bo"), ("a", "ada")]:
            history.add(make_report(exercise), learner=learner)
        ids = [summary.id for summary in history.reports()]
        assert [summary.id for summary in history.reports("a")] == [ids[0], ids[2], ids[3]]
        assert [summary.id for summary in history.reports(learner="ada")] == [ids[0], ids[1], ids[3]]
        assert [summary.id for summary in history.reports("a", "ada")] == [ids[0], ids[3]]
        assert history.reports("c") == []


def test_a_grader_error_is_stored_and_is_no_attempt(state_dir: Path, url: str | None, make_report) -> None:
    """It is ours, so it neither counts nor can be anybody's best."""
    with open_history(state_dir, url) as history:
        history.add(make_report(status="grader-error", points=Decimal(10)))
        assert len(history.reports()) == 1
        assert history.attempts("exercise-03-one-dish") == 0
        assert history.best("exercise-03-one-dish") is None
        history.add(make_report(status="broken", points=Decimal(0)))
        history.add(make_report(points=Decimal(4)))
        first_best = make_report(points=Decimal(7))
        history.add(first_best)
        history.add(make_report(points=Decimal(7)))
        assert history.attempts("exercise-03-one-dish") == 4
        assert history.best("exercise-03-one-dish").id == first_best.id


def test_an_unknown_report_is_told(state_dir: Path, url: str | None) -> None:
    """The id is named, and where ids are found."""
    with open_history(state_dir, url) as history, pytest.raises(UnknownReport, match="`nope`"):
        history.report("nope")


def test_order_holds_when_the_clock_was_set_back(state_dir: Path, url: str | None, make_report) -> None:
    """The newest report is the one that was kept last, whatever its own time says."""
    with open_history(state_dir, url) as history:
        for created in ("2025-03-05T10:00:00Z", "2019-01-01T00:00:00Z", "2025-03-04T10:00:00Z"):
            history.add(make_report(created=created))
        assert [summary.created[:4] for summary in history.reports()] == ["2025", "2019", "2025"]
        stamps = [summary.stamp for summary in history.reports()]
        assert stamps == sorted(set(stamps))


def test_more_than_one_batch_is_taken_in_whole(state_dir: Path, url: str | None, make_report) -> None:
    """A long inbox is inserted in several transactions, none left out."""
    reports = [make_report() for _ in range(2 * BATCH + 5)]
    for report in reports:
        keep(report, state_dir)
    with open_history(state_dir, url) as history:
        assert [summary.id for summary in history.reports()] == [report.id for report in reports]
    assert pending(state_dir) == []


def test_a_damaged_file_in_the_inbox_is_put_aside_and_named(state_dir: Path, url: str | None, make_report) -> None:
    """The others are taken in, and the damaged one is never deleted."""
    good = keep(make_report(), state_dir)
    bad = keep(make_report(), state_dir)
    bad.path.write_bytes(good.path.read_bytes()[:100])
    with open_history(state_dir, url) as history:
        assert len(history.reports()) == 1
        (note,) = history.notes
    assert str(state_dir / "inbox" / "damaged" / bad.path.name) in note.message
    assert (state_dir / "inbox" / "damaged" / bad.path.name).stat().st_size == 100
    with open_history(state_dir, url) as history:
        assert history.notes == ()


def test_a_report_of_a_newer_grader_waits_for_the_update(state_dir: Path, url: str | None, make_report) -> None:
    """It isn't damaged: it stays in the inbox, and the note says what to do."""
    kept = keep(make_report(), state_dir)
    kept.path.write_bytes(kept.path.read_bytes().replace(b'"version": 1', b'"version": 2'))
    with open_history(state_dir, url) as history:
        assert history.reports() == []
        (note,) = history.notes
    assert "newer grader" in note.message
    assert "update" in note.hint
    assert pending(state_dir) == [kept.path]


def test_a_report_that_someone_copied_into_the_inbox_is_taken_in(state_dir: Path, url: str | None, make_report) -> None:
    """Its name doesn't matter; the report's own time gives it its place."""
    report = make_report()
    (state_dir / "inbox").mkdir(parents=True)
    (state_dir / "inbox" / "from a friend.json").write_bytes(inbox.encode(report))
    with open_history(state_dir, url) as history:
        assert history.report(report.id) == report
    assert [path.name for path in inbox.report_files(state_dir)] == [
        inbox.file_name(inbox.stamp_of(report.created), report.id)
    ]


def test_a_deleted_database_is_made_again_from_the_files(state_dir: Path, make_report) -> None:
    """The files are the truth, the database an index."""
    with open_history(state_dir) as history:
        for learner in ("ada", "bo"):
            history.add(make_report(), learner=learner)
        before = history.reports()
    (state_dir / "history.db").unlink()
    with open_history(state_dir) as history:
        assert history.reports() == before


def test_an_export_taken_in_elsewhere_is_the_same_history(
    state_dir: Path, url: str | None, make_report, tmp_path: Path
) -> None:
    """Reports, learners, order and hints come over; taking it in again changes nothing."""
    with open_history(state_dir, url) as history:
        for learner in ("ada", ""):
            history.add(make_report(points=Decimal("0.1")), learner=learner)
        history.record_hint("exercise-03-one-dish", "known-dish", 2)
        before, data = history.reports(), history.export("json")
    assert json.loads(data)["kind"] == "kata-grader-history"

    other = tmp_path / "other" / ".grade"
    with open_history(other) as history:
        first, second = history.import_(data), history.import_(data)
        assert (first.taken, first.known, first.hints, first.refused) == (2, 0, 1, ())
        assert (second.taken, second.known, second.hints, second.refused) == (0, 2, 0, ())
        assert history.reports() == before
        assert history.hints("exercise-03-one-dish") == {"known-dish": 2}
        assert history.export("json") == data
    (other / "history.db").unlink()
    with open_history(other) as history:
        assert history.reports() == before


def test_an_import_into_a_server_keeps_files_too(state_dir: Path, url: str | None, make_report) -> None:
    """So that the history can be made again when the server is gone."""
    report = make_report()
    with open_history(state_dir, url) as history:
        assert history.import_(inbox.encode(report)).taken == 1
        assert history.import_(inbox.encode(report)).known == 1
    assert len(inbox.report_files(state_dir)) == 1


def test_unusable_parts_of_an_import_are_refused_one_by_one(state_dir: Path, url: str | None, make_report) -> None:
    """What is sound is taken, what isn't is named with its reason, and nothing that is here is replaced."""
    mine = make_report()
    with open_history(state_dir, url) as history:
        history.add(mine)
        export = json.loads(history.export("json"))
        (line,) = export["reports"]

        def changed(**fields: object) -> dict[str, object]:
            return line | {"report": line["report"] | fields}

        export["reports"] = [
            changed(id="fresh"),
            changed(points=9),
            changed(id="../../../escape"),
            changed(id="newer", version=2),
            changed(id="untyped", points="many"),
            {"stamp": "20250101T000000.000000Z"},
            7,
            changed(id="future") | {"stamp": "99990101T000000.000000Z"},
            changed(id="fresh", points=3),
        ]
        export["hints"] = [{"exercise": "a", "task": "b", "level": "high"}]
        result = history.import_(json.dumps(export).encode())
        assert (result.taken, result.known) == (2, 0)
        assert len(result.refused) == 8
        text = "\n".join(result.refused)
        assert f"`{mine.id}`: another one with this id" in text
        assert "`fresh`: another one with this id" in text
        assert "report 4: a newer grader made it" in text
        assert "report 5" in text
        assert "hint 1" in text
        assert history.report(mine.id) == mine
        assert max(summary.stamp for summary in history.reports()) < "2100"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not the JSON"),
        (b"id,stamp\r\nr1,x\r\n", "not the JSON"),
        (b"[1, 2]", "not the JSON"),
        (b"\xff\x00", "not the JSON"),
        (b'{"version": 99}', "newer grader"),
        (b'{"kind": "kata-grader-history", "format": 2, "reports": []}', "not the JSON"),
    ],
)
def test_bytes_that_are_no_export_are_refused_whole(state_dir: Path, data: bytes, message: str) -> None:
    """With the reason, and with nothing taken."""
    with open_history(state_dir) as history:
        with pytest.raises(RefusedImport, match=message):
            history.import_(data)
        assert history.reports() == []


def test_csv_has_a_line_for_each_report_and_no_formula(state_dir: Path, url: str | None, make_report) -> None:
    """A spreadsheet must not run what a learner called themselves."""
    with open_history(state_dir, url) as history:
        history.add(make_report(points=Decimal("0.5")), learner="=HYPERLINK(1)")
        history.add(make_report(points=Decimal("-1")), learner='Lê "Tí", Thị')
        lines = list(csv.DictReader(io.StringIO(history.export("csv").decode(), newline="")))
    assert [line["learner"] for line in lines] == ["'=HYPERLINK(1)", 'Lê "Tí", Thị']
    assert [line["points"] for line in lines] == ["0.5", "-1"]


def test_a_glance_sees_what_the_whole_history_sees(state_dir: Path, url: str | None, make_report) -> None:
    """With nothing yet, with waiting reports, with a database, with both, and with very many waiting."""
    assert glance(state_dir, url).summaries == ()

    def check() -> None:
        seen = glance(state_dir, url)
        with open_history(state_dir, url) as history:
            assert seen.summaries == tuple(history.reports())

    keep(make_report(points=Decimal("0.1"), seed=2**80), state_dir, learner="ada")
    check()
    keep(make_report(), state_dir)
    check()
    for _ in range(70):
        keep(make_report(), state_dir)
    check()
    assert len(glance(state_dir, url).summaries) == 72


def test_a_glance_at_a_course_without_a_history_writes_nothing(state_dir: Path) -> None:
    """Looking is not touching."""
    assert glance(state_dir).summaries == ()
    assert not state_dir.exists()


def test_a_glance_falls_back_to_the_whole_history(state_dir: Path, make_report) -> None:
    """When the database is missing or damaged, or a file is: then what happened is told too."""
    for _ in range(2):
        keep(make_report(), state_dir)
    with open_history(state_dir) as history:
        before = tuple(history.reports())
    (state_dir / "history.db").write_bytes(b"no database at all" * 100)
    seen = glance(state_dir)
    assert seen.summaries == before
    assert "damaged" in seen.notes[0].message
    (state_dir / "history.db").unlink()
    assert glance(state_dir).summaries == before
    keep(make_report(), state_dir).path.write_bytes(b"{")
    seen = glance(state_dir)
    assert seen.summaries == before
    assert "damaged" in seen.notes[0].message


def test_a_sqlite_file_elsewhere_can_be_named(state_dir: Path, tmp_path: Path, make_report) -> None:
    """`sqlite:///` and a path is an address like any other."""
    url = f"sqlite:///{tmp_path}/else where/all.db"
    with open_history(state_dir, url) as history:
        history.add(make_report())
    with open_history(state_dir, url) as history:
        assert len(history.reports()) == 1
    assert (tmp_path / "else where" / "all.db").exists()
    assert not (state_dir / "history.db").exists()


@pytest.mark.parametrize(
    "url",
    [
        "no address",
        "nosuchdb://me:s3cret@server/x",
        "postgresql://me:s3cret@localhost:port/x",
        "mysql+nodriver://me:s3cret@x/y",
    ],
)
def test_an_address_that_can_not_be_used_is_told_without_its_password(state_dir: Path, url: str) -> None:
    """The variable is named, and what such an address looks like."""
    with pytest.raises(HistoryUnavailable) as caught:
        open_history(state_dir, url)
    assert "GRADE_DATABASE_URL" in caught.value.message
    assert "s3cret" not in caught.value.message + caught.value.hint


def test_a_missing_driver_is_named(state_dir: Path) -> None:
    """With what to install."""
    with pytest.raises(HistoryUnavailable, match="can't be reached") as caught:
        open_history(state_dir, "oracle+oracledb://me:s3cret@server/x")
    assert "s3cret" not in str(caught.value)
    assert "driver" in caught.value.hint


def test_a_server_that_does_not_answer_loses_nothing(
    state_dir: Path, postgresql_url: str, make_report, tmp_path: Path
) -> None:
    """The report waits in its file; the error names the server without the password, and the remedy."""
    report = make_report()
    keep(report, state_dir)
    with pytest.raises(HistoryUnavailable) as caught:
        open_history(state_dir, f"postgresql://me:s3cret@/none?host={tmp_path}/nowhere")
    error: GraderError = caught.value
    assert "doesn't answer" in error.message
    assert "kept in files" in error.hint
    assert "s3cret" not in error.message
    assert len(pending(state_dir)) == 1
    with open_history(state_dir, postgresql_url) as history:
        assert history.report(report.id) == report


def test_a_server_keeps_a_report_that_no_disk_can(
    postgresql_url: str, make_report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a writable place the database itself is where it is kept."""
    monkeypatch.setenv("HOME", "/dev/null")
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    report = make_report()
    with open_history(Path("/dev/null/.grade"), postgresql_url) as history:
        kept = history.add(report)
        assert kept.note is None
        assert history.report(report.id) == report
        assert history.import_(inbox.encode(make_report())).taken == 1
        assert len(history.reports()) == 2


def test_hints_are_remembered_by_the_highest_level(state_dir: Path) -> None:
    """Per exercise and task, on top of a line that a power cut left half-written."""
    with open_history(state_dir) as history:
        assert history.hints("a") == {}
        for task, level in [("x", 1), ("x", 2), ("y", 1), ("x", 1)]:
            history.record_hint("a", task, level)
        history.record_hint("b", "x", 3)
        with (state_dir / "hints.jsonl").open("ab") as file:
            file.write(b'{"exercise": "a", "task": "y", "lev')
        history.record_hint("a", "z", 1)
        assert history.hints("a") == {"x": 2, "y": 1, "z": 1}
