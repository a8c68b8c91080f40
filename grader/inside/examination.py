"""What the examiner box does: it runs the hidden tests with pytest, and tells the host each result as it comes."""

from __future__ import annotations

import base64
import gc
import importlib
import json
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any

import pytest
from _pytest.outcomes import Skipped

from . import wire
from .alone import alone
from .client import Client, Transcript
from .fake import Fake
from .fault import DidNotStart, GraderFault, TestTimeout, Wrong
from .fixture import App, Call, Database, Suite, after_start, fold, sent, show, tell_limits, written
from .link import Link

if TYPE_CHECKING:
    from .contract import OpenAPI
    from .matrix import Matrix

MAX_EVENT_BYTES = 250_000
OUTPUT_SHOWN = 4000
RING_AGAIN_S = 0.01
TRIAL_SHARE = 5
"""A trial of the usual start after one that took all of its time gets a fifth of it: a reference starts within that."""

_KINDS = {"str": "a text", "int": "a whole number", "bool": "true or false", "list": "a list", "dict": "an object"}
_KIND = re.compile(rf"assert False\n \+  where False = isinstance\((?P<value>.*), (?P<name>{'|'.join(_KINDS)})\)")
_REFUSES = f" = {Database.refuses.__name__}("
"""How pytest tells of calls in an assertion that compares nothing."""

# Plugins of pytest that a grading has no use for; each costs start-up time, some write to disk or read the environment.
_LEFT_OUT = (
    "cacheprovider capture debugging doctest faulthandler junitxml logging nose pastebin setuponly setupplan stepwise "
    "legacypath terminal terminalprogress tmpdir threadexception unraisableexception unittest warnings recwarn subtests"
)
_ARGUMENTS = ["--import-mode=prepend", "--strict-markers"]


class _Needs(Skipped):
    """The test means nothing, because another one did not pass."""

    def __init__(self, name: str) -> None:
        super().__init__(f"needs `{name}`")
        self.name = name


class _Clock:
    """The time that one test has. It stands still while the app starts, which has a limit of its own."""

    def __init__(self) -> None:
        self._blame: bool | None = None
        signal.signal(signal.SIGALRM, self._ring)

    def begin(self, seconds: float) -> None:
        signal.setitimer(signal.ITIMER_REAL, seconds)

    def end(self) -> float:
        return signal.setitimer(signal.ITIMER_REAL, 0)[0]

    @contextmanager
    def paused(self) -> Iterator[None]:
        left = self.end()
        try:
            yield
        finally:
            if left > 0:
                self.begin(left)

    def _ring(self, _signal: int, frame: FrameType | None) -> None:
        while frame is not None:
            module = frame.f_globals.get("__name__")
            if module == Link.__module__ and frame.f_code is not Link.wait.__code__:
                self.begin(RING_AGAIN_S)  # in the middle of a message, which must not be lost
                return
            if module in (Client.__module__, Link.__module__):
                raise TestTimeout("solution")
            frame = frame.f_back
        raise TestTimeout("test")


class _TimedApp(App):
    """An app whose start doesn't count as the test's time, and that knows whether any start ever succeeded."""

    has_ever_started = False

    def __init__(self, link: Link, settings: Mapping[str, Any], transcript: Transcript, clock: _Clock) -> None:
        super().__init__(link, settings, transcript)
        self._clock = clock
        self.failed_plain = False

    def _start(self, env: Mapping[str, str | None], config: Mapping[str, Any] | None, *, is_fresh: bool) -> None:
        with self._clock.paused():
            try:
                super()._start(env, config, is_fresh=is_fresh)
            except DidNotStart:
                self.failed_plain = not env and config is None
                raise
            _TimedApp.has_ever_started = True

    def can_start(self, *, within_s: float) -> bool:
        """Say whether the app starts with fresh files in the usual way."""
        limit_s, self.start_s = self.start_s, within_s
        try:
            self.reset()
            self._start({}, None, is_fresh=True)
        except Wrong:
            return False
        finally:
            self.start_s = limit_s
        return True


