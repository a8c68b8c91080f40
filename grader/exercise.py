"""An exercise's folder, read and checked whole: every problem is found in one run."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import types
import typing
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from grader.error import BrokenExercise, NoHiddenTests, RefusedSubmission
from grader.file_name import is_left_out
from grader.folder import TOML, is_pack, name_parts
from grader.hidden_test import (
    POINTS_RULE,
    HiddenTest,
    Problem,
    ReadTests,
    exact_points,
    is_test_file,
    meant,
    read_tests,
)
from grader.sandbox.pod import Limits
from grader.submission import read_regular, read_submission

__all__ = [
    "Alternative",
    "App",
    "Equivalent",
    "Exercise",
    "HiddenTest",
    "Mutant",
    "Released",
    "ReleasedTask",
    "Task",
    "known_keys",
    "load_exercise",
    "load_released",
]

FORMAT = 1

_LIMITS = Limits()
Place = tuple[str | int, ...]
_Values = dict[str, Any]
_Lists = Mapping[str, Sequence[dict[str, Any]]]
_Files = Mapping[str, bytes]

_IMPORT = re.compile(rb"^(?:import|from) ([A-Za-z_][\w.]*)", re.ASCII | re.MULTILINE)
_SLUG = r"\A[a-z0-9]+(?:-[a-z0-9]+)*\Z"
_SET_BY_GRADER = frozenset({"PORT"})
_BAD: Any = object()

# A value's type, its bounds, and the words for both: a message, and the reference, are made from these.
Slug = Annotated[
    str,
    msgspec.Meta(
        pattern=_SLUG,
        max_length=80,
        description="a slug: lower-case letters, digits and single hyphens, such as `known-dish`",
    ),
]
Line = Annotated[
    str, msgspec.Meta(pattern=r"\A(?=[^\r\n\x00]*\Z)\s*\S", description="one line of text that isn't empty")
]
Text = Annotated[str, msgspec.Meta(pattern=r"\A(?=[^\x00]*\Z)\s*\S", description="a text that isn't empty")]
Value = Annotated[str, msgspec.Meta(pattern=r"\A[^\x00]*\Z", description="a text")]
Points = Annotated[Decimal, msgspec.Meta(description=POINTS_RULE)]
Hints = Annotated[
    tuple[Text, ...],
    msgspec.Meta(
        min_length=3, max_length=3, description="three hints: where to look, which idea, the shape with blanks"
    ),
]
TestName = Annotated[
    str, msgspec.Meta(pattern=r"\Atest_[^\s/]+\Z", description="the name of a hidden test, such as `test_it_answers`")
]
TestNames = Annotated[tuple[TestName, ...], msgspec.Meta(description="a list of names of hidden tests")]
SomeTestNames = Annotated[
    tuple[TestName, ...], msgspec.Meta(min_length=1, description="the names of the hidden tests that must catch it")
]
Module = Annotated[
    str,
    msgspec.Meta(
        pattern=r"\A[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*\Z",
        description="the name of a Python module, such as `queries`",
    ),
]
Command = Annotated[
    tuple[Text, ...],
    msgspec.Meta(min_length=1, description='a program and its arguments, such as `["node", "server.js"]`'),
]
Environment = Annotated[dict[str, Value], msgspec.Meta(description='names and texts, such as `{ GREETING = "hi" }`')]


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A scored part of an exercise. `points` is the sum of its tests' points; `hints` are a ladder of three."""

    id: Slug
    title: Line
    points: Points
    hints: Hints


class Mutant(msgspec.Struct, frozen=True, kw_only=True):
    """A wrong answer that the tests must catch.

    `fails` are the tests that must fail, `also` those that may. `help` is the learner's one "usually means" line, or
    empty.
    """

    id: Slug
    about: Line
    fails: SomeTestNames
    also: TestNames = ()
    help: Line = ""


class Alternative(msgspec.Struct, frozen=True, kw_only=True):
    """A right answer written another way, and when to prefer it."""

    id: Slug
    when: Text


