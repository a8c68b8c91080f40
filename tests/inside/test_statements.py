"""The statements and the calls of a learner's code, as a failed test shows them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from grader.inside import statements
from grader.inside.fixture import Call, Statement, after_start, fold, sent, show, written


def _told(*statements: str) -> list[str]:
    those = after_start(written([Statement(sql) for sql in statements]))
    return [f"{each['count']} {each['sql']}" for each in fold(those)]


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Iterator[statements.Statements]:
    """What the keeper remembers of what this process sends to SQLite."""
    for module in (sqlite3, sqlite3.dbapi2):
        for name in ("connect", "Connection", "Cursor"):
            monkeypatch.setattr(module, name, getattr(module, name))  # so that they are put back
    heard = statements.Statements()
    statements.watch(heard.take)
    return heard


@pytest.fixture
def connection(heard: statements.Statements) -> Iterator[sqlite3.Connection]:
    """A connection to an empty database, whose statements are heard."""
    with closing(sqlite3.connect(":memory:")) as connection:
        yield connection


def _fared(heard: statements.Statements) -> list[tuple[str, int | str | None]]:
    return [(each.sql, each.error or each.rows) for each in sent({"statements": heard.told()})]


def _refused(connection: sqlite3.Connection, sql: str, *values: Any) -> None:
    with pytest.raises((sqlite3.Error, sqlite3.Warning)):
        connection.execute(sql, values)


def test_one_that_came_once_stands_with_its_values() -> None:
    """Else an injected query would read as one with parameters."""
    assert _told("SELECT 1\n  FROM users WHERE name = 'x' OR '1'='1'") == [
        "1 SELECT 1 FROM users WHERE name = 'x' OR '1'='1'"
    ]


def test_equal_ones_are_counted() -> None:
    """Whatever values they have."""
    assert _told("SELECT 1 WHERE id = 4", "SELECT 2", "SELECT 1 WHERE id = 5") == [
        "2 SELECT ? WHERE id = ?",
        "1 SELECT 2",
    ]


def test_what_makes_the_tables_is_left_out() -> None:
    """It comes with every start, and stands before what a request sent."""
    start = (
        "PRAGMA main.table_info('a')",
        "BEGIN",
        "-- the schema\nCREATE TABLE a (id)",
        "CREATE TABLE a (id)",
        "COMMIT",
    )
    assert _told(*start, "BEGIN", "SELECT 1", "CREATE TABLE b (id)") == ["1 SELECT 1", "1 CREATE TABLE b (id)"]
    assert len(_told(*start)) == len(start) - 1  # SQLAlchemy's own PRAGMA is never told


def test_what_sqlalchemy_asks_of_itself_is_left_out() -> None:
    """The learner can't find it in the code; a PRAGMA that stands there is told."""
    assert _told(
        "SELECT 1",
        "PRAGMA read_uncommitted",
        'PRAGMA main.table_info("a")',
        'PRAGMA temp.table_xinfo("a")',
        "PRAGMA foreign_keys = ON",
        "PRAGMA table_info(a)",
    ) == ["1 SELECT 1", "1 PRAGMA foreign_keys = ON", "1 PRAGMA table_info(a)"]


def test_what_only_exists_beside_the_learners_code_is_called_by_its_name() -> None:
    """Not by a class of the grader."""
    assert show(Call.session) == "session"
    assert show([1, Call.connection]) == "[1, connection]"
    assert show("session") == '"session"'


def test_a_statement_that_fails_is_noted_with_what_the_database_says(
    heard: statements.Statements, connection: sqlite3.Connection
) -> None:
    """Before it begins, as it runs, or while its rows are taken."""
    connection.execute("CREATE TABLE book (title UNIQUE)")
    connection.execute("INSERT INTO book VALUES ('{')")
    _refused(connection, "SELECT authr FROM book")
    _refused(connection, "INSERT INTO book VALUES (?)")
    _refused(connection, "INSERT INTO book VALUES (?)", "{")
    with pytest.raises(sqlite3.OperationalError):
        connection.executescript("DELETE FROM book; SELCT 1")
    rows = connection.execute("SELECT json(column1) FROM (VALUES ('[]'), ('['))")
    with pytest.raises(sqlite3.OperationalError):
        rows.fetchall()

    assert [fared for fared in _fared(heard) if isinstance(fared[1], str)] == [
        ("SELECT authr FROM book", "no such column: authr"),
        (
            "INSERT INTO book VALUES (?)",
            "Incorrect number of bindings supplied. The current statement uses 1, and there are 0 supplied.",
        ),
        ("INSERT INTO book VALUES ('{')", "UNIQUE constraint failed: book.title"),
        ("DELETE FROM book; SELCT 1", 'near "SELCT": syntax error'),
        ("SELECT json(column1) FROM (VALUES ('[]'), ('['))", "malformed JSON"),
    ]
    assert [each.has_begun for each in sent({"statements": heard.told()}) if each.error] == [
        False,
        False,
        True,
        False,
        True,
    ]


