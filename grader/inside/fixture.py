"""What a hidden test has beside the client: the app, the database, calls of the learner's functions."""

from __future__ import annotations

import hashlib
import json
import re
import signal
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import values
from .client import Transcript
from .fault import DidNotStart, Wrong
from .link import Link
from .values import Opaque, Special

if TYPE_CHECKING:
    from .served import WSGIApp

POLL_S = 0.0005


@dataclass(frozen=True)
class Ended:
    """How an app that did not start ended: its exit code (`None` when a signal or a limit ended it) and its output."""

    code: int | None
    output: str


@dataclass(frozen=True)
class Raised:
    """An exception of the learner's function: its type's name and its message."""

    type: str
    message: str


@dataclass(frozen=True)
class Table:
    """What a query gave: the columns' names, and the rows as tuples, in order."""

    columns: list[str]
    rows: list[tuple[Any, ...]]


@dataclass(frozen=True)
class SuiteTest:
    """One of the learner's own tests: its id, `passed`, `failed`, `error` or `skipped`, and what it said when it failed."""

    name: str
    status: str
    message: str


@dataclass(frozen=True)
class SuiteRun:
    """What a run of the learner's own tests told.

    `tests` are in the order in which they ran; `problems` tell what could not be collected; `left` are files that lie in
    the learner's folder since.
    """

    tests: list[SuiteTest]
    problems: list[str]
    left: list[str]

    @property
    def passed(self) -> bool:
        """Whether there was at least one test, and every test passed."""
        return bool(self.tests) and not self.problems and all(test.status == "passed" for test in self.tests)

    @property
    def failed(self) -> list[SuiteTest]:
        """The tests that did not pass, in order."""
        return [test for test in self.tests if test.status in ("failed", "error")]


class App:
    """The learner's app: started at the first request, restarted or stopped as a test asks."""

    def __init__(self, link: Link, settings: Mapping[str, Any], transcript: Transcript) -> None:
        self._link = link
        self._settings = settings
        self._transcript = transcript
        self._generation: int | None = None
        self._is_stopped = False
        self.has_touched_state = False
        self.port: int = settings["port"]
        self.start_s: float = settings["limits"]["start_s"]

    def start(self, env: Mapping[str, str | None] | None = None, config: Mapping[str, Any] | None = None) -> None:
        """Start the app with these variables and this configuration on top of the usual ones.

        Raises:
            DidNotStart: it ended, or it took too long.
        """
        if env or config is not None:
            self._record("start", env, config)
        self._start(env or {}, config, is_fresh=not self.has_touched_state)

    def restart(self, env: Mapping[str, str | None] | None = None, config: Mapping[str, Any] | None = None) -> None:
        """End the app and start it again; files and database stay as they are."""
        self._record("restart", env, config)
        self.ensure_started()
        self._start(env or {}, config, is_fresh=False)

    def stop(self) -> None:
        """End the app. A request after this fails until `start`."""
        self._record("stop", None, None)
        self._link.ask("stop")
        self._generation = None
        self._is_stopped = True
        self.has_touched_state = True

    def reset(self) -> None:
        """End the app and go back to fresh files and an empty database."""
        self._link.ask("reset")
        self.note_cleared()

    def note_cleared(self) -> None:
        """Take note that the box was cleared: no app runs any more."""
        self._generation = None
        self._is_stopped = False
        self.has_touched_state = True

    def start_fails(
        self, env: Mapping[str, str | None] | None = None, config: Mapping[str, Any] | None = None
    ) -> Ended:
        """Start an app that must refuse to start; give how it ended.

        Raises:
            Wrong: it did start.
        """
        self._record("start", env, config)
        try:
            self._start(env or {}, config, is_fresh=not self.has_touched_state)
        except DidNotStart:
            evidence = self._link.ask("evidence")
            ended = evidence["ended"] or {}
            self._generation = None
            return Ended(ended.get("code"), evidence["output"])
        raise Wrong(
            "started", "your app started, though it must not", expected="an end with an error", got="it started"
        )

    def output(self) -> str:
        """Give the tail of what the app has printed since it was fresh."""
        return str(self._link.ask("evidence")["output"])

    def ensure_started(self) -> None:
        """Start the app where it doesn't run yet."""
        if self._generation is None and not self._is_stopped:
            self._start({}, None, is_fresh=not self.has_touched_state)

    def current_port(self) -> int:
        """Give the port, after starting the app where it doesn't run yet."""
        self.ensure_started()
        return self.port

    def _record(self, action: str, env: Mapping[str, str | None] | None, config: Mapping[str, Any] | None) -> None:
        shown = {name: "(removed)" if value is None else value[:200] for name, value in (env or {}).items()}
        self._transcript.add({"kind": "app", "request": {"action": action, "env": shown, "config": config is not None}})

    def _start(self, env: Mapping[str, str | None], config: Mapping[str, Any] | None, *, is_fresh: bool) -> None:
        encoded = None if config is None else values.encode(dict(config))
        reply = self._link.ask("start", env=dict(env), config=encoded, fresh=is_fresh)
        # From here on it is the learner's time: what the box itself needs to be ready, on a busy machine, is not.
        deadline = time.monotonic() + self.start_s
        generation = reply["generation"]
        self._generation = generation
        self._is_stopped = False
        self.has_touched_state = True
        self.port = int(env.get("PORT") or self._settings["port"])
        if reply["ended"] is not None:
            self._link.endings[generation] = {**reply["ended"], "limits": reply["limits"]}
        while not _accepts(self.port):
            ending = self._link.endings.get(generation)
            if ending is not None:
                raise DidNotStart("ended", _tell_ending(ending, self._settings["limits"]))
            if self._link.is_lost:
                raise DidNotStart("ended", "your app's box ended while your app started")
            if time.monotonic() > deadline:
                raise DidNotStart("timeout", f"your app did not listen on port {self.port} within {self.start_s:g} s")
            self._link.look(POLL_S)


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