class Equivalent(msgspec.Struct, frozen=True, kw_only=True):
    """A machine-made mutant that changes nothing, and why that is so."""

    mutant: Line
    because: Text


class App(msgspec.Struct, frozen=True, kw_only=True):
    """How the app of an `http` exercise is started. `command` is None for Python's `create_app()` or `app`."""

    command: Command | None = None
    env: Environment = msgspec.field(default_factory=dict)


class _Function(msgspec.Struct, frozen=True, kw_only=True):
    module: Module


def _from(kind: Any, least: float, most: float, unit: str) -> Any:
    number = "a whole number" if kind is int else "a number"
    return Annotated[
        kind, msgspec.Meta(ge=least, le=most, description=f"{number} of {unit} from {least:g} to {most:g}")
    ]


_Limits = msgspec.defstruct(
    "_Limits",
    [
        ("memory_mib", _from(int, 32, 16_384, "MiB"), _LIMITS.memory_mib),
        ("processes", _from(int, 4, 4_096, "processes and threads"), _LIMITS.processes),
        ("cpus", _from(float, 0.1, 64, "CPUs"), _LIMITS.cpus),
        ("disk_mib", _from(int, 1, 16_384, "MiB"), _LIMITS.disk_mib),
        ("open_files", _from(int, 32, 65_536, "open files"), _LIMITS.open_files),
        ("output_kib", _from(int, 1, 65_536, "KiB"), _LIMITS.output_kib),
        ("start_s", _from(float, 0.1, 3_600, "seconds"), _LIMITS.start_s),
        ("test_s", _from(float, 0.1, 3_600, "seconds"), _LIMITS.test_s),
        ("wall_s", _from(float, 0.1, 3_600, "seconds"), _LIMITS.wall_s),
    ],
    frozen=True,
    kw_only=True,
)


class _Head(msgspec.Struct, frozen=True, kw_only=True):
    """The keys above the first table."""

    format: Annotated[int, msgspec.Meta(ge=1, description=f"the number of the format, `{FORMAT}`")]
    title: Line
    kind: Literal["http", "function"]
    track: Line
    difficulty: Annotated[int, msgspec.Meta(ge=1, le=10, description="a whole number from 1 to 10")]
    minutes: Annotated[int, msgspec.Meta(ge=1, le=1_000, description="a whole number of minutes from 1 to 1000")]
    teaches: Slug
    needs: Annotated[tuple[Slug, ...], msgspec.Meta(description="a list of concepts")] = ()
    database: Literal["none", "sqlite"] = "none"
    fresh: Literal["test", "exercise"] = "test"


_TABLES: Mapping[str, type[msgspec.Struct]] = {"app": App, "function": _Function, "limits": _Limits}
_LISTS: Mapping[str, type[msgspec.Struct]] = {
    "tasks": Task,
    "mutants": Mutant,
    "alternatives": Alternative,
    "equivalents": Equivalent,
}
_SINGULAR = {"tasks": "task", "mutants": "mutant", "alternatives": "alternative", "equivalents": "equivalent"}


class ReleasedTask(msgspec.Struct, frozen=True, kw_only=True):
    """A task as a learners' pack tells of it, with as many hints as were released."""

    id: str
    title: str
    hints: tuple[str, ...] = ()


class Released(msgspec.Struct, frozen=True, kw_only=True):
    """An exercise as a learners' pack tells of it."""

    id: str
    tasks: tuple[ReleasedTask, ...]


