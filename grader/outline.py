"""What a list shows of every exercise, without reading the exercises whole.

Forty `exercise.toml` take 30 ms to read, forty times `stat` takes one: what was read is remembered in the course's
`.grade/outlines.json`, by the size and time of the file that it came from. That file may be deleted at any time.
"""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from grader.course import Course, ExerciseEntry
from grader.exercise import FORMAT
from grader.folder import TOML
from grader.submission import read_regular
from grader.whole_file import write_whole

CACHE = "outlines.json"


class Outline(msgspec.Struct, frozen=True, kw_only=True):
    """One exercise as a list shows it. `points` is what can be had in all; `needs` are concepts."""

    id: str
    title: str
    track: str
    difficulty: int
    minutes: int
    teaches: str
    needs: tuple[str, ...] = ()
    points: Decimal


class Outlines(NamedTuple):
    """Those of a course, in its order; `unreadable` has the ids of exercises whose `exercise.toml` isn't sound."""

    known: tuple[Outline, ...]
    unreadable: tuple[str, ...]

    def of(self, exercise: str) -> Outline | None:
        """Give one exercise's; None for one that isn't known."""
        return next((outline for outline in self.known if outline.id == exercise), None)


class _Remembered(msgspec.Struct, frozen=True):
    size: int
    mtime_ns: int
    outline: Outline


class _Cache(msgspec.Struct, frozen=True):
    format: int
    by_id: dict[str, _Remembered]


class _Task(msgspec.Struct):
    points: Decimal


class _Head(msgspec.Struct, kw_only=True):
    format: int
    title: str
    track: str
    difficulty: int
    minutes: int
    teaches: str
    needs: tuple[str, ...] = ()
    tasks: list[_Task]


def outlines(course: Course) -> Outlines:
    """Read what is needed of every exercise of the course. Raises nothing: what can't be read is named."""
    cache = course.state / CACHE
    before = _read_cache(cache)
    now: dict[str, _Remembered] = {}
    unreadable = []
    for entry in course.exercises():
        found = _remembered(entry, before)
        if found is None:
            unreadable.append(entry.id)
        else:
            now[entry.id] = found
    if now != before:
        _write_cache(cache, now)
    return Outlines(tuple(each.outline for each in now.values()), tuple(unreadable))


def _remembered(entry: ExerciseEntry, before: dict[str, _Remembered]) -> _Remembered | None:
    path = entry.folder / TOML
    try:
        state = path.stat()
        known = before.get(entry.id)
        if known is not None and (known.size, known.mtime_ns) == (state.st_size, state.st_mtime_ns):
            return known
        return _Remembered(state.st_size, state.st_mtime_ns, _read(path, entry.id))
    except (OSError, ValueError, InvalidOperation, RecursionError, msgspec.MsgspecError):
        return None


def _read(path: Path, id: str) -> Outline:
    import tomllib

    document: dict[str, Any] = tomllib.loads(read_regular(path).decode("utf-8-sig"), parse_float=Decimal)
    head = msgspec.convert(document, _Head, strict=False)
    if head.format != FORMAT:
        raise ValueError("of a newer format")
    return Outline(
        id=id,
        title=head.title,
        track=head.track,
        difficulty=head.difficulty,
        minutes=head.minutes,
        teaches=head.teaches,
        needs=head.needs,
        points=sum((task.points for task in head.tasks), Decimal(0)),
    )


def _read_cache(path: Path) -> dict[str, _Remembered]:
    try:
        found = msgspec.json.decode(path.read_bytes(), type=_Cache)
    except (OSError, ValueError, msgspec.MsgspecError):
        return {}
    return found.by_id if found.format == FORMAT else {}


def _write_cache(path: Path, remembered: dict[str, _Remembered]) -> None:
    """Remember for the next time, where the course has a state folder already: looking at a course makes none."""
    if not path.parent.is_dir():
        return
    with suppress(OSError, ValueError, msgspec.MsgspecError):
        write_whole(path, msgspec.json.encode(_Cache(FORMAT, remembered)))
