"""The history of a course: every report that was ever shown.

**The report files are the truth, the database is an index over them.** A report's way:

1. `inbox.keep` writes it to `inbox/` before it is shown (no database needed).
2. Opening a history takes the inbox in: the report is inserted, the transaction is committed, and only then the file
   moves to `reports/<year>-<month>/`, where it stays. Inserting goes by the report's id: twice is once.
3. Any report file that the database doesn't know is inserted, too. So a database that was damaged or deleted is made
   again from the files; and what two programs at once, or one that is killed, leave behind, the next opening mends.

SQLite keeps its rollback journal and no write-ahead log: the latter needs memory that is shared between programs, which
a network folder doesn't have.
"""

from __future__ import annotations

import os
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import msgspec
from sqlalchemy import URL, select
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from grader.error import DamagedReport
from grader.report import Report
from grader.store import database, inbox, transfer
from grader.store import hint as hint_file
from grader.store.error import HistoryError, HistoryUnavailable, UnknownReport
from grader.store.glance import DATABASE
from grader.store.inbox import Entry, Kept
from grader.store.model import Base, BodyRow, ReportRow
from grader.store.place import Note, home_place, places, reason, sync_folder, write_durably
from grader.store.summary import Summary, attempts, best, in_order, summary_of
from grader.whole_file import SUFFIX

