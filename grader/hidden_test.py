"""Hidden tests, read without running them: what each promises, is worth and needs."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

import msgspec

MOST_POINTS = 1_000_000
MOST_DECIMALS = 6
POINTS_RULE = f"a positive number of at most {MOST_DECIMALS} decimals, such as `2` or `0.5`"

_DECIMAL = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?")
_UNSCORABLE = {
    "parametrize": "can't be parametrized: a test is one sentence with one result; loop inside it, or write two tests",
    "skip": "can't be skipped by a mark: its points would be out of reach",
    "skipif": "can't be skipped by a mark: its points would be out of reach",
    "xfail": "can't be expected to fail: its points would be out of reach",
}

_Function = ast.FunctionDef | ast.AsyncFunctionDef


class Problem(NamedTuple):
    """Something that an author must put right.

    `file` is relative to the exercise's folder, and empty for the folder itself; `line` is 1-based, or None.
    """

    file: str
    line: int | None
    text: str


class HiddenTest(msgspec.Struct, frozen=True, kw_only=True):
    """One hidden test: a function of `file`, defined on `line`.

    `title` is the sentence that the learner reads; `needs` names earlier tests without which this one means nothing.
    """

    name: str
    title: str
    task: str
    points: Decimal
    file: str
    line: int
    needs: tuple[str, ...] = ()


class ReadTests(msgspec.Struct, frozen=True, kw_only=True):
    """What was read of all test files.

    `names` has every test that could be seen, sound or not. `unsure` names the tasks whose sum of points can't be
    known, and is None where that is all of them. It is complete when every file could be parsed.
    """

    tests: tuple[HiddenTest, ...]
    names: frozenset[str]
    problems: tuple[Problem, ...]
    unsure: frozenset[str] | None
    is_complete: bool


class _Marks(NamedTuple):
    task: str | None
    points: Decimal | None
    needs: tuple[tuple[str, int], ...]


def read_tests(contents: Mapping[str, bytes], tasks: Collection[str] | None) -> ReadTests:
    """Read the hidden tests of an exercise: files in the order of their names, tests as they stand.

    `contents` is everything below `tests/`, by path relative to it. `tasks` are the ids that a test may name,
    None where they aren't known.
    """
    reader = _Reader(tasks)
    for name in sorted(contents):
        base = name.rpartition("/")[2]
        if name == base and is_test_file(name):
            reader.read(f"tests/{name}", contents[name])
        elif base.endswith(".py") and (base.startswith("test_") or base.endswith("_test.py")):
            reader.problems.append(
                Problem(f"tests/{name}", None, "is taken for tests by pytest; only `tests/test_*.py` may be: rename it")
            )
    return reader.result()


def is_test_file(name: str) -> bool:
    """Say whether a file directly in `tests/` holds hidden tests."""
    return name.startswith("test_") and name.endswith(".py")


def exact_points(value: object) -> Decimal | None:
    """Take points as they are written: an int, a decimal string, or a Decimal of a float's text; None for others."""
    match value:
        case bool():
            return None
        case Decimal() if value.is_finite():
            number = value
        case int() if value <= MOST_POINTS:
            number = Decimal(value)
        case str() if _DECIMAL.fullmatch(value):
            number = Decimal(value)
        case _:
            return None
    if not 0 < number <= MOST_POINTS or number != round(number, MOST_DECIMALS):
        return None
    return Decimal(f"{number.normalize():f}")  # `4.0` and `4` are one number, and neither is shown as `4E+0`


def meant(name: str, known: Iterable[str]) -> str:
    """Give `; did you mean ...?` for a name that is close to a known one, else an empty text."""
    import difflib  # only a problem needs it

    by_folded = {each.casefold(): each for each in known}
    close = difflib.get_close_matches(name.casefold().replace("-", "_"), by_folded, n=1, cutoff=0.6)
    close = close or difflib.get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    return f"; did you mean `{by_folded[close[0]]}`?" if close else ""


