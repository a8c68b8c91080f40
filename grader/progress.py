"""Where a learner is in a course, counted from the exercises' metadata and the summaries of their reports."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Literal, Protocol

import msgspec

from grader.store.summary import Summary, attempts, best, in_order

State = Literal["locked", "open", "started", "passed"]

_BLOCKS = "▁▂▃▄▅▆▇█"
_BLOCKS_ASCII = "_.-=+*#@"


class Outline(Protocol):
    """What is needed of an exercise. Concepts are slugs; `points` is what can be had in all."""

    @property
    def id(self) -> str: ...
    @property
    def track(self) -> str: ...
    @property
    def teaches(self) -> str: ...
    @property
    def needs(self) -> Sequence[str]: ...
    @property
    def points(self) -> Decimal: ...


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """One exercise as this learner has it. `missing` names the concepts that keep it locked."""

    id: str
    track: str
    state: State
    points: Decimal
    points_max: Decimal
    attempts: int
    missing: tuple[str, ...] = ()


class TrackProgress(msgspec.Struct, frozen=True, kw_only=True):
    """One track, or the whole course."""

    track: str
    passed: int
    exercises: int
    points: Decimal
    points_max: Decimal


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """The course as this learner has it. `next` is None when everything that is unlocked was passed."""

    standings: tuple[Standing, ...]
    next: str | None
    total: TrackProgress
    tracks: tuple[TrackProgress, ...]
    days: tuple[date, ...]
    streak: int

    def standing(self, exercise: str) -> Standing | None:
        """Give one exercise's; None for one that the course doesn't have."""
        return next((standing for standing in self.standings if standing.id == exercise), None)

    def other_than(self, exercise: str) -> str | None:
        """Name what to go on with for who leaves an exercise: `next`, or the one after it where `next` is that itself."""
        if self.next != exercise:
            return self.next
        ids = [standing.id for standing in self.standings]
        place = ids.index(exercise)
        return _first_open([*self.standings[place + 1 :], *self.standings[:place]])


def progress(
    exercises: Sequence[Outline],
    summaries: Iterable[Summary],
    *,
    unlock_all: bool = False,
    today: date | None = None,
    zone: tzinfo | None = None,
) -> Progress:
    """Count everything. `exercises` in the order of the course; `zone` is the learner's, None for this machine's.

    A grader-error counts as nothing. Reports of exercises that the course no longer has count as practice only.
    """
    counted = in_order(summary for summary in summaries if summary.is_attempt)
    standings = _standings(exercises, counted, unlock_all=unlock_all)
    days = practised_days(counted, zone=zone)
    return Progress(
        standings=standings,
        next=_next(standings, counted),
        total=_sum("", standings),
        tracks=tuple(
            _sum(track, [standing for standing in standings if standing.track == track])
            for track in dict.fromkeys(standing.track for standing in standings)
        ),
        days=days,
        streak=streak(days, today=today or datetime.now(zone).astimezone(zone).date()),
    )


def missing_concepts(exercise: Outline, exercises: Sequence[Outline], passed: set[str]) -> tuple[str, ...]:
    """Name the concepts that an exercise needs and that no passed exercise has taught.

    A concept that no exercise of the course teaches counts as known, and so does the exercise's own: else it could
    never open.
    """
    teachable = {other.teaches for other in exercises}
    known = {other.teaches for other in exercises if other.id in passed} | {exercise.teaches}
    return tuple(need for need in exercise.needs if need in teachable and need not in known)


def practised_days(summaries: Iterable[Summary], *, zone: tzinfo | None = None) -> tuple[date, ...]:
    """List the days on which something was graded, as the calendar on the wall in `zone` has them."""
    days = set()
    for summary in summaries:
        try:
            days.add(datetime.fromisoformat(summary.created).astimezone(zone).date())
        except (ValueError, OverflowError):
            continue
    return tuple(sorted(days))


def streak(days: Sequence[date], *, today: date) -> int:
    """Count the days in a row up to today, or up to yesterday while today is still to come."""
    practised = set(days)
    day = today if today in practised else today - timedelta(days=1)
    count = 0
    while day in practised:
        count += 1
        day -= timedelta(days=1)
    return count


def sparkline(
    points: Sequence[Decimal | float], *, top: Decimal | float | None = None, width: int = 40, is_unicode: bool = True
) -> str:
    """Draw numbers as one line of small bars, the newest `width` of them; `top` is a full bar, None for the largest.

    Only zero is the lowest bar and only `top` the highest, so that nearly all never looks like all.
    """
    blocks = _BLOCKS if is_unicode else _BLOCKS_ASCII
    shown = [float(value) for value in points][-width:] if width > 0 else []
    full = float(top) if top is not None else max(shown, default=0.0)
    return "".join(blocks[_step(value, full, len(blocks) - 1)] for value in shown)


def progress_bar(done: Decimal | float, total: Decimal | float, *, width: int = 20, is_unicode: bool = True) -> str:
    """Draw a part of a whole as a bar of `width` characters, brackets included where it is ASCII."""
    cells = width if is_unicode else max(width - 2, 0)
    filled = _step(float(done), float(total), cells)
    if is_unicode:
        return "█" * filled + "░" * (cells - filled)
    return "[" + "#" * filled + "-" * (cells - filled) + "]"


def _step(value: float, full: float, steps: int) -> int:
    if full <= 0 or value <= 0:
        return 0
    if value >= full:
        return steps
    return max(min(round(value / full * steps), steps - 1), min(1, steps - 1), 0)


def _standings(exercises: Sequence[Outline], counted: Sequence[Summary], *, unlock_all: bool) -> tuple[Standing, ...]:
    by_exercise: dict[str, list[Summary]] = {}
    for summary in counted:
        by_exercise.setdefault(summary.exercise, []).append(summary)
    passed = {name for name, tries in by_exercise.items() if any(summary.status == "passed" for summary in tries)}

    def standing(exercise: Outline) -> Standing:
        tries = by_exercise.get(exercise.id, [])
        top = best(tries)
        missing = () if unlock_all else missing_concepts(exercise, exercises, passed)
        state: State = "open"
        if exercise.id in passed:
            state = "passed"
        elif tries:
            state = "started"
        elif missing:
            state = "locked"
        return Standing(
            id=exercise.id,
            track=exercise.track,
            state=state,
            # An exercise may have been worth more when it was graded.
            points=min(top.points, exercise.points) if top else Decimal(0),
            points_max=exercise.points,
            attempts=attempts(tries),
            missing=missing if state == "locked" else (),
        )

    return tuple(standing(exercise) for exercise in exercises)


def _next(standings: Sequence[Standing], counted: Sequence[Summary]) -> str | None:
    """Choose what to go on with: what was begun last, else the next one in the course after it, else the first."""
    ids = [standing.id for standing in standings]
    last = next((ids.index(summary.exercise) for summary in reversed(counted) if summary.exercise in ids), 0)
    return _first_open([*standings[last:], *standings[:last]])


def _first_open(standings: Iterable[Standing]) -> str | None:
    return next((standing.id for standing in standings if standing.state in {"started", "open"}), None)


def _sum(track: str, standings: Sequence[Standing]) -> TrackProgress:
    return TrackProgress(
        track=track,
        passed=sum(standing.state == "passed" for standing in standings),
        exercises=len(standings),
        points=sum((standing.points for standing in standings), Decimal(0)),
        points_max=sum((standing.points_max for standing in standings), Decimal(0)),
    )
