"""The machine's mutants: what is changed, what is left alone, and how each is called."""

from __future__ import annotations

import pytest

from grader.verify import mutate_sql
from grader.verify.mutate import learners_lines, machine_mutants, spread


def ids(source: str, starter: str = "", file: str = "app.py") -> list[str]:
    """Give the changes of a source, without file and line."""
    mutants = machine_mutants({file: source.encode()}, {file: starter.encode()})
    return [mutant.id.partition(" ")[2] for mutant in mutants]


PYTHON = {
    "comparison": ("x = a == b\n", "== -> !="),
    "boundary": ("x = a < 3\n", "< -> <="),
    "identity": ("x = a is not None\n", "is not -> is"),
    "membership": ("x = a not in b\n", "not in -> in"),
    "number": ("x = a[0]\n", "0 -> 1"),
    "boolean": ("x = f(unique=True)\n", "True -> False"),
    "connective": ("x = a and b\n", "and -> or"),
    "negation": ("x = not a\n", "not a -> a"),
    "arithmetic": ("x = a * b\n", "* -> +"),
    "augmented": ("def f():\n    self.total += 1\n", "+= -> -="),
    "status": ("def f():\n    return {}, 404\n", "404 -> 400"),
    "no status": ("def f():\n    return {}, 201\n", "status 201 -> (nothing)"),
    "abort": ("def f():\n    abort(403)\n", "403 -> 401"),
    "guard": ("def f():\n    if bad:\n        return {}, 400\n    return good\n", "if bad: return {}, 400 -> pass"),
    "commit": ("def f():\n    session.commit()\n", "session.commit() -> pass"),
    "assignment": ("def f():\n    book.title = title\n", "book.title = title -> pass"),
    "filter": ("x = select(B).where(B.owner == me)\n", ".where(B.owner == me) -> (nothing)"),
    "one of two filters": ("x = s.where(B.a == 1, B.b == 2)\n", "B.b == 2 -> (nothing)"),
    "filter of a list": ("x = [b for b in all if b.mine]\n", "if b.mine -> (nothing)"),
    "order": ("x = s.order_by(B.year, B.title)\n", "B.year, B.title -> B.title, B.year"),
    "direction": ("x = B.year.desc()\n", "desc -> asc"),
    "sorting": ("x = sorted(names)\n", "sorted(names) -> list(names)"),
    "default": ("x = d.get('a', 1)\n", "default 1 -> None"),
    "setting": ("x = os.environ['A']\n", "os.environ['A'] -> \"elsewhere\""),
    "setting with a default": ("x = os.environ.get('A', 'b')\n", "os.environ.get('A', 'b') -> 'b'"),
    "setting that stands in the file": ("MENU = {}\nx = app.config['MENU']\n", "app.config['MENU'] -> MENU"),
    "clean-up": ("x = name.strip()\n", ".strip() -> (nothing)"),
    "decorator": ("@login_required\ndef f():\n    g()\n", "@login_required -> (nothing)"),
    "except": ("try:\n    f()\nexcept E:\n    g()\n", "except: g() -> raise"),
    "returned default": ("def f():\n    return [a for a in b]\n", "return [a for a in b] -> return []"),
}


@pytest.mark.parametrize("operator", PYTHON)
def test_what_backend_code_gets_wrong_is_changed(operator: str) -> None:
    """Each operator makes its change."""
    source, change = PYTHON[operator]

    assert change in ids(source)


@pytest.mark.parametrize(
    "source",
    [
        '"""Text with 404 and <."""\n',
        'def f(a: "int < 3" = None) -> dict[str, int]:\n    """Doc."""\n',
        "def f():\n    log.info('%s', 3)\n    print(3)\n",
        "raise ValueError('at most 3')\n",
        "if __name__ == '__main__':\n    main(3)\n",
        "x = mapped_column(String(300))\n",
        "@app.get('/a')\ndef f():\n    pass\n",
        "def __repr__(self):\n    return f'{self.a < 3}'\n",
    ],
)
def test_what_no_test_should_look_at_is_left_alone(source: str) -> None:
    """Words for people, annotations, sizes that SQLite doesn't keep, routes whose loss is no news."""
    assert ids(source) == []


def test_lines_of_the_starter_are_left_alone() -> None:
    """Only what the learner writes is changed."""
    starter = "LIMIT = 3\n\ndef f(x):\n    pass\n"
    source = "LIMIT = 3\n\ndef f(x):\n    return x < LIMIT\n"

    assert ids(source, starter) == ["return x < LIMIT -> return True", "return x < LIMIT -> return False", "< -> <="]
    assert learners_lines(source.encode(), starter.encode()) == {4}