class _Reader:
    def __init__(self, tasks: Collection[str] | None) -> None:
        self.problems: list[Problem] = []
        self._tasks = tasks
        self._tests: list[HiddenTest] = []
        self._seen: dict[str, tuple[str, int]] = {}
        self._needs: list[tuple[str, str, int, str]] = []
        self._unsure: set[str] | None = set()
        self._is_complete = True

    def result(self) -> ReadTests:
        if self._is_complete:
            self._check_needs()
        return ReadTests(
            tests=tuple(self._tests),
            names=frozenset(self._seen),
            problems=tuple(self.problems),
            unsure=None if self._unsure is None else frozenset(self._unsure),
            is_complete=self._is_complete,
        )

    def read(self, file: str, content: bytes) -> None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                module = ast.parse(content, file)
            source = content.decode("utf-8")
        except (SyntaxError, UnicodeDecodeError) as error:
            line, reason = _syntax_problem(error, content)
            self.problems.append(Problem(file, line, f"isn't valid Python: {reason}"))
            self._is_complete = False
            return
        except (ValueError, RecursionError, MemoryError) as error:
            self.problems.append(Problem(file, None, f"isn't valid Python: {error}"))
            self._is_complete = False
            return
        before = len(self._seen)
        for node, is_top in _collected(module.body):
            self._take(file, source, node, is_top)
        if len(self._seen) == before:
            self.problems.append(Problem(file, None, "holds no test: write a function `test_...`, or rename the file"))

    def _take(self, file: str, source: str, node: ast.stmt, is_top: bool) -> None:
        def note(text: str) -> None:
            self.problems.append(Problem(file, node.lineno, text))

        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                name = alias.asname or alias.name
                if name.startswith("test"):
                    note(f"`{name}` is taken for a test by pytest; import it under another name")
            return
        if isinstance(node, ast.ClassDef):
            note(f"`{node.name}` is a class; write its tests as functions of the file")
            return
        assert isinstance(node, _Function)
        name = node.name
        if not name.startswith("test_"):
            note(f"`{name}` is taken for a test by pytest; begin its name with `test_`, or rename it")
            return
        if not is_top:
            note(f"`{name}` stands inside another block; move it to the left margin")
        if isinstance(node, ast.AsyncFunctionDef):
            note(f"`{name}` is async; write a plain `def`")
        if name in self._seen:
            other, line = self._seen[name]
            note(f"`{name}` is there twice, first in {other}:{line}; names are unique over all files")
            return
        self._seen[name] = (file, node.lineno)
        title = (ast.get_docstring(node) or "").strip().partition("\n")[0].strip()
        if not title:
            note(f"`{name}` has no docstring; its first line is the sentence that the learner reads")
        marks = self._marks(file, source, node)
        for needed, line in marks.needs:
            self._needs.append((file, name, line, needed))
        if marks.task is None:
            self._unsure = None
            return
        if marks.points is None:
            if self._unsure is not None:
                self._unsure.add(marks.task)
            return
        self._tests.append(
            HiddenTest(
                name=name,
                title=title,
                task=marks.task,
                points=marks.points,
                file=file,
                line=node.lineno,
                needs=tuple(needed for needed, _ in marks.needs),
            )
        )

    def _marks(self, file: str, source: str, node: _Function) -> _Marks:
        task: str | None = None
        points: Decimal | None = None
        needs: list[tuple[str, int]] = []
        task_marks = 0
        for decorator in node.decorator_list:
            name, call = _mark(decorator)
            if name in _UNSCORABLE:
                self._note(file, decorator, f"`{node.name}` {_UNSCORABLE[name]}")
            elif name == "task":
                task_marks += 1
                if task_marks == 1:
                    task, points = self._task_mark(file, source, node.name, decorator, call)
                else:
                    self._note(file, decorator, f"`{node.name}` has two `task` marks; a test belongs to one task")
            elif name == "needs":
                needs += self._needs_mark(file, node.name, decorator, call)
        if not task_marks:
            wanted = '`@pytest.mark.task("...", points=1)`'
            self._note(file, node, f"`{node.name}` has no `task` mark; put {wanted} above it")
        return _Marks(task, points, tuple(needs))

    def _task_mark(
        self, file: str, source: str, name: str, place: ast.expr, call: ast.Call | None
    ) -> tuple[str | None, Decimal | None]:
        arguments = call.args if call else []
        task = _text(arguments[0]) if len(arguments) == 1 else None
        if task is None:
            self._note(file, place, f'the `task` mark of `{name}` must be `task("id", points=1)`, the id in quotes')
        elif self._tasks is not None and task not in self._tasks:
            self._note(file, place, f"`{name}` is of an unknown task `{task}`{meant(task, self._tasks)}")
        given = {keyword.arg: keyword.value for keyword in call.keywords} if call else {}
        for key in given.keys() - {"points"}:
            self._note(file, place, f"the `task` mark of `{name}` has an unknown argument `{key or '**'}`")
        if "points" not in given:
            self._note(file, place, f"the `task` mark of `{name}` has no `points=`")
            return task, None
        points = _points(given["points"], source)
        if points is None:
            found = ast.unparse(given["points"])
            self._note(file, place, f"`points` of `{name}` must be {POINTS_RULE}, written out, not `{found}`")
        return task, points

    def _needs_mark(self, file: str, name: str, place: ast.expr, call: ast.Call | None) -> list[tuple[str, int]]:
        if call is None or not call.args or call.keywords:
            self._note(file, place, f'the `needs` mark of `{name}` must name tests: `needs("test_...")`')
            return []
        needs: list[tuple[str, int]] = []
        for argument in call.args:
            needed = _text(argument)
            if needed is None:
                self._note(file, place, f"`needs` of `{name}` must be names in quotes, not `{ast.unparse(argument)}`")
            else:
                needs.append((needed, argument.lineno))
        return needs

    def _check_needs(self) -> None:
        order = {name: number for number, name in enumerate(self._seen)}
        for file, name, line, needed in self._needs:
            if needed not in order:
                text = f"`{name}` needs an unknown test `{needed}`{meant(needed, order)}"
                self.problems.append(Problem(file, line, text))
            elif order[needed] >= order[name]:
                text = f"`{name}` needs `{needed}`, which doesn't come earlier; a test can need earlier ones only"
                self.problems.append(Problem(file, line, text))

    def _note(self, file: str, node: ast.expr | ast.stmt, text: str) -> None:
        self.problems.append(Problem(file, node.lineno, text))


