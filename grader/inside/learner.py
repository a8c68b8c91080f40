"""The learner's process: load their code and serve it, or answer calls of their functions.

Runs in a fork of the keeper, after every limit is in force. What it says goes over `notes`, one JSON object a line, and is data
that nobody vouches for: of a statement (see `statements`), or `{"crash": {...}}` an exception with the learner's own frames.
"""

from __future__ import annotations

import importlib
import inspect
import json
import logging
import os
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import Any, NoReturn

from . import statements, suite, values, wire

MAX_NOTE_BYTES = 3500
"""Below PIPE_BUF, so that notes of several processes never mix on the pipe."""

THREADS = 6
"""Of the WSGI server, at most: enough for requests that a test sends at the same moment."""

MAX_FRAMES = 8
MAX_LOCALS = 8


@dataclass(frozen=True)
class Job:
    """What this process is to do.

    `code` is the folder with the learner's files; `config`, in the form of `values`, is given to `create_app`.
    """

    kind: str
    code: str
    port: int
    module: str
    config: Any
    database: str | None
    notes: int
    control: int | None


class CannotStart(Exception):
    """The submission lacks something that the exercise asks for. The text is in the learner's words."""


class StartsItself(Exception):
    """The learner's file runs a server while it is being imported."""


class _Notes:
    """Notes to the keeper. A full or closed pipe loses the note, never the learner's request."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        os.set_blocking(fd, False)

    def send(self, note: Mapping[str, Any]) -> None:
        line = json.dumps(note).encode() + b"\n"
        if len(line) > MAX_NOTE_BYTES:
            return
        try:
            os.write(self._fd, line)
        except OSError:
            pass


def run(job: Job) -> NoReturn:
    """Do the job until the process is ended; exit code 1 when the learner's code can't be loaded."""
    notes = _Notes(job.notes)
    os.chdir(job.code)
    sys.path.insert(0, job.code)  # where a script's folder would be
    if job.database is not None:
        statements.watch(notes.send)
    try:
        if job.kind == "http":
            _serve(job, notes)
        elif job.kind == "suite":
            _answer(job, lambda message: _run_tests(job, message))
        else:
            _answer_calls(job, {job.module: _load(job.module, job.code)} if job.module else {})
    except BaseException as error:  # noqa: BLE001  whatever the learner's code raises, `SystemExit` too, is told
        notes.send({"crash": {**describe(error, job.code), "phase": "start"}})
        sys.stdout.flush()
        if not isinstance(error, (CannotStart, StartsItself, SyntaxError)):
            sys.stderr.write(own_traceback(error, job.code))
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)


def _load(name: str, code: str) -> Any:
    wanted = os.path.join(code, *name.split(".")) + ".py"
    if not os.path.isfile(wanted) and not os.path.isdir(wanted.removesuffix(".py")):
        raise CannotStart(f"`{name.replace('.', '/')}.py` was not found")
    try:
        return importlib.import_module(name)
    except (SyntaxError, ValueError) as error:
        # Python says neither which file it is nor where.
        if "null bytes" in str(error) and getattr(error, "filename", None) is None:
            raise _null_bytes(wanted) from error
        raise


def _null_bytes(path: str) -> SyntaxError:
    with open(path, "rb") as file:
        before = file.read().partition(b"\0")[0]
    error = SyntaxError("it holds null bytes, which no text has")
    error.filename, error.lineno = path, before.count(b"\n") + 1
    return error


def _a_thing(value: object) -> str:
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} `{name}`"


def _serve(job: Job, notes: _Notes) -> None:
    import flask
    import waitress.server

    def refuse_to_run(*_arguments: Any, **_options: Any) -> NoReturn:
        raise StartsItself("your file starts the server itself: `app.run()` was called while it was being imported")

    def log_exception(app: Any, exc_info: Any) -> None:
        # Flask's own, but with the frames of the learner's files only.
        error = exc_info[1] if isinstance(exc_info, tuple) else exc_info
        request = flask.request
        told = own_traceback(error, job.code)
        app.logger.error("Exception on %s [%s]\n%s", request.path, request.method, told, stacklevel=2)

    setattr(flask.Flask, "run", refuse_to_run)  # noqa: B010  set this way, mypy asks nothing of it
    setattr(flask.Flask, "log_exception", log_exception)  # noqa: B010
    module = _load(job.module, job.code)
    config = None if job.config is None else values.decode(job.config)
    factory = getattr(module, "create_app", None)
    app: Any
    if factory is not None and not callable(factory):
        raise CannotStart(f"`create_app` in `{job.module}.py` is no function, but {_a_thing(factory)}")
    if factory is not None:
        takes_config = any(
            parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD, parameter.VAR_POSITIONAL)
            for parameter in inspect.signature(factory).parameters.values()
        )
        app = factory(config) if takes_config and config is not None else factory()
        if app is None:
            raise CannotStart(f"`create_app` in `{job.module}.py` returned `None`: the app was not returned")
        configured = takes_config
    else:
        app = getattr(module, "app", None)
        configured = False
        if app is None:
            raise CannotStart(f"`create_app` was not found in `{job.module}.py`")
    if not callable(app):
        where = "what `create_app` returned" if factory is not None else "`app`"
        raise CannotStart(f"{where} in `{job.module}.py` is no app, but {_a_thing(app)}")
    if config is not None and not configured and hasattr(app, "config"):
        app.config.update(config)
    if isinstance(app, flask.Flask):

        def note_crash(_sender: Any, exception: BaseException, **_extra: Any) -> None:
            notes.send({"crash": {**describe(exception, job.code), "phase": "request"}})

        flask.got_request_exception.connect(note_crash, app, weak=False)
    if job.control is not None:
        # Calls of the learner's functions find the process in which their app runs.
        modules = {job.module: module}
        threading.Thread(target=_answer_calls, args=(job, modules), daemon=True).start()
    # What the server says of its own queue is nothing that the learner printed.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)

    def tell_crash(record: logging.LogRecord) -> bool:
        # What Flask didn't catch: an app without it, or a body that is made while it is sent.
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            notes.send({"crash": {**describe(error, job.code), "phase": "request"}})
            record.msg, record.args = f"{record.getMessage()}\n{own_traceback(error, job.code).rstrip()}", ()
            record.exc_info = None
        return True

    logging.getLogger("waitress").addFilter(tell_crash)
    server = waitress.server.create_server(
        app,
        host="127.0.0.1",
        port=job.port,
        threads=1,
        ident=None,
        clear_untrusted_proxy_headers=False,
    )
    _grow_when_busy(server.task_dispatcher)
    server.run()


def _grow_when_busy(dispatcher: Any) -> None:
    """Start the server's other threads when requests wait: most tests send one at a time, and each thread costs its start."""
    add = dispatcher.add_task

    def add_task(task: Any) -> None:
        threads = len(dispatcher.threads)
        if len(dispatcher.queue) >= threads - dispatcher.active_count and threads < THREADS:
            dispatcher.set_thread_count(threads + 1)
        add(task)

    dispatcher.add_task = add_task


