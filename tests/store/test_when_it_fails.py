"""What must not lose a report: two at once, a kill, a full disk, a read-only course, a damaged or newer database."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy
from sqlalchemy import Connection, event
from sqlalchemy.orm import Session

from grader.store import database, inbox
from grader.store import history as history_module
from grader.store.error import NewerHistory
from grader.store.glance import glance
from grader.store.hint import hints, record_hint
from grader.store.history import open_history
from grader.store.inbox import encode, keep, pending
from grader.store.place import fallback_place
from grader.store.submissions import keep_submission

is_root = os.geteuid() == 0


def start(code: str, *arguments: object) -> subprocess.Popen[bytes]:
    """Run code in an interpreter of its own."""
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)], stderr=subprocess.PIPE)


def ended_well(processes: list[subprocess.Popen[bytes]]) -> None:
    """Wait for all of them; what they complained of is shown."""
    for process in processes:
        _, complaint = process.communicate(timeout=120)
        assert process.returncode == 0, complaint.decode()


ROUNDS = 6
KEEP_AND_OPEN = """
    import sys
    from pathlib import Path
    import msgspec
    from grader.report import from_json
    from grader.store import database
    from grader.store.history import open_history
    from grader.store.inbox import keep

    # On a machine that is busy with other things a turn may take long; here it matters that each gets its turn.
    database.LOCK_S = database.BUSY_S = 60
    state_dir, template, name, url = Path(sys.argv[1]), from_json(Path(sys.argv[2]).read_bytes()), *sys.argv[3:5]
    for number in range(6):
        kept = keep(msgspec.structs.replace(template, id=f"{name}-{number}"), state_dir)
        assert kept.path and not kept.note, kept
        with open_history(state_dir, url) as history:
            assert not history.notes, history.notes
            assert f"{name}-{number}" in {summary.id for summary in history.reports()}
"""


def test_several_programs_at_once_lose_nothing(state_dir: Path, url: str | None, make_report, tmp_path: Path) -> None:
    """Each keeps and opens, the first one of all makes the tables, and each sees its own report at once."""
    template = tmp_path / "template.json"
    template.write_bytes(encode(make_report()))
    ended_well([start(KEEP_AND_OPEN, state_dir, template, name, url or "") for name in ("a", "b", "c")])
    with open_history(state_dir, url) as history:
        assert {summary.id for summary in history.reports()} == {f"{name}-{n}" for name in "abc" for n in range(ROUNDS)}
        assert history.notes == ()
    assert pending(state_dir) == []
    assert len(inbox.report_files(state_dir)) == 3 * ROUNDS


def test_several_programs_at_once_need_no_file_lock(
    state_dir: Path, make_report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a network folder without locks, SQLite's own do."""
    template = tmp_path / "template.json"
    template.write_bytes(encode(make_report()))
    no_locks = """
    import errno, fcntl

    def flock(handle, how):
        raise OSError(errno.ENOLCK, "no locks here")

    fcntl.flock = flock
    """
    ended_well([start(no_locks + KEEP_AND_OPEN, state_dir, template, name, "") for name in "ab"])
    with open_history(state_dir) as history:
        assert len(history.reports()) == 2 * ROUNDS


