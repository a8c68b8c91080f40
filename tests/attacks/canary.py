"""A service on this machine's loopback network that notes who connects to it."""

from __future__ import annotations

import socket
import threading
from typing import Self


class Canary:
    """Listens while the context lasts. Where the port is taken, another test's canary has it, and that one does as well."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None
        self.visitors: list[str] = []

    def __enter__(self) -> Self:
        listener = socket.socket()
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", self._port))
            listener.listen()
        except OSError:
            listener.close()
            return self
        self._socket = listener
        threading.Thread(target=self._serve, args=(listener,), daemon=True).start()
        return self

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                visitor, address = listener.accept()
            except OSError:
                return
            self.visitors.append(str(address))
            visitor.sendall(b"canary\n")
            visitor.close()

    def __exit__(self, *_exception: object) -> None:
        if self._socket is not None:
            self._socket.shutdown(socket.SHUT_RDWR)
            self._socket.close()
