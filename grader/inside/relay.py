"""Pieces of another stream, marked: what a fork server and the host say to each other, and what they pass on for a box.

A piece is one byte of kind, four bytes of length, big endian, and that many bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

MAX_PIECE_BYTES = 64 * 1024 * 1024

BEGIN = b"b"
"""To the server: make a box. It answers `BEGUN`, or `CANNOT` with the reason."""
DATA = b"d"
"""For the box, or from it."""
END = b"e"
"""To the server: end the box, where there is one. It answers `GONE`."""
AGAIN = b"a"
"""To the server: say once more that the box has ended."""
BEGUN = b"u"
CANNOT = b"x"
ENDED = b"i"
"""The box ended by itself, and nothing more comes from it. With the limits that it had reached, as a JSON list."""
GONE = b"g"
"""The box has been ended, and nothing of it is left. With its limits, like `ENDED`."""

_HEADER = struct.Struct(">cI")


class BadPiece(Exception):
    """The stream holds no pieces, or one that is too large."""


def pack(kind: bytes, data: bytes = b"") -> bytes:
    """Give a piece."""
    return _HEADER.pack(kind, len(data)) + data


class Unpacker:
    """Cuts a stream that arrives in any lengths into pieces."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Take what came; give kind and content of every piece that it completes.

        Raises:
            BadPiece: see there.
        """
        self._buffer += data
        while len(self._buffer) >= _HEADER.size:
            kind, length = _HEADER.unpack_from(self._buffer)
            if length > MAX_PIECE_BYTES:
                raise BadPiece(f"a piece of {length} bytes, more than {MAX_PIECE_BYTES}")
            end = _HEADER.size + length
            if len(self._buffer) < end:
                return
            content = bytes(self._buffer[_HEADER.size : end])
            del self._buffer[:end]
            yield kind, content
