"""Reach the database: engines, the lock over a SQLite file, the steps to the newest tables, the meaning of failures."""

from __future__ import annotations

import fcntl
import os
import shlex
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, create_engine, event, inspect, make_url, text
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool, StaticPool

from grader.store.error import HistoryUnavailable, NewerHistory
from grader.store.glance import BUSY_S, REVISION
from grader.store.place import Note

LOCK_S = 10.0
CONNECT_S = 5
# Any fixed number: it names our own lock among a PostgreSQL server's advisory locks.
_ADVISORY = 7_235_110_042
_READS = "grader_reads"
_STEPS = "grader_steps"


class Damaged(Exception):
    """The SQLite file is not a sound history."""


class Unusable(Exception):
    """The SQLite file can't be used now: a full or read-only disk, or another program holds it."""


def read_address(url: str) -> URL:
    """Read a database's address; a plain `postgresql://` takes the driver psycopg.

    Raises:
        HistoryUnavailable: it can't be read, or names a database that SQLAlchemy doesn't know.
    """
    try:
        address = make_url(url)
        if address.drivername in {"postgres", "postgresql"}:
            address = address.set(drivername="postgresql+psycopg")
        address.get_dialect()
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError) as error:
        # The address is not repeated: it may hold a password, and what can't be read can't be blanked.
        raise HistoryUnavailable(
            "GRADE_DATABASE_URL is not the address of a database that is known here",
            hint="such as `postgresql://user:password@server/name` or `sqlite:////folder/history.db`",
        ) from error
    return address


def server_engine(address: URL) -> Engine:
    """Make the engine of a database server; it connects later.

    Raises:
        HistoryUnavailable: the driver that it needs isn't installed.
    """
    if address.get_backend_name() == "postgresql":
        address = address.update_query_dict({"connect_timeout": str(CONNECT_S)} | dict(address.query))
    try:
        return create_engine(address, poolclass=NullPool)
    except ImportError as error:
        raise HistoryUnavailable(
            f"the database `{address.render_as_string(hide_password=True)}` can't be reached: {error}",
            hint="install its Python driver next to the grader; for PostgreSQL:\n"
            f"python3 -m pip --python {shlex.quote(sys.executable)} install 'psycopg[binary]'",
        ) from error


def sqlite_engine(path: Path | None) -> Engine:
    """Make the engine of a SQLite file, or of one in memory."""
    if path is None:
        engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    else:
        url = URL.create("sqlite", database=str(path))
        engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": BUSY_S})

    # The standard library's driver begins transactions late and not at all before a change of tables, so we begin them;
    # and a transaction that will write says so at once, for SQLite refuses to wait when two readers turn into writers.
    @event.listens_for(engine, "connect")
    def _connected(connection: Any, record: Any) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        options = connection.get_execution_options()
        if options.get(_STEPS):
            # A step may make a table anew; dropping the old one must not take along what refers to it.
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        connection.exec_driver_sql("BEGIN" if options.get(_READS) else "BEGIN IMMEDIATE")

    return engine


def reading(engine: Engine) -> Engine:
    """Give the same engine for transactions that only read."""
    return engine.execution_options(**{_READS: True})


def check(engine: Engine) -> None:
    """Read a SQLite file through.

    Raises:
        Damaged: SQLite finds it unsound.
    """
    with reading(engine).connect() as connection:
        problem = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    if problem != "ok":
        # A heading that names the database may stand before it.
        told = [line for line in str(problem).splitlines() if not line.startswith("***")]
        raise Damaged(told[0] if told else "it is not sound")


def bring_up_to_date(engine: Engine, shown: str) -> None:
    """Lead the tables to our revision, in one transaction. `shown` names the database in messages.

    Raises:
        NewerHistory: a newer grader made them.
    """
    with reading(engine).connect() as connection:
        if _is_current(connection):
            return
    # Imported and read before the transaction begins, for others wait while it lasts.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", "grader.store:migrations")
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    with engine.execution_options(**{_STEPS: True}).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY})
        if set(_revisions(connection)) - known:
            raise NewerHistory(
                f"the history `{shown}` was made by a newer grader",
                hint="update the grader. Results of this one are kept meanwhile and are taken in after the update",
            )
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _is_current(connection: Connection) -> bool:
    """Tell whether the tables are of our own revision; asked without Alembic, whose import costs 0.1 s."""
    return _revisions(connection) == [REVISION]


def _revisions(connection: Connection) -> list[str]:
    if not inspect(connection).has_table("alembic_version"):
        return []
    return list(connection.execute(text("SELECT version_num FROM alembic_version")).scalars())


@contextmanager
def lock(path: Path) -> Iterator[None]:
    """Let one program at a time open the database; ends with the program, however that ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        end = time.monotonic() + LOCK_S
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if time.monotonic() > end:
                    raise Unusable("another program has been holding it for too long") from error
                time.sleep(0.02)
                continue
            except OSError:
                # A network folder without locks: SQLite's own have to do.
                pass
            break
        yield
    finally:
        os.close(handle)


def judged(error: DBAPIError) -> Exception:
    """Tell a damaged file from one that can't be used now."""
    code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
    # SQLITE_ERROR: a table or column is missing, though the revision says it's there. Not ours, or only half of it.
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}:
        return Damaged(cause(error))
    return Unusable(cause(error))


def move_aside(path: Path, why: str) -> Note:
    """Give a damaged file another name. It is never deleted: it may hold what nothing else does."""
    aside = path.with_name(f"{path.stem}-damaged-{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}{path.suffix}")
    # The journal goes along: SQLite would play it into the new file.
    for ending in ("", "-journal", "-wal", "-shm"):
        if os.path.exists(f"{path}{ending}"):
            os.replace(f"{path}{ending}", f"{aside}{ending}")
    return Note(
        f"the history's database was damaged ({why}): it was moved to `{aside}`, and a new one was made",
        hint="nothing needs to be done. Should a report be missing, that file may still have it",
    )


def cause(error: SQLAlchemyError) -> str:
    """Give the first line of what the database itself said."""
    origin = getattr(error, "orig", None) or error
    return (str(origin).strip().splitlines() or [type(origin).__name__])[0]