class Examination:
    """A pytest plugin: the fixtures of the hidden tests, and the report of each test as an event."""

    def __init__(
        self,
        link: Link,
        settings: Mapping[str, Any],
        *,
        expected: Mapping[str, str] | None = None,
        many: bool = False,
    ) -> None:
        """`expected`: these tests are collected before there is a submission; settings come once it is there.

        `many`: submission after submission is examined, each in a fork of this process.
        """
        self._link = link
        self._settings = settings
        self._expected = expected
        self._many = many
        self.is_fork = False
        self._uncollected: list[dict[str, str]] = []
        self.unexpected: Mapping[str, Any] | None = None
        """What the host wants examined, where that is something else than what was collected."""

        self._clock = _Clock()
        self._transcript = Transcript()
        self._app: _TimedApp | None = None
        self._openapi: OpenAPI | None = None
        self._compared: tuple[str, Any, Any] | None = None
        self._outcome: dict[str, Any] = {}
        self._passed: set[str] = set()
        self._seen: set[str] = set()
        self._stops = False
        self._is_last = False
        self._next_starts_itself = False

    def begin(self) -> None:
        """Tell the seed, and make what a test draws without a fixture follow it."""
        self._link.event("seed", seed=self._settings["seed"])
        random.seed(self._settings["seed"])

    def _meet(self) -> bool:
        """Wait for the submission that the collected tests were expected to be for; `False` where it wants others.

        Where there are many, only a fork returns `True`.
        """
        while True:
            message = self._link.receive()
            settings = message["settings"]
            if message["files"] != self._expected or len(_seeds(settings)) > 1:
                self.unexpected = message
                return False
            if not self._many or self._forks():
                self._settings = {**settings, "seed": _seeds(settings)[0]}
                self.begin()
                return True

    def _forks(self) -> bool:
        """Fork; say `True` in the fork, and `False` in this process, once the fork has done its work."""
        gc.freeze()
        pid = os.fork()
        if pid == 0:
            self.is_fork = True
            return True
        if os.waitpid(pid, 0)[1] != 0:
            os._exit(1)  # which the fork has told the reason of
        self._link.forget()
        self._link.event("ready")
        return False

    # Fixtures

    @pytest.fixture
    def app(self) -> App:
        """The learner's app."""
        return self._the_app()

    @pytest.fixture
    def client(self) -> Client:
        """A visitor of the learner's app."""
        return Client(self._the_app().current_port, self._transcript, float(self._settings["limits"]["test_s"]))

    @pytest.fixture
    def call(self) -> Call:
        """Calls of the learner's functions."""
        is_app = self._settings["kind"] == "http"
        return Call(self._link, self._transcript, self._the_app().ensure_started if is_app else self._note_use)

    @pytest.fixture
    def db(self) -> Database:
        """The database of the solution box."""
        return Database(self._link, self._transcript, self._note_use)

    @pytest.fixture
    def suite(self) -> Suite:
        """The learner's own tests, run by pytest in the solution box."""
        is_app = self._settings["kind"] == "http"
        return Suite(self._link, self._transcript, self._the_app().note_cleared if is_app else self._note_use)

    @pytest.fixture
    def matrix(self) -> Matrix:
        """A table of roles and routes, asked over HTTP."""
        from .matrix import Matrix

        return Matrix()

    @pytest.fixture
    def openapi(self) -> OpenAPI:
        """What reads OpenAPI documents, as a validator does."""
        if self._openapi is None:
            from .contract import OpenAPI

            self._openapi = OpenAPI()
        return self._openapi

    @pytest.fixture
    def rng(self, request: pytest.FixtureRequest) -> random.Random:
        """A random generator that the seed and the test's name decide."""
        return random.Random(f"{self._settings['seed']}:{request.node.name}")

    @pytest.fixture
    def fake(self, request: pytest.FixtureRequest) -> Fake:
        """Made-up data that the seed and the test's name decide."""
        return Fake(random.Random(f"{self._settings['seed']}:fake:{request.node.name}"))

    def _the_app(self) -> _TimedApp:
        if self._app is None:
            self._app = _TimedApp(self._link, self._settings, self._transcript, self._clock)
        return self._app

    def _note_use(self) -> None:
        if self._settings["kind"] == "http":
            self._the_app().has_touched_state = True

    # What pytest tells

    def pytest_configure(self, config: pytest.Config) -> None:
        config.addinivalue_line(
            "markers", "task(id, points=1): the task that the test belongs to, and what it is worth"
        )
        config.addinivalue_line("markers", "needs(*names): skip the test when one of these did not pass")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._uncollected.append({"where": report.nodeid, "text": str(report.longrepr)[-4000:]})

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        if self._expected is not None and not self._meet():
            session.items.clear()
            return
        for each in self._uncollected:
            self._link.event("collect-error", **each)
        if self._settings.get("order") == "backward":
            session.items[:] = _backward(session.items)
        self._link.event("collected", names=[_name(item) for item in session.items])

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> Any:
        self._transcript = Transcript()
        self._app = self._app if self._settings["fresh"] == "exercise" else None
        self._compared = None
        self._outcome = {"status": "error", "message": "the test did not end"}
        self._link.asked = None
        self._is_last = nextitem is None
        self._next_starts_itself = nextitem is not None and _starts_itself(nextitem)
        if self._settings["fresh"] == "test" and not self._is_last:
            self._link.send("spare")
        # What passes leaves no transcript, unless the author's proof of the exercise wants to compare data.
        self._link.asked = [] if self._settings.get("record") else None
        self._link.event("start", name=_name(item))
        started = time.monotonic()
        result = yield
        self._outcome["duration_ms"] = round((time.monotonic() - started) * 1000, 1)
        name = _name(item)
        if self._outcome["status"] != "pass":
            self._passed.discard(name)
        elif name not in self._seen:
            self._passed.add(name)
        self._seen.add(name)
        self._link.event("test", name=name, **_bounded(self._outcome))
        if self._stops:
            item.session.shouldstop = "the submission can't be tested"
        return result

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        missing = [name for name in _needed(item) if name not in self._passed]
        if missing:
            raise _Needs(missing[0])

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Any:
        self._clock.begin(float(self._settings["limits"]["test_s"]))
        try:
            return (yield)
        finally:
            self._clock.end()

    def pytest_assertrepr_compare(self, op: str, left: object, right: object) -> None:
        self._compared = (op, left, right)

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        # Nobody reads pytest's own text of a failure, and it can't write one of every failure: where the test's time ends at
        # an instruction that belongs to no line, it ends with an internal error.
        for name in ("repr_failure", "_repr_failure_py"):
            setattr(item, name, lambda *_, **__: "told as an event")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
        report = yield
        if call.when == "setup" and call.excinfo is None:
            return report
        if call.when == "teardown":
            if call.excinfo is not None and self._outcome["status"] == "pass":
                self._outcome.update(self._judge(call.excinfo.value, is_call=False))
            return report
        error = None if call.excinfo is None else call.excinfo.value
        self._outcome = self._judge(error, is_call=call.when == "call")
        is_recorded = bool(self._settings.get("record"))
        if is_recorded:
            self._outcome["asked"] = list(self._link.asked or ())
        if is_recorded or self._outcome["status"] in ("fail", "error"):
            self._add_evidence(self._outcome)
        if self._settings["fresh"] == "test" and not (self._is_last or self._stops or self._link.is_lost):
            # While pytest winds this test up, the box is cleared and the next app starts.
            self._link.send("reset" if self._next_starts_itself else "ahead")
        return report

    # Judging

    def _judge(self, error: BaseException | None, *, is_call: bool) -> dict[str, Any]:
        try:
            return self._judge_plainly(error, is_call=is_call)
        except Exception as fault:  # noqa: BLE001  what a submission sent must not end the whole examination
            message = f"what came can't be told: {type(fault).__name__}"
            return {"status": "fail" if self._has_spoken() else "error", "message": message}

    def _has_spoken(self) -> bool:
        """Say whether the learner's code had a part in this test, so that what went wrong may be its doing."""
        return bool(self._transcript.steps) or (self._app is not None and self._app.has_touched_state)

    def _judge_plainly(self, error: BaseException | None, *, is_call: bool) -> dict[str, Any]:
        if error is None:
            return {"status": "pass"}
        if isinstance(error, _Needs):
            return {"status": "skip", "needs": error.name}
        if isinstance(error, pytest.skip.Exception):
            return {"status": "skip", "message": str(error)}
        if isinstance(error, Wrong):
            if isinstance(error, DidNotStart) and self._is_hopeless(error):
                self._stops = True
            if error.deciding is not None and error.deciding.step is not None:
                self._transcript.decide(error.deciding.step)
            return {
                "status": "fail",
                "symptom": error.symptom,
                "message": error.message,
                "expected": None if error.expected is None else _words(error.expected),
                "got": None if error.got is None else _words(error.got),
                "is_start": isinstance(error, DidNotStart),
                "stops": self._stops,
            }
        if isinstance(error, TestTimeout):
            limit = self._settings["limits"]["test_s"]
            if error.args[0] == "solution" or self._transcript.steps:
                return {"status": "fail", "symptom": "timeout", "message": self._tell_timeout(limit)}
            return {"status": "error", "message": f"the hidden test did not end within {limit:g} s by itself"}
        is_claim = is_call or self._has_spoken()
        if isinstance(error, AssertionError) and is_claim:
            return self._judge_assertion(error)
        if isinstance(error, pytest.fail.Exception) and is_claim:
            return {"status": "fail", "message": str(error)[:2000]}
        # No answer of the learner's makes an import fail.
        if isinstance(error, (GraderFault, ImportError)) or not self._has_spoken() or not isinstance(error, Exception):
            return {"status": "error", "message": _one_line(error)}
        return {"status": "fail", "symptom": "shape", "message": _tell_shape(error)}

    def _tell_timeout(self, limit: float) -> str:
        last: dict[str, Any] = self._transcript.steps[-1] if self._transcript.steps else {"kind": "app"}
        if last["kind"] == "http" and "response" not in last:
            return f"no whole answer came within {limit:g} s"
        if last["kind"] == "call" and "response" not in last:
            return f"`{last['request']['function']}` did not return within {limit:g} s"
        return f"all that the test asked for was not done within {limit:g} s"

    def _is_hopeless(self, error: DidNotStart) -> bool:
        if self._settings["kind"] == "http":
            if _TimedApp.has_ever_started:
                return False
            # A start with a test's own environment may fail by what the test asks for; the usual start tells.
            app = self._the_app()
            within_s = app.start_s / TRIAL_SHARE if error.symptom == "timeout" else app.start_s
            return app.failed_plain or not app.can_start(within_s=within_s)
        return not self._passed

    def _judge_assertion(self, error: AssertionError) -> dict[str, Any]:
        outcome: dict[str, Any] = {"status": "fail", "message": _own_message(error)}
        if self._compared is not None:
            op, left, right = self._compared
            outcome["expected"], outcome["got"] = _expected_and_got(op, left, right)
            outcome["op"] = op
        elif kind := _KIND.match(str(error)):
            outcome["expected"], outcome["got"] = _KINDS[kind["name"]], kind["value"]
        elif _REFUSES in str(error) and self._transcript.steps and "refused" in self._transcript.steps[-1]:
            step = self._transcript.steps[-1]
            self._transcript.decide(step)
            outcome["expected"], outcome["got"] = _refusal(step["refused"], step["response"].get("error"))
        return outcome

    def _add_evidence(self, outcome: dict[str, Any]) -> None:
        steps = self._transcript.steps
        talks = [step for step in steps if step["kind"] in ("http", "call")]
        if talks and not any("is_deciding" in step for step in steps):
            talks[-1]["is_deciding"] = True
        outcome["transcript"] = steps
        if self._link.is_lost:
            return
        try:
            evidence = self._link.ask("evidence")
        except Wrong:
            return
        outcome["output"] = str(evidence["output"])[-OUTPUT_SHOWN:]
        outcome["statements"] = fold(after_start(written(sent(evidence))))
        crashes = [crash for crash in evidence["crashes"] if isinstance(crash, dict)]
        if crashes:
            outcome["crash"] = crashes[-1]
        outcome["ended"] = evidence["ended"]
        outcome["limits"] = evidence["limits"]
        reached = tell_limits(evidence["limits"], self._settings["limits"])
        if reached and outcome["status"] == "fail" and not outcome.get("is_start"):
            outcome["message"] = (
                f"your app was stopped: {reached}" if evidence["ended"] else f"a limit was reached: {reached}"
            )


