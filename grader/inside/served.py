"""A hidden app that the examiner serves on a port of its own, in a process that knows nothing else.

The learner's code may speak to it, so it is kept apart from the examination: its process holds neither the stream to the
host nor anything else but the listening socket, it has limits of its own, and it ends with the test. Nothing that it is
sent decides a result. What it answers is only what the learner's code gets to see.
"""

from __future__ import annotations

import os
import resource
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from typing import Any, NoReturn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from .libc import PR_SET_PDEATHSIG, prctl

WSGIApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

MAX_BODY_BYTES = 1024 * 1024
MAX_THREADS = 12
SILENCE_S = 10
CPU_S = 60
DATA_MIB = 384


class _Handler(WSGIRequestHandler):
    timeout = SILENCE_S

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def address_string(self) -> str:
        return str(self.client_address[0])


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, listener: socket.socket, app: WSGIApp) -> None:
        host, port = listener.getsockname()[:2]
        super().__init__((host, port), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.server_name, self.server_port = host, port  # without looking the name up
        self.setup_environ()
        self.set_app(_bounded(app))
        self._free = threading.Semaphore(MAX_THREADS)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._free.acquire()
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # a visitor that went away


def _bounded(app: WSGIApp) -> WSGIApp:
    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        length = environ.get("CONTENT_LENGTH") or "0"
        if not length.isascii() or not length.isdecimal() or len(length) > 9 or int(length) > MAX_BODY_BYTES:
            start_response("413 Content Too Large", [("Content-Type", "text/plain")])
            return [b"too large\n"]
        return app(environ, start_response)

    return answer


@contextmanager
def serving(app: WSGIApp) -> Iterator[str]:
    """Serve a WSGI app on a free port of 127.0.0.1 for as long as the block lasts; give its address."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    try:
        port = listener.getsockname()[1]
        pid = os.fork()
        if pid == 0:
            _serve(listener, app)
    finally:
        listener.close()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _serve(listener: socket.socket, app: WSGIApp) -> NoReturn:
    """Become the process of the app."""
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        nothing = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(nothing, fd)
        sys.stdout = sys.stderr = open(1, "w", closefd=False)  # noqa: SIM115  what the app says is nobody's to read
        kept = socket.socket(fileno=os.dup2(listener.detach(), 3))
        os.closerange(4, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
        for which, most in ((resource.RLIMIT_CPU, CPU_S), (resource.RLIMIT_DATA, DATA_MIB * 1024 * 1024)):
            resource.setrlimit(which, (most, most))
        _Server(kept, app).serve_forever(poll_interval=3600)
    finally:
        os._exit(1)
