"""Pieces of a stream, however it is cut on its way."""

from __future__ import annotations

import itertools
import random

import pytest

from grader.inside import relay

PIECES = [
    (relay.BEGIN, b""),
    (relay.DATA, b"d" * 5 + b"\0\0\0\7"),
    (relay.DATA, b""),
    (relay.ENDED, b'["memory"]'),
    (relay.DATA, random.Random(1).randbytes(300)),
    (relay.GONE, b""),
]
STREAM = b"".join(relay.pack(kind, content) for kind, content in PIECES)


def test_every_cut_gives_the_same_pieces() -> None:
    """In two anywhere, byte by byte, all at once, and at random: also within a header."""
    cuts = [[place] for place in range(len(STREAM) + 1)]
    cuts += [list(range(len(STREAM)))]
    cuts += [sorted(random.Random(seed).choices(range(len(STREAM)), k=seed % 9)) for seed in range(200)]
    for places in cuts:
        unpacker = relay.Unpacker()
        ends = [0, *places, len(STREAM)]
        got = [piece for start, end in itertools.pairwise(ends) for piece in unpacker.feed(STREAM[start:end])]
        assert got == PIECES, places


def test_a_piece_comes_as_soon_as_it_is_whole() -> None:
    """Nothing waits for the piece after it, and what is there of that one is kept."""
    unpacker = relay.Unpacker()
    first, second = relay.pack(relay.DATA, b"first"), relay.pack(relay.DATA, b"second")

    assert list(unpacker.feed(first[:-1])) == []
    assert list(unpacker.feed(first[-1:] + second[:3])) == [(relay.DATA, b"first")]
    assert list(unpacker.feed(b"")) == []
    assert list(unpacker.feed(second[3:])) == [(relay.DATA, b"second")]


@pytest.mark.parametrize("length", [relay.MAX_PIECE_BYTES + 1, 2**32 - 1])
def test_a_piece_that_is_too_large_is_none(length: int) -> None:
    """It is known by its length, before anything of it is kept."""
    unpacker = relay.Unpacker()
    pieces = unpacker.feed(relay.pack(relay.DATA, b"before") + relay.DATA + length.to_bytes(4, "big"))

    assert next(pieces) == (relay.DATA, b"before")
    with pytest.raises(relay.BadPiece):
        next(pieces)


def test_the_largest_piece_is_taken() -> None:
    """The bound itself is within it."""
    unpacker = relay.Unpacker()
    assert list(unpacker.feed(relay.DATA + relay.MAX_PIECE_BYTES.to_bytes(4, "big"))) == []
