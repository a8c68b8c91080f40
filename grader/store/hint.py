"""Which hints were shown: one line a hint in `hints.jsonl`, only ever added to.

A line that a power cut left half-written is passed over; the lines before and after it count.
"""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import msgspec

from grader.store.inbox import Kept
from grader.store.place import Note, make_folder, places, reason, sync_folder

FILE = "hints.jsonl"


class Hint(msgspec.Struct, frozen=True, kw_only=True):
    """One hint that was shown: its level counts from 1. `at` is the time in UTC."""

    exercise: str
    task: str
    level: int
    at: str = ""


_decoder = msgspec.json.Decoder(Hint)


def record_hint(state_dir: Path, exercise: str, task: str, level: int) -> Kept:
    """Record that a hint is shown. Raises nothing: where no place can be written, the note says so."""
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return record_hints(state_dir, [Hint(exercise=exercise, task=task, level=level, at=at)])


def record_hints(state_dir: Path, shown: list[Hint]) -> Kept:
    """Record several at once, such as those of an import."""
    lines = b"".join(msgspec.json.encode(hint) + b"\n" for hint in shown)
    first: Exception | None = None
    for place in places(state_dir):
        try:
            _append(place / FILE, lines)
        except (OSError, ValueError) as error:
            first = first or error
            continue
        return Kept(place / FILE)
    assert first is not None
    return Kept(None, Note(f"this hint was not recorded: `{state_dir}` can't be written ({reason(first)})"))


def hints(state_dir: Path, exercise: str) -> dict[str, int]:
    """Give the highest level that was shown of each task."""
    levels: dict[str, int] = {}
    for hint in all_hints(state_dir):
        if hint.exercise == exercise:
            levels[hint.task] = max(levels.get(hint.task, 0), hint.level)
    return levels


def all_hints(state_dir: Path) -> list[Hint]:
    """List every hint that was shown in this course, in the order of showing within a place."""
    found = []
    for place in places(state_dir):
        try:
            lines = (place / FILE).read_bytes().splitlines()
        except (OSError, ValueError):
            continue
        for line in lines:
            try:
                found.append(_decoder.decode(line))
            except (msgspec.MsgspecError, UnicodeDecodeError):
                continue
    return found


def _append(path: Path, lines: bytes) -> None:
    make_folder(path.parent)
    is_new = not path.exists()
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
    try:
        size = os.fstat(handle).st_size
        if size and os.pread(handle, 1, size - 1) != b"\n":
            lines = b"\n" + lines
        # One write call: two programs at once don't mix their lines.
        if os.write(handle, lines) != len(lines):
            raise OSError(errno.ENOSPC, "only a part could be written")
        os.fsync(handle)
    finally:
        os.close(handle)
    if is_new:
        sync_folder(path.parent)
