"""Read the summaries without SQLAlchemy, for the commands that must feel instant.

`sqlite3` is imported in 3 ms, SQLAlchemy in 400. What is read is the same table; whenever anything is unusual (another
database, an older or damaged one, many reports waiting) the whole history is opened instead.
"""

from __future__ import annotations

import os
import sqlite3
from decimal import Decimal, InvalidOperation
from pathlib import Path

import msgspec

from grader.error import DamagedReport
from grader.store import inbox
from grader.store.place import Note, places
from grader.store.summary import Summary, in_order, summary_of

DATABASE = "history.db"
# The newest revision in migrations/versions; a test compares the two.
REVISION = "0001"
BUSY_S = 10.0
# Reading a waiting report costs under a millisecond; taking them in costs the import of SQLAlchemy, once.
WAITING_MAX = 64

_COLUMNS = tuple(Summary.__struct_fields__)


class Glance(msgspec.Struct, frozen=True):
    """Every summary of a course, oldest first, and what the user should know."""

    summaries: tuple[Summary, ...]
    notes: tuple[Note, ...] = ()


def glance(state_dir: Path, url: str | None = None) -> Glance:
    """Read every summary of a course in a few milliseconds; `url` as for `open_history`.

    Raises:
        HistoryError: as `open_history` does.
    """
    found = None if url else _from_files(state_dir)
    if found is not None:
        return Glance(tuple(in_order(found.values())))
    from grader.store.history import open_history

    with open_history(state_dir, url) as history:
        return Glance(tuple(history.reports()), history.notes)


def _from_files(state_dir: Path) -> dict[str, Summary] | None:
    """Read databases and inboxes of all places; None where that isn't the whole truth.

    The report files are the truth: whether the databases that could be read told everything is seen from their names.
    """
    found: dict[str, Summary] = {}
    waiting = inbox.pending(state_dir)
    if len(waiting) > WAITING_MAX:
        return None
    for place in places(state_dir):
        if os.path.exists(place / DATABASE):
            found.update((row.id, row) for row in _rows(place / DATABASE))
    for place in places(state_dir):
        for path in inbox.report_files(place):
            parts = inbox.name_parts(path.name)
            if parts is None or parts[1] not in found:
                return None
    for path in waiting:
        try:
            entry = inbox.decode(path.read_bytes(), path.name)
        except (OSError, DamagedReport):
            # Gone: just taken in by another program. Damaged: the history moves it aside and says so.
            return None
        found.setdefault(entry.report.id, summary_of(entry.report, stamp=entry.stamp, learner=entry.learner))
    return found


def _rows(database: Path) -> list[Summary]:
    try:
        connection = sqlite3.connect(database, timeout=BUSY_S)
        try:
            connection.execute("PRAGMA query_only = 1")
            if connection.execute("SELECT version_num FROM alembic_version").fetchall() != [(REVISION,)]:
                return []
            rows = connection.execute(f"SELECT {', '.join(_COLUMNS)} FROM reports").fetchall()  # our own names
        finally:
            connection.close()
        return [_summary(dict(zip(_COLUMNS, row, strict=True))) for row in rows]
    except (sqlite3.Error, ValueError, TypeError, InvalidOperation):
        return []


def _summary(row: dict[str, str]) -> Summary:
    plain = row | {"points": Decimal(row["points"]), "points_max": Decimal(row["points_max"]), "seed": int(row["seed"])}
    return Summary(**plain)  # type: ignore[arg-type]
