"""The engine's calls: in plain HTTP where all goes well, and by the SDK where they come to anything else."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from typing import Any

import pytest

from grader.error import SandboxError
from grader.grading import grade
from grader.sandbox import engine
from grader.sandbox.choose import Choice
from grader.sandbox.docker import DockerSandbox
from grader.sandbox.engine import Engine, judged
from tests.conftest import ROOT, make_sandbox
from tests.situation import reference, shop

NAME = "kata-test"

Answer = tuple[int, bytes]


class _Server(ThreadingMixIn, UnixStreamServer):
    daemon_threads = True


class _SDK:
    """In place of the SDK's client: it notes what it is asked for."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*_arguments: Any, **_options: Any) -> Any:
            if name != "close":
                self.calls.append(name)
            return {"of": "the SDK"}

        return call


@contextmanager
def _engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answers: Sequence[Answer]
) -> Iterator[tuple[Engine, _SDK, list[str]]]:
    """Give an engine on a socket that answers in this order, the SDK in its place, and what the socket was asked."""
    asked: list[str] = []
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def address_string(self) -> str:
            return "a socket"

        def log_message(self, *_arguments: object) -> None:
            pass

        def answer(self) -> None:
            asked.append(f"{self.command} {self.path.partition('?')[0]}")
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, body = left.pop(0)
            if not status:
                self.wfile.write(body)
                return
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_DELETE = answer

    path = str(tmp_path / "engine.sock")
    with _Server(path, Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(engine, "engine_socket", lambda: path)
        sdk = _SDK()
        with closing(Engine()) as made:
            monkeypatch.setattr(made, "_sdk", sdk)
            yield made, sdk, asked
        server.shutdown()


@pytest.mark.parametrize(
    ("call", "answer", "asked"),
    [
        (lambda made: made.create(NAME, {}), (201, b'{"Id": "1"}'), "POST /containers/create"),
        (lambda made: made.start(NAME), (204, b""), f"POST /containers/{NAME}/start"),
        (lambda made: made.remove(NAME), (204, b""), f"DELETE /containers/{NAME}"),
        (lambda made: made.remove(NAME), (404, b"{}"), f"DELETE /containers/{NAME}"),
        (lambda made: made.ping(), (200, b""), "GET /_ping"),
    ],
)
def test_what_goes_well_needs_no_sdk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Callable[[Engine], None], answer: Answer, asked: str
) -> None:
    """One request each."""
    with _engine(tmp_path, monkeypatch, [answer]) as (made, sdk, heard):
        call(made)
    assert heard == [asked]
    assert sdk.calls == []


BY_SDK: Sequence[tuple[str, Callable[[Engine], Any]]] = [
    ("create_container_from_config", lambda made: made.create(NAME, {})),
    ("start", lambda made: made.start(NAME)),
    ("attach_socket", lambda made: made.attach(NAME)),
    ("containers", lambda made: made.containers("label")),
    ("inspect_container", lambda made: made.inspect(NAME)),
]
NO_ANSWERS: Sequence[Answer] = [(500, b"{}"), (404, b"{}"), (0, b"nonsense\r\n\r\n"), (0, b""), (200, b"{no json")]


@pytest.mark.parametrize(
    ("by_sdk", "call", "answer"),
    # What follows the head of an answer to `attach` is the stream, whatever it is.
    [(*way, answer) for way in BY_SDK for answer in NO_ANSWERS if (way[0], answer[0]) != ("attach_socket", 200)],
)
def test_anything_else_is_asked_again_of_the_sdk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_sdk: str, call: Callable[[Engine], Any], answer: Answer
) -> None:
    """Refusals, and what is no answer at all."""
    with _engine(tmp_path, monkeypatch, [answer]) as (made, sdk, _):
        found = call(made)
    assert sdk.calls == [by_sdk]
    assert found in (None, {"of": "the SDK"})


def test_what_the_engine_tells_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As JSON."""
    answers = [(200, json.dumps(each).encode()) for each in ([{"Id": "1"}], {"State": {}})]
    with _engine(tmp_path, monkeypatch, answers) as (made, sdk, _):
        assert made.containers("label") == [{"Id": "1"}]
        assert made.inspect(NAME) == {"State": {}}
    assert sdk.calls == []


def test_a_container_that_is_held_is_removed_a_moment_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By another one that shares its network, or by a removal that has begun."""
    with _engine(tmp_path, monkeypatch, [(409, b"{}"), (409, b"{}"), (204, b"")]) as (made, sdk, asked):
        made.remove(NAME)
    assert len(asked) == 3
    assert sdk.calls == []


def test_a_grading_that_goes_well_imports_no_sdk() -> None:
    """It would take a tenth of the time."""
    make_sandbox("docker")
    code = """
import sys
from grader.grading import grade
from grader.sandbox.choose import Choice
from grader.sandbox.docker import DockerSandbox
from tests.situation import reference, shop
assert grade(shop(), reference(), Choice(DockerSandbox(), "a test asked for it")).status == "passed"
assert "docker" not in sys.modules and "requests" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@pytest.mark.docker
def test_by_the_sdk_alone_a_grading_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with an engine on another machine, or behind TLS."""
    make_sandbox("docker")
    monkeypatch.setattr(engine, "engine_socket", lambda: "tcp://elsewhere")
    report = grade(shop(), reference(), Choice(DockerSandbox(), "a test asked for it"))
    assert report.status == "passed", report.message


@pytest.mark.parametrize("call", [lambda made: made.ping(), lambda made: made.attach(NAME)], ids=["ping", "attach"])
def test_an_engine_that_is_silent_is_waited_for_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Callable[[Engine], Any]
) -> None:
    """The SDK would wait as long again."""
    path = tmp_path / "engine.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        monkeypatch.setattr(engine, "engine_socket", lambda: str(path))
        monkeypatch.setattr(engine, "ENGINE_S", 0.2)
        with pytest.raises(SandboxError, match="stopped answering"), closing(Engine()) as made:
            call(made)
        assert made._sdk is None


def test_an_engine_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it is on another machine."""
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    with pytest.raises(SandboxError, match="no container engine answers: connection refused"), judged():
        Engine().ping()
