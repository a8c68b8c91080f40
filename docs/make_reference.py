"""Renew what the documentation takes from the code: `make docs`.

Such a part stands between `<!-- begin: NAME -->` and `<!-- end: NAME -->`, and everything between is written anew. What
the code does not say, what a key is for, stands here; a key that is missing here, or is here and nowhere else, is an
error, so that nothing new stays undescribed and nothing old stays described.
"""

from __future__ import annotations

import ast
import inspect
import random
import re
import textwrap
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from types import UnionType
from typing import Any, Literal

import click
import msgspec

from grader import exercise, file_name, report, submission
from grader.cli.main import COMMANDS, GRADE, cli
from grader.course import find_course
from grader.exercise import known_keys, name_parts
from grader.inside import client, contract, examination, fake, fixture, matrix, page, values
from grader.outline import outlines
from grader.render import FORMATS
from grader.verify import outcome

ROOT = Path(__file__).resolve().parent.parent
FILES = ("README.md", "docs/reference.md")

TABLES = {
    "": "These stand at the top of the file, above the first table.",
    "app": "Optional, for kind `http` only: how the learner's app is started.",
    "function": "For kind `function` only, and needed there.",
    "limits": "Optional: what the learner's code may use. A limit is enforced from outside of the box.",
    "tasks": "One for each task, in the order of the README. There is at least one.",
    "mutants": "One for each folder `mutants/<id>/`: a wrong answer that the tests must catch.",
    "alternatives": "One for each folder `alternatives/<id>/`: a right answer, written another way.",
    "equivalents": "Optional: machine-made mutants of `grade verify` that change nothing.",
}
KEYS = {
    "": {
        "format": "the version of the format; a newer one than the grader knows is refused",
        "title": "what the exercise is called; the first line of its README",
        "kind": "`http`: an app that is spoken to over HTTP; `function`: functions that are called",
        "track": "the part of the course it belongs to",
        "difficulty": "how hard it is",
        "minutes": "how long it takes a learner who has done what it builds on",
        "teaches": "the one concept that passing it teaches",
        "needs": "the concepts it builds on; it is locked until they are passed",
        "database": "whether a fresh database is made for it, its address in `DATABASE_URL`",
        "fresh": "what gets a fresh app, fresh files and a fresh database: each test, or the exercise as a whole",
    },
    "app": {
        "command": "the program to start in place of Python's `create_app()` or `app`; it listens on `$PORT`. "
        "`python` is the box's own",
        "env": "environment variables of the app",
    },
    "function": {"module": "where `call` looks for a function that is named without a module"},
    "limits": {
        "memory_mib": "memory, without swap",
        "processes": "processes and threads at once",
        "cpus": "processors' worth of time",
        "disk_mib": "files, in all",
        "open_files": "files open at once, for each process",
        "output_kib": "what it may print",
        "start_s": "the time until the app takes connections",
        "test_s": "the time of one test; the start of the app doesn't count",
        "wall_s": "the time of the whole grading",
    },
    "tasks": {
        "id": "the name that tests and `grade hint --task` use",
        "title": "what is to be done, not how; a heading of the README",
        "points": "what it is worth: the sum of its tests' points",
        "hints": "a ladder: where to look, which idea, the shape with blanks",
    },
    "mutants": {
        "id": "the name of its folder",
        "about": "what is wrong with it",
        "fails": "the tests that must fail",
        "also": "tests of other tasks that may fail too",
        "help": "the line that a learner reads who made this very mistake",
    },
    "alternatives": {"id": "the name of its folder", "when": "when to prefer it; `grade reveal` shows it"},
    "equivalents": {
        "mutant": "the mutant as `grade verify` names it",
        "because": "why no test can tell it from the reference",
    },
}
REPORT: dict[str, dict[str, str]] = {
    "Report": {
        "version": "the version of this form",
        "id": "names this grading in the history",
        "created": "when, in UTC",
        "exercise": "what was graded",
        "submission": "which files were graded",
        "seed": "what the hidden data was drawn from; `--seed` replays it",
        "sandbox": "where it was graded",
        "status": "how it ended: see [what the statuses mean](how-to.md#know-whose-fault-it-was)",
        "message": "the outcome in one sentence",
        "limit": "the limit that ended a `broken` submission, such as `memory`",
        "usually": "what this outcome usually means, where that is known",
        "points": "the points earned; `null` where the grader failed",
        "points_max": "the points that can be had",
        "tasks": "the tasks, in order",
        "tests": "the hidden tests, in order",
        "frames": "the learner's own traceback, where the code did not start",
        "output": "the end of what the code printed, where it did not start",
        "limits": "the limits that held, by their names in `exercise.toml`",
        "durations_ms": "milliseconds by phase; `total` is all of it",
        "grader_version": "the version of the grader",
        "receipt": "the signature of `grade ci --sign`",
    },
    "Receipt": {
        "version": "the version of this form",
        "algorithm": "how it was signed",
        "key": "the key's fingerprint: SHA-256 of what `openssl pkey -pubin -outform DER` writes",
        "public_key": "the public key's 32 bytes, in Base64; it is worth something only where you know it from elsewhere",
        "signed": "what was signed",
        "signature": "the signature, in Base64, over `kata-grader receipt 1`, a line feed and `signed` in canonical form",
    },
    "Signed": {
        "exercise": "the exercise's digest",
        "submission": "the submission's digest",
        "image": "as in `sandbox`",
        "image_id": "the container engine's own name of the image: the digest of all that is in it",
        "seed": "the seed",
        "limits": "the limits",
        "status": "how it ended",
        "points": "the points earned",
        "points_max": "the points that can be had",
        "grader_version": "the version of the grader",
        "keys": "SHA-256 of each key of the report, in canonical form",
    },
    "ExerciseRef": {
        "id": "the folder's name",
        "title": "its title",
        "digest": "over all that can change a score",
    },
    "SubmissionRef": {"digest": "over names and contents", "files": "the names, sorted"},
    "SandboxRef": {
        "name": "`docker`, `bubblewrap` or `local`",
        "reason": "why this one",
        "notes": "what this machine could not enforce",
        "image": "what the boxes held, by its digest: the image's recipe, or this machine's Python with its packages",
    },
    "TaskResult": {
        "id": "its id",
        "title": "its title",
        "points": "the points earned; `null` where the grader failed",
        "points_max": "the points that can be had",
    },
    "TestResult": {
        "name": "the test's name",
        "title": "the sentence that the learner reads",
        "task": "the task it belongs to",
        "status": "`fail` is the learner's, `error` is the grader's or the author's; `skip`: it was not run",
        "points": "the points earned; `null` where the grader failed",
        "points_max": "the points that can be had",
        "expected": "what was expected, where a comparison decided",
        "got": "what came instead",
        "message": "why it did not pass, where more is to be said",
        "usually": "what this symptom usually means, where that is known",
        "transcript": "what was said and done, in order; empty for a test that passed",
        "statements": "the SQL that the learner's code sent, equal statements counted",
        "frames": "the learner's own traceback",
        "output": "the end of what the code printed during the test",
        "duration_ms": "how long it took",
    },
    "Exchange": {
        "kind": "`http`: a request; `call`: a function call; `app`: a start, restart or stop; `sql`: a statement of the test",
        "request": "sent; of kind `http`: `method`, `path`, `headers`, `body`, `body_bytes`, `truncated`, `curl`, `visitor`",
        "response": "what came; of kind `http`: `status`, `reason`, `headers`, `body`, `body_bytes`, `truncated`, `elapsed_ms`",
        "note": "why nothing came, such as `timeout`",
        "is_deciding": "whether this step decided the test",
        "moment": "requests with the same number above 0, next to each other, were sent at the same moment",
        "times": "so many requests of that moment, alike in method and path, came to the same; this is one of them",
    },
    "Statement": {
        "sql": "the statement; its values as `?` where it was sent more than once",
        "count": "how often it was sent and fared so",
        "rows": "how many rows came or were changed, of all together; known where the code took them to the "
        "last, as `fetchall` and a loop do, or where it changed some; not with `executemany` and `executescript`",
        "error": "what SQLite said, where the statement failed; else empty",
    },
    "Frame": {
        "file": "the learner's file",
        "line": "the line, from 1",
        "function": "the function, `<module>` outside of any; empty: Python could not read the file on from there",
        "code": "the line itself",
        "values": "simple local variables there",
    },
}
EXAMPLES = {
    "client": """\
`together` takes a list of `(method, path, options)`, one for each request; the options are those of `request`, as a dictionary:

```python
replies = client.together([("POST", "/loans", {"json": {"book": 1}})] * 50)
assert replies.outcomes == {201: 1, 409: 49}
```

Compare `outcomes`, and the learner sees how many answers had which status, with one request for each in place of all fifty.
""",
    "db": """\
`budget` is used with `with`; what the learner's code sends within is counted:

```python
with db.budget(2):
    client.get("/authors")
```
""",
}
PROOF = {
    "Verified": {
        "version": "the version of this object",
        "exercise": "the folder's name",
        "points": "the parts of the proof, in their order",
        "findings": "what must be put right",
        "survivors": "machine-made mutants that no test caught",
        "machine": "how many of them there were",
        "slowest": "the slowest tests with the reference",
        "whole_ms": "the least time that a whole grading of the reference took; `null` where it didn't pass",
        "notes": "what is no fault, and worth knowing",
        "seeds": "with so many seeds each right answer was graded",
        "gradings": "so many gradings were made",
        "sandbox": "the sandbox that ran them",
        "duration_s": "how long the proof took",
        "fault": "how the grader itself failed with it, which is no verdict on the exercise; else empty",
        "is_remembered": "whether it was proven before, and only looked up",
    },
    "Point": {
        "name": "its name",
        "state": "how it ended",
        "seen": "a figure such as `6/6`, or why it was not run",
    },
    "Finding": {
        "point": "the part of the proof that it belongs to",
        "where": "`folder/file:line`, as far as it is known",
        "text": "the fact",
        "remedy": "what to do, or empty",
    },
    "Survivor": {
        "id": "its name, for `mutant` in `[[equivalents]]`",
        "operator": "what the machine did",
        "diff": "from the reference, as a unified diff",
    },
    "Machine": {
        "made": "so many were made",
        "run": "so many were run, without the equivalents",
        "killed": "so many of them failed a test",
        "equivalent": "so many are excused by `[[equivalents]]`",
    },
    "SlowTest": {
        "name": "the name of the test",
        "least_ms": "the least time that it took",
    },
}
PROOF_PLACES = {
    "Verified": "One of `exercises`",
    "Point": "One of `points`",
    "Finding": "One of `findings`",
    "Survivor": "One of `survivors`",
    "Machine": "`machine`",
    "SlowTest": "One of `slowest`",
}
PLACES = {
    "Report": "The report",
    "ExerciseRef": "`exercise`",
    "SubmissionRef": "`submission`",
    "SandboxRef": "`sandbox`",
    "TaskResult": "One of `tasks`",
    "TestResult": "One of `tests`",
    "Exchange": "One of `transcript`",
    "Statement": "One of `statements`",
    "Frame": "One of `frames`",
    "Receipt": "`receipt`",
    "Signed": "`signed`, of `receipt`",
}
FIXTURES = {
    "app": "App",
    "client": "Client",
    "call": "Call",
    "db": "Database",
    "suite": "Suite",
    "matrix": "Matrix",
    "openapi": "OpenAPI",
    "rng": "random.Random",
    "fake": "Fake",
}
RECORDS = (
    "Reply", "Replies", "Headers", "Page", "Form", "Element", "Cell", "Contract", "Operation", "Drawn", "Ended", "Raised", "Opaque",
    "Table", "Statement", "SuiteRun", "SuiteTest",
)  # fmt: skip
SPECIALS = {
    "session": "As an argument of a call: a SQLAlchemy `Session` on the database.",
    "connection": "As an argument of a call: a connection of `sqlite3` to the database.",
}
INTERNAL = {
    "App": {"ensure_started", "current_port", "has_touched_state", "is_configured", "note_cleared"},
    "Headers": {"pairs"},
}
"""Public in Python's sense, but not for hidden tests."""

