"""Which round of an exercise the learner is in: `grade redo` begins another one, with other hidden data.

A round is a random number that is mixed into the seed of each grading. It is no seed itself: then every submission of
the round would meet the same data, and an answer that was copied from a report would pass.
"""

from __future__ import annotations

import secrets
from pathlib import Path

import msgspec

from grader.store.inbox import Kept
from grader.store.place import Note, places, reason, write_durably

FOLDER = "rounds"
BITS = 48


class _Round(msgspec.Struct, frozen=True):
    mix: int


def begin_round(state_dir: Path, exercise: str) -> Kept:
    """Begin another round. Raises nothing: where no place can be written, the note says so."""
    # Never zero, which stands for the first round.
    data = msgspec.json.encode(_Round(secrets.randbelow((1 << BITS) - 1) + 1)) + b"\n"
    first: Exception | None = None
    for place in places(state_dir):
        path = _path(place, exercise)
        try:
            write_durably(path, data)
        except (OSError, ValueError) as error:
            first = first or error
            continue
        return Kept(path)
    assert first is not None
    return Kept(None, Note(f"the hidden data stays as it was: `{state_dir}` can't be written ({reason(first)})"))


def round_of(state_dir: Path, exercise: str) -> int:
    """Give the number to mix into a seed with exclusive or; 0 in the first round."""
    for place in places(state_dir):
        try:
            mix = msgspec.json.decode(_path(place, exercise).read_bytes(), type=_Round).mix
        except (OSError, ValueError, msgspec.MsgspecError):
            continue
        return mix % (1 << BITS)
    return 0


def _path(place: Path, exercise: str) -> Path:
    return place / FOLDER / f"{exercise}.json"