def _answer_calls(job: Job, modules: dict[str, Any]) -> None:
    _answer(job, lambda message: _call(message, modules, job))


def _run_tests(job: Job, message: Mapping[str, Any]) -> dict[str, Any]:
    (order,) = message["args"]
    return {"value": values.encode(suite.run(job.code, order))}


def _answer(job: Job, reply: Callable[[Mapping[str, Any]], dict[str, Any]]) -> None:
    """Answer the keeper until it closes the stream; what the learner's code printed meanwhile is out before each answer."""
    assert job.control is not None
    control = job.control
    wire.write(control, {"ready": True})
    decoder = wire.Decoder()
    while data := os.read(control, 65536):
        for message in decoder.feed(data):
            told = reply(message)
            sys.stdout.flush()
            sys.stderr.flush()
            wire.write(control, told)


def _call(message: Mapping[str, Any], modules: dict[str, Any], job: Job) -> dict[str, Any]:
    module_name, _, function_name = message["function"].replace(":", ".").rpartition(".")
    module_name = module_name or job.module
    opened: list[Callable[[], None]] = []
    try:
        if module_name not in modules:
            modules[module_name] = _load(module_name, job.code)
        function = getattr(modules[module_name], function_name, None)
        if not callable(function):
            raise CannotStart(f"`{function_name}` was not found in `{module_name}.py`")
        arguments = [_special(values.decode(item), job, opened) for item in message["args"]]
        named = {name: _special(values.decode(item), job, opened) for name, item in message["kwargs"].items()}
        return {"value": values.encode(function(*arguments, **named))}
    except values.Unreadable as error:
        return {"unreadable": str(error)}
    except BaseException as error:  # noqa: BLE001  it is the learner's, and goes to the test as a value
        return {"raised": describe(error, job.code)}
    finally:
        for close in opened:
            try:
                close()
            except Exception:  # noqa: BLE001  what the learner did to it must not end the process
                pass


