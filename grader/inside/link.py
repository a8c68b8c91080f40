"""The examiner's line to the solution box: requests relayed by the host, and what comes of its own accord."""

from __future__ import annotations

import hashlib
import os
import select
from collections.abc import Mapping
from typing import Any

from . import wire
from .fault import GraderFault, Wrong

BY_CHANCE = ("address",)
"""What in a request no seed has drawn, and no digest of it holds."""


class Link:
    """Frames with the host on two descriptors of the examiner's own. The learner can reach neither."""

    def __init__(self, receive_fd: int, send_fd: int) -> None:
        self._receive_fd = receive_fd
        self._send_fd = send_fd
        self._decoder = wire.Decoder()
        self._replies: dict[int, dict[str, Any]] = {}
        self._unread: list[dict[str, Any]] = []
        self._next_id = 1
        self.endings: dict[int, dict[str, Any]] = {}
        self.is_lost = False
        self.asked: list[str] | None = None
        """A short digest of every request, where a recording asked for it."""

    def event(self, event: str, **fields: Any) -> None:
        """Tell the host something that goes into the result."""
        wire.write(self._send_fd, {"event": event, **fields})

    def receive(self) -> dict[str, Any]:
        """Wait for a message of the host itself.

        Raises:
            GraderFault: the host closed the stream.
        """
        while not self._unread:
            self._read(None)
        return self._unread.pop(0)

    def forget(self) -> None:
        """Forget what came: it was for a fork of this process, which reads on to a message's end."""
        self._decoder = wire.Decoder()
        self._replies.clear()
        self._unread.clear()
        self.endings.clear()
        self.is_lost = False

    def send(self, op: str, **fields: Any) -> int:
        """Send a request to the solution box without waiting; give its id."""
        number = self._next_id
        self._next_id += 1
        if self.asked is not None:
            drawn = {name: value for name, value in fields.items() if name not in BY_CHANCE}
            self.asked.append(hashlib.sha256(wire.encode({"op": op, **drawn})).hexdigest()[:16])
        wire.write(self._send_fd, {"ask": {"id": number, "op": op, **fields}})
        return number

    def ask(self, op: str, **fields: Any) -> Mapping[str, Any]:
        """Send a request to the solution box and wait for its reply.

        Raises:
            Wrong: the solution box is gone.
        """
        number = self.send(op, **fields)
        while number not in self._replies:
            if self.is_lost:
                raise Wrong(
                    "ended", "your app's box ended: a limit was reached, or your code ended every process in it"
                )
            self._read(None)
        reply = self._replies.pop(number)
        if isinstance(reply.get("error"), str):
            raise GraderFault(reply["error"])
        return reply

    def look(self, seconds: float) -> None:
        """Take what has come from the host, waiting at most so long for something."""
        self._read(seconds)

    def wait(self, seconds: float | None) -> bool:
        """Wait for the host to say something. The only place of this class where a test's clock may ring.

        Anywhere else an exception would lose a piece of the stream, and with it the sense of all that follows.
        """
        return bool(select.select([self._receive_fd], [], [], seconds)[0])

    def _read(self, seconds: float | None) -> None:
        if not self.wait(seconds):
            return
        data = os.read(self._receive_fd, 1 << 20)
        if not data:
            raise GraderFault("the host closed the examiner's stream")
        for message in self._decoder.feed(data):
            if "id" in message:
                self._replies[message["id"]] = message
            elif message.get("event") == "ended":
                self.endings[message["generation"]] = message
            elif message.get("event") == "lost":
                self.is_lost = True
            else:
                self._unread.append(message)
        # A reply that nobody waits for (of a request that was only sent) must not pile up.
        if len(self._replies) > 1000:
            self._replies.clear()