def test_rows_are_told_where_they_are_known(heard: statements.Statements, connection: sqlite3.Connection) -> None:
    """Once no more come; and those that were changed."""
    cursor = connection.cursor()
    cursor.executescript("CREATE TABLE n (i); INSERT INTO n VALUES (1), (2), (3)")
    cursor.execute("SELECT 'all' FROM n").fetchall()
    list(cursor.execute("SELECT 'each' FROM n"))
    cursor.execute("SELECT 'some' FROM n").fetchmany(2)
    cursor.execute("SELECT 'one' FROM n").fetchone()
    assert cursor.execute("SELECT 'none' FROM n WHERE i = 4").fetchone() is None
    cursor.execute("UPDATE n SET i = 0 WHERE i > 1")
    cursor.executemany("DELETE FROM n WHERE i = ?", [(1,)])

    assert [fared for fared in _fared(heard) if fared[0] not in ("BEGIN ", "COMMIT")][2:] == [
        ("SELECT 'all' FROM n", 3),
        ("SELECT 'each' FROM n", 3),
        ("SELECT 'some' FROM n", None),
        ("SELECT 'one' FROM n", None),
        ("SELECT 'none' FROM n WHERE i = 4", 0),
        ("UPDATE n SET i = 0 WHERE i > 1", 2),
        ("DELETE FROM n WHERE i = 1", None),
    ]


def test_what_sqlalchemy_sends_is_told_alike(heard: statements.Statements) -> None:
    """It goes through sqlite3."""
    sqlalchemy = pytest.importorskip("sqlalchemy")
    engine = sqlalchemy.create_engine("sqlite://")
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text("SELECT 1 UNION SELECT 2")).all()
        with pytest.raises(sqlalchemy.exc.OperationalError):
            connection.execute(sqlalchemy.text("SELECT authr"))
    engine.dispose()

    assert ("SELECT 1 UNION SELECT 2", 2) in _fared(heard)
    assert ("SELECT authr", "no such column: authr") in _fared(heard)


def test_a_statement_within_another_is_told_apart(heard: statements.Statements, connection: sqlite3.Connection) -> None:
    """A function of the learner's that is called in SQL may send its own."""
    with closing(sqlite3.connect(":memory:")) as other:
        connection.create_function("two", 0, lambda: len(other.execute("SELECT 1 UNION SELECT 2").fetchall()))
        connection.execute("SELECT two()").fetchall()

    assert _fared(heard) == [("SELECT two()", 1), ("SELECT 1 UNION SELECT 2", 2)]


def test_connections_and_cursors_are_those_of_sqlite3(
    heard: statements.Statements, connection: sqlite3.Connection
) -> None:
    """A right solution can't tell that its statements are noted."""
    connection.row_factory = sqlite3.Row
    cursor = connection.execute("SELECT 1 AS one")

    assert type(connection) is sqlite3.Connection
    assert type(cursor) is sqlite3.Cursor
    assert repr(connection).startswith("<sqlite3.Connection object at")
    assert iter(cursor) is cursor
    assert cursor.fetchmany(size=5)[0]["one"] == 1
    assert connection.cursor().fetchone() is None
    with pytest.raises(AttributeError):
        connection.note = 1  # type: ignore[attr-defined]
    with pytest.raises(AttributeError):
        cursor.note = 1  # type: ignore[attr-defined]


def test_a_learners_own_classes_are_theirs(heard: statements.Statements) -> None:
    """Made from the names in sqlite3 they are noted alike; what they do is done."""

    class Rows(sqlite3.Cursor):
        pass

    class Shop(sqlite3.Connection):
        def cursor(self, factory: type[sqlite3.Cursor] = Rows) -> Any:
            return super().cursor(factory)

    with closing(sqlite3.connect(":memory:", factory=Shop)) as shop:
        cursor = shop.cursor()
        cursor.execute("SELECT 1").fetchall()

        assert (type(shop), type(cursor), type(shop.execute("SELECT 2"))) == (Shop, Rows, sqlite3.Cursor)
    assert _fared(heard) == [("SELECT 1", 1), ("SELECT 2", None)]


def test_forged_notes_are_bounded() -> None:
    """Whatever a learner's process says of statements, the keeper goes on, and what it tells fits a frame."""
    heard = statements.Statements()
    for number in range(2000):
        heard.take({"sql": "x" * 900, "id": "same"})
        heard.take({"sql": "x" * 900, "id": str(number)})
        heard.take({"of": str(number), "error": "e" * 900, "rows": 10**1000})
        heard.take({"of": ["no"], "id": {}, "rows": True})

    told = heard.told()
    assert sum(len(each["sql"]) + len(each["error"]) for each in told) <= statements.MAX_CHARACTERS
    assert all("rows" not in each for each in told)


def test_rows_are_counted_together_and_failures_apart() -> None:
    """Of equal statements; one whose rows are unknown leaves the sum unknown."""
    one = Statement("SELECT 1 WHERE id = 4", rows=1)
    failed = replace(one, rows=None, error="no such table: a")

    assert fold([one, one, failed]) == [
        {"sql": "SELECT ? WHERE id = ?", "count": 2, "rows": 2, "error": ""},
        {"sql": "SELECT 1 WHERE id = 4", "count": 1, "rows": None, "error": "no such table: a"},
    ]
    assert fold([one, replace(one, rows=None)])[0]["rows"] is None


def test_tables_that_could_not_be_made_are_told() -> None:
    """They are what a start sends, but the failure is what matters."""
    failed = Statement("CREATE TABLE a (", error="incomplete input", has_begun=False)

    assert after_start([Statement("CREATE TABLE b (id)"), failed]) == [failed]
