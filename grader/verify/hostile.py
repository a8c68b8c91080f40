"""Submissions that try to earn points without an answer, made for one exercise from what is known of it.

They know more than any learner can: the names of the hidden tests, and the reference's answers under another seed.
Those that patch, forge or leave have the starter's code below them and must earn no more than that does. Those that
answer themselves (with what they stole, an echo, constants, a replay) may pass a test as well whose right answers are
the same for every seed, because a constant is a right answer there. No submission may show a line of the hidden tests.
"""

from __future__ import annotations

import ast
import io
import json
import re
import textwrap
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grader.exercise import Exercise
from grader.inside import wire
from grader.verify.attempt import Attempt, Files
from grader.verify.recording import Recording, path_of

LEAK_LENGTH = 25
"""A shorter line says too little, and is found by chance."""


@dataclass(frozen=True, kw_only=True)
class Hostile:
    """One such submission. `answers` is whether it gives answers of its own, which may be right for every seed."""

    name: str
    about: str
    files: Files
    answers: bool = False


def hostile_submissions(exercise: Exercise, starter: Files, recording: Recording) -> list[Hostile]:
    """Make all of them. There are fewer where the app is no Python program."""
    if exercise.app.command is not None:
        return [
            Hostile(name="forges-files", about="ships forged results", files={**starter, **_forged_files(exercise)})
        ]
    module = _module_file(exercise, starter)
    names = [test.name for test in exercise.tests]
    made = [
        Hostile(name="leaves", about="ends the process at import", files=_above(starter, module, _LEAVES)),
        Hostile(
            name="patches",
            about="patches pytest and the builtins, and ships test configuration",
            files={**_above(starter, module, _PATCHES), **_CONFIGURATION},
        ),
        Hostile(
            name="reads",
            about="looks for the tests and answers with them",
            files={module: _reader(exercise)},
            answers=True,
        ),
        Hostile(
            name="forges",
            about="writes forged results to every stream, file and descriptor",
            files={**_above(starter, module, _forger(names)), **_forged_files(exercise)},
        ),
    ]
    other = recording.other.transcripts
    if exercise.kind == "http":
        static = recording.static_segments()
        made += [
            Hostile(name="echoes", about="answers with what it was sent", files={module: _ECHO.encode()}, answers=True),
            Hostile(
                name="constant",
                about="gives each address the commonest answer of another seed",
                files={module: _http_constants(other, static)},
                answers=True,
            ),
            Hostile(
                name="replays",
                about="replays the reference's answers of another seed",
                files={module: _http_replay(other, static)},
                answers=True,
            ),
        ]
        return made
    made.append(
        Hostile(
            name="agrees",
            about="returns objects that equal everything",
            files=_modules(other, module, _AGREES, starter),
            answers=True,
        )
    )
    made.append(
        Hostile(
            name="echoes",
            about="returns what it was given",
            files=_modules(other, module, _ECHO_FUNCTION, starter),
            answers=True,
        )
    )
    for name, about, source in _function_replays(other):
        made.append(Hostile(name=name, about=about, files=_modules(other, module, source, starter), answers=True))
    return made


def earned_too_much(hostile: Hostile, attempt: Attempt, starter: Attempt, recording: Recording) -> list[str]:
    """Give the names of the tests that it must not pass, and does."""
    allowed = set(starter.passed)
    passed = attempt.passed
    if hostile.answers:
        allowed |= {name for name in passed if not recording.has_other_answers(name)}
    return sorted(passed - allowed)


def hidden_lines(exercise: Exercise, public: Iterable[str]) -> set[str]:
    """Give the lines of the hidden tests by which a leak is known.

    Left out are texts over several lines, which are data or the learner's sentences, and whatever stands in `public`.
    """
    known = "\n".join(public)
    found: set[str] = set()
    for name, content in exercise.contents.items():
        text = content.decode("utf-8", "replace")
        lines = text.splitlines()
        skipped = _text_lines(text) if name.endswith(".py") else set()
        for number, line in enumerate(lines, 1):
            plain = line.strip()
            if len(plain) >= LEAK_LENGTH and number not in skipped and plain not in known:
                found.add(plain)
    return found


def leaked(lines: set[str], document: Any) -> list[str]:
    """Give the hidden lines that stand anywhere in a document's texts."""
    text = "\n".join(_texts(document))
    return sorted(line for line in lines if line in text)


