"""The statements that the learner's code sends to SQLite: noted in its own process, remembered in the keeper's.

A note is `{"sql": text, "id": which}` when a statement begins to run, then `{"of": which, "rows": count}` or
`{"of": which, "error": text}` where that becomes known. `{"sql": text, "error": text}` never began: it doesn't compile, or lacks
a value.
"""

from __future__ import annotations

import functools
import itertools
import os
import sqlite3
import sqlite3.dbapi2
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

MAX_SQL = 2000
MAX_ERROR = 300
MAX_ROWS = 2**53
MAX_STATEMENTS = 5000
MAX_CHARACTERS = 700_000
"""Of all statements that are remembered, so that the evidence fits a frame however they are written in JSON."""

_FACTORY = 5
"""The place of `factory` among the arguments of `sqlite3.connect`."""

Send = Callable[[Mapping[str, Any]], None]
T = TypeVar("T")


class Statements:
    """The latest statements that were noted. Notes are what the learner's process says: any may be forged, none may do harm."""

    def __init__(self) -> None:
        self._kept: OrderedDict[object, dict[str, Any]] = OrderedDict()
        self._characters = 0

    def take(self, note: Mapping[str, Any]) -> None:
        """Take a note, if it is one of a statement."""
        sql, number, of = note.get("sql"), note.get("id"), note.get("of")
        if isinstance(sql, str):
            has_begun = isinstance(number, str)
            number = number if has_begun else object()
            if number not in self._kept:
                self._kept[number] = {"sql": sql, "has_begun": has_begun, "error": ""}
                self._characters += len(sql)
                self._add_outcome(self._kept[number], note)
        elif isinstance(of, str) and of in self._kept:
            self._add_outcome(self._kept[of], note)
        while len(self._kept) > MAX_STATEMENTS or self._characters > MAX_CHARACTERS:
            _, oldest = self._kept.popitem(last=False)
            self._characters -= len(oldest["sql"]) + len(oldest["error"])

    def told(self) -> list[dict[str, Any]]:
        """Give them in order: `sql`, `has_begun`, `error` (may be empty), and `rows` where that is known."""
        return list(self._kept.values())

    def _add_outcome(self, statement: dict[str, Any], note: Mapping[str, Any]) -> None:
        error, rows = note.get("error"), note.get("rows")
        if isinstance(error, str):
            self._characters += len(error) - len(statement["error"])
            statement["error"] = error
        if type(rows) is int and 0 <= rows <= MAX_ROWS:
            statement["rows"] = rows


def watch(send: Send) -> None:
    """Note each statement of each connection that is opened from now on.

    SQLite itself tells of a statement when it begins, so one that never ends is noted too. Of one that can't begin, and of rows,
    it tells nothing. So connections and cursors are of classes that do, under the names of sqlite3's own, from which a learner's
    own classes are made. A class that was made before is only noted for what SQLite tells.
    """
    connect = sqlite3.connect
    watched = _Watch(send)
    cursor_class = _cursor_class(watched)
    connection_class = _connection_class(cursor_class)

    def connect_watched(*arguments: Any, **options: Any) -> sqlite3.Connection:
        if len(arguments) <= _FACTORY:
            options.setdefault("factory", connection_class)
        connection: sqlite3.Connection = connect(*arguments, **options)
        connection.set_trace_callback(watched.begin)
        return connection

    for module in (sqlite3, sqlite3.dbapi2):
        setattr(module, "connect", connect_watched)  # noqa: B010  set this way, mypy asks nothing of it
        setattr(module, "Connection", connection_class)  # noqa: B010
        setattr(module, "Cursor", cursor_class)  # noqa: B010


class _Here(threading.local):
    last: str | None = None