def test_two_programs_that_make_the_tables_at_the_same_moment_make_them_once(
    state_dir: Path, url: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have seen that there are none before either begins."""
    meet = threading.Barrier(2, timeout=60)
    look = database._is_current

    def look_then_meet(connection: Connection) -> bool:
        is_current = look(connection)
        meet.wait()
        return is_current

    def no_locks(*ignored: object) -> None:
        raise OSError(errno.ENOLCK, "no locks here")

    monkeypatch.setattr(database, "BUSY_S", 60)
    monkeypatch.setattr(database, "_is_current", look_then_meet)
    monkeypatch.setattr(fcntl, "flock", no_locks)
    with ThreadPoolExecutor(2) as pool:
        for opened in [pool.submit(open_history, state_dir, url) for _ in range(2)]:
            with opened.result() as history:
                assert history.is_durable
                assert history.notes == ()


def test_a_program_that_writes_in_between_is_waited_for(state_dir: Path, make_report) -> None:
    """Between looking which reports are known and inserting the others, nobody else comes to write."""
    open_history(state_dir).close()
    written = []

    def write() -> None:
        with contextlib.closing(sqlite3.connect(state_dir / "history.db", timeout=10, isolation_level=None)) as other:
            other.executescript("BEGIN IMMEDIATE; DELETE FROM reports; COMMIT")
            written.append(True)

    writer = threading.Thread(target=write)

    def before_flush(*ignored: object) -> None:
        writer.start()
        writer.join(0.3)
        assert not written

    event.listen(Session, "before_flush", before_flush)
    try:
        keep(make_report(), state_dir)
        with open_history(state_dir) as history:
            assert history.notes == ()
            assert history.is_durable
    finally:
        event.remove(Session, "before_flush", before_flush)
        writer.join()
    assert written


def test_another_program_that_holds_the_database_delays_and_loses_nothing(
    state_dir: Path, make_report, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a bounded wait the history is read from the files, and says so."""
    first, second = make_report(), make_report()
    keep(first, state_dir)
    open_history(state_dir).close()
    keep(second, state_dir)
    monkeypatch.setattr(database, "BUSY_S", 0.1)
    holder = sqlite3.connect(state_dir / "history.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        with open_history(state_dir) as history:
            assert [summary.id for summary in history.reports()] == [first.id, second.id]
            assert "locked" in history.notes[0].message
            assert "nothing is lost" in history.notes[0].hint
    finally:
        holder.close()
    with open_history(state_dir) as history:
        assert [summary.id for summary in history.reports()] == [first.id, second.id]
        assert history.notes == ()


def test_a_program_that_hangs_while_it_opens_the_history_does_not_hang_the_others(
    state_dir: Path, make_report, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wait for its lock is bounded."""
    keep(make_report(), state_dir)
    monkeypatch.setattr(database, "LOCK_S", 0.1)
    with database.lock(state_dir / history_module.LOCK), open_history(state_dir) as history:
        assert len(history.reports()) == 1
        assert "another program" in history.notes[0].message


def test_kill_9_at_any_moment_loses_no_report(state_dir: Path, url: str | None, make_report, tmp_path: Path) -> None:
    """A program that keeps and opens in a loop is killed at random moments; what it had kept is there."""
    template = tmp_path / "template.json"
    template.write_bytes(encode(make_report()))
    code = """
    import os, sys
    from pathlib import Path
    import msgspec
    from grader.report import from_json
    from grader.store.history import open_history
    from grader.store.inbox import keep

    state_dir, template, name, url = Path(sys.argv[1]), from_json(Path(sys.argv[2]).read_bytes()), *sys.argv[3:5]
    for number in range(10_000):
        kept = keep(msgspec.structs.replace(template, id=f"{name}-{number}"), state_dir)
        os.write(1, f"{name}-{number}\\n".encode())
        if number % 3 == 2:
            open_history(state_dir, url).close()
    """
    rng = random.Random(3)
    shown: set[str] = set()
    for turn in range(4):
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(code), str(state_dir), str(template), f"t{turn}", url or ""],
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        process.stdout.readline()  # it has begun; from here on any moment is a good one
        time.sleep(rng.uniform(0.0, 0.9))
        process.send_signal(signal.SIGKILL)
        rest, _ = process.communicate()
        shown |= {f"t{turn}-0", *rest.decode().split()}
    assert shown <= {summary.id for summary in glance(state_dir, url).summaries}
    with open_history(state_dir, url) as history:
        ids = [summary.id for summary in history.reports()]
        assert shown <= set(ids)
        assert len(ids) == len(set(ids))
        assert history.notes == ()
    assert pending(state_dir) == []


@pytest.mark.parametrize("step", ["before the commit", "after the commit", "between two moves"])
def test_kill_9_at_the_worst_moments_loses_no_report(state_dir: Path, make_report, step: str) -> None:
    """Just before and after the commit, and when only some files have moved."""
    reports = [make_report() for _ in range(3)]
    for report in reports:
        keep(report, state_dir)
    code = """
    import os, signal, sys
    from pathlib import Path
    from sqlalchemy import event
    from sqlalchemy.orm import Session
    from grader.store import history

    step = sys.argv[2]

    def die(*ignored):
        os.kill(os.getpid(), signal.SIGKILL)

    if step == "before the commit":
        event.listen(Session, "after_flush", die)
    elif step == "after the commit":
        history.History._file = lambda self, paths, *rest: die() if paths else None
    else:
        replace, count = os.replace, []

        def replace_twice(source, target):
            count.append(source)
            die() if len(count) == 3 else replace(source, target)

        os.replace = replace_twice
    history.open_history(Path(sys.argv[1]))
    """
    process = start(code, state_dir, step)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    moved = {"before the commit": 0, "after the commit": 0, "between two moves": 2}[step]
    assert len(pending(state_dir)) == 3 - moved
    assert [summary.id for summary in glance(state_dir).summaries] == [report.id for report in reports]
    with open_history(state_dir) as history:
        assert [summary.id for summary in history.reports()] == [report.id for report in reports]
        assert history.notes == ()
    assert pending(state_dir) == []


def test_kill_9_while_the_tables_are_made_leaves_a_history_that_opens(state_dir: Path, make_report) -> None:
    """The steps to the newest tables are one transaction."""
    report = make_report()
    keep(report, state_dir)
    code = """
    import os, signal, sys
    from pathlib import Path
    from alembic.operations import Operations
    from grader.store.history import open_history

    Operations.create_index = lambda *ignored, **more: os.kill(os.getpid(), signal.SIGKILL)
    open_history(Path(sys.argv[1]))
    """
    process = start(code, state_dir)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    with open_history(state_dir) as history:
        assert history.report(report.id) == report
        assert history.notes == ()


def test_half_written_files_of_killed_programs_are_swept_in_time(state_dir: Path, make_report) -> None:
    """An old one goes; a young one may belong to a program that is just writing."""
    keep(make_report(), state_dir)
    old, young = state_dir / "inbox" / ".x.json.1.tmp", state_dir / "inbox" / ".y.json.2.tmp"
    for path in (old, young):
        path.write_bytes(b"{")
    os.utime(old, (time.time() - 7200,) * 2)
    open_history(state_dir).close()
    assert not old.exists()
    assert young.exists()


# -- a full disk -----------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 512 KiB."""
    folder = tmp_path / "small disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", folder]
    if not is_root or subprocess.run(mount, check=False).returncode:
        pytest.skip("a small disk can only be mounted by root")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def fill(folder: Path) -> Path:
    """Fill a disk to the last byte."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (4096, 1):
            with contextlib.suppress(OSError):
                while file.write(b"x" * size):
                    pass
    return filler


def test_a_full_disk_keeps_the_report_in_the_home_folder(small_disk: Path, home: Path, make_report) -> None:
    """It says so, earlier reports stay, and with room again everything is one history."""
    state_dir = small_disk / ".grade"
    reports = [make_report() for _ in range(3)]
    keep(reports[0], state_dir)
    with open_history(state_dir) as history:
        assert len(history.reports()) == 1
    filler = fill(small_disk)

    kept = keep(reports[1], state_dir)
    assert kept.path.is_relative_to(home)
    assert "the disk is full" in kept.note.message
    assert str(kept.path) in kept.note.message
    assert "nothing is lost" in kept.note.hint
    assert list((state_dir / "inbox").iterdir()) == []
    with open_history(state_dir) as history:
        assert [summary.id for summary in history.reports()] == [report.id for report in reports[:2]]
        assert history.report(reports[1].id) == reports[1]
        if history.notes:
            assert "can't be used" in history.notes[0].message
    assert [summary.id for summary in glance(state_dir).summaries] == [report.id for report in reports[:2]]

    filler.unlink()
    assert keep(reports[2], state_dir).note is None
    with open_history(state_dir) as history:
        assert history.notes == ()
        assert {summary.id for summary in history.reports()} == {report.id for report in reports}
    assert pending(state_dir) == []


def test_a_full_disk_and_no_home_folder_is_told_with_the_remedy(
    small_disk: Path, make_report, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The seed and `--output` give the same report again."""
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    state_dir = small_disk / ".grade"
    first = make_report()
    keep(first, state_dir)
    open_history(state_dir).close()
    fill(small_disk)
    report = make_report(seed=4711)
    kept = keep(report, state_dir)
    assert kept.path is None
    assert "not recorded" in kept.note.message
    assert "the disk is full" in kept.note.message
    assert "`grade exercise-03-one-dish --seed 4711 --output FILE`" in kept.note.hint
    with open_history(state_dir) as history:
        assert [summary.id for summary in history.reports()] == [first.id]


def test_a_disk_that_fills_up_in_the_middle_of_an_import_keeps_what_was_written(
    small_disk: Path, home: Path, make_report
) -> None:
    """The rest can be imported when there is room; nothing is taken twice."""
    state_dir = small_disk / ".grade"
    elsewhere = home / "elsewhere" / ".grade"
    with open_history(elsewhere) as history:
        for _ in range(60):
            keep(make_report(message="x" * 20_000), elsewhere)
        history.take_in()
        data = history.export("json")
    with open_history(state_dir) as history:
        with pytest.raises(Exception, match="the disk is full") as caught:
            history.import_(data)
        assert "nothing is taken twice" in caught.value.hint
    subprocess.run(["mount", "-o", "remount,size=20m", small_disk], check=True)
    with open_history(state_dir) as history:
        before = len(history.reports())
        result = history.import_(data)
        assert 0 < before < 60
        assert (result.taken, result.known) == (60 - before, before)
        assert len(history.reports()) == 60


def test_a_limit_on_the_size_of_files_is_a_full_disk(state_dir: Path, make_report, tmp_path: Path) -> None:
    """As a quota or `ulimit -f` would have it: told, and no half of a file is left."""
    template = tmp_path / "template.json"
    template.write_bytes(encode(make_report(message="x" * 10_000)))
    code = """
    import resource, sys
    from pathlib import Path
    from grader.report import from_json
    from grader.store.inbox import keep

    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    kept = keep(from_json(Path(sys.argv[2]).read_bytes()), Path(sys.argv[1]))
    assert kept.path is None, kept
    assert "the disk is full" in kept.note.message, kept
    """
    ended_well([start(code, state_dir, template)])
    assert [path for path in state_dir.parent.rglob("*") if path.is_file()] == []


# -- what can't be written -------------------------------------------------------------------------------------------


@contextlib.contextmanager
def unwritable(folder: Path) -> Iterator[None]:
    """Make a folder read-only: for root by a mount, for whom permissions don't count."""
    if not is_root:
        folders = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
        for one in folders:
            one.chmod(0o500)
        try:
            yield
        finally:
            for one in folders:
                one.chmod(0o700)
        return
    bind = subprocess.run(["mount", "--bind", folder, folder], check=False)
    if bind.returncode:
        pytest.skip("a read-only folder can't be mounted here")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def test_a_read_only_course_keeps_its_history_in_the_home_folder(state_dir: Path, home: Path, make_report) -> None:
    """Earlier reports are still seen, new ones are kept, and later all are one history in the course."""
    reports = [make_report() for _ in range(4)]
    keep(reports[0], state_dir)
    open_history(state_dir).close()
    keep(reports[1], state_dir)
    with unwritable(state_dir.parent):
        kept = keep(reports[2], state_dir)
        assert kept.path.is_relative_to(fallback_place(state_dir))
        assert re.search("read-only|not permitted", kept.note.message)
        assert len(glance(state_dir).summaries) == 3
        with open_history(state_dir) as history:
            assert [summary.id for summary in history.reports()] == [report.id for report in reports[:3]]
            assert history.is_durable
        assert len(glance(state_dir).summaries) == 3
        assert record_hint(state_dir, "a", "x", 2).path.is_relative_to(home)
        assert hints(state_dir, "a") == {"x": 2}
        assert keep_submission({"app.py": b""}, "d" * 64, state_dir).path.is_relative_to(home)
    keep(reports[3], state_dir)
    with open_history(state_dir) as history:
        assert {summary.id for summary in history.reports()} == {report.id for report in reports}
        assert history.notes == ()
    assert hints(state_dir, "a") == {"x": 2}
    assert len(glance(state_dir).summaries) == 4


def test_a_read_only_course_and_home_show_what_was_recorded(state_dir: Path, home: Path, make_report) -> None:
    """A history can be looked at where nothing can be written; what can't be kept is told."""
    report = make_report()
    keep(report, state_dir)
    open_history(state_dir).close()
    with unwritable(state_dir.parent), unwritable(home):
        kept = keep(make_report(), state_dir)
        assert kept.path is None
        assert "neither can a home folder" in kept.note.message
        with open_history(state_dir) as history:
            assert history.report(report.id) == report
            assert not history.is_durable
            assert "neither" in history.notes[0].message
            with pytest.raises(Exception, match="nothing can be imported"):
                history.import_(encode(make_report()))
        assert len(glance(state_dir).summaries) == 1
        assert record_hint(state_dir, "a", "x", 2).path is None
        assert keep_submission({"app.py": b""}, "d" * 64, state_dir).path is None


@pytest.mark.parametrize("value", [None, "", "relative/path", "/dev/null"])
def test_a_missing_or_odd_home_is_no_place(
    state_dir: Path, make_report, monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    """It is told like any place that can't be written, and never made up."""
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.delenv("HOME") if value is None else monkeypatch.setenv("HOME", value)
    state_dir.write_text("a file is in the way")
    kept = keep(make_report(), state_dir)
    assert kept.path is None
    assert "a file is in the way of the folder" in kept.note.message
    assert not Path("relative").exists()


def test_the_state_folder_that_the_user_chose_is_used(
    state_dir: Path, make_report, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`XDG_STATE_HOME` comes before `HOME`, and two courses never share a folder."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    state_dir.write_text("a file is in the way")
    assert keep(make_report(), state_dir).path.is_relative_to(tmp_path / "state" / "kata-grader")
    assert fallback_place(state_dir) != fallback_place(tmp_path / "another" / ".grade")


def test_a_database_that_may_only_be_read_is_replaced_by_the_files(state_dir: Path, make_report) -> None:
    """The folder can be written, the file can't: a database in the way of a folder is such a case for root too."""
    report = make_report()
    keep(report, state_dir)
    (state_dir / "history.db").mkdir()
    with open_history(state_dir) as history:
        assert history.report(report.id) == report
        assert "can't be used" in history.notes[0].message
        assert not history.is_durable


# -- damaged and newer databases -------------------------------------------------------------------------------------


def damage_text(path: Path) -> None:
    """Something else entirely."""
    path.write_text("this is not a database\n" * 200)


def damage_half(path: Path) -> None:
    """The second half is gone, as after a disk that failed."""
    os.truncate(path, path.stat().st_size // 2)


def damage_pages(path: Path) -> None:
    """Zeros over everything but the first page."""
    data = path.read_bytes()
    path.write_bytes(data[:4096] + bytes(len(data) - 4096))


def damage_unread(path: Path) -> None:
    """Zeros over a page that no list reads."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'bodies'").fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(bytes(4096))


def damage_tables(path: Path) -> None:
    """A sound file that lacks a table."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE bodies")
        connection.execute("DROP TABLE reports")
        connection.commit()


def damage_foreign(path: Path) -> None:
    """The database of another program, which has a table with our name."""
    path.unlink()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE reports (mine TEXT)")
        connection.commit()


@pytest.mark.parametrize(
    "damage", [damage_text, damage_half, damage_pages, damage_unread, damage_tables, damage_foreign]
)
def test_a_damaged_database_is_put_aside_and_made_again(state_dir: Path, make_report, damage) -> None:
    """Every report is there, the old file is never deleted, and the note says where it is."""
    for _ in range(30):
        keep(make_report(), state_dir, learner="ada")
    with open_history(state_dir) as history:
        before = history.reports()
    damage(state_dir / "history.db")
    (state_dir / "history.db-journal").write_bytes(b"a journal that belongs to the old file")
    damaged = (state_dir / "history.db").read_bytes()
    keep(make_report(), state_dir)
    with open_history(state_dir) as history:
        assert history.reports()[:-1] == before
        assert len(history.reports()) == 31
        assert history.is_durable
        text = "\n".join(note.message for note in history.notes)
        assert "damaged" in text
        assert all("\n" not in note.message and "***" not in note.message for note in history.notes)
        assert "read again from their files: 31" in text
    (aside,) = state_dir.glob("history-damaged-*.db")
    assert aside.read_bytes() == damaged
    assert str(aside) in text
    with open_history(state_dir) as history:
        assert history.notes == ()
        assert len(history.reports()) == 31


def test_damage_that_no_list_meets_is_found_on_opening(state_dir: Path, make_report) -> None:
    """Else it would be met on the day when that report is asked for."""
    report = make_report()
    keep(report, state_dir)
    open_history(state_dir).close()
    damage_unread(state_dir / "history.db")
    with open_history(state_dir) as history:
        assert history.report(report.id) == report
        assert "damaged" in history.notes[0].message


def test_a_journal_goes_aside_with_its_database(tmp_path: Path) -> None:
    """SQLite would play it into the new file."""
    for ending in ("", "-journal", "-wal"):
        (tmp_path / f"history.db{ending}").write_text(f"old{ending}")
    database.move_aside(tmp_path / "history.db", "a test")
    assert sorted(path.read_text() for path in tmp_path.glob("history-damaged-*")) == ["old", "old-journal", "old-wal"]
    assert list(tmp_path.glob("history.db*")) == []


def test_two_programs_that_find_a_damaged_database_make_one_new(state_dir: Path, make_report) -> None:
    """The second doesn't put aside what the first has just made."""
    for _ in range(5):
        keep(make_report(), state_dir)
    open_history(state_dir).close()
    damage_text(state_dir / "history.db")
    code = """
    import sys
    from pathlib import Path
    from grader.store import database
    from grader.store.history import open_history

    database.LOCK_S = database.BUSY_S = 60
    with open_history(Path(sys.argv[1])) as history:
        assert len(history.reports()) == 5
    """
    ended_well([start(code, state_dir) for _ in range(4)])
    assert len(list(state_dir.glob("history-damaged-*.db"))) == 1


def test_a_damaged_report_in_the_database_is_told_as_such(state_dir: Path, make_report) -> None:
    """One report that can't be read does not touch the list."""
    report = make_report()
    keep(report, state_dir)
    open_history(state_dir).close()
    with contextlib.closing(sqlite3.connect(state_dir / "history.db")) as connection:
        connection.execute("UPDATE bodies SET data = x'00'")
        connection.commit()
    with open_history(state_dir) as history:
        assert len(history.reports()) == 1
        with pytest.raises(Exception, match="damaged in the database"):
            history.report(report.id)


def test_a_newer_database_is_left_alone_and_the_grade_is_still_kept(
    state_dir: Path, url: str | None, make_report
) -> None:
    """It says what to do; after the update everything is there."""
    first, second = make_report(), make_report()
    keep(first, state_dir)
    open_history(state_dir, url).close()
    address = database.read_address(url or f"sqlite:///{state_dir}/history.db")
    engine = sqlalchemy.create_engine(address, poolclass=sqlalchemy.NullPool)

    def set_revision(revision: str) -> None:
        with engine.begin() as connection:
            connection.execute(sqlalchemy.text("UPDATE alembic_version SET version_num = :new"), {"new": revision})

    set_revision("0999")
    assert keep(second, state_dir).note is None
    for look in (open_history, glance):
        with pytest.raises(NewerHistory, match="newer grader") as caught:
            look(state_dir, url)
        assert "update the grader" in caught.value.hint
    assert len(pending(state_dir)) == 1
    assert not list(state_dir.glob("history-damaged-*"))
    set_revision("0001")
    with open_history(state_dir, url) as history:
        assert [summary.id for summary in history.reports()] == [first.id, second.id]


def test_a_course_that_was_copied_brings_its_history_along(state_dir: Path, make_report, tmp_path: Path) -> None:
    """Files and index hold no path."""
    report = make_report()
    keep(report, state_dir)
    open_history(state_dir).close()
    shutil.copytree(state_dir.parent, tmp_path / "copy")
    with open_history(tmp_path / "copy" / ".grade") as history:
        assert history.report(report.id) == report