class Exercise(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One sound exercise. `id` is the folder's name; `number` is None where that has none.

    `digest` covers all that can change a score, and only that: the id (the seed is drawn from it), kind, database,
    freshness, app, module, limits, ids and points of the tasks, and every file below `tests/`. Texts for people
    (titles, hints, help, README), mutants, alternatives and the starter are not in it.
    """

    id: str
    number: int | None
    slug: str
    folder: Path
    title: str
    kind: Literal["http", "function"]
    track: str
    difficulty: int
    minutes: int
    teaches: str
    needs: tuple[str, ...]
    database: Literal["none", "sqlite"]
    fresh: Literal["test", "exercise"]
    app: App
    module: str
    limits: Limits
    tasks: tuple[Task, ...]
    mutants: tuple[Mutant, ...]
    alternatives: tuple[Alternative, ...]
    equivalents: tuple[Equivalent, ...]
    tests: tuple[HiddenTest, ...]
    contents: Mapping[str, bytes]
    imports: tuple[str, ...]
    """The modules that the starter imports, without its own."""
    digest: str

    def __repr__(self) -> str:
        return f"Exercise({str(self.folder)!r})"

    @property
    def points_max(self) -> Decimal:
        """The points of all tasks."""
        return sum((task.points for task in self.tasks), Decimal(0))

    def test_files(self) -> dict[str, bytes]:
        """Give everything below `tests/` as it was when the exercise was read, by path relative to it."""
        return dict(self.contents)

    def files_of(self, part: Literal["starter", "reference"]) -> dict[str, bytes]:
        """Read the files of the starter or the reference.

        Raises:
            BrokenExercise: they wouldn't be taken as a submission.
        """
        return _files(self.folder, part)

    def readme(self) -> bytes:
        """Read what the learner reads."""
        return read_regular(self.folder / "README.md")

    def notes(self) -> bytes:
        """Read what authors tell one another; nothing where there are no notes."""
        notes = self.folder / "notes.md"
        return read_regular(notes) if notes.is_file() else b""

    def variant(self, kind: Literal["mutants", "alternatives"], id: str) -> dict[str, bytes]:
        """Read the reference with the files of a mutant or an alternative laid over it.

        Raises:
            BrokenExercise: there is none of this id, or it wouldn't be taken as a submission.
        """
        return dict(sorted({**self.files_of("reference"), **_files(self.folder, f"{kind}/{id}")}.items()))


def load_exercise(folder: Path) -> Exercise:
    """Read an exercise and check all of it but what only a run can show. Hidden tests are parsed, never imported.

    Raises:
        BrokenExercise: the folder isn't sound; all problems are in it, each as `folder/file:line: text`.
        NoHiddenTests: it is one of a learners' pack.
    """
    folder = Path(os.path.abspath(folder))
    try:
        return _Reading(folder).exercise()
    except BrokenExercise:
        if not (folder / "tests").is_dir() and is_pack(folder.parent.parent):
            raise NoHiddenTests(
                f"the hidden tests of `{folder.name}` are not here: this is a learners' pack",
                hint="who gave you the pack keeps them; who has them gives their course: "
                f"`grade {folder.name} --course FOLDER-OR-ARCHIVE`",
            ) from None
        raise


def load_released(folder: Path) -> Released:
    """Read what a learners' pack tells of an exercise.

    Raises:
        BrokenExercise: its `exercise.toml` can't be read, or isn't one of a pack.
    """
    import tomllib

    try:
        text = read_regular(folder / TOML).decode("utf-8-sig")
        return msgspec.convert({**tomllib.loads(text, parse_float=Decimal), "id": folder.name}, Released, strict=False)
    except (OSError, ValueError, RecursionError) as error:
        problem = f"{folder.name}/{TOML}: can't be read as one of a learners' pack: {error}"
        raise BrokenExercise([problem], hint="unpack the learners' pack again", exercise=folder.name) from error


def known_keys() -> dict[str, dict[str, str]]:
    """Give every key of `exercise.toml` with what it takes, by table; the empty name is for those above all tables."""
    tables: dict[str, type[msgspec.Struct]] = {"": _Head, **_TABLES, **_LISTS}
    return {
        name: {field.name: _expected(field.type) for field in msgspec.structs.fields(table)}
        for name, table in tables.items()
    }


class _Reading:
    """One reading of one folder: what was understood so far, and every problem."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._problems: list[Problem] = []
        self._source = ""
        self._lines: Mapping[Place, int] | None = None
        self._misread: set[str] = set()

    def exercise(self) -> Exercise:
        document = self._document()
        contents = self._contents()
        if document is None:
            if contents is not None:
                self._problems += read_tests(contents, None).problems
            self._check_parts()
            raise BrokenExercise(self._texts(), exercise=self._folder.name)
        head = self._head(document)
        tables = {name: self._single(document, name) for name in _TABLES}
        lists = {name: self._list(document, name) for name in _LISTS}
        ids = {task["id"] for task in lists["tasks"] if "id" in task}
        # Where an id is in doubt, no test is called wrong for naming it.
        read = read_tests(contents or {}, ids if ids and len(ids) == len(lists["tasks"]) else None)
        self._problems += read.problems
        self._check_head(head)
        self._check_kind(head, document)
        self._check_limits(tables["limits"])
        self._check_ids(lists)
        if read.names and read.is_complete:
            self._check_sums(lists["tasks"], read)
            self._check_mutants(lists["mutants"], read)
        self._check_parts()
        self._check_variants(lists)
        if self._problems or contents is None:
            raise BrokenExercise(self._texts(), exercise=self._folder.name)
        return self._built(head, tables, lists, read.tests, contents)

    def _built(
        self, head: _Values, tables: Mapping[str, _Values], lists: _Lists, tests: Sequence[HiddenTest], contents: _Files
    ) -> Exercise:
        number, slug = name_parts(self._folder.name)
        settings = msgspec.structs.asdict(_Head(**head))
        del settings["format"]
        exercise = Exercise(
            id=self._folder.name,
            number=number,
            slug=slug,
            folder=self._folder,
            **settings,
            app=App(**tables["app"]),
            module=tables["function"].get("module", "app"),
            limits=Limits(**tables["limits"]),
            tasks=tuple(Task(**task) for task in lists["tasks"]),
            mutants=tuple(Mutant(**mutant) for mutant in lists["mutants"]),
            alternatives=tuple(Alternative(**alternative) for alternative in lists["alternatives"]),
            equivalents=tuple(Equivalent(**equivalent) for equivalent in lists["equivalents"]),
            tests=tuple(tests),
            contents=contents,
            imports=_imports(self._folder),
            digest="",
        )
        return msgspec.structs.replace(exercise, digest=_digest(exercise))

    # What is read

    def _document(self) -> dict[str, Any] | None:
        import tomllib

        try:
            data = read_regular(self._folder / TOML)
        except FileNotFoundError:
            if not self._folder.is_dir():
                raise BrokenExercise([f"{self._folder.name}: there is no such folder"]) from None
            self._note("", "is missing: an exercise is described in it")
            return None
        except OSError as error:
            self._note("", f"can't be read: {(error.strerror or str(error)).lower()}")
            return None
        try:
            self._source = data.decode("utf-8-sig")
            document = tomllib.loads(self._source, parse_float=_exact)
        except UnicodeDecodeError as error:
            self._problems.append(Problem(TOML, _line_of(data, error.start), "isn't UTF-8: save it as UTF-8"))
            return None
        except (ValueError, RecursionError) as error:
            self._problems.append(_toml_problem(error, self._source))
            return None
        number = document.get("format")
        if isinstance(number, int) and number > FORMAT:
            self._note("format", f"is of format {number}; this grader knows formats up to {FORMAT}: update the grader")
            raise BrokenExercise(self._texts(), hint="update the grader", exercise=self._folder.name)
        return document

    def _contents(self) -> _Files | None:
        if not (self._folder / "tests").is_dir():
            self._problems.append(Problem("tests/", None, "is missing: it holds the hidden tests, `test_*.py`"))
            return None
        try:
            contents = read_submission(self._folder / "tests").files
        except RefusedSubmission as refused:
            self._problems += [Problem("tests/", None, problem) for problem in refused.problems]
            return None
        if not any(is_test_file(name) for name in contents):
            self._problems.append(Problem("tests/", None, "holds no `test_*.py`"))
        return contents

    def _head(self, document: Mapping[str, Any]) -> _Values:
        known = _fields(_Head) | _TABLES.keys() | _LISTS.keys()
        excused: set[str] = set()
        for key in document.keys() - known:
            excused |= self._unknown((key,), known, document.keys(), "")
        return self._table(_Head, {key: document[key] for key in document.keys() & _fields(_Head)}, (), "", excused)

    def _single(self, document: Mapping[str, Any], name: str) -> _Values:
        value = document.get(name)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self._note(name, f"`{name}` must be a table: write `[{name}]`")
            return {}
        return self._table(_TABLES[name], value, (name,), f"`[{name}]`")

    def _list(self, document: Mapping[str, Any], name: str) -> list[_Values]:
        value = document.get(name, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self._note(name, f"`{name}` must be a list of tables: write `[[{name}]]` above each")
            self._misread.add(name)
            return []
        if name == "tasks" and not value:
            self._note("", "there is no task: write `[[tasks]]`")
        return [
            self._table(_LISTS[name], item, (name, number), _called(name, item, number))
            for number, item in enumerate(value)
        ]

    def _table(
        self,
        struct: type[msgspec.Struct],
        raw: Mapping[str, Any],
        place: Place,
        where: str,
        excused: Iterable[str] = (),
    ) -> _Values:
        """Give the values of one table that are sound, by key. Keys that are `excused` may be missing."""
        fields = msgspec.structs.fields(struct)
        excused = set(excused)
        for key in raw:
            if key not in _fields(struct):
                excused |= self._unknown((*place, key), _fields(struct), raw.keys(), where)
        found: _Values = {}
        for field in fields:
            if field.name in raw:
                label = f"`{field.name}` of {where}" if where else f"`{field.name}`"
                value = self._value(raw[field.name], field.type, (*place, field.name), label)
                if value is not _BAD:
                    found[field.name] = value
            elif field.required and field.name not in excused:
                self._note(place, f"{where} has no `{field.name}`" if where else f"`{field.name}` is missing")
        return found

    def _value(self, value: Any, kind: Any, place: Place, label: str) -> Any:
        base, meta = _unwrapped(kind)
        origin = typing.get_origin(base)
        if base is Decimal:
            points = exact_points(value)
            return self._wrong(value, kind, place, label) if points is None else points
        if origin is tuple:
            if not isinstance(value, list) or not _has_length(value, meta):
                return self._wrong(value, kind, place, label)
            kind = typing.get_args(base)[0]
            items = [
                self._value(item, kind, (*place, number), f"number {number + 1} of {label}")
                for number, item in enumerate(value)
            ]
            return _BAD if _BAD in items else tuple(items)
        if origin is dict:
            if not isinstance(value, dict):
                return self._wrong(value, kind, place, label)
            kind = typing.get_args(base)[1]
            pairs = {key: self._value(each, kind, (*place, key), f"`{key}` in {label}") for key, each in value.items()}
            return _BAD if _BAD in pairs.values() else pairs
        if origin is Literal:
            if value in typing.get_args(base):
                return value
            return self._wrong(value, kind, place, label)
        number = float(value) if isinstance(value, Decimal) and base is float else value
        if isinstance(number, float) and not math.isfinite(number):
            return self._wrong(value, kind, place, label)
        try:
            return msgspec.convert(number, kind)
        except msgspec.ValidationError:
            return self._wrong(value, kind, place, label)

    # What is checked

    def _check_head(self, head: _Values) -> None:
        if not re.fullmatch(_SLUG, self._folder.name):
            words = _expected(Slug)
            self._problems.append(Problem("", None, f"the folder's name must be {words}"))
        needs = head.get("needs", ())
        for number, need in enumerate(needs):
            if need in needs[:number]:
                self._note(("needs", number), f"`needs` names `{need}` twice")
            elif need == head.get("teaches"):
                self._note(("needs", number), f"`needs` names `{need}`, which this exercise itself teaches")

    def _check_kind(self, head: _Values, document: Mapping[str, Any]) -> None:
        kind = head.get("kind")
        if kind == "function" and "function" not in document:
            self._note(
                "kind", 'kind `function` needs `[function]` with `module = "..."`, the module with the functions'
            )
        if kind == "function" and "app" in document:
            self._note("app", "`[app]` is for kind `http` only")
        if kind == "http" and "function" in document:
            self._note("function", "`[function]` is for kind `function` only")
        app = document.get("app")
        environment = app.get("env") if isinstance(app, dict) else None
        for name in environment if isinstance(environment, dict) else ():
            if name in _SET_BY_GRADER:
                self._note(("app", "env", name), f"`{name}` is set by the grader; leave it out")
            elif not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name):
                self._note(("app", "env", name), f"`{_short(name)}` is no name for an environment variable")

    def _check_limits(self, given: _Values) -> None:
        limits = Limits(**given)
        for name in ("start_s", "test_s"):
            value = getattr(limits, name)
            if value > limits.wall_s:
                place = ("limits", name if name in given else "wall_s")
                self._note(
                    place, f"`{name}` is {value:g}, more than `wall_s`, which is {limits.wall_s:g} for the whole"
                )

    def _check_ids(self, lists: _Lists) -> None:
        for name, items in lists.items():
            key = "mutant" if name == "equivalents" else "id"
            first: dict[str, int] = {}
            for number, item in enumerate(items):
                if key not in item:
                    continue
                earlier = first.setdefault(item[key], number)
                if earlier != number:
                    line = self._line((name, earlier, key))
                    text = f"{_called(name, item, number)} is there twice, first on line {line}"
                    self._note((name, number, key), text)

    def _check_sums(self, tasks: Sequence[_Values], read: ReadTests) -> None:
        if read.unsure is None:
            return
        ids = [task.get("id") for task in tasks]
        for number, task in enumerate(tasks):
            if "id" not in task or task["id"] in read.unsure or ids.count(task["id"]) > 1:
                continue
            points = [test.points for test in read.tests if test.task == task["id"]]
            if not points:
                self._note(("tasks", number), f"task `{task['id']}` has no test")
            elif "points" in task and sum(points) != task["points"]:
                text = f"task `{task['id']}` has {task['points']} points, but its tests together have {sum(points)}"
                self._note(("tasks", number, "points"), text)

    def _check_mutants(self, mutants: Sequence[_Values], read: ReadTests) -> None:
        for number, mutant in enumerate(mutants):
            where = _called("mutants", mutant, number)
            told: set[str] = set()
            for key in ("fails", "also"):
                for index, test in enumerate(mutant.get(key, ())):
                    place = ("mutants", number, key, index)
                    if test not in read.names:
                        self._note(place, f"`{key}` of {where} names an unknown test `{test}`{meant(test, read.names)}")
                    elif test in told:
                        self._note(place, f"{where} names the test `{test}` twice")
                    told.add(test)

    def _check_parts(self) -> None:
        for part in ("starter", "reference"):
            folder = self._folder / part
            if not folder.is_dir():
                self._problems.append(Problem(f"{part}/", None, "is missing"))
            elif not _holds_something(folder):
                self._problems.append(Problem(f"{part}/", None, "holds no file"))
        try:
            text = read_regular(self._folder / "README.md")
            text.decode("utf-8")
        except FileNotFoundError:
            self._problems.append(Problem("README.md", None, "is missing: it is what the learner reads"))
        except UnicodeDecodeError as error:
            line = _line_of(text, error.start)
            self._problems.append(Problem("README.md", line, "isn't UTF-8: save it as UTF-8"))
        except OSError as error:
            self._problems.append(Problem("README.md", None, f"can't be read: {(error.strerror or '').lower()}"))

    def _check_variants(self, lists: _Lists) -> None:
        for kind in ("mutants", "alternatives"):
            one = _SINGULAR[kind]
            ids = {item["id"]: number for number, item in reversed(list(enumerate(lists[kind]))) if "id" in item}
            is_whole = kind not in self._misread and all("id" in item for item in lists[kind])
            folders: list[str] = []
            for name, is_folder in _members(self._folder / kind):
                path = f"{kind}/{name}"
                if not is_folder:
                    text = f"is no folder; {kind} are folders of the files that differ from the reference"
                    self._problems.append(Problem(path, None, text))
                    continue
                folders.append(name)
                if not _holds_something(self._folder / path):
                    self._problems.append(Problem(f"{path}/", None, "holds no file"))
                if name not in ids and is_whole:
                    text = f'has no entry in {TOML}; add `[[{kind}]]` with `id = "{name}"`, or remove the folder'
                    self._problems.append(Problem(f"{path}/", None, text))
            for id, number in ids.items():
                if id not in folders:
                    close = meant(id, [name for name in folders if name not in ids])
                    self._note((kind, number, "id"), f"{one} `{id}` has no folder `{kind}/{id}/`{close}")

    # How it is told

    def _unknown(self, place: Place, known: Collection[str], given: Collection[str], where: str) -> set[str]:
        """Note an unknown key; give the known key of its table that was probably meant, if it isn't given."""
        key = str(place[-1])
        missing = [name for name in known if name not in given]
        # One that is close and there already was written twice; another one, less close, wasn't meant.
        close = meant(key, known)
        there = next((name for name in known if name in given and f"`{name}`" in close), "")
        if there and _alike(key, there) > max((_alike(key, name) for name in missing), default=0.0):
            close = f"; did you mean `{there}`, which is there already?"
        else:
            close = meant(key, missing)
        if not close:
            homes = [name for name, keys in known_keys().items() if key in keys]
            if homes:
                marks = [_mark(name) for name in homes]
                close = f"; it belongs {' or '.join(marks)}"
        self._note(place, f"unknown key `{_short(key)}`" + (f" in {where}" if where else "") + close)
        return {name for name in missing if f"`{name}`" in close}

    def _wrong(self, value: Any, kind: Any, place: Place, label: str) -> Any:
        options = _literals(kind)
        close = meant(value, options) if isinstance(value, str) else ""
        self._note(place, f"{label} must be {_expected(kind)}, not {_shown(value)}{close}")
        return _BAD

    def _note(self, place: Place | str, text: str) -> None:
        place = (place,) if isinstance(place, str) else place
        self._problems.append(Problem(TOML, self._line(place), text))

    def _line(self, place: Place) -> int | None:
        if self._lines is None:
            from grader.toml_lines import toml_lines  # only a problem needs it

            self._lines = toml_lines(self._source)
        while place and place not in self._lines:
            place = place[:-1]
        return self._lines.get(place)

    def _texts(self) -> list[str]:
        name = self._folder.name
        ordered = sorted(dict.fromkeys(self._problems), key=lambda each: (each.file != TOML, each.file, each.line or 0))
        return [
            (f"{name}/{file}" if file else name) + (f":{line}" if line else "") + f": {text}"
            for file, line, text in ordered
        ]


def _digest(exercise: Exercise) -> str:
    scoring = {
        "format": FORMAT,
        "id": exercise.id,
        "kind": exercise.kind,
        "database": exercise.database,
        "fresh": exercise.fresh,
        "command": exercise.app.command,
        "env": exercise.app.env,
        "module": exercise.module,
        "limits": {name: float(value) for name, value in asdict(exercise.limits).items()},
        "tasks": {task.id: str(task.points) for task in exercise.tasks},
        "tests": {name: hashlib.sha256(content).hexdigest() for name, content in exercise.contents.items()},
    }
    return hashlib.sha256(json.dumps(scoring, sort_keys=True).encode("ascii")).hexdigest()


def _files(folder: Path, part: str) -> dict[str, bytes]:
    try:
        return dict(read_submission(folder / part).files)
    except RefusedSubmission as refused:
        problems = [f"{folder.name}/{part}: {problem}" for problem in refused.problems]
        raise BrokenExercise(problems, exercise=folder.name) from refused


def _imports(folder: Path) -> tuple[str, ...]:
    try:
        files = _files(folder, "starter")
    except BrokenExercise:
        return ()  # it is graded all the same, and `grade verify` tells
    own = {name.partition("/")[0].removesuffix(".py") for name in files}
    found = {
        line[1].decode("ascii")
        for name, content in files.items()
        if name.endswith(".py")
        for line in _IMPORT.finditer(content)
    }
    return tuple(sorted(name for name in found if name.partition(".")[0] not in own))


def _members(folder: Path) -> list[tuple[str, bool]]:
    """Give the names in a folder that count, and whether each is a folder; none where the folder isn't there."""
    try:
        with os.scandir(folder) as found:
            return sorted((each.name, each.is_dir()) for each in found if not is_left_out(each.name))
    except OSError:
        return []


def _holds_something(folder: Path) -> bool:
    return any(not is_folder or _holds_something(folder / name) for name, is_folder in _members(folder))


def _exact(text: str) -> Decimal:
    try:
        return Decimal(text)
    except ArithmeticError:
        return Decimal("NaN")  # beyond every bound, and refused by each


def _line_of(data: bytes, position: int) -> int:
    return data.count(b"\n", 0, position) + 1


def _toml_problem(error: Exception, source: str) -> Problem:
    text = str(error)
    found = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)", text)
    if found is None:
        return Problem(TOML, None, f"isn't valid TOML: {text[:1].lower()}{text[1:]}")
    line = int(found[1]) if found[1] else source.rstrip("\n").count("\n") + 1
    column = f", column {found[2]}" if found[2] else ""
    text = text.replace(found[0], "")
    return Problem(TOML, line, f"isn't valid TOML: {text[:1].lower()}{text[1:]}{column}")