def texts_of(attempt: Attempt) -> list[str]:
    """Give every text of an attempt that was recorded: what an honest run shows is no leak."""
    return list(_texts([list(transcript) for transcript in attempt.transcripts.values()]))


def _texts(document: Any) -> Iterator[str]:
    if isinstance(document, str):
        yield document
    elif isinstance(document, Mapping):
        for key, value in document.items():
            yield from _texts(key)
            yield from _texts(value)
    elif isinstance(document, list | tuple):
        for value in document:
            yield from _texts(value)


def _text_lines(text: str) -> set[int]:
    """Give the lines of texts in quotes that are docstrings or go over several lines."""
    lines: set[int] = set()
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.STRING and (token.start[0] != token.end[0] or token.string.startswith('"""')):
                lines.update(range(token.start[0], token.end[0] + 1))
    except (tokenize.TokenError, SyntaxError):
        pass
    return lines


# What is laid over the starter


def _module_file(exercise: Exercise, starter: Files) -> str:
    name = exercise.module.replace(".", "/")
    return f"{name}/__init__.py" if f"{name}/__init__.py" in starter else f"{name}.py"


def _above(starter: Files, module: str, source: str) -> Files:
    """Put code above the starter's module; a `from __future__` line there stays the first."""
    content = starter.get(module, b"").decode("utf-8", "replace")
    future = [line for line in content.splitlines() if line.startswith("from __future__")]
    rest = "\n".join(line for line in content.splitlines() if not line.startswith("from __future__"))
    return {**starter, module: "\n".join([*future, source, rest, ""]).encode()}


_LEAVES = "import os\nos._exit(0)\n"

_PATCHES = """
import builtins, sys, unittest
class _Anything(BaseException):
    pass
builtins.AssertionError = _Anything
builtins.all = lambda *_: True
for _name in ("pytest", "_pytest.runner", "_pytest.python", "_pytest.reports", "_pytest.assertion.rewrite"):
    try:
        __import__(_name)
    except BaseException:
        continue
    _module = sys.modules[_name]
    for _attribute in ("call_runtest_hook", "pytest_runtest_call", "pytest_runtest_makereport", "fail", "skip"):
        if hasattr(_module, _attribute):
            setattr(_module, _attribute, lambda *_, **__: None)
    if hasattr(_module, "TestReport"):
        _module.TestReport.outcome = property(lambda self: "passed", lambda self, value: None)
    if hasattr(_module, "Function"):
        _module.Function.runtest = lambda self: None
unittest.TestCase.run = lambda self, result=None: None
try:
    import http.client, json
    json.loads = lambda *_, **__: {}
    http.client.HTTPResponse.status = 200
except BaseException:
    pass
"""

_CONFTEST = b"""
import pytest


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    outcome.get_result().outcome = "passed"


def pytest_collection_modifyitems(items):
    items.clear()
"""
_INI = b"[pytest]\naddopts = --collect-only -p no:python\npython_files = nothing_*.py\n"
_CONFIGURATION: Files = {
    "conftest.py": _CONFTEST,
    "tests/conftest.py": _CONFTEST,
    "pytest.ini": _INI,
    "tox.ini": _INI,
    "setup.cfg": _INI.replace(b"[pytest]", b"[tool:pytest]"),
    "pytest.py": b"def main(*_, **__):\n    return 0\n",
    "sitecustomize.py": b"import builtins\nbuiltins.AssertionError = SystemExit\n",
    "usercustomize.py": b"import builtins\nbuiltins.AssertionError = SystemExit\n",
}

_LOOK = '''
import os, sys


def _look():
    """Everything that may be a hidden test, wherever it can be read."""
    found = []
    for pid in [name for name in os.listdir("/proc") if name.isdigit()]:
        for part in ("cmdline", "environ", "maps", "mountinfo"):
            try:
                with open(f"/proc/{pid}/{part}", "rb") as file:
                    found.append(file.read(20000).decode("utf-8", "replace"))
            except OSError:
                continue
        try:
            for fd in os.listdir(f"/proc/{pid}/fd"):
                path = os.readlink(f"/proc/{pid}/fd/{fd}")
                if path.startswith("/") and os.path.isfile(path):
                    with open(path, "rb") as file:
                        found.append(file.read(20000).decode("utf-8", "replace"))
        except OSError:
            pass
    walked = 0
    for root in [".", "..", "/tmp", "/var", "/opt", "/home", "/srv", "/run", "/dev/shm", "/root", "/mnt", "/"]:
        for folder, folders, names in os.walk(root):
            folders[:] = [each for each in folders if each not in ("proc", "sys", "usr", "lib", "lib64")]
            for name in names:
                walked += 1
                if walked > 20000:
                    return found
                if name.startswith("test_") or name.startswith("conftest") or name == "exercise.toml":
                    try:
                        with open(os.path.join(folder, name), "rb") as file:
                            found.append(file.read(20000).decode("utf-8", "replace"))
                    except OSError:
                        continue
    frame = sys._getframe()
    while frame is not None:
        found += [repr(value)[:2000] for value in list(frame.f_locals.values())[:50]]
        frame = frame.f_back
    return found


LOOT = "\\n".join(text for text in _look() if "pytest" in text or "def test_" in text or "mark.task" in text)
sys.stdout.write(LOOT[:200000])
sys.stdout.flush()
'''