LIMIT_TEXTS = {
    "memory": "it used more than {memory_mib} MiB of memory",
    "processes": "it started more than {processes} processes and threads",
    "output": "it printed more than {output}",
    "disk": "it wrote more than {disk_mib} MiB",
}


def tell_limits(reached: Sequence[str], limits: Mapping[str, Any]) -> str:
    """Say which limits were reached, or nothing."""
    output_kib = limits.get("output_kib", 0)
    output = f"{output_kib} KiB" if output_kib % 1024 else f"{output_kib // 1024} MiB"
    return " and ".join(LIMIT_TEXTS[name].format(**limits, output=output) for name in reached if name in LIMIT_TEXTS)


def _tell_ending(ending: Mapping[str, Any], limits: Mapping[str, Any]) -> str:
    reached = tell_limits(ending.get("limits") or (), limits)
    if reached:
        return f"your app was stopped: {reached}"
    if ending.get("signal"):
        return f"your app was ended by signal {ending['signal']} ({_signal_in_words(ending['signal'])})"
    return f"your app ended with code {ending.get('code')}"


def _signal_in_words(number: int) -> str:
    try:
        return (signal.strsignal(number) or "unknown").lower()
    except ValueError:
        return "unknown"


class Call:
    """Calls of the learner's functions, in a process of the solution box."""

    session = Special("session")
    connection = Special("connection")

    def __init__(self, link: Link, transcript: Transcript, on_use: Any) -> None:
        self._link = link
        self._transcript = transcript
        self._on_use = on_use

    def __call__(self, function: str, /, *args: Any, **kwargs: Any) -> Any:
        """Call `function` (or `module.function`) and give what it returned, as builtins.

        Raises:
            Wrong: it raised, it isn't there, or what it returned can't cross.
        """
        step, result = self._call(function, args, kwargs)
        raised = result.get("raised")
        if isinstance(raised, dict):
            error = _raised(raised)
            step["response"] = {"raised": {"type": error.type, "message": error.message}}
            if raised.get("own") is True:
                raise Wrong("missing", error.message)
            raise Wrong("raised", f"`{function}` raised {error.type}: {error.message}")
        value = self._value(result)
        step["response"] = {"value": show(value)}
        return value

    def error(self, function: str, /, *args: Any, **kwargs: Any) -> Raised:
        """Call `function`, which must raise; give the exception.

        Raises:
            Wrong: it returned.
        """
        step, result = self._call(function, args, kwargs)
        raised = result.get("raised")
        if isinstance(raised, dict) and raised.get("own") is True:
            raise Wrong("missing", _raised(raised).message)
        if isinstance(raised, dict):
            error = _raised(raised)
            step["response"] = {"raised": {"type": error.type, "message": error.message}}
            return error
        value = self._value(result)
        step["response"] = {"value": show(value)}
        raise Wrong("returned", f"`{function}` raised nothing", expected="an exception", got=show(value))

    def raises(self, function: str, /, *args: Any, **kwargs: Any) -> str:
        """Call `function`, which must raise; give the name of the exception's type.

        Raises:
            Wrong: it returned.
        """
        return self.error(function, *args, **kwargs).type

    def _call(self, function: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
        step: dict[str, Any] = {
            "kind": "call",
            "request": {
                "function": function,
                "args": [show(value) for value in args],
                "kwargs": {name: show(value) for name, value in kwargs.items()},
            },
        }
        self._transcript.add(step)
        self._on_use()
        reply = self._link.ask(
            "call",
            function=function,
            args=[values.encode(value) for value in args],
            kwargs={name: values.encode(value) for name, value in kwargs.items()},
        )
        if "ended" in reply:
            step["note"] = "ended"
            raise Wrong("ended", _tell_ending(reply["ended"] or {}, {}))
        return step, reply["result"]

    def _value(self, result: Any) -> Any:
        if not isinstance(result, dict) or "value" not in result:
            reason = result.get("unreadable", "") if isinstance(result, dict) else ""
            raise Wrong("unreadable", f"what the function returned can't be read: {str(reason)[:200]}")
        try:
            return values.decode(result["value"])
        except values.Unreadable as error:
            raise Wrong("unreadable", f"what the function returned can't be read: {error}") from None


def _raised(told: Mapping[str, Any]) -> Raised:
    return Raised(str(told.get("type"))[:200], str(told.get("message"))[:2000])


class Suite:
    """The learner's own tests, run by pytest in the solution box."""

    def __init__(self, link: Link, transcript: Transcript, on_use: Any) -> None:
        self._link = link
        self._transcript = transcript
        self._on_use = on_use

    def run(self, app: WSGIApp, *, env: Mapping[str, str | None] | None = None, order: str | int = "file") -> SuiteRun:
        """Run all of the learner's tests against an app that the examiner serves, and give what they told.

        The address of the app, a WSGI callable that holds its own state, is in the environment variable `BASE_URL`. Files,
        database and processes of the solution box are fresh before. `order` is `file`, `backward`, or a number to shuffle by.

        Raises:
            Wrong: pytest's process ended, or what it told can't be read.
        """
        step: dict[str, Any] = {"kind": "call", "request": {"function": "pytest", "args": [], "kwargs": {}}}
        self._transcript.add(step)
        self._link.ask("reset")
        self._on_use()
        from . import served  # a web server, which few gradings need

        with served.serving(app) as address:
            reply = self._link.ask("suite", address=address, env=dict(env or {}), order=order)
            self._link.ask("stop")
        if "ended" in reply:
            step["note"] = "ended"
            raise Wrong("ended", f"your tests ended pytest itself: {_tell_ending(reply['ended'] or {}, {})}")
        run = _suite_run(reply["result"])
        step["response"] = {"value": _tell_run(run)}
        return run


def _suite_run(result: Any) -> SuiteRun:
    try:
        told = values.decode(result["value"])
        tests = [SuiteTest(str(name), str(status), str(message)) for name, status, message in told["tests"]]
        return SuiteRun(tests, [str(each) for each in told["problems"]], [str(each) for each in told["left"]])
    except (values.Unreadable, KeyError, TypeError, ValueError) as error:
        raise Wrong("unreadable", f"what pytest told can't be read: {type(error).__name__}") from None


def _tell_run(run: SuiteRun) -> str:
    """Say what became of the learner's tests, for the learner."""
    lines = [f"could not be collected: {problem}" for problem in run.problems]
    lines += [
        f"{test.name}: {test.status}" + (f", {test.message}" if test.message else "")
        for test in run.tests
        if test.status != "passed"
    ]
    count = sum(test.status == "passed" for test in run.tests)
    return "\n".join([f"{count} of {len(run.tests)} tests passed", *lines])[:4000]


@dataclass(frozen=True)
class Statement:
    """An SQL statement that the learner's code sent. The values that were bound stand in the text.

    `rows` came or were changed, where that is known; `error` is what the database said against it. What can't be compiled or
    lacks a value hasn't begun.
    """

    sql: str
    rows: int | None = None
    error: str = ""
    has_begun: bool = True

    @property
    def shape(self) -> str:
        """The statement with every value as `?`, so that equal ones can be counted."""
        shape = re.sub(r"'(?:[^']|'')*'", "?", self.sql)
        shape = re.sub(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.])", "?", shape)
        return " ".join(shape.split())