def _alike(one: str, other: str) -> float:
    import difflib  # only a problem needs it

    return difflib.SequenceMatcher(None, one.casefold(), other).ratio()


def _called(name: str, item: Mapping[str, Any], number: int) -> str:
    """Call an item of a list as its author would: by id, else by its place."""
    id = item.get("mutant" if name == "equivalents" else "id")
    return f"{_SINGULAR[name]} `{_short(id)}`" if isinstance(id, str) and id else f"{_SINGULAR[name]} {number + 1}"


def _mark(table: str) -> str:
    if not table:
        return "above the first table"
    return f"in `[[{table}]]`" if table in _LISTS else f"in `[{table}]`"


def _fields(struct: type[msgspec.Struct]) -> frozenset[str]:
    return frozenset(struct.__struct_fields__)


def _unwrapped(kind: Any) -> tuple[Any, msgspec.Meta | None]:
    """Give a field's plain type and its rule: `Annotated[...] | None` is taken apart."""
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        kind = next(each for each in typing.get_args(kind) if each is not type(None))
    if typing.get_origin(kind) is Annotated:
        base, meta = typing.get_args(kind)[:2]
        return base, meta
    return kind, None


def _literals(kind: Any) -> tuple[str, ...]:
    base, _ = _unwrapped(kind)
    return typing.get_args(base) if typing.get_origin(base) is Literal else ()


def _expected(kind: Any) -> str:
    """Say in words what a field takes."""
    _, meta = _unwrapped(kind)
    if meta is not None and meta.description:
        return meta.description
    return " or ".join(f"`{each}`" for each in _literals(kind))


def _has_length(value: Sequence[Any], meta: msgspec.Meta | None) -> bool:
    least = meta.min_length if meta and meta.min_length is not None else 0
    most = meta.max_length if meta and meta.max_length is not None else 1_000
    return least <= len(value) <= most


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, str):
        return f"`{_short(json.dumps(value, ensure_ascii=False))}`"
    return f"`{_short(str(value).lower())}`"


def _short(text: str) -> str:
    visible = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
    return visible if len(visible) <= 60 else f"{visible[:57]}..."