def _name(item: pytest.Item) -> str:
    return str(getattr(item, "originalname", None) or item.name)


def _starts_itself(item: pytest.Item) -> bool:
    """Say whether a test starts the app in a way of its own, in its function or in one of its file's that it names."""
    test = getattr(item, "function", None)
    named = [getattr(test, "__globals__", {}).get(name) for name in _names(test)]
    return any(App.start.__name__ in _names(function) for function in (test, *named))


def _names(function: object) -> tuple[str, ...]:
    code = getattr(function, "__code__", None)
    return code.co_names if isinstance(code, CodeType) else ()


def _needed(item: pytest.Item) -> list[str]:
    return [name for mark in item.iter_markers("needs") for name in mark.args]


def _backward(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Put tests in the opposite order, but each behind those that it needs."""
    left, ordered = list(items), []
    while left:
        waiting = {_name(item) for item in left}
        last = next(place for place in reversed(range(len(left))) if waiting.isdisjoint(_needed(left[place])))
        ordered.append(left.pop(last))
    return ordered


def _one_line(error: BaseException) -> str:
    lines = traceback.format_exception_only(error)
    where = traceback.extract_tb(error.__traceback__)
    place = f" ({os.path.basename(where[-1].filename)}:{where[-1].lineno})" if where else ""
    return (lines[-1].strip() if lines else type(error).__name__)[:1000] + place


def _own_message(error: AssertionError) -> str:
    """Give the message that the author wrote into the assertion, never the source that pytest adds to it."""
    text = str(error)
    head, separator, _ = text.partition("\nassert ")
    if separator:
        return head[:2000]
    return "" if text.startswith("assert ") else text[:2000]


def _tell_shape(error: Exception) -> str:
    if isinstance(error, KeyError) and error.args:
        return f"the answer has no `{str(error.args[0])[:100]}`"
    if isinstance(error, IndexError):
        return "the answer has fewer items than the test looks for"
    if isinstance(error, (TypeError, AttributeError)):
        return "the answer has another shape than the test looks for"
    return f"the answer can't be used: {type(error).__name__}: {str(error)[:200]}"


_WORDS = {
    "!=": "something else than {}",
    "<": "less than {}",
    "<=": "at most {}",
    ">": "more than {}",
    ">=": "at least {}",
    "is": "{}",
    "is not": "something else than {}",
}


def _expected_and_got(op: str, left: object, right: object) -> tuple[str, str]:
    if op == "in" and isinstance(right, range) and right.step == 1:
        return f"a number from {right.start} to {right.stop - 1}", _plain(left)
    if op in ("in", "not in") and isinstance(right, tuple):  # no answer is one: the author wrote it
        listed = ", ".join(show(value, 300) for value in right)
        return f"{'one of' if op == 'in' else 'none of'} {listed}"[:4000], _plain(left)
    if op == "in":
        return f"something that contains {show(left, 1500)}", _plain(right)
    if op == "not in":
        return f"something without {show(left, 1500)}", _plain(right)
    return _WORDS.get(op, "{}").replace("{}", _plain(right)), _plain(left)


def _refusal(is_refused: bool, error: str | None) -> tuple[str, str]:
    if is_refused:
        return "the database takes it", f"it refused it: {error}"
    return "the database refuses it", "it took it" if error is None else f"another error: {error}"


def _words(value: object) -> str:
    return value[:4000] if isinstance(value, str) else show(value)


def _plain(value: object) -> str:
    if isinstance(value, str) and ("\n" in value or len(value) > 200):
        return value[:4000]
    return show(value)


def _bounded(outcome: dict[str, Any]) -> dict[str, Any]:
    """Take bodies out of the middle of a transcript until the event is small enough, but for the step that decided."""
    steps: Sequence[dict[str, Any]] = outcome.get("transcript") or ()
    size = len(json.dumps(outcome, default=repr))
    for step in list(steps)[1:-2]:
        if size <= MAX_EVENT_BYTES:
            break
        if "is_deciding" in step:
            continue
        for part in ("request", "response"):
            if isinstance(step.get(part), dict) and step[part].get("body"):
                size -= len(json.dumps(step[part]["body"]))
                step[part]["body"] = None
                step[part]["truncated"] = True
    if size > MAX_EVENT_BYTES and len(steps) > 12:
        outcome["transcript"] = [*steps[:6], *(step for step in steps[6:-6] if "is_deciding" in step), *steps[-6:]]
    return outcome


def examine(link: Link, message: Mapping[str, Any]) -> None:
    """Run the tests that the host sent, once for each seed; the last event is `done`."""
    folder = _lay_out(message["files"])
    settings = message["settings"]
    code = 0
    for place, seed in enumerate(_seeds(settings)):
        if place:
            _forget_modules(folder)
            link.ask("reset")
        examination = Examination(link, {**settings, "seed": seed})
        examination.begin()
        code = run_pytest(folder, [examination])
    link.event("done", exit_code=code)
    shutil.rmtree(folder, ignore_errors=True)


def examine_expected(link: Link, files: Mapping[str, str], *, many: bool) -> None:
    """Collect tests, wait for the examination, and run it: from what was collected, where these are the tests that it wants.

    `many`: a fork runs it, and this process waits for the next one.
    """
    folder = _lay_out(files)
    examination = Examination(link, {}, expected=files, many=many)
    code = run_pytest(folder, [examination])
    if examination.unexpected is not None:
        _forget_modules(folder)
        examine(link, examination.unexpected)
    elif many and not examination.is_fork:
        raise GraderFault(f"pytest ended with {code} while it waited for a submission")
    else:
        link.event("done", exit_code=code)
        if many:
            link.receive()  # the host's farewell, so that nothing of what it sent is left for the next fork
            return
    shutil.rmtree(folder, ignore_errors=True)


def _lay_out(files: Mapping[str, str]) -> str:
    folder = tempfile.mkdtemp(prefix="tests-")
    for name, content in files.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(base64.b64decode(content))
    os.chdir(folder)
    return folder


def _seeds(settings: Mapping[str, Any]) -> Sequence[int]:
    seeds: Sequence[int] = settings.get("seeds") or [settings["seed"]]
    return seeds


def run_pytest(folder: str, plugins: list[Any]) -> int:
    """Run pytest in this process on a folder, without configuration from anywhere."""
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    return int(pytest.main([*_ARGUMENTS, *alone(folder, without=_LEFT_OUT)], plugins=plugins))


def warm_up() -> None:
    """Run pytest once on nothing: its first session in a process costs far more than those that follow.

    Import what some tests need, too.
    """
    importlib.import_module(".cookies", __package__)
    folder = tempfile.mkdtemp(prefix="warm-")
    with open(os.path.join(folder, "test_nothing.py"), "w", encoding="ascii") as file:
        file.write("def test_nothing():\n    assert True\n")
    run_pytest(folder, [])
    _forget_modules(folder)
    shutil.rmtree(folder, ignore_errors=True)


def _forget_modules(folder: str) -> None:
    """Let the next session import what lies in a folder anew."""
    for name in [
        name for name, module in sys.modules.items() if str(getattr(module, "__file__", "")).startswith(folder)
    ]:
        del sys.modules[name]


def serve() -> None:
    """Serve the host: one examination, then the end. With the argument `warm`, get ready for it first.

    With the argument `many`, examine again and again, as long as the tests are those that the host said to expect.
    """
    receive_fd, send_fd = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(nothing, fd)
    link = Link(receive_fd, send_fd)
    try:
        if "warm" in sys.argv[1:]:
            warm_up()
        gc.freeze()
        gc.enable()  # this was started without
        link.event("up")
        message = link.receive()
        if "settings" in message:
            examine(link, message)
        else:
            examine_expected(link, message["files"], many="many" in sys.argv[1:])
    except BaseException:  # noqa: BLE001  the host is told of whatever ended the examiner
        wire.write(send_fd, {"event": "crash", "text": traceback.format_exc()[-4000:]})
        os._exit(1)
    os._exit(0)
