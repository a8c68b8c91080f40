"""Frames on a byte stream: four bytes of length, big endian, then that many bytes of JSON (one object)."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterator, Mapping
from typing import Any

MAX_FRAME_BYTES = 16 * 1024 * 1024
"""The largest frame from the host to a box: a submission of 8 MiB as base64, and some."""

_LENGTH = struct.Struct(">I")


class BadFrame(Exception):
    """The stream does not hold frames, or one that is too large. What follows in it means nothing."""


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


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
        message = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BadFrame(f"not JSON: {error}") from None
    if not isinstance(message, dict):
        raise BadFrame("not a JSON object")
    return message


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


def write(fd: int, message: Mapping[str, Any]) -> None:
    """Write one frame whole, to a blocking descriptor."""
    view = memoryview(encode(message))
    while view:
        view = view[os.write(fd, view) :]
