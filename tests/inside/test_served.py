"""What the examiner serves to the learner's tests is kept apart from the examination."""

from __future__ import annotations

import os
import socket
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from grader.inside import served
from grader.inside.processes import descendants


def _echo(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    length = int(environ.get("CONTENT_LENGTH") or 0)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["REQUEST_METHOD"].encode(), b" ", environ["wsgi.input"].read(length)]


def _raises(_environ: dict[str, Any], _start_response: Callable[..., Any]) -> Iterable[bytes]:
    raise ZeroDivisionError


def test_an_app_is_served_as_long_as_the_block_lasts() -> None:
    """A test that ends, however it does, leaves neither a process nor a listening port."""
    before = descendants(os.getpid())
    with served.serving(_echo) as address:
        with urllib.request.urlopen(address, data=b"hello", timeout=5) as reply:
            assert reply.read() == b"POST hello"
        assert len(descendants(os.getpid())) == len(before) + 1

    assert descendants(os.getpid()) == before
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(address, timeout=5)


def test_its_process_holds_its_socket_and_nothing_else() -> None:
    """Whoever took it over would find no stream to the host, and no file of the examination."""
    read_fd, write_fd = os.pipe()
    before = set(descendants(os.getpid()))
    try:
        with served.serving(_echo) as address:
            with urllib.request.urlopen(address, timeout=5) as reply:
                reply.read()
            (child,) = set(descendants(os.getpid())) - before
            targets = {os.readlink(f"/proc/{child}/fd/{fd}") for fd in os.listdir(f"/proc/{child}/fd")}
    finally:
        os.close(read_fd)
        os.close(write_fd)

    assert [name for name in targets if name.startswith("pipe:")] == []
    assert {name for name in targets if name.startswith("/")} <= {"/dev/null"}


def test_an_app_that_raises_answers_500_and_goes_on() -> None:
    """A broken hidden app looks as any broken app does."""
    with served.serving(_raises) as address:
        for _ in range(2):
            with pytest.raises(urllib.error.HTTPError, match="500") as caught:
                urllib.request.urlopen(address, timeout=5)
            caught.value.close()


def test_a_body_that_is_too_large_is_refused() -> None:
    """What an app reads is bounded before it reads."""
    with served.serving(_echo) as address:
        request = urllib.request.Request(address, headers={"Content-Length": str(served.MAX_BODY_BYTES + 1)})
        with pytest.raises(urllib.error.HTTPError, match="413") as caught:
            urllib.request.urlopen(request, timeout=5)
        caught.value.close()


def test_visitors_that_say_nothing_do_not_keep_others_out() -> None:
    """A few open connections are no reason to wait."""
    with served.serving(_echo) as address:
        port = int(address.rpartition(":")[2])
        silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(served.MAX_THREADS - 1)]
        with urllib.request.urlopen(address, timeout=5) as reply:
            assert reply.status == 200
        for connection in silent:
            connection.close()