_NOT_COUNTED = ("BEGIN", "COMMIT", "ROLLBACK", "PRAGMA", "SAVEPOINT", "RELEASE", "--")
_MAKES_TABLES = (*_NOT_COUNTED, "CREATE", "DROP", "ALTER")


# What SQLAlchemy asks SQLite at each first connection and before it makes a table.
_OF_ITSELF = re.compile(
    r"\s*PRAGMA\s+(?:read_uncommitted\s*$|(?:main|temp)\.(?:table_x?info|index_list|index_x?info|foreign_key_list)\b)",
    re.IGNORECASE,
)


def sent(evidence: Mapping[str, Any]) -> list[Statement]:
    """Read the statements out of what the keeper tells."""
    return [
        Statement(str(each["sql"]), each.get("rows"), str(each["error"]), bool(each["has_begun"]))
        for each in evidence["statements"]
    ]


def written(statements: Sequence[Statement]) -> list[Statement]:
    """Leave out what SQLAlchemy's dialect asks of itself: the learner wrote none of it. Any other PRAGMA stays."""
    return [statement for statement in statements if not _OF_ITSELF.match(statement.sql)]


def fold(statements: Sequence[Statement]) -> list[dict[str, Any]]:
    """Count equal statements that fared alike, in the order in which each came first. One that came once stands with its values.

    The rows are those of all together.
    """
    groups: dict[tuple[str, str], list[Statement]] = {}
    for statement in statements:
        groups.setdefault((statement.shape, statement.error), []).append(statement)
    return [
        {
            "sql": (shape if len(group) > 1 else " ".join(group[0].sql.split()))[:1000],
            "count": len(group),
            "rows": _sum([statement.rows for statement in group]),
            "error": error[:300],
        }
        for (shape, error), group in list(groups.items())[:60]
    ]


