"""Mutants that a machine makes of a reference: one small change each, of the kind that backend code gets wrong.

Operators of our own, on the syntax tree, with edits in the text itself so that a diff shows one changed line. The kept
mutation libraries don't fit here: mutmut and cosmic-ray both write the mutant into a working tree and start a test
command that imports it into the process that judges it, which is what a grading must never do. Theirs also know
nothing of what matters in a backend: a status code, a commit, a filter, a setting.

Only what the learner writes is mutated: lines that stand in the starter too are left alone, and so are docstrings,
annotations, log lines and messages.
"""

from __future__ import annotations

import ast
import difflib
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from grader.verify import mutate_sql

_SHOWN = 44


@dataclass(frozen=True, kw_only=True)
class MachineMutant:
    """The reference with one change. `id` is the same as long as file, line and change are."""

    id: str
    operator: str
    file: str
    line: int
    files: Mapping[str, bytes]
    diff: str
    changed_line: str

    def is_called(self, name: str) -> bool:
        """Say whether `name`, as written in `[[equivalents]]`, means this one: its id, or the line that it changes."""
        return name.strip() in (self.id, self.changed_line)


@dataclass(frozen=True, kw_only=True)
class _Edit:
    """Put `new` in place of the bytes from `start` to `end`. `old` and `shown` are the two sides of its name."""

    start: int
    end: int
    new: bytes
    operator: str
    old: str
    shown: str


def machine_mutants(reference: Mapping[str, bytes], starter: Mapping[str, bytes]) -> list[MachineMutant]:
    """Make every mutant of the reference, in the order of files and lines. No two are the same program."""
    mutants: list[MachineMutant] = []
    for file, content in sorted(reference.items()):
        if file.endswith(".py"):
            mutants += _of_python(file, content, reference, starter.get(file, b""))
        elif file.endswith(".sql"):
            mutants += _of_sql(file, content, reference, starter.get(file, b""))
    return mutants


def learners_lines(content: bytes, starter: bytes) -> set[int]:
    """Give the lines, from 1, that the starter's file doesn't have."""
    ours, theirs = content.splitlines(), starter.splitlines()
    matcher = difflib.SequenceMatcher(None, theirs, ours, autojunk=False)
    found: set[int] = set()
    for tag, _, _, begin, end in matcher.get_opcodes():
        if tag != "equal":
            found.update(range(begin + 1, end + 1))
    return {line for line in found if ours[line - 1].strip()}