def _special(value: Any, job: Job, opened: list[Callable[[], None]]) -> Any:
    if not isinstance(value, values.Special):
        return value
    if value.name == "connection":
        import sqlite3

        connection = sqlite3.connect(job.database or ":memory:")
        opened.append(connection.close)
        return connection
    import sqlalchemy
    import sqlalchemy.orm

    engine = sqlalchemy.create_engine(f"sqlite:///{job.database or ''}")
    session = sqlalchemy.orm.Session(engine)
    opened += [session.close, engine.dispose]
    return session


def describe(error: BaseException, code: str) -> dict[str, Any]:
    """Describe an exception: type, message, and the frames that lie in the learner's folder, each with simple locals."""
    description: dict[str, Any] = {
        "type": type(error).__name__,
        "message": _text(error)[:500],
        "frames": _frames(error.__traceback__, code),
    }
    if isinstance(error, SyntaxError) and (error.filename or "").startswith(code + os.sep):
        description["syntax"] = {
            "file": os.path.relpath(str(error.filename), code)[:200],
            "line": error.lineno or 0,
            "column": error.offset or 0,
            "code": (error.text or "").rstrip("\n")[:200],
            "message": str(error.msg)[:300],
        }
    if isinstance(error, (CannotStart, StartsItself)):
        description["own"] = True
    while len(json.dumps(description)) > MAX_NOTE_BYTES - 100 and description["frames"]:
        last = description["frames"][-1]
        if last["values"]:
            last["values"] = {}
        else:
            description["frames"].pop()
    return description


def own_traceback(error: BaseException, code: str) -> str:
    """Write a traceback as Python does, with the frames that lie in the learner's folder, and its causes alike."""
    told = traceback.TracebackException.from_exception(error)
    each: traceback.TracebackException | None = told
    while each is not None:
        each.stack = traceback.StackSummary.from_list(
            [frame for frame in each.stack if frame.filename.startswith(code + os.sep)]
        )
        each = each.__cause__ or each.__context__
    return "".join(told.format()).replace(f'"{code}{os.sep}', '"')


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001  a learner's own exception may fail to say anything
        return ""


def _frames(trace: TracebackType | None, code: str) -> list[dict[str, Any]]:
    frames = []
    for frame, line in traceback.walk_tb(trace):
        path = frame.f_code.co_filename
        if not path.startswith(code + os.sep):
            continue
        frames.append(
            {
                "file": os.path.relpath(path, code)[:200],
                "line": line,
                "function": frame.f_code.co_name[:100],
                "code": _line_of(path, line),
                "values": _simple_locals(frame),
            }
        )
    return frames[-MAX_FRAMES:]


def _line_of(path: str, line: int) -> str:
    import linecache

    return linecache.getline(path, line).strip()[:200]


def _simple_locals(frame: FrameType) -> dict[str, str]:
    shown: dict[str, str] = {}
    for name, value in frame.f_locals.items():
        if name.startswith("__") or not isinstance(
            value, (str, int, float, bool, bytes, type(None), list, dict, tuple)
        ):
            continue
        try:
            text = repr(value)
        except Exception:  # noqa: BLE001  a learner's __repr__ may fail
            continue
        shown[name[:50]] = text if len(text) <= 80 else text[:79] + "…"
        if len(shown) == MAX_LOCALS:
            break
    return shown
