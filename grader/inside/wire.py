"""Frames on a byte stream: four bytes of length, big endian, then that many bytes of JSON (one object)."""

from __future__ import annotations

import json
import math
import os
import struct
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import socket

MAX_FRAME_BYTES = 16 * 1024 * 1024
"""The largest frame from the host to a box: a submission of 8 MiB as base64, and some."""

MAX_DEPTH = 200
"""Far from where the JSON of any Python gives up, so that what was read can always be written again, with more around it."""

_LENGTH = struct.Struct(">I")


class BadFrame(Exception):
    """The stream does not hold frames, or one that is too large. What follows in it means nothing."""


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:40]} is not a number")
    return number


def encode(message: Mapping[str, Any]) -> bytes:
    """Give the frame of a message."""
    body = json.dumps(message, separators=(",", ":"), allow_nan=False).encode("utf-8", "surrogatepass")
    return _LENGTH.pack(len(body)) + body


def decode(body: bytes) -> dict[str, Any]:
    """Read a frame's body.

    Raises:
        BadFrame: it isn't a JSON object, or one nested too deeply.
    """
    try:
        message = json.loads(body, parse_constant=_refuse_constant, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise BadFrame(f"not JSON: {error}") from None
    if not isinstance(message, dict):
        raise BadFrame("not a JSON object")
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH and is_deeper(message, MAX_DEPTH):
        raise BadFrame(f"nested more than {MAX_DEPTH} deep")
    return message


def is_deeper(value: Any, levels: int) -> bool:
    """Say whether lists and objects are nested in one another more than so many levels deep."""
    layer = [value] if isinstance(value, (dict, list)) else []
    for _ in range(levels):
        if not layer:
            return False
        layer = [
            inner
            for outer in layer
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, (dict, list))
        ]
    return bool(layer)


class Decoder:
    """Cuts a stream that arrives in pieces into messages."""

    def __init__(self, max_bytes: int = MAX_FRAME_BYTES) -> None:
        self._max_bytes = max_bytes
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[dict[str, Any]]:
        """Take a piece; give every message that it completes.

        Raises:
            BadFrame: the stream is no sequence of frames of at most `max_bytes` each.
        """
        self._buffer += data
        while len(self._buffer) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer)
            if length > self._max_bytes:
                raise BadFrame(f"a frame of {length} bytes, more than {self._max_bytes}")
            end = _LENGTH.size + length
            if len(self._buffer) < end:
                return
            body = bytes(self._buffer[_LENGTH.size : end])
            del self._buffer[:end]
            yield decode(body)


def exchange(asked: socket.socket, message: bytes, deadline: float) -> Iterator[bytes]:
    """Send a message, then give what comes back, piece by piece, until nobody asks for more.

    Raises:
        OSError: the other side is gone, or the deadline (monotonic seconds) has passed.
    """
    while (left := deadline - time.monotonic()) > 0:
        asked.settimeout(left)
        if message:
            message = message[asked.send(message) :]
            continue
        data = asked.recv(1 << 20)
        if not data:
            raise ConnectionResetError
        yield data
    raise TimeoutError


def write(fd: int, message: Mapping[str, Any]) -> None:
    """Write one frame whole, to a blocking descriptor."""
    view = memoryview(encode(message))
    while view:
        view = view[os.write(fd, view) :]