LOCK = "history.lock"
# One transaction holds this many reports: the memory stays flat when thousands are read.
BATCH = 100


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an import: counts, and for each refused part which and why."""

    taken: int
    known: int
    hints: int = 0
    refused: tuple[str, ...] = ()


def open_history(state_dir: Path, url: str | None = None) -> History:
    """Open a course's history and take in what waits in its inbox.

    `state_dir` is the course's `.grade/`, and need not exist. `url` names another database, as `GRADE_DATABASE_URL`
    does; the files stay in `state_dir` all the same. Read `notes` afterwards: they say what was not as usual.

    Where no database file can be used, the history is made in memory from the report files: complete, and slower.

    Raises:
        NewerHistory: a newer grader made the database. Reports go on being kept in the inbox.
        HistoryUnavailable: the database of `url` doesn't answer, or `url` can't be used.
    """
    if not url:
        return _open_file(state_dir, None)
    address = database.read_address(url)
    if address.get_backend_name() == "sqlite":
        return _open_file(state_dir, Path(address.database)) if address.database else _open_memory(state_dir, [])
    return _open_server(state_dir, address)


class History:
    """A course's reports. Use it under `with`; `notes` says what the user should know."""

    def __init__(self, engine: Engine, state_dir: Path, *, is_durable: bool) -> None:
        self._engine = engine
        self._state_dir = state_dir
        self._is_durable = is_durable
        self._notes: list[Note] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let the database go."""
        self._engine.dispose()

    @property
    def notes(self) -> tuple[Note, ...]:
        """What was not as usual: a fact and a remedy each."""
        return tuple(self._notes)

    @property
    def is_durable(self) -> bool:
        """False when this index lives in memory only. The report files are durable all the same."""
        return self._is_durable

    def add(self, report: Report, *, learner: str = "") -> Kept:
        """Keep a report and take it in at once."""
        kept = inbox.keep(report, self._state_dir, learner=learner)
        if kept.path is None:
            # No file can be written anywhere. A database elsewhere still keeps it.
            entry = Entry(stamp=inbox.stamp_of(report.created), learner=learner, report=report)
            with self._said():
                self._insert([entry])
            return Kept(None) if self._is_durable else kept
        self.take_in()
        return kept

    def reports(self, exercise: str | None = None, learner: str | None = None) -> list[Summary]:
        """List the reports, oldest first: all, or those of an exercise, of a learner, or both."""
        query = select(ReportRow)
        if exercise is not None:
            query = query.where(ReportRow.exercise == exercise)
        if learner is not None:
            query = query.where(ReportRow.learner == learner)
        with self._reading() as session:
            return in_order(_summary(row) for row in session.scalars(query))

    def report(self, report_id: str) -> Report:
        """Give a whole report.

        Raises:
            UnknownReport: there is none with this id.
        """
        with self._reading() as session:
            entry = _entry(session, report_id)
        if entry is None:
            raise UnknownReport(f"no report has the id `{report_id}`", hint="`grade history` lists them")
        return entry.report

    def best(self, exercise: str, learner: str | None = None) -> Summary | None:
        """Give the report with the most points; None when there was no attempt."""
        return best(self.reports(exercise, learner))

    def attempts(self, exercise: str, learner: str | None = None) -> int:
        """Count the gradings that count: a grader-error does not."""
        return attempts(self.reports(exercise, learner))

    def record_hint(self, exercise: str, task: str, level: int) -> Kept:
        """Record that a hint is shown. Hints are kept beside the reports, not in the database."""
        return hint_file.record_hint(self._state_dir, exercise, task, level)

    def hints(self, exercise: str) -> dict[str, int]:
        """Give the highest level that was shown of each task."""
        return hint_file.hints(self._state_dir, exercise)

    def export(self, form: Literal["json", "csv"]) -> bytes:
        """Give the whole history. JSON can be taken in again by `import_`; CSV has a line for each report."""
        if form == "csv":
            return transfer.to_csv(self.reports())
        query = select(ReportRow.stamp, ReportRow.learner, BodyRow.data).join(BodyRow)
        with self._reading() as session:
            rows = session.execute(query.order_by(ReportRow.stamp, ReportRow.id)).yield_per(BATCH)
            lines = [transfer.Line(stamp=row.stamp, learner=row.learner, report=_body(row.data)) for row in rows]
        return transfer.to_json(lines, hint_file.all_hints(self._state_dir))

    def import_(self, data: bytes) -> Imported:
        """Take in an export or a single report. What is known already is left as it is: twice is once.

        Raises:
            RefusedImport: the bytes are neither.
            HistoryError: nothing can be written; what was taken before that stays.
        """
        parcel = transfer.from_json(data)
        refused, fresh, known = list(parcel.refused), [], 0
        seen: dict[str, Report] = {}
        with self._reading() as session:
            for entry in parcel.entries:
                here = seen.get(entry.report.id)
                if here is None and (stored := _entry(session, entry.report.id)):
                    here = stored.report
                if here is None:
                    fresh.append(entry)
                    seen[entry.report.id] = entry.report
                elif here == entry.report:
                    known += 1
                else:
                    refused.append(f"report `{entry.report.id}`: another one with this id is here already")
        self._write_down(fresh)
        known_hints = set(hint_file.all_hints(self._state_dir))
        hints = [hint for hint in dict.fromkeys(parcel.hints) if hint not in known_hints]
        if hints and hint_file.record_hints(self._state_dir, hints).path is None:
            refused.append(f"{len(hints)} hints: they can't be written here")
            hints = []
        return Imported(taken=len(fresh), known=known, hints=len(hints), refused=tuple(refused))

    def take_in(self) -> int:
        """Insert every report file that the database doesn't know, and clear the inbox; gives how many were new."""
        with self._said():
            return self._take_in()

    def _take_in(self) -> int:
        taken = 0
        for place in places(self._state_dir):
            waiting = inbox.inbox_files(place)
            unknown = self._unknown(waiting + inbox.report_files(place))
            self._file([path for path in waiting if path not in unknown], place)
            unknown_in_order = sorted(unknown, key=lambda path: path.name)
            for start in range(0, len(unknown_in_order), BATCH):
                paths = unknown_in_order[start : start + BATCH]
                read = {path: entry for path in paths if (entry := self._read(path, place))}
                taken += self._insert(list(read.values()))
                self._file([path for path in read if path.parent.name == inbox.INBOX], place, read)
            _sweep(place)
        return taken

    def _unknown(self, paths: Sequence[Path]) -> set[Path]:
        """Give those of the files whose report is not in the database, judged by their names alone."""
        ids = {path: parts[1] for path in paths if (parts := inbox.name_parts(path.name))}
        with Session(database.reading(self._engine)) as session:
            known = _known(session, set(ids.values()))
        return {path for path in paths if ids.get(path) not in known}

    def _read(self, path: Path, place: Path) -> Entry | None:
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None  # another program has just taken it in
        except OSError as error:
            self._notes.append(Note(f"a report's file can't be read ({error.strerror}): `{path}`"))
            return None
        try:
            return inbox.decode(data, path.name)
        except DamagedReport as error:
            if inbox.is_newer(data):
                self._notes.append(
                    Note(f"`{path}` was made by a newer grader: not shown", hint="update the grader; the report stays")
                )
            else:
                self._put_aside(path, place, error)
            return None

    def _put_aside(self, path: Path, place: Path, error: DamagedReport) -> None:
        aside = path.parent / "damaged" / path.name if path.parent.name == inbox.INBOX else None
        aside = aside or place / inbox.REPORTS / "damaged" / path.name
        try:
            aside.parent.mkdir(exist_ok=True)
            os.replace(path, aside)
        except FileNotFoundError:
            return
        except OSError:
            aside = path
        self._notes.append(
            Note(f"a damaged report was left out: `{aside}` ({error})", hint="the other reports are not affected")
        )

    def _insert(self, entries: Sequence[Entry]) -> int:
        """Insert those that are not known, in one transaction; gives how many."""
        for _ in range(5):
            try:
                with Session(self._engine) as session, session.begin():
                    known = _known(session, {entry.report.id for entry in entries})
                    fresh = {entry.report.id: entry for entry in entries if entry.report.id not in known}
                    session.add_all(_row(entry) for entry in fresh.values())
                return len(fresh)
            except IntegrityError:
                continue  # another program has inserted one of them meanwhile: look again
        raise HistoryUnavailable("other programs keep changing the history", hint="try again in a moment")

    def _file(self, paths: Sequence[Path], place: Path, read: dict[Path, Entry] | None = None) -> None:
        """Move files of the inbox to where they stay. They are in the database, so a failure only delays this."""
        folders = set()
        for path in paths:
            entry = (read or {}).get(path)
            parts = (entry.stamp, entry.report.id) if entry else inbox.name_parts(path.name)
            if parts is None:
                continue
            filed = inbox.filed_path(place, *parts)
            try:
                filed.parent.mkdir(parents=True, exist_ok=True)
                os.replace(path, filed)
            except OSError:
                continue
            folders |= {filed.parent, path.parent}
        for folder in folders:
            sync_folder(folder)

    def _write_down(self, entries: Sequence[Entry]) -> None:
        """Write each as a report file, and insert it."""
        if not entries:
            return
        home = home_place(self._state_dir)
        if home is None and not self._is_durable:
            raise HistoryError(
                f"nothing can be imported: `{self._state_dir}` can't be written, and neither can a home folder",
                hint="make one of the two writable",
            )
        if home is not None:
            folders = set()
            for entry in entries:
                path = inbox.filed_path(home, entry.stamp, entry.report.id)
                try:
                    write_durably(path, inbox.encode(entry.report, learner=entry.learner), is_last=False)
                except OSError as error:
                    raise HistoryError(
                        f"the import stopped: `{home}` can't be written ({reason(error)})",
                        hint="what was written before stays; import again when there is room: nothing is taken twice",
                    ) from error
                folders.add(path.parent)
            for folder in folders:
                sync_folder(folder)
        with self._said():
            for start in range(0, len(entries), BATCH):
                self._insert(entries[start : start + BATCH])

    @contextmanager
    def _reading(self) -> Iterator[Session]:
        with self._said(), Session(database.reading(self._engine)) as session:
            yield session

    @contextmanager
    def _said(self) -> Iterator[None]:
        """Give a database's failure as ours, in words."""
        try:
            yield
        except SQLAlchemyError as error:
            raise HistoryUnavailable(
                f"the history's database failed: {database.cause(error)}",
                hint="no report is lost: they stay in files and are taken in next time. Run the command again",
            ) from error