class _Watch:
    """Numbers the statements. SQLite tells of one in the thread that sends it, before the call is over."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._count = itertools.count()
        self._here = _Here()

    def begin(self, sql: str) -> None:
        number = f"{os.getpid()}-{next(self._count)}"  # a fork goes on counting from the same number
        self._send({"sql": sql[:MAX_SQL], "id": number})
        if not sql.startswith("BEGIN"):  # sqlite3 sends one of its own ahead of what it was given
            self._here.last = number

    def run(self, execute: Callable[..., T], arguments: Sequence[Any]) -> tuple[T, str | None]:
        """Send what may be a statement; give the result, and which statement began last."""
        # A function of the learner's that is called in SQL may send others meanwhile.
        outer, self._here.last = self._here.last, None
        try:
            return execute(*arguments), self._here.last
        except (sqlite3.Error, sqlite3.Warning) as error:
            self.fail(error, self._here.last, arguments[0])
            raise
        finally:
            self._here.last = outer

    def fail(self, error: Exception, number: str | None, sql: object = None) -> None:
        if number is not None:
            self._send({"of": number, "error": str(error)[:MAX_ERROR]})
        elif isinstance(sql, str):
            self._send({"sql": sql[:MAX_SQL], "error": str(error)[:MAX_ERROR]})

    def tell_rows(self, number: str, rows: int) -> None:
        self._send({"of": number, "rows": rows})


def _connection_class(cursor_class: type[sqlite3.Cursor]) -> type[sqlite3.Connection]:
    class Connection(sqlite3.Connection):
        __slots__ = ()

        def cursor(self, factory: Any = cursor_class) -> Any:
            return super().cursor(factory)

        # As sqlite3's own do, these make their cursors without asking `cursor` of a class that was made from this one.
        def execute(self, *arguments: Any) -> Any:
            return super().cursor(cursor_class).execute(*arguments)

        def executemany(self, *arguments: Any) -> Any:
            return super().cursor(cursor_class).executemany(*arguments)

        def executescript(self, *arguments: Any) -> Any:
            return super().cursor(cursor_class).executescript(*arguments)

    return _named_as_its_base(Connection)


def _cursor_class(watched: _Watch) -> type[sqlite3.Cursor]:
    class Cursor(sqlite3.Cursor):
        # No attributes but these: what can't be set on sqlite3's own can't be set here.
        __slots__ = ("_number", "_taken")
        _number: str | None
        _taken: int

        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            self._number = None

        def execute(self, *arguments: Any) -> Any:
            self._number = None
            _, self._number = watched.run(super().execute, arguments)
            self._taken = 0
            if self.description is None and self.rowcount >= 0:
                self._take(self.rowcount)
                self._take(0)
            return self

        def executemany(self, *arguments: Any) -> Any:
            self._number = None
            return watched.run(super().executemany, arguments)[0]

        def executescript(self, *arguments: Any) -> Any:
            self._number = None
            try:
                return super().executescript(*arguments)
            except (sqlite3.Error, sqlite3.Warning) as error:
                watched.fail(error, None, arguments[0])  # nobody says which statement of the script it was
                raise

        def fetchone(self) -> Any:
            row = self._fetch(super().fetchone)
            self._take(0 if row is None else 1)
            return row

        def fetchmany(self, *arguments: Any, **options: Any) -> Any:
            rows = self._fetch(functools.partial(super().fetchmany, *arguments, **options))
            self._take(len(rows))
            return rows

        def fetchall(self) -> Any:
            rows = self._fetch(super().fetchall)
            self._take(len(rows))
            self._take(0)
            return rows

        def __next__(self) -> Any:
            try:
                row = self._fetch(super().__next__)
            except StopIteration:
                self._take(0)
                raise
            self._take(1)
            return row

        def _fetch(self, fetch: Callable[[], T]) -> T:
            try:
                return fetch()
            except (sqlite3.Error, sqlite3.Warning) as error:
                watched.fail(error, self._number)
                raise

        def _take(self, rows: int) -> None:
            """Count rows that were taken. How many came is known once there are no more."""
            if self._number is None:
                return
            if rows:
                self._taken += rows
            else:
                watched.tell_rows(self._number, self._taken)
                self._number = None

    return _named_as_its_base(Cursor)


def _named_as_its_base(made: type[T]) -> type[T]:
    base = made.__bases__[0]
    made.__module__, made.__qualname__, made.__doc__ = base.__module__, base.__qualname__, base.__doc__
    return made
