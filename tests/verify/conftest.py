"""A tiny exercise in prose and code, and a fake sandbox that runs its tests in this process: quick, and no isolation."""

from __future__ import annotations

import inspect
import json
import random
import shutil
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from grader.sandbox.choose import Choice
from grader.sandbox.fake import FakeSandbox
from grader.sandbox.pod import Listener, Pod, PodResult

ID = "exercise-04-late-fee"

TOML = """\
format = 1
title = "Work out the late fee"
kind = "function"
track = "teamwork/contracts"
difficulty = 1
minutes = 10
teaches = "rules"

[function]
module = "fees"

[[tasks]]
id = "fee"
title = "Charge for late days"
points = 3
hints = ["Which days count?", "A condition chooses: https://docs.python.org/3/tutorial/controlflow.html", "`if ____:`"]

[[tasks]]
id = "names"
title = "Greet the member"
points = 1
hints = ["Where is the name?", "Texts are joined: https://docs.python.org/3/library/string.html", "`return ____`"]

[[mutants]]
id = "no-grace"
about = "charges within the days of grace"
fails = ["test_grace"]
help = "the first days cost nothing"

[[mutants]]
id = "flat"
about = "takes the same for every late return"
fails = ["test_fee"]

[[mutants]]
id = "unnamed"
about = "greets nobody"
fails = ["test_greeting"]

[[alternatives]]
id = "one-line"
when = "when the rule is short enough for one line"
"""

README = """\
# Work out the late fee

The library lends for three weeks, and it is patient: a few days of grace cost nothing. The desk wants the rule in code.

## 1. Charge for late days

`fee(days)` gives 0 up to `GRACE` days, and beyond them 10 cents for every day, the first ones too.

## 2. Greet the member

`greeting(name)` gives `Hello, ` and the name.

## How it will be tested

- A late return costs ten cents for every day.
- A return within the days of grace costs nothing, and the day after costs all of its days.
- A member is greeted by name.
"""

TESTS = '''\
import pytest


@pytest.mark.task("fee", points=2)
def test_fee(call, rng):
    """A late return costs ten cents for every day."""
    for _ in range(3):
        days = rng.randrange(10, 400)
        assert call("fee", days) == days * 10


@pytest.mark.task("fee", points=1)
def test_grace(call):
    """A return within the days of grace costs nothing, and the day after costs all of its days."""
    assert call("fee", 0) == 0
    assert call("fee", 3) == 0
    assert call("fee", 4) == 40


@pytest.mark.task("names", points=1)
def test_greeting(call, rng):
    """A member is greeted by name."""
    name = f"Noor {rng.randrange(1000)}"
    assert call("greeting", name) == f"Hello, {name}"
'''

STARTER = '''\
"""The desk's rules."""

GRACE = 3


def fee(days):
    """What a return costs, in cents."""
    # TODO: the rule
    return None


def greeting(name):
    """What the desk says."""
    # TODO: the greeting
    return ""
'''

REFERENCE = '''\
"""The desk's rules."""

GRACE = 3


def fee(days):
    """What a return costs, in cents."""
    if days <= GRACE:
        return 0
    return days * 10


def greeting(name):
    """What the desk says."""
    return f"Hello, {name}"
'''

OTHER_WAY = REFERENCE.replace(
    "    if days <= GRACE:\n        return 0\n    return days * 10", "    return days * 10 if days > GRACE else 0"
)

FILES: Mapping[str, str] = {
    "exercise.toml": TOML,
    "README.md": README,
    "notes.md": "Out of scope: holidays and lost books.\n",
    "starter/fees.py": STARTER,
    "reference/fees.py": REFERENCE,
    "alternatives/one-line/fees.py": OTHER_WAY,
    "mutants/no-grace/fees.py": REFERENCE.replace("if days <= GRACE", "if days <= 0"),
    "mutants/flat/fees.py": REFERENCE.replace("days * 10", "990"),
    "mutants/unnamed/fees.py": REFERENCE.replace('f"Hello, {name}"', '"Hello, you"'),
    "tests/test_fees.py": TESTS,
}

Edit = Callable[[str], str] | str | None


def make(course: Path, *, id: str = ID, **edits: Edit) -> Path:
    """Make the exercise and give its folder.

    An edit is named after its file (`exercise_toml`, `tests_test_fees_py`, or a path through `files`): a text replaces
    the file, a function changes it, None removes it.
    """
    folder = course / "exercises" / id
    names = {name.replace("/", "_").replace(".", "_").replace("-", "_"): name for name in FILES}
    for name, content in FILES.items():
        write(folder / name, content)
    for key, edit in edits.items():
        change(folder, names.get(key, key), edit)
    return folder