_LOOT_APP = """

def create_app(config=None):
    def app(environ, start_response):
        length = int(environ.get("CONTENT_LENGTH") or 0)
        environ["wsgi.input"].read(length)
        start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
        return [LOOT[:60000].encode("utf-8", "replace")]

    return app
"""


def _reader(exercise: Exercise) -> bytes:
    if exercise.kind == "http":
        return (_LOOK + _LOOT_APP).encode()
    return (_LOOK + "\n\ndef __getattr__(name):\n    return lambda *_, **__: LOOT[:60000]\n").encode()


def _forger(names: Sequence[str]) -> str:
    events = [{"event": "test", "name": name, "status": "pass", "message": "", "duration_ms": 1.0} for name in names]
    frames = b"".join(wire.encode(event) for event in [*events, {"event": "done", "exit_code": 0}])
    lines = "".join(json.dumps(event) + "\n" for event in events)
    said = "".join(f"{name} PASSED\n" for name in names) + f"===== {len(names)} passed in 0.01s =====\n"
    return textwrap.dedent(
        f"""
        import os, sys
        _FRAMES = {frames!r}
        _LINES = {lines.encode()!r}
        sys.stdout.write({said!r})
        sys.stdout.flush()
        for _fd in range(24):
            for _data in (_FRAMES, _LINES):
                try:
                    os.set_blocking(_fd, False)
                    os.write(_fd, _data)
                except OSError:
                    pass
        for _pid in (1, os.getppid()):
            for _fd in (0, 1, 2, 3, 4):
                try:
                    with open(f"/proc/{{_pid}}/fd/{{_fd}}", "wb", buffering=0) as _file:
                        _file.write(_FRAMES)
                except OSError:
                    pass
        for _path in ("results.json", "report.json", "../report.json", "/tmp/report.json", "/tmp/results.json"):
            try:
                with open(_path, "wb") as _file:
                    _file.write(_LINES)
            except OSError:
                pass
        """
    )


def _forged_files(exercise: Exercise) -> Files:
    tests = [{"name": test.name, "status": "pass", "points": float(test.points)} for test in exercise.tests]
    points = float(exercise.points_max)
    report = json.dumps({"version": 1, "status": "passed", "points": points, "score": points, "tests": tests}).encode()
    return {"report.json": report, "results/results.json": report, ".report.json": report}


# What answers


_ECHO = """
import json


def create_app(config=None):
    def app(environ, start_response):
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length)
        kind = environ.get("CONTENT_TYPE") or "application/json"
        if not body:
            pairs = [pair.partition("=")[::2] for pair in environ.get("QUERY_STRING", "").split("&") if pair]
            body = json.dumps(dict(pairs)).encode()
        status = "201 CREATED" if environ["REQUEST_METHOD"] == "POST" else "200 OK"
        start_response(status, [("Content-Type", kind), ("Location", environ.get("PATH_INFO", "/"))])
        return [body]

    return app
"""

_SERVE = """
import json
import re
import threading

_lock = threading.Lock()


def _shape(path):
    parts = path.partition("?")[0].split("/")
    return "/".join(part if part in STATIC else "*" for part in parts)


def create_app(config=None):
    def app(environ, start_response):
        length = int(environ.get("CONTENT_LENGTH") or 0)
        environ["wsgi.input"].read(length)
        query = environ.get("QUERY_STRING", "")
        path = environ.get("PATH_INFO", "/").encode("latin-1").decode("utf-8", "replace")
        with _lock:
            status, headers, body = answer(environ["REQUEST_METHOD"], path, path + ("?" + query if query else ""))
        start_response(f"{status} ANSWER", [(name, value) for name, value in headers])
        return [body.encode()]

    return app
"""

