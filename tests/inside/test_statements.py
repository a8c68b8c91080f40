"""The statements and the calls of a learner's code, as a failed test shows them."""

from __future__ import annotations

from grader.inside.fixture import Call, Statement, after_start, fold, show, written


def _told(*statements: str) -> list[str]:
    sent = after_start(written([Statement(sql) for sql in statements]))
    return [f"{each['count']} {each['sql']}" for each in fold(sent)]


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