def spread(mutants: Sequence[MachineMutant], most: int) -> list[MachineMutant]:
    """Choose at most so many, evenly over the whole."""
    if len(mutants) <= most:
        return list(mutants)
    return [mutants[place * len(mutants) // most] for place in range(most)]


def _of_python(file: str, content: bytes, reference: Mapping[str, bytes], starter: bytes) -> Iterator[MachineMutant]:
    tree = _parsed(content)
    if tree is None:
        return
    finder = _Finder(content, tree, learners_lines(content, starter))
    finder.visit(tree)

    def is_other(changed: bytes) -> str | None:
        mutant = _parsed(changed)
        return None if mutant is None else ast.dump(mutant)

    yield from _made(file, content, reference, finder.edits, is_other)


def _of_sql(file: str, content: bytes, reference: Mapping[str, bytes], starter: bytes) -> Iterator[MachineMutant]:
    allowed = learners_lines(content, starter)
    text = content.decode("utf-8", "replace")
    edits = []
    for change in mutate_sql.changes(text):
        start = len(text[: change.start].encode())
        if content.count(b"\n", 0, start) + 1 in allowed:
            end = len(text[: change.end].encode())
            edits.append(_sql_edit(change, start, end, change.new))
    yield from _made(file, content, reference, edits, lambda changed: changed.decode("utf-8", "replace"))


def _made(
    file: str,
    content: bytes,
    reference: Mapping[str, bytes],
    edits: Sequence[_Edit],
    meaning: Callable[[bytes], str | None],
) -> Iterator[MachineMutant]:
    """Apply each edit by itself; leave out what isn't a program, and what means the same as an earlier one."""
    seen = {meaning(content), None}
    ids: dict[str, int] = {}
    for edit in sorted(edits, key=lambda each: (each.start, each.end, each.operator)):
        changed = content[: edit.start] + edit.new + content[edit.end :]
        key = meaning(changed)
        if key in seen:
            continue
        seen.add(key)
        line = content.count(b"\n", 0, edit.start) + 1
        id = f"{file}:{line} {edit.old} -> {edit.shown}"
        ids[id] = ids.get(id, 0) + 1
        if ids[id] > 1:
            id += f" ({ids[id]})"
        diff, changed_line = _diff(file, content, changed)
        yield MachineMutant(
            id=id,
            operator=edit.operator,
            file=file,
            line=line,
            files={**reference, file: changed},
            diff=diff,
            changed_line=changed_line,
        )


def _diff(file: str, before: bytes, after: bytes) -> tuple[str, str]:
    lines = list(
        difflib.unified_diff(
            before.decode("utf-8", "replace").splitlines(),
            after.decode("utf-8", "replace").splitlines(),
            f"reference/{file}",
            f"mutant/{file}",
            n=2,
            lineterm="",
        )
    )
    body = lines[2:]
    added = [line[1:].strip() for line in body if line.startswith("+")]
    removed = [line[1:].strip() for line in body if line.startswith("-")]
    return "\n".join(lines), next((line for line in (*added, *removed) if line), "")


def _parsed(content: bytes) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(content)
    except (SyntaxError, ValueError, RecursionError):
        return None


_COMPARISONS: Mapping[type[ast.cmpop], tuple[str, str]] = {
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
}
_ARITHMETIC: Mapping[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "+"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "/"),
    ast.Mod: ("%", "*"),
    ast.Pow: ("**", "*"),
    ast.BitAnd: ("&", "|"),
    ast.BitOr: ("|", "&"),
}
_STATUS = {200: 201, 201: 200, 202: 200, 204: 200, 404: 400, 400: 422, 401: 403, 403: 401, 409: 400, 422: 400}
_FILTERS = {"where", "filter", "filter_by", "having", "order_by", "distinct", "limit", "offset", "group_by"}
_CLEANERS = {"strip", "lstrip", "rstrip", "lower", "upper", "casefold", "quantize"}
_TURNS = {"desc": "asc", "asc": "desc", "and_": "or_", "or_": "and_"}
_FUNCTION_TURNS = {"min": "max", "max": "min", "any": "all", "all": "any", **_TURNS}
_QUIET_WORDS = {"echo", "future", "debug", "autoflush", "indent", "timeout", "expire_on_commit", "ensure_ascii"}
_SIZES = {"String", "VARCHAR", "Unicode", "Text", "Numeric", "Column"}
_STATUS_CALLS = {"abort", "make_response", "redirect", "Response", "errorhandler", "send_error", "set_status"}
_STATUS_WORDS = {"status", "status_code", "code"}
_LOGS = {"debug", "info", "warning", "error", "exception", "critical", "log"}
_KEPT_DECORATORS = {
    "get", "post", "put", "patch", "delete", "route", "cli", "command", "property", "setter", "staticmethod",
    "classmethod", "dataclass", "wraps", "contextmanager", "listens_for", "validates", "cache", "lru_cache",
    "total_ordering", "hybrid_property", "declared_attr", "overload", "abstractmethod",
}  # fmt: skip
_UNSEEN = {"__repr__", "__str__"}


class _Finder(ast.NodeVisitor):
    """Collects the edits. What its methods leave out, and why, is said where it is left out."""

    def __init__(self, content: bytes, tree: ast.Module, allowed: set[int]) -> None:
        self.edits: list[_Edit] = []
        self._content = content
        self._allowed = allowed
        self._starts = [0]
        for line in content.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self._constants = {
            target.id
            for node in tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        self._in_function = 0

    # Places

    def _at(self, line: int, column: int) -> int:
        return self._starts[line - 1] + column

    def _start(self, node: ast.expr | ast.stmt) -> int:
        return self._at(node.lineno, node.col_offset)

    def _end(self, node: ast.expr | ast.stmt) -> int:
        assert node.end_lineno is not None and node.end_col_offset is not None  # noqa: PT018  both or neither
        return self._at(node.end_lineno, node.end_col_offset)

    def _text(self, node: ast.expr | ast.stmt) -> str:
        return self._content[self._start(node) : self._end(node)].decode("utf-8", "replace")

    def _put(self, start: int, end: int, new: str, operator: str, old: str = "", shown: str = "") -> None:
        """Note an edit, if the learner writes the line it begins on."""
        if self._content.count(b"\n", 0, start) + 1 not in self._allowed:
            return
        old = old or self._content[start:end].decode("utf-8", "replace")
        edit = _Edit(
            start=start, end=end, new=new.encode(), operator=operator, old=_short(old), shown=_short(shown or new)
        )
        self.edits.append(edit)

    def _swap(self, before: ast.expr, after: ast.expr, old: str, new: str, operator: str) -> None:
        """Put another operator between two expressions."""
        start, end = self._end(before), self._start(after)
        pattern = re.escape(old).replace(r"\ ", r"\s+").encode()
        if old[0].isalpha():
            pattern = rb"\b" + pattern + rb"\b"
        found = re.search(pattern, re.sub(rb"#[^\n]*", lambda match: b" " * len(match[0]), self._content[start:end]))
        if found:
            self._put(start + found.start(), start + found.end(), new, operator, old, new)

    # What is looked at

    def visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module):
            self._visit_block(node)
        else:
            super().visit(node)

    def _visit_block(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in _UNSEEN:
            return
        body = node.body
        if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
            body = body[1:]  # a docstring
        for decorator in getattr(node, "decorator_list", []):
            self._decorator(decorator)
            self.visit(decorator)
        is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for default in (*node.args.defaults, *node.args.kw_defaults):
                if default is not None:
                    self.visit(default)
        self._in_function += is_function
        for statement in body:
            self.visit(statement)
        self._in_function -= is_function

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_If(self, node: ast.If) -> None:
        test = ast.unparse(node.test)
        if "__name__" in test or test.endswith("TYPE_CHECKING"):
            return
        if not any(isinstance(each, ast.FunctionDef | ast.ClassDef) for each in ast.walk(node)):
            start, end = self._start(node.body[0]), self._end(node.body[-1])
            self._put(start, end, "pass", "validation", f"if {test}: {_first(self._text(node.body[0]))}")
        if node.orelse:
            self._negate(node.test)
        self.generic_visit(node)

    def visit_While(self, node: ast.While) -> None:
        # Negating it mostly makes an endless loop, which dies by its time: slow, and no news.
        self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self._negate(node.test)
        self.generic_visit(node)

    def _negate(self, test: ast.expr) -> None:
        if isinstance(test, ast.Compare | ast.BoolOp) or (
            isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)
        ):
            return  # these have changes of their own
        text = self._text(test)
        self._put(self._start(test), self._end(test), f"not ({text})", "boolean", text, f"not {text}")

    def visit_Compare(self, node: ast.Compare) -> None:
        sides = [node.left, *node.comparators]
        for place, op in enumerate(node.ops):
            old, new = _COMPARISONS[type(op)]
            self._swap(sides[place], sides[place + 1], old, new, "comparison")
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for before, after in zip(node.values, node.values[1:], strict=False):
            self._swap(before, after, old, new, "boolean")
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.Not):
            operand = self._text(node.operand)
            self._put(self._start(node), self._end(node), f"({operand})", "boolean", f"not {operand}", operand)
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        swap = _ARITHMETIC.get(type(node.op))
        if swap and not any(_is_text(side) for side in (node.left, node.right)):
            self._swap(node.left, node.right, *swap, "arithmetic")
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        swap = _ARITHMETIC.get(type(node.op))
        if swap and not _is_text(node.value):
            self._swap(node.target, node.value, f"{swap[0]}=", f"{swap[1]}=", "arithmetic")
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        value = node.value
        start, end = self._start(node), self._end(node)
        if isinstance(value, bool):
            self._put(start, end, str(not value), "boolean")
        elif isinstance(value, int):
            self._put(start, end, str(value + 1), "number")
        elif isinstance(value, float):
            self._put(start, end, repr(value + 1), "number")
        elif isinstance(value, str) and mutate_sql.is_query(value):
            self._query(node)

    def _query(self, node: ast.expr) -> None:
        """Change a query in a text. A text of several pieces is taken piece by piece."""
        source = self._text(node)
        begin = self._start(node)
        for literal in _LITERAL.finditer(source):
            body = literal["body"]
            for change in mutate_sql.changes(body):
                offset = literal.start("body")
                start = begin + len(source[: offset + change.start].encode())
                end = begin + len(source[: offset + change.end].encode())
                if self._content.count(b"\n", 0, start) + 1 in self._allowed:
                    self.edits.append(_sql_edit(change, start, end, change.new))

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        if any(isinstance(part, ast.Constant) and mutate_sql.is_query(str(part.value)) for part in node.values[:1]):
            self._query(node)
        # What else stands in an f-string is a message; its parts have no places of their own before Python 3.12.

    def visit_Dict(self, node: ast.Dict) -> None:
        for value in node.values:
            self.visit(value)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if isinstance(node.ctx, ast.Load):
            self._setting(node, node.value, node.slice, None)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = _called(node.func)
        self._chain(node, name)
        self._default(node, name)
        self._order(node, name)
        turned = (_FUNCTION_TURNS if isinstance(node.func, ast.Name) else _TURNS).get(name)
        if turned:
            end = self._end(node.func)
            self._put(end - len(name), end, turned, "order")
        self.visit(node.func)
        for argument in node.args:
            if _status(argument) and name in _STATUS_CALLS:
                self._status_code(argument)
            elif not (name in _SIZES and isinstance(argument, ast.Constant)):
                # SQLite keeps no sizes of texts.
                self.visit(argument)
        for keyword in node.keywords:
            if keyword.arg in _STATUS_WORDS and _status(keyword.value):
                self._status_code(keyword.value)
            elif keyword.arg not in _QUIET_WORDS:
                self.visit(keyword.value)

    def _status_code(self, node: ast.expr) -> None:
        value = _status(node)
        assert value is not None
        other = _STATUS.get(value) or (400 if value > 400 else 303 if value == 302 else 302 if value == 303 else 200)
        self._put(self._start(node), self._end(node), str(other), "status")

    def _chain(self, node: ast.Call, name: str) -> None:
        """Take a link out of a chain of calls: a filter, an order, a clean-up."""
        if not isinstance(node.func, ast.Attribute):
            return
        before, end = self._end(node.func.value), self._end(node)
        if name in _FILTERS:
            if len(node.args) + len(node.keywords) > 1 and name != "order_by":
                self._arguments(node)
            else:
                self._put(before, end, "", "filter", _first(self._link(before, end)), "(nothing)")
        elif name in _CLEANERS:
            self._put(before, end, "", "validation", self._link(before, end), "(nothing)")

    def _link(self, start: int, end: int) -> str:
        return " ".join(self._content[start:end].decode("utf-8", "replace").split())

    def _arguments(self, node: ast.Call) -> None:
        """Leave out one condition of several at a time."""
        spans = [(self._start(each), self._end(each)) for each in node.args]
        for keyword in node.keywords:
            spans.append((self._at(keyword.lineno, keyword.col_offset), self._end(keyword.value)))
        for place, (start, end) in enumerate(spans):
            old = self._link(start, end)
            if place + 1 < len(spans):
                self._put(start, spans[place + 1][0], "", "filter", old, "(nothing)")
            else:
                self._put(spans[place - 1][1], end, "", "filter", old, "(nothing)")

    def _order(self, node: ast.Call, name: str) -> None:
        if name == "order_by" and len(node.args) > 1:
            first, second = node.args[:2]
            texts = self._text(first), self._text(second)
            between = self._content[self._end(first) : self._start(second)].decode("utf-8", "replace")
            new = f"{texts[1]}{between}{texts[0]}"
            self._put(self._start(first), self._end(second), new, "order", ", ".join(texts), ", ".join(texts[::-1]))
            last, previous = node.args[-1], node.args[-2]
            self._put(self._end(previous), self._end(last), "", "order", self._text(last), "(nothing)")
        if name == "sorted" and isinstance(node.func, ast.Name) and node.args:
            item = self._text(node.args[0])
            self._put(self._start(node), self._end(node), f"list({item})", "order")
            self._put(self._start(node), self._end(node), f"{self._text(node)}[::-1]", "order")

    def _default(self, node: ast.Call, name: str) -> None:
        """Take away a default, or take it for the value: settings most of all."""
        if not isinstance(node.func, ast.Attribute) or name not in ("get", "getenv", "setdefault") or not node.args:
            return
        default = node.args[1] if len(node.args) > 1 else None
        if self._setting(node, node.func.value, node.args[0], default):
            return
        if default is not None and name == "get":
            self._put(
                self._end(node.args[0]), self._end(default), "", "default", f"default {self._text(default)}", "None"
            )

    def _setting(self, node: ast.expr, owner: ast.expr, key: ast.expr, default: ast.expr | None) -> bool:
        """Put a constant in place of a setting."""
        name = owner.attr if isinstance(owner, ast.Attribute) else owner.id if isinstance(owner, ast.Name) else ""
        if name not in ("config", "environ", "os", "settings") and not name.endswith("_config"):
            return False
        new = '"elsewhere"'
        if default is not None:
            new = self._text(default)
        elif isinstance(key, ast.Constant) and isinstance(key.value, str) and key.value in self._constants:
            new = key.value
        self._put(self._start(node), self._end(node), new, "setting")
        return True

    def visit_Return(self, node: ast.Return) -> None:
        value = node.value
        if value is None or (isinstance(value, ast.Constant) and value.value in (None, "")):
            return
        start, end = self._start(value), self._end(value)
        if isinstance(value, ast.Tuple) and len(value.elts) > 1 and _status(value.elts[1]):
            self._status_code(value.elts[1])
            body = value.elts[0]
            new = f"{self._text(body)}, {self._text(value.elts[1])}"
            if len(value.elts) == 2:
                self._put(start, end, self._text(body), "status", f"status {_status(value.elts[1])}", "(nothing)")
            else:
                self._put(start, end, new, "default", "the headers", "(nothing)")
            for element in (body, *value.elts[2:]):
                self.visit(element)
            return
        for default in _defaults_for(value):
            self._put(start, end, default, "default", f"return {self._text(value)}", f"return {default}")
        self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        call = node.value.value if isinstance(node.value, ast.Await) else node.value
        if isinstance(call, ast.Call):
            name = _called(call.func)
            if name == "print" or (name in _LOGS and isinstance(call.func, ast.Attribute)):
                return  # what is printed or logged is for people
            if not ast.unparse(call.func).startswith("super()"):
                operator = "commit" if name in ("commit", "rollback", "flush") else "statement"
                self._put(self._start(node), self._end(node), "pass", operator)
        self.generic_visit(node)

    def visit_Delete(self, node: ast.Delete) -> None:
        self._put(self._start(node), self._end(node), "pass", "statement")
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        if self._in_function and all(isinstance(target, ast.Attribute | ast.Subscript) for target in node.targets):
            self._put(self._start(node), self._end(node), "pass", "statement")
        self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> None:
        return  # the guard around it is dropped, and its message is for people

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        body = node.body
        if not (len(body) == 1 and isinstance(body[0], ast.Raise)):
            start, end = self._start(body[0]), self._end(body[-1])
            self._put(start, end, "raise", "validation", f"except: {_first(self._text(body[0]))}")
        for statement in body:
            self.visit(statement)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        before = node.iter
        for condition in node.ifs:
            end = self._end(condition)
            self._put(self._end(before), end, "", "filter", f"if {self._text(condition)}", "(nothing)")
            before = condition
        self.generic_visit(node)

    def _decorator(self, node: ast.expr) -> None:
        name = _called(node.func if isinstance(node, ast.Call) else node)
        if name in _KEPT_DECORATORS:
            return
        at = self._content.rfind(b"@", 0, self._start(node))
        if at >= 0:
            self._put(at, self._end(node), "", "validation", f"@{self._text(node)}", "(nothing)")