CLASSES: dict[str, type] = {
    each.__name__: each
    for each in (
        fixture.App, client.Client, fixture.Call, fixture.Database, fake.Fake, client.Reply, client.Replies, client.Headers,
        fixture.Ended, fixture.Raised, values.Opaque, fixture.Table, fixture.Statement,
        fixture.Suite, fixture.SuiteRun, fixture.SuiteTest, matrix.Matrix, matrix.Cell, page.Page, page.Form, page.Element,
        contract.OpenAPI, contract.Contract, contract.Operation, contract.Drawn,
    )
}  # fmt: skip
_FAULTS = ("Wrong", "DidNotStart")
_TYPES = {
    str: "text", int: "whole number", float: "number", bool: "`true` or `false`", Decimal: "exact number", Any: "anything"
}  # fmt: skip


def renewed(text: str) -> str:
    """Give a document with its generated parts written anew.

    Raises:
        ValueError: a mark names no part, or is not closed.
    """
    begun = re.findall(r"^<!-- begin: (\S+) -->$", text, re.MULTILINE)
    ended = re.findall(r"^<!-- end: (\S+) -->$", text, re.MULTILINE)
    if begun != ended or not set(begun) <= PARTS.keys():
        raise ValueError(f"marks don't agree: begin {begun}, end {ended}; known are {', '.join(PARTS)}")
    for name in begun:
        part = f"<!-- begin: {name} -->\n\n{PARTS[name]().strip()}\n\n<!-- end: {name} -->"
        marks = rf"<!-- begin: {name} -->\n.*?<!-- end: {name} -->"
        text = re.sub(marks, lambda _found, part=part: part, text, flags=re.DOTALL)  # type: ignore[misc]
    return text


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table in Markdown."""
    lines = [" | ".join(head), " | ".join("---" for _ in head)]
    lines += [" | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) for row in rows]
    return "\n".join(f"| {line} |" for line in lines) + "\n"


def described(name: str, told: Mapping[str, str], there: Iterable[str]) -> Mapping[str, str]:
    """Give the descriptions of what is there.

    Raises:
        ValueError: something has none, or is described and not there.
    """
    there = list(there)
    missing, gone = [key for key in there if key not in told], [key for key in told if key not in there]
    if missing or gone:
        raise ValueError(f"{name}: describe {missing} in docs/make_reference.py, and remove {gone}")
    return told


# Commands


def context() -> click.Context:
    """Give the context of the command `grade` itself."""
    return cli.make_context("grade", ["--help-not-given"], resilient_parsing=True)


def commands() -> dict[str, click.Command]:
    """Give every command by name."""
    return {name: found for name in COMMANDS if (found := cli.get_command(context(), name)) is not None}


def options(command: click.Command) -> list[click.Option]:
    """List the options of a command that are shown."""
    return [each for each in command.params if isinstance(each, click.Option) and not each.hidden]


def _commands() -> str:
    parts = [
        table(
            ["command", "what it does"],
            [(f"[`{_call(n)}`](#{_anchor(n)})", each.about) for n, each in COMMANDS.items()],
        )
    ]
    shared = [each for each in options(cli) if each.name not in ("help", "version")]
    rows = [
        *map(_option_row, shared),
        ("`--version`", "", "Show the version."),
        ("`-h`, `--help`", "", "Show how it is used."),
    ]
    parts.append("Before the command's name, `grade` takes:\n\n" + table(["option", "takes", "what it is for"], rows))
    for name, command in commands().items():
        lines = [f"### {_call(name)}\n", f"`{_usage(name, command)}`\n", inspect.cleandoc(command.help or "") + "\n"]
        found = options(command)
        if found:
            lines.append(table(["option", "takes", "what it is for"], map(_option_row, found)))
        parts.append("\n".join(lines))
    return "\n".join(parts)


def _call(name: str) -> str:
    return "grade EXERCISE" if name == GRADE else f"grade {name}"


def _anchor(name: str) -> str:
    return _call(name).lower().replace(" ", "-")


def _usage(name: str, command: click.Command) -> str:
    words = ["grade" if name == GRADE else f"grade {name}"]
    words += ["[OPTIONS]"] if options(command) else []
    for each in command.params:
        if isinstance(each, click.Argument):
            word = each.metavar or f"{(each.name or '').upper()}"
            is_bare = each.required or word.startswith("[")
            words.append(word if is_bare else f"[{word}]")
    return " ".join(words)


def _option_row(option: click.Option) -> tuple[str, str, str]:
    names = ", ".join(f"`{each}`" for each in sorted([*option.opts, *option.secondary_opts], key=len))
    about = (option.help or "").strip()
    default = option.to_info_dict()["default"]
    if option.show_default and default not in (None, False):
        about += f" Default: `{default}`."
    if option.envvar and str(option.envvar) not in about:
        about += f" Also: the variable `{option.envvar}`."
    return (
        names,
        "" if option.is_flag else _takes(option),
        re.sub(r"(?<![`\w])(GRADE_\w+(?:=\w+)?)", r"`\1`", about).strip(),
    )


def _takes(option: click.Option) -> str:
    kind = option.type
    if isinstance(kind, click.Choice):
        return ", ".join(f"`{each}`" for each in kind.choices)
    if isinstance(kind, (click.IntRange, click.FloatRange)):
        word = "a whole number" if isinstance(kind, click.IntRange) else "a number"
        unit = " of seconds" if option.metavar == "SECONDS" else ""
        return f"{word}{unit} from {_number(kind.min)} to {_number(kind.max)}"
    return f"`{option.metavar or (option.name or '').upper()}`"


def _number(value: float | None) -> str:
    return "any" if value is None else f"{value:,}"


# The exercise


def _keys() -> str:
    found = known_keys()
    described("the tables of exercise.toml", TABLES, found)
    defaults = _defaults()
    parts = []
    for name, keys in found.items():
        about = described(f"exercise.toml, [{name}]", KEYS[name], keys)
        mark = "Above all tables" if not name else f"`[[{name}]]`" if _is_list(name) else f"`[{name}]`"
        rows = [(f"`{key}`", about[key], takes, defaults[name][key]) for key, takes in keys.items()]
        parts.append(f"#### {mark}\n\n{TABLES[name]}\n\n" + table(["key", "what it is", "takes", "default"], rows))
    return "\n".join(parts)


def _defaults() -> dict[str, dict[str, str]]:
    """Give the default of every key, in words."""
    structs: dict[str, type[msgspec.Struct]] = {"": exercise._Head, **exercise._TABLES, **exercise._LISTS}
    return {
        name: {field.name: _default(field) for field in msgspec.structs.fields(struct)}
        for name, struct in structs.items()
    }


def _is_list(name: str) -> bool:
    return name in exercise._LISTS


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "needed"
    value = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    if value is None or value in ((), {}, ""):
        return "none"
    return f"`{value:g}`" if isinstance(value, (int, float)) else f"`{value}`"


def _bounds() -> str:
    mib = submission.MIB
    rows = [
        ("files of a submission", f"{submission.MAX_FILES:,}"),
        ("one file of it", f"{submission.MAX_FILE_BYTES // mib} MiB"),
        ("all of them", f"{submission.MAX_TOTAL_BYTES // mib} MiB"),
        ("how deep folders may lie", f"{submission.MAX_DEPTH} levels"),
        ("one part of a name", f"{submission.MAX_NAME_BYTES} bytes"),
        ("the body of an answer to `client`", f"{client.MAX_BODY_BYTES // mib} MiB"),
        ("a text that crosses by `call`", f"{values.MAX_TEXT // mib} MiB"),
        ("values that cross by one `call`", f"{values.MAX_NODES:,}, at most {values.MAX_DEPTH} deep"),
        ("steps of a test's transcript", f"{client.MAX_EXCHANGES}; what is in the middle is left out"),
        ("a body in a transcript", f"{client.SHOWN_BODY_BYTES:,} bytes; the rest is left out"),
    ]
    names = ", ".join(f"`{name}`" for name in sorted(file_name.LEFT_OUT))
    return table(["what", "at most"], rows) + f"\nNever taken as part of a submission: {names}, and `*.pyc`.\n"


# What a hidden test has


def _marks() -> str:
    lines: list[str] = []

    class Config:
        def addinivalue_line(self, _name: str, line: str) -> None:
            lines.append(line)

    examination.Examination.pytest_configure(None, Config())  # type: ignore[arg-type]
    return table(
        ["mark", "what it says"],
        [(f"`@pytest.mark.{m}`", about.strip()) for m, _, about in (x.partition(":") for x in lines)],
    )


def fixtures() -> dict[str, tuple[str, str]]:
    """Give every fixture with the class of its value and what it is."""
    (plugin,) = (
        node
        for node in ast.parse(inspect.getsource(examination)).body
        if isinstance(node, ast.ClassDef) and node.name == examination.Examination.__name__
    )
    return {
        node.name: (ast.unparse(node.returns) if node.returns else "", ast.get_docstring(node) or "")
        for node in plugin.body
        if isinstance(node, ast.FunctionDef) and "pytest.fixture" in map(ast.unparse, node.decorator_list)
    }


def members(kind: type) -> Iterator[tuple[str, str, str]]:
    """Yield what a hidden test may use of a class: name, how it is written, docstring."""
    hidden = INTERNAL.get(kind.__name__, set())
    if call := vars(kind).get("__call__"):
        yield "__call__", _signature(call, ""), inspect.getdoc(call) or ""
    for name, value in vars(kind).items():
        if name.startswith("_") or name in hidden:
            continue
        if isinstance(value, property):
            yield name, name, inspect.getdoc(value) or ""
        elif inspect.isfunction(value):
            yield name, _signature(value, name), inspect.getdoc(value) or ""
        elif isinstance(value, values.Special):
            yield name, name, SPECIALS[value.name]
    for name in attributes(kind):
        if name not in hidden:
            yield name, name, ""


def attributes(kind: type) -> list[str]:
    """List the attributes of an object that a hidden test may read."""
    if hasattr(kind, "__dataclass_fields__"):
        return list(kind.__dataclass_fields__)
    tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    found = [
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and ast.unparse(node.value) == "self"
        and not node.attr.startswith("_")
    ]
    return list(dict.fromkeys(found))


def _signature(function: Callable[..., Any], name: str) -> str:
    shown = []
    star = False
    for parameter in list(inspect.signature(function).parameters.values())[1:]:
        text = parameter.name
        if parameter.kind is parameter.VAR_POSITIONAL:
            text, star = f"*{text}", True
        elif parameter.kind is parameter.VAR_KEYWORD:
            text = f"**{text}"
        elif parameter.kind is parameter.KEYWORD_ONLY and not star:
            shown.append("*")
            star = True
        if parameter.default is not parameter.empty:
            text += f"={'...' if parameter.default is client._UNSET else repr(parameter.default)}"
        shown.append(text)
    return f"{name}({', '.join(shown)})"


def _fixtures() -> str:
    found = fixtures()
    described("the fixtures", FIXTURES, found)
    parts = []
    for name, (kind, about) in found.items():
        parts.append(f"#### `{name}`\n\n{about}\n")
        if kind == "random.Random":
            parts.append(
                f"Python's own `{random.Random.__name__}`: `rng.randint(1, 6)`, `rng.choice([...])`, `rng.shuffle(...)`.\n"
            )
        else:
            parts.append(_members(CLASSES[kind], name))
        if name in EXAMPLES:
            parts.append(EXAMPLES[name])
    return "\n".join(parts)


def _records() -> str:
    parts = []
    for name in RECORDS:
        kind = CLASSES[name]
        about = _prose((inspect.getdoc(kind) or "").split("\n\n"))
        parts.append(f"#### {name}\n\n{about}\n\n" + _members(kind, ""))
    return "\n".join(parts)


def _members(kind: type, prefix: str) -> str:
    rows = []
    for name, written, doc in members(kind):
        call = prefix + written if name == "__call__" else f"{prefix}.{written}" if prefix else written
        rows.append((f"`{call}`", _told(doc)))
    bare = ", ".join(name for name, text in rows if not text)
    told = [row for row in rows if row[1]]
    if not told:
        return f"It has {bare}.\n"
    return table(["written", "what it does"], told) + (f"\nIt also has {bare}.\n" if bare else "")


def _told(doc: str) -> str:
    """Give a docstring as one paragraph; what it raises, in the words of a test."""
    body, _, raises = doc.partition("\nRaises:\n")
    text = _prose(body.split("\n\n"))
    reasons = [found[1] for found in re.finditer(rf"(?:{'|'.join(_FAULTS)}): (.*)", raises)]
    if reasons and not text.startswith("Fail"):
        text += f" The test fails when {reasons[0].rstrip('.')}."
    return text


def _prose(paragraphs: Iterable[str]) -> str:
    return " ".join(" ".join(each.split()) for each in paragraphs).strip()


# Reports


def structs(whole: type[msgspec.Struct] = report.Report) -> dict[str, type[msgspec.Struct]]:
    """Give the records of a report, or of something else, by name; the whole first."""
    found: dict[str, type[msgspec.Struct]] = {}

    def add(kind: Any) -> None:
        is_new = isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind.__name__ not in found
        if is_new:
            found[kind.__name__] = kind
            for each in typing.get_type_hints(kind).values():
                add(each)
        for each in typing.get_args(kind):
            add(each)

    add(whole)
    return found


def _report() -> str:
    return _json_keys(structs(), REPORT, PLACES)


def _proof() -> str:
    return _json_keys(structs(outcome.Verified), PROOF, PROOF_PLACES)


def _json_keys(
    found: Mapping[str, type[msgspec.Struct]], told: Mapping[str, Mapping[str, str]], places: Mapping[str, str]
) -> str:
    described("the records", dict.fromkeys(told, ""), found)
    parts = []
    for name, kind in found.items():
        about = described(name, told[name], kind.__struct_fields__)
        hints = typing.get_type_hints(kind)
        rows = [(f"`{key}`", _json_type(hints[key]), about[key]) for key in kind.__struct_fields__]
        parts.append(f"#### {places[name]}\n\n" + table(["key", "type", "what it is"], rows))
    return "\n".join(parts)


def _json_type(kind: Any) -> str:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind in _TYPES:
        return _TYPES[kind]
    if origin is Literal:
        return ", ".join(f"`{each}`" for each in arguments)
    if set(arguments) == {int, float}:
        return _TYPES[float]
    if origin in (typing.Union, UnionType):
        (inner,) = (each for each in arguments if each is not type(None))
        return f"{_json_type(inner)}, or `null`"
    if origin is list:
        return f"list of {_plural(_json_type(arguments[0]))}"
    if origin is dict:
        return f"object: names to {_plural(_json_type(arguments[1]))}"
    return "object"


def _plural(text: str) -> str:
    return text if text == "anything" else f"{text}s"


def _formats() -> str:
    return table(
        ["`--format`", "what it is", "usual suffix"],
        [(f"`{n}`", each.about, f"`{each.suffix}`") for n, each in FORMATS.items()],
    )


# The course


def _exercises() -> str:
    found = outlines(find_course(ROOT)).known
    rows = [
        (
            _number_of(each.id),
            f"[{each.title}](exercises/{each.id}/README.md)",
            each.track,
            str(each.difficulty),
            str(each.minutes),
        )
        for each in found
    ]
    return table(["", "exercise", "track", "difficulty", "minutes"], rows)


def _number_of(id: str) -> str:
    number, _slug = name_parts(id)
    return "" if number is None else f"{number:02}"


PARTS: dict[str, Callable[[], str]] = {
    "exercises": _exercises,
    "commands": _commands,
    "keys": _keys,
    "bounds": _bounds,
    "marks": _marks,
    "fixtures": _fixtures,
    "records": _records,
    "report": _report,
    "proof": _proof,
    "formats": _formats,
}


def main() -> None:
    """Renew every document."""
    for name in FILES:
        path = ROOT / name
        old = path.read_text("utf-8")
        new = renewed(old)
        if new != old:
            path.write_text(new, "utf-8")
            print(f"renewed {name}")


if __name__ == "__main__":
    main()