def _collected(body: Iterable[ast.stmt], is_top: bool = True) -> Iterator[tuple[ast.stmt, bool]]:
    """Yield what pytest would take for a test by its name, and whether it stands at the left margin."""
    for node in body:
        if isinstance(node, _Function):
            if node.name.startswith("test") and not any(_is_fixture(each) for each in node.decorator_list):
                yield node, is_top
        elif isinstance(node, ast.ClassDef):
            names = [each.name for each in node.body if isinstance(each, _Function)]
            if node.name.startswith("Test") and any(name.startswith("test") for name in names):
                yield node, is_top
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield node, is_top
        else:
            for field in ("body", "orelse", "finalbody"):
                yield from _collected(getattr(node, field, []), is_top=False)
            for handler in getattr(node, "handlers", []):
                yield from _collected(handler.body, is_top=False)


def _mark(decorator: ast.expr) -> tuple[str, ast.Call | None]:
    """Give the name of a `pytest.mark.<name>` decorator, and its call; an empty name for others."""
    call = decorator if isinstance(decorator, ast.Call) else None
    target = call.func if call else decorator
    if isinstance(target, ast.Attribute):
        owner = target.value
        if (isinstance(owner, ast.Attribute) and owner.attr == "mark") or (
            isinstance(owner, ast.Name) and owner.id == "mark"
        ):
            return target.attr, call
    return "", call


def _is_fixture(decorator: ast.expr) -> bool:
    target = decorator.func if isinstance(decorator, ast.Call) else decorator
    return getattr(target, "attr", getattr(target, "id", "")) == "fixture"


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _points(node: ast.expr, source: str) -> Decimal | None:
    if not isinstance(node, ast.Constant):
        return None
    if isinstance(node.value, float):
        try:
            # Its text, not its value: 0.1 is a tenth.
            return exact_points(Decimal((ast.get_source_segment(source, node) or "").replace("_", "")))
        except InvalidOperation:
            return None
    return exact_points(node.value)


def _syntax_problem(error: SyntaxError | UnicodeDecodeError, content: bytes) -> tuple[int | None, str]:
    if isinstance(error, UnicodeDecodeError):
        return content.count(b"\n", 0, error.start) + 1, "it isn't UTF-8"
    return error.lineno, error.msg