_LITERAL = re.compile(
    r"[rRbBuUfF]{0,2}(?P<quote>\"\"\"|'''|\"|')(?P<body>(?:\\.|(?!(?P=quote)).)*)(?P=quote)", re.DOTALL
)


def _sql_edit(change: mutate_sql.Change, start: int, end: int, new: str) -> _Edit:
    return _Edit(
        start=start, end=end, new=new.encode(), operator="query", old=_short(change.old), shown=_short(change.shown)
    )


def _called(node: ast.expr) -> str:
    """Give the last part of what is called: `db.session.commit` is `commit`."""
    if isinstance(node, ast.Call):
        return _called(node.func)
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _status(node: ast.expr) -> int | None:
    value = node.value if isinstance(node, ast.Constant) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and 200 <= value < 600 else None


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr | ast.List | ast.Tuple) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
    )


def _defaults_for(value: ast.expr) -> list[str]:
    """Give what a function might return by mistake in place of this: the empty value of its kind."""
    match value:
        case ast.List() | ast.ListComp():
            return ["[]"]
        case ast.Dict() | ast.DictComp():
            return ["{}"]
        case ast.Compare() | ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
            return ["True", "False"]
        case ast.Constant(value=str()) | ast.JoinedStr():
            return ['""']
        case ast.Constant():
            return []  # has a change of its own
        case ast.BinOp():
            return ["0"]
        case ast.Call(func=ast.Name(id=("sorted" | "list"))) | ast.Call(func=ast.Attribute(attr="all")):
            return ["[]"]
        case ast.Call(func=ast.Name(id=("sum" | "len" | "round" | "int" | "min" | "max"))):
            return ["0"]
        case _:
            return ["None"]


def _first(text: str) -> str:
    return text.splitlines()[0].strip() if text else ""


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