def _sum(numbers: Sequence[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if len(known) == len(numbers) else None


def after_start(statements: Sequence[Statement]) -> Sequence[Statement]:
    """Leave out what an app sends first of all to make its tables, unless it sent nothing else."""
    for place, statement in enumerate(statements):
        if statement.error or not statement.sql.lstrip().upper().startswith(_MAKES_TABLES):
            return statements[place:]
    return statements


class Database:
    """The database of the solution box, read and written from outside the learner's process."""

    def __init__(self, link: Link, transcript: Transcript, on_use: Any) -> None:
        self._link = link
        self._transcript = transcript
        self._on_use = on_use

    def execute(self, sql: str, params: Sequence[Any] = ()) -> int:
        """Run one statement; give the number of rows that it changed (-1 where SQLite knows none).

        Raises:
            Wrong: the database refused it.
        """
        return int(self._one(sql, params, "write")["rowcount"])

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Run a query; give the rows as dictionaries by column.

        Raises:
            Wrong: the database refused it.
        """
        table = self.query(sql, params)
        return [dict(zip(table.columns, row, strict=True)) for row in table.rows]

    def value(self, sql: str, params: Sequence[Any] = ()) -> Any:
        """Run a query; give the first column of the first row, `None` where there is none."""
        table = self.query(sql, params)
        return table.rows[0][0] if table.rows else None

    def query(self, sql: str, params: Sequence[Any] = ()) -> Table:
        """Run a query; give its columns and rows.

        Raises:
            Wrong: the database refused it.
        """
        result = self._one(sql, params, "write")
        return Table(list(result["columns"]), [tuple(values.decode(row)) for row in result["rows"]])

    def script(self, sql: str) -> None:
        """Run several statements, as they stand.

        Raises:
            Wrong: the database refused one of them.
        """
        self._one(sql, (), "script")

    def insert(self, table: str, *rows: Mapping[str, Any]) -> None:
        """Insert rows that all have the same columns.

        Raises:
            Wrong: the database refused one of them.
        """
        if not rows:
            return
        columns = list(rows[0])
        names = ", ".join(f'"{name}"' for name in columns)
        marks = ", ".join("?" for _ in columns)
        encoded = [[values.encode(row[name]) for name in columns] for row in rows]
        sql = f'INSERT INTO "{table}" ({names}) VALUES ({marks})'
        self._steps([{"sql": sql, "params": [], "mode": "many", "rows": encoded}])

    def tables(self) -> list[str]:
        """Give the names of the tables, sorted."""
        found = self.query(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
        )
        return [str(row[0]) for row in found.rows]

    def columns(self, table: str) -> list[dict[str, Any]]:
        """Describe the columns of a table: `name`, `type`, `notnull`, `pk`, `default`."""
        found = self.rows(
            'SELECT name, type, "notnull", pk, dflt_value AS "default" FROM pragma_table_info(?)', [table]
        )
        return [{**row, "notnull": bool(row["notnull"]), "pk": bool(row["pk"])} for row in found]

    def unique(self, table: str) -> list[list[str]]:
        """Give the sets of columns that the table itself keeps unique, each in order."""
        found = self.rows(
            "SELECT l.name AS list, i.name AS name FROM pragma_index_list(?) AS l, pragma_index_info(l.name) AS i"
            ' WHERE l."unique" = 1 AND l.partial = 0 ORDER BY l.seq, i.seqno',
            [table],
        )
        sets: dict[str, list[str]] = {}
        for row in found:
            sets.setdefault(row["list"], []).append(row["name"])
        return list(sets.values())

    def foreign_keys(self, table: str) -> list[dict[str, Any]]:
        """Describe the foreign keys of a table: `column`, `table`, `target`, `on_delete`."""
        return self.rows(
            'SELECT "from" AS "column", "table", "to" AS target, on_delete FROM pragma_foreign_key_list(?)', [table]
        )

    def refuses(self, sql: str, params: Sequence[Any] = ()) -> bool:
        """Say whether the database itself refuses a statement because of a constraint."""
        step = self._record(sql, params)
        result = self._steps([{"sql": sql, "params": _encode_all(params), "mode": "write", "may_fail": True}])[0]
        error = result.get("error")
        step["response"] = _told_rows(result) if error is None else {"error": error["message"]}
        step["refused"] = error is not None and error["type"] == "IntegrityError"
        return bool(step["refused"])

    def digest(self) -> str:
        """Give a digest over the whole content: tables, columns and rows."""
        state = hashlib.sha256()
        schema = self.query("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name")
        state.update(repr(schema.rows).encode())
        for table in self.tables():
            state.update(repr(sorted(map(repr, self.query(f'SELECT * FROM "{table}"').rows))).encode())
        return state.hexdigest()

    def forget(self) -> None:
        """Begin to count the learner's statements from here."""
        self._link.ask("forget")

    def statements(self) -> list[Statement]:
        """Give the statements that the learner's code has sent, without transaction control, in order.

        One that the database could not begin, as it names no column that exists, isn't among them.
        """
        return [
            statement
            for statement in sent(self._link.ask("evidence"))
            if statement.has_begun and not statement.sql.lstrip().upper().startswith(_NOT_COUNTED)
        ]

    @contextmanager
    def budget(self, at_most: int) -> Iterator[None]:
        """Fail the test when the learner's code sends more statements than this meanwhile.

        Raises:
            Wrong: it did.
        """
        self.forget()
        yield
        sent = self.statements()
        if len(sent) > at_most:
            raise Wrong(
                "too-many-statements",
                f"{len(sent)} statements were sent to the database",
                expected=f"at most {at_most} statements",
                got=f"{len(sent)} statements",  # which ones, the evidence tells
            )

    def _record(self, sql: str, params: Sequence[Any]) -> dict[str, Any]:
        shown = ", ".join(show(value) for value in list(params)[:10])
        step: dict[str, Any] = {"kind": "sql", "request": {"sql": sql[:1500], "params": shown}}
        self._transcript.add(step)
        return step

    def _one(self, sql: str, params: Sequence[Any], mode: str) -> Any:
        step = self._record(sql, params)
        result = self._steps([{"sql": sql, "params": _encode_all(params), "mode": mode}])[0]
        if "rows" in result:
            step["response"] = _told_rows(result)
        return result

    def _steps(self, steps: list[dict[str, Any]]) -> list[Any]:
        self._on_use()
        reply = self._link.ask("sql", steps=steps)
        failed = reply.get("failed")
        if failed is not None:
            raise Wrong("sql", str(failed["message"]))
        results: list[Any] = reply["results"]
        error = results[-1].get("error")
        if error is not None and not steps[-1].get("may_fail"):
            raise Wrong("sql", f"the database says: {error['message']}")
        return results


def _encode_all(params: Sequence[Any]) -> list[Any]:
    return [values.encode(value) for value in params]


def show(value: Any, limit: int = 4000) -> str:
    """Write a value for the learner: JSON where it has that form, else as Python writes it; cut at `limit` characters."""
    if isinstance(value, Opaque):
        text = value.text
    else:
        try:
            text = _json_head(value, limit)
            if isinstance(value, (dict, list)) and len(text) < 60:
                text = json.dumps(value, ensure_ascii=False)
        except (TypeError, ValueError, RecursionError):
            text = _repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _json_head(value: Any, limit: int) -> str:
    """Give the JSON of a value, or a little more than `limit` characters of it: a large one is not written to its end."""
    is_nested = isinstance(value, (dict, list)) and bool(value)
    pieces: list[str] = []
    size = 0
    for piece in json.JSONEncoder(ensure_ascii=False, indent=2 if is_nested else None).iterencode(value):
        pieces.append(piece)
        size += len(piece)
        if size > limit:
            break
    return "".join(pieces)


def _repr(value: Any) -> str:
    try:
        return repr(value)
    except (ValueError, RecursionError):  # thousands of digits, or of levels
        return f"a {type(value).__name__} that is too large to be shown"


def _told_rows(result: Mapping[str, Any]) -> dict[str, int]:
    """Give how many rows a statement brought or changed; nothing for one that does neither."""
    rows = len(result["rows"]) if result["columns"] else result["rowcount"]
    return {"rows": rows} if rows >= 0 else {}