def _open_file(state_dir: Path, elsewhere: Path | None) -> History:
    """Open a SQLite file: the course's own, or another one."""
    home = home_place(state_dir)
    if elsewhere is None and home is None:
        note = Note(
            f"neither `{state_dir}` nor a home folder can be written: this is what was recorded before",
            hint="make one of the two writable, else new results are not recorded",
        )
        return _open_memory(state_dir, [note])
    path = elsewhere or Path(str(home), DATABASE)
    notes: list[Note] = []
    try:
        with database.lock(path.with_name(LOCK)):
            try:
                return _try_file(state_dir, path, notes)
            except database.Damaged as error:
                notes.append(database.move_aside(path, str(error)))
                return _try_file(state_dir, path, notes)
    except (database.Damaged, database.Unusable, OSError) as error:
        note = Note(
            f"the history's database `{path}` can't be used ({reason(error)}): the report files were read instead",
            hint="nothing is lost; the database catches up by itself when it can be used again",
        )
        return _open_memory(state_dir, [*notes, note])


def _try_file(state_dir: Path, path: Path, notes: Sequence[Note]) -> History:
    engine = database.sqlite_engine(path)
    history = History(engine, state_dir, is_durable=True)
    history._notes.extend(notes)
    try:
        database.check(engine)
        database.bring_up_to_date(engine, str(path))
        taken = history._take_in()
    except BaseException as error:
        engine.dispose()
        if isinstance(error, DBAPIError):
            raise database.judged(error) from error
        raise
    if notes:
        history._notes.append(Note(f"reports read again from their files: {taken}"))
    return history