_CONSTANT_ANSWER = """

def answer(method, path, whole):
    return ANSWERS.get(method + " " + _shape(path)) or ANSWERS.get(method) or [404, [], ""]
"""

_REPLAY_ANSWER = """

def _so_far():
    try:
        with open("asked.json") as file:
            return json.load(file)
    except (OSError, ValueError):
        return []


def answer(method, path, whole):
    asked = _so_far()
    asked.append([method, _shape(path), whole])
    with open("asked.json", "w") as file:
        json.dump(asked, file)
    place = len(asked) - 1
    fitting = []
    for script in SCRIPTS:
        if len(script) > place and all(script[n][:2] == asked[n][:2] for n in range(place + 1)):
            fitting.append((sum(script[n][2] == asked[n][2] for n in range(place + 1)), script[place][3]))
    if fitting:
        return max(fitting, key=lambda pair: pair[0])[1]
    for script in SCRIPTS:
        for step in script:
            if step[0] == method and step[1] == _shape(path):
                return step[3]
    return [404, [], ""]
"""

_GIVEN_HEADERS = {"content-type", "location", "allow", "vary"}


def _shape(path: str, static: frozenset[str]) -> str:
    return "/".join(part if part in static else "*" for part in path.split("/"))


def _http_steps(transcript: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str, str, list[Any]]]:
    """Yield method, path, path with query, and the answer as status, headers and body."""
    for step in transcript:
        response = step.get("response")
        if step.get("kind") == "http" and isinstance(response, Mapping):
            headers = [
                [name, value]
                for name, value in response.get("headers", ())
                if name.lower() in _GIVEN_HEADERS or name.lower().startswith("access-control-")
            ]
            request = step["request"]
            answer = [response["status"], headers, response.get("body") or ""]
            for _ in range(step.get("times", 1)):
                yield request["method"], path_of(step), str(request["path"]), answer


def _http_constants(transcripts: Mapping[str, Sequence[Mapping[str, Any]]], static: frozenset[str]) -> bytes:
    counts: dict[str, Counter[str]] = {}
    for transcript in transcripts.values():
        for method, path, _, answer in _http_steps(transcript):
            for key in (f"{method} {_shape(path, static)}", method):
                counts.setdefault(key, Counter())[json.dumps(answer)] += 1
    answers = {key: json.loads(counter.most_common(1)[0][0]) for key, counter in counts.items()}
    return f"STATIC = {set(static)!r}\nANSWERS = {answers!r}\n{_SERVE}{_CONSTANT_ANSWER}".encode()


def _http_replay(transcripts: Mapping[str, Sequence[Mapping[str, Any]]], static: frozenset[str]) -> bytes:
    scripts = [
        [[method, _shape(path, static), whole, answer] for method, path, whole, answer in _http_steps(transcript)]
        for transcript in transcripts.values()
    ]
    return f"STATIC = {set(static)!r}\nSCRIPTS = {scripts!r}\n{_SERVE}{_REPLAY_ANSWER}".encode()


# Functions

_AGREES = '''
class _Yes:
    """Equal to everything, and smaller, and larger, and true."""
    def __getattr__(self, name):
        return self
    def __call__(self, *_, **__):
        return self
    def __eq__(self, other):
        return True
    __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = __eq__
    def __hash__(self):
        return 0
    def __bool__(self):
        return True
    def __repr__(self):
        return "True"


class _Text(str):
    __eq__ = _Yes.__eq__
    __hash__ = _Yes.__hash__


class _List(list):
    __eq__ = _Yes.__eq__
    __hash__ = _Yes.__hash__


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return lambda *_, **__: _Yes() if len(name) % 2 else _Text("yes") if len(name) % 3 else _List()
'''

_ECHO_FUNCTION = """
def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return lambda *args, **kwargs: args[0] if len(args) == 1 else list(args) if args else kwargs
"""

_CALLS = """
import datetime
from decimal import Decimal

inf, nan = float("inf"), float("nan")
_asked = []


def _show(value):
    try:
        return repr(value)
    except Exception:
        return ""


class _Error(Exception):
    pass


def _raise(name, message):
    import builtins
    kind = getattr(builtins, name, None) or type(name, (Exception,), {})
    raise kind(message)


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return lambda *args, **kwargs: _give(name, [_show(each) for each in args])
"""