def test_a_mutant_has_a_stable_name_and_a_diff() -> None:
    """Letters of several bytes before it move nothing; a second equal change of a line has a number."""
    source = "name = 'Bacalhau à Brás'; x = a == b; y = a == b\n".encode()

    mutants = machine_mutants({"menu/app.py": source}, {})

    assert [mutant.id for mutant in mutants] == ["menu/app.py:1 == -> !=", "menu/app.py:1 == -> != (2)"]
    assert mutants[0].files["menu/app.py"].decode() == "name = 'Bacalhau à Brás'; x = a != b; y = a == b\n"
    assert mutants[0].is_called("name = 'Bacalhau à Brás'; x = a != b; y = a == b")
    assert "+name = 'Bacalhau à Brás'; x = a != b; y = a == b" in mutants[0].diff


def test_a_file_that_is_no_python_has_no_mutants() -> None:
    """It is a finding of another point."""
    assert machine_mutants({"app.py": b"def (:", "data.json": b"[1 < 2]"}, {}) == []


def test_a_choice_of_mutants_is_spread_evenly() -> None:
    """Not the first ones only."""
    mutants = machine_mutants({"a.py": "".join(f"x{n} = {n}\n" for n in range(100)).encode()}, {})

    assert [mutant.line for mutant in spread(mutants, 4)] == [1, 26, 51, 76]


SQL = {
    "boundary": ("SELECT a FROM t WHERE year < 1950", "< -> <="),
    "equality": ("SELECT a FROM t WHERE a = ?", "= -> <>"),
    "no condition": ("SELECT a FROM t WHERE a = 1 ORDER BY b", "WHERE a = 1 -> (nothing)"),
    "one condition of two": ("DELETE FROM t WHERE id = ? AND owner = ?", "AND owner = ? -> (nothing)"),
    "first condition of two": ("SELECT 1 FROM t WHERE id = ? AND owner = ?", "id = ? -> (nothing)"),
    "connective": ("SELECT 1 FROM t WHERE a = 1 AND b = 2", "AND -> OR"),
    "null": ("SELECT 1 FROM t WHERE a IS NULL", "IS -> IS NOT"),
    "not null": ("SELECT 1 FROM t WHERE a IS NOT NULL", "IS NOT -> IS"),
    "order": ("SELECT 1 FROM t ORDER BY a, b LIMIT 3", "a, b -> b, a"),
    "last key": ("SELECT 1 FROM t ORDER BY a, b", ", b -> (nothing)"),
    "direction": ("SELECT 1 FROM t ORDER BY a DESC", "DESC -> (nothing)"),
    "join": ("SELECT 1 FROM a LEFT JOIN b ON a.id = b.id", "LEFT -> (nothing)"),
    "inner join": ("SELECT 1 FROM a JOIN b ON a.id = b.id", "JOIN -> LEFT JOIN"),
    "distinct": ("SELECT COUNT(DISTINCT a) FROM t", "DISTINCT -> (nothing)"),
    "count": ("SELECT COUNT(b.id) FROM b", "(b.id) -> (*)"),
    "having": ("SELECT a FROM t GROUP BY a HAVING COUNT(*) > 1", "HAVING COUNT(*) > 1 -> (nothing)"),
    "limit": ("SELECT a FROM t LIMIT 20", "LIMIT 20 -> (nothing)"),
    "unique": ("CREATE TABLE t (a TEXT UNIQUE)", "UNIQUE -> (nothing)"),
    "constraint": ("CREATE TABLE t (a TEXT NOT NULL)", "NOT NULL -> (nothing)"),
    "cascade": ("CREATE TABLE t (a INTEGER REFERENCES b (id) ON DELETE CASCADE)", "ON DELETE CASCADE -> (nothing)"),
    "union": ("SELECT a FROM t UNION SELECT b FROM u", "UNION -> UNION ALL"),
    "coalesce": ("SELECT COALESCE(SUM(a), 0) FROM t", "COALESCE(SUM(a), 0) -> SUM(a)"),
}


@pytest.mark.parametrize("operator", SQL)
def test_what_queries_get_wrong_is_changed(operator: str) -> None:
    """In a text of Python, and in a file of SQL."""
    query, change = SQL[operator]

    assert change in ids(f'q = "{query}"\n')
    assert change in ids(f"{query};\n", file="schema.sql")


def test_texts_within_a_query_are_left_alone() -> None:
    """An `=` or an `AND` in a name is data, and the AND of BETWEEN is no connective."""
    found = mutate_sql.changes("SELECT 'a = b AND c' FROM t WHERE y BETWEEN 1 AND 9")

    assert [change.old for change in found] == ["WHERE y BETWEEN 1 AND 9", "BETWEEN", "1", "9"]
    assert not mutate_sql.is_query("A dish selected = 3")


def test_a_query_in_several_pieces_is_changed_piece_by_piece() -> None:
    """As long as each piece reads as a part of one."""
    source = 'q = (\n    "SELECT a FROM t "\n    "WHERE a < 3 "\n    "ORDER BY a, b"\n)\n'

    assert {"< -> <=", "a, b -> b, a"} <= set(ids(source))