def change(folder: Path, name: str, edit: Edit) -> None:
    """Change one file of an exercise."""
    path = folder / name
    if edit is None:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    elif isinstance(edit, str):
        write(path, edit)
    else:
        before = path.read_text("utf-8")
        after = edit(before)
        assert after != before, f"the edit of {name} changes nothing"
        write(path, after)


def write(path: Path, content: str) -> None:
    """Write a file, with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, "utf-8")


def swap(old: str, new: str) -> Callable[[str], str]:
    """Give an edit that puts one text in place of another, which must be there."""

    def edit(text: str) -> str:
        assert old in text, old
        return text.replace(old, new)

    return edit


class FixtureLookupError(Exception):
    """Plays pytest's own, of a fixture that isn't there."""


class InProcess(FakeSandbox):
    """Plays what the hidden tests themselves say: they and the submission run here, without any isolation."""

    def run(self, pod: Pod, listen: Listener | None = None) -> PodResult:
        self.pods.append(pod)
        events: list[dict[str, Any]] = []

        def tell(event: dict[str, Any]) -> None:
            events.append(event)
            if listen is not None:
                listen(event)

        is_recorded = bool(pod.examiner.settings.get("record"))
        for name, content in pod.examiner.files.items():
            # This process's own pytest knows no mark `task`, and refuses it.
            namespace: dict[str, Any] = {"pytest": _MARKS, "_Absent": FixtureLookupError}
            try:
                exec(compile(content.replace(b"import pytest\n", b"\n", 1), name, "exec"), namespace)
            except Exception as error:  # noqa: BLE001  whatever it is, it is the test's
                line = getattr(error, "lineno", None) or error.__traceback__.tb_next.tb_lineno  # type: ignore[union-attr]
                text = f"{name}:{line}: in <module>\nE   {type(error).__name__}: {error}"
                tell({"event": "collect-error", "where": name, "text": text})
                return PodResult(events=tuple(events), ending="done")
            tests = [(test, function) for test, function in namespace.items() if test.startswith("test_")]
            for test, function in reversed(tests) if pod.examiner.settings.get("order") == "backward" else tests:
                tell(self._play(pod, test, function, is_recorded))
        tell({"event": "done", "exit_code": 0})
        return PodResult(events=tuple(events), ending="done", durations_ms={"pod": 20.0})

    def _play(self, pod: Pod, name: str, function: Any, is_recorded: bool) -> dict[str, Any]:
        transcript: list[dict[str, Any]] = []
        rng = random.Random(f"{pod.examiner.settings['seed']}:{name}")
        values = {"rng": rng, "call": _caller(pod, transcript)}
        outcome: dict[str, Any] = {"status": "pass", "message": ""}
        try:
            function(**{key: values[key] for key in inspect.signature(function).parameters})
        except AssertionError as error:
            outcome = {"status": "fail", "message": str(error).partition("\n")[0]}
        except TimeoutError:  # plays the end of a test's time
            message = "all that the test asked for was not done within 5 s"
            outcome = {"status": "fail", "symptom": "timeout", "message": message}
        except Exception as error:  # noqa: BLE001  whatever it is, it is the test's
            outcome = {"status": "error", "message": f"{type(error).__name__}: {error}"}
        if is_recorded or outcome["status"] == "fail":
            outcome["transcript"] = transcript
        if is_recorded:
            outcome["asked"] = [json.dumps(step["request"]) for step in transcript]
        return {"event": "test", "name": name, "duration_ms": 5.0, **outcome}


_MARKS = types.SimpleNamespace(
    mark=types.SimpleNamespace(task=lambda *_, **__: lambda test: test, needs=lambda *_: lambda test: test)
)


def _caller(pod: Pod, transcript: list[dict[str, Any]]) -> Callable[..., Any]:
    module = types.ModuleType("submission")
    source = pod.solution.files["fees.py"].decode()
    problem = ""
    try:
        if "os._exit" in source or "/proc" in source or "builtins.AssertionError" in source:
            raise SystemExit("it would leave, look or patch, and this is the tests' own process")
        exec(compile(source, "fees.py", "exec"), module.__dict__)
    except BaseException as error:  # noqa: BLE001  whatever it is, it is the submission's
        problem = str(error)

    def call(function: str, *args: Any) -> Any:
        assert not problem, problem
        step: dict[str, Any] = {
            "kind": "call",
            "request": {"function": function, "args": [json.dumps(a) for a in args]},
        }
        transcript.append(step)
        try:
            value = getattr(module, function)(*args)
            shown = json.dumps(value)
        except Exception as error:
            raise AssertionError(f"{function} raised {error}") from error
        step["response"] = {"value": shown}
        return json.loads(shown)

    return call


@pytest.fixture
def fake() -> Choice:
    """A choice of the sandbox that runs here."""
    return Choice(InProcess(), "a test asked for it")
