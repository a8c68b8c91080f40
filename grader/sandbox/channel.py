"""A box's stream over two pipes, for the sandboxes that start plain processes."""

from __future__ import annotations

import os
import select
import time


class PipeChannel:
    """The host's ends of a box's standard input and output. A box that doesn't read can't hold the host."""

    def __init__(self, send_fd: int, receive_fd: int) -> None:
        self._send_fd = send_fd
        self._receive_fd = receive_fd
        os.set_blocking(send_fd, False)

    def fileno(self) -> int:
        """Give the descriptor that becomes readable."""
        return self._receive_fd

    def receive(self) -> bytes:
        """Read what is there; empty at the end."""
        try:
            return os.read(self._receive_fd, 1 << 18)
        except OSError:
            return b""

    def send(self, data: bytes, deadline: float) -> None:
        """Write all of it before the deadline.

        Raises:
            OSError: the box is gone, or did not read in time.
        """
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self._send_fd, view) :]
            except BlockingIOError:
                left = deadline - time.monotonic()
                if left <= 0 or not select.select([], [self._send_fd], [], left)[1]:
                    raise TimeoutError("the box did not read in time") from None

    def read_line(self, deadline: float) -> bytes:
        """Read up to a line's end, byte by byte, so that nothing after it is taken.

        Raises:
            OSError: the stream ended or the deadline came first.
        """
        line = b""
        while not line.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._receive_fd], [], [], left)[0]:
                raise TimeoutError("the box did not start in time")
            byte = os.read(self._receive_fd, 1)
            if not byte:
                raise ConnectionResetError("the box ended while it started")
            line += byte
        return line

    def close(self) -> None:
        """Close both ends."""
        for fd in (self._send_fd, self._receive_fd):
            try:
                os.close(fd)
            except OSError:
                pass