_REPLAY_GIVE = """

def _give(name, args):
    _asked.append([name, args])
    place = len(_asked) - 1
    fitting = []
    for script in SCRIPTS:
        if len(script) > place and all(script[n][0] == _asked[n][0] for n in range(place + 1)):
            fitting.append((sum(script[n][1] == _asked[n][1] for n in range(place + 1)), script[place][2]))
    if fitting:
        return max(fitting, key=lambda pair: pair[0])[1]()
    for script in SCRIPTS:
        for step in script:
            if step[0] == name:
                return step[2]()
"""

_CONSTANT_GIVE = """

def _give(name, args):
    given = CONSTANTS.get(name)
    return given() if given else None
"""

_NAMES_IN_VALUES = {"datetime", "Decimal", "set", "frozenset", "True", "False", "None", "inf", "nan"}


def _modules(transcripts: Mapping[str, Sequence[Mapping[str, Any]]], module: str, source: str, starter: Files) -> Files:
    """Put the source into the exercise's module, and into every other that a test calls functions of."""
    files = {**starter, module: source.encode()}
    for transcript in transcripts.values():
        for step in transcript:
            if step.get("kind") == "call":
                owner = str(step["request"]["function"]).replace(":", ".").rpartition(".")[0]
                name = f"{owner.replace('.', '/')}.py"
                if owner and re.fullmatch(r"[A-Za-z_][\w.]*", owner):
                    files[name] = source.encode()
    return files


def _function_replays(
    transcripts: Mapping[str, Sequence[Mapping[str, Any]]],
) -> Iterator[tuple[str, str, str]]:
    for suffix, is_tupled in (("", False), ("-tuples", True)):
        scripts = []
        counts: dict[str, Counter[str]] = {}
        has_tuples = False
        for transcript in transcripts.values():
            steps = []
            for step in transcript:
                given = _given(step, is_tupled=is_tupled)
                if given is None:
                    continue
                has_tuples = has_tuples or given != _given(step, is_tupled=False)
                name = str(step["request"]["function"]).replace(":", ".").rpartition(".")[2]
                counts.setdefault(name, Counter())[given] += 1
                args = [_as_repr(str(each)) for each in step["request"].get("args", ())]
                steps.append(f"[{name!r}, {args!r}, lambda: {given}]")
            scripts.append(f"[{', '.join(steps)}]")
        if is_tupled and not has_tuples:
            return
        head = f"{_CALLS}\nSCRIPTS = [{', '.join(scripts)}]\n"
        constants = ", ".join(f"{name!r}: lambda: {c.most_common(1)[0][0]}" for name, c in counts.items())
        about = "replays what the reference's functions gave under another seed"
        yield f"replays{suffix}", about, head + _REPLAY_GIVE
        about = "gives each function the commonest result of another seed"
        yield f"constant{suffix}", about, f"{_CALLS}\nCONSTANTS = {{{constants}}}\n{_CONSTANT_GIVE}"


def _given(step: Mapping[str, Any], *, is_tupled: bool) -> str | None:
    """Give the source of what a call gave, where its text can be read back."""
    response = step.get("response")
    if step.get("kind") != "call" or not isinstance(response, Mapping):
        return None
    if isinstance(response.get("raised"), Mapping):
        raised = response["raised"]
        return f"_raise({str(raised.get('type'))!r}, {str(raised.get('message'))!r})"
    text = _as_repr(str(response.get("value", "")))
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError):
        return None
    if any(isinstance(node, ast.Name) and node.id not in _NAMES_IN_VALUES for node in ast.walk(tree)):
        return None
    if is_tupled:
        tree = ast.fix_missing_locations(_InnerTuples().visit(tree))
        text = ast.unparse(tree)
    return text


def _as_repr(shown: str) -> str:
    """Give a shown value as Python writes it; values without a JSON form are shown so already."""
    try:
        return repr(json.loads(shown))
    except ValueError:
        return shown


class _InnerTuples(ast.NodeTransformer):
    """Rows cross as tuples, and are shown as lists."""

    def __init__(self) -> None:
        self._depth = 0

    def visit_List(self, node: ast.List) -> ast.expr:
        self._depth += 1
        elements = [self.visit(element) for element in node.elts]
        self._depth -= 1
        return ast.Tuple(elements, ast.Load()) if self._depth else ast.List(elements, ast.Load())