def _open_memory(state_dir: Path, notes: Sequence[Note]) -> History:
    engine = database.sqlite_engine(None)
    Base.metadata.create_all(engine)
    history = History(engine, state_dir, is_durable=False)
    history._notes.extend(notes)
    history.take_in()
    return history


def _open_server(state_dir: Path, address: URL) -> History:
    shown = address.render_as_string(hide_password=True)
    engine = database.server_engine(address)
    history = History(engine, state_dir, is_durable=True)
    try:
        database.bring_up_to_date(engine, shown)
        history._take_in()
    except BaseException as error:
        engine.dispose()
        if isinstance(error, SQLAlchemyError):
            raise HistoryUnavailable(
                f"the history's database `{shown}` doesn't answer: {database.cause(error)}",
                hint="results are kept in files meanwhile and are taken in when it answers. "
                "Without GRADE_DATABASE_URL the history stands in the course's own folder",
            ) from error
        raise
    return history


def _sweep(place: Path) -> None:
    """Remove half-written files of programs that were killed, once they are an hour old."""
    latest = time.time() - 3600
    for folder in (place / inbox.INBOX, *{path.parent for path in inbox.report_files(place)}):
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.name.startswith(".") and entry.name.endswith(SUFFIX) and entry.stat().st_mtime < latest:
                        os.unlink(entry)
        except OSError:
            continue


def _known(session: Session, ids: set[str]) -> set[str]:
    found: set[str] = set()
    wanted = sorted(ids)
    for start in range(0, len(wanted), 500):
        found.update(session.scalars(select(ReportRow.id).where(ReportRow.id.in_(wanted[start : start + 500]))))
    return found


def _row(entry: Entry) -> ReportRow:
    summary = summary_of(entry.report, stamp=entry.stamp, learner=entry.learner)
    plain = {name: getattr(summary, name) for name in Summary.__struct_fields__}
    for name, value in plain.items():
        # PostgreSQL takes no NUL in a text, others no more than was declared; the body has everything as it was.
        if isinstance(value, str):
            plain[name] = value.replace("\0", "�")[: getattr(ReportRow, name).type.length]
    return ReportRow(**plain, body=BodyRow(data=zlib.compress(inbox.encode_compact(entry.report))))


def _summary(row: ReportRow) -> Summary:
    return Summary(**{name: getattr(row, name) for name in Summary.__struct_fields__})


def _entry(session: Session, report_id: str) -> Entry | None:
    query = select(ReportRow.stamp, ReportRow.learner, BodyRow.data).join(BodyRow).where(ReportRow.id == report_id)
    row = session.execute(query).one_or_none()
    if row is None:
        return None
    return Entry(stamp=row.stamp, learner=row.learner, report=inbox.decode(bytes(_body(row.data))).report)


def _body(data: bytes) -> msgspec.Raw:
    try:
        return msgspec.Raw(zlib.decompress(data))
    except zlib.error as error:
        raise DamagedReport(f"a report is damaged in the database: {error}") from error
