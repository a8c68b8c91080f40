"""The learner's place in a course, as several commands need it: what was graded, what is next, what is still locked."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import NamedTuple

from grader.cli.common import say
from grader.course import Course
from grader.error import DamagedReport
from grader.outline import Outline, Outlines, outlines
from grader.progress import Progress, Standing, progress
from grader.render.account import short_name
from grader.render.plain import listed
from grader.report import Report
from grader.store import inbox
from grader.store.glance import glance
from grader.store.place import Note, places
from grader.store.summary import Summary

UNLOCK_ALL = "GRADE_UNLOCK_ALL"


class Learner(NamedTuple):
    """A course as this learner has it. `summaries` are all reports, oldest first."""

    course: Course
    outlines: Outlines
    progress: Progress
    summaries: tuple[Summary, ...]

    def standing(self, exercise: str) -> Standing | None:
        """Give the state of an exercise; None where its `exercise.toml` isn't sound."""
        return self.progress.standing(exercise)

    @property
    def next(self) -> Outline | None:
        """The exercise to go on with; None when every one that is unlocked was passed."""
        return self.outlines.of(self.progress.next) if self.progress.next else None

    def of(self, exercise: str) -> list[Summary]:
        """List the reports of an exercise, oldest first."""
        return [summary for summary in self.summaries if summary.exercise == exercise]

    def last(self, exercise: str) -> Summary | None:
        """Give the newest report of an exercise that counts as an attempt."""
        return next((summary for summary in reversed(self.of(exercise)) if summary.is_attempt), None)

    def teachers(self, concept: str) -> list[Outline]:
        """List the exercises that teach a concept."""
        return [outline for outline in self.outlines.known if outline.teaches == concept]


def learner_of(course: Course, *, unlock_all: bool = False, tell: Callable[[Note], None] | None = None) -> Learner:
    """Read where the learner is. What was not as usual with the history is told: to `tell`, else at once on stderr.

    Raises:
        HistoryError: a newer grader made the history, or its database doesn't answer.
    """
    seen = glance(course.state, database_url())
    for note in seen.notes:
        (tell or say_note)(note)
    found = outlines(course)
    # What was graded for somebody else is in the history, but is no step of this learner's.
    own = tuple(summary for summary in seen.summaries if not summary.learner)
    counted = progress(found.known, own, unlock_all=unlock_all or is_all_unlocked())
    return Learner(course, found, counted, own)


def database_url() -> str | None:
    """Give the address of the history's database, or None for the course's own file."""
    return os.environ.get("GRADE_DATABASE_URL") or None


def is_all_unlocked() -> bool:
    """Say whether the setting unlocks every exercise."""
    return os.environ.get(UNLOCK_ALL, "").strip().lower() not in ("", "0", "no", "false", "off")


def say_note(note: Note) -> None:
    """Tell the user on stderr what was not as usual, with its remedy."""
    say(f"note: {note.message}" + (f"\n\nhint: {note.hint}" if note.hint else ""))


def builds_on(learner: Learner, exercise: str) -> str:
    """Say in one line what a locked exercise builds on; empty for one that isn't locked."""
    standing = learner.standing(exercise)
    if standing is None or standing.state != "locked":
        return ""
    teachers = (learner.teachers(concept) for concept in standing.missing)
    named = listed(
        f"`{concept}` (`grade {short_name(found[0].id)}`)"
        for concept, found in zip(standing.missing, teachers, strict=True)
    )
    return f"this exercise builds on {named}, which you haven't passed yet"


def after_passing(learner: Learner, exercise: str) -> str:
    """Say what to go on with once an exercise is passed."""
    following = learner.next
    others = f"`grade reveal {short_name(exercise)}` shows other ways to do it."
    if following is None or following.id == exercise:
        total = learner.progress.total
        if total.passed == total.exercises:
            return f"Next: you have passed every exercise of the course. {others}"
        return f"Next: `grade list` shows what is left. {others}"
    name = short_name(following.id)
    return f"Next: {name}, “{following.title}”: `grade show {name}`. {others}"


def minutes_of(found: Iterable[Outline]) -> int:
    """Add up the minutes of exercises."""
    return sum(outline.minutes for outline in found)


def report_of(course: Course, summary: Summary) -> Report:
    """Give the whole report of a line about it, from its file where that is at hand.

    Raises:
        HistoryError: it is nowhere, or the database that has it doesn't answer.
        DamagedReport: it is damaged.
    """
    for place in places(course.state):
        waiting = place / inbox.INBOX / inbox.file_name(summary.stamp, summary.id)
        for path in (waiting, inbox.filed_path(place, summary.stamp, summary.id)):
            try:
                return inbox.decode(path.read_bytes(), path.name).report
            except (OSError, DamagedReport):
                continue
    from grader.store.history import open_history

    with open_history(course.state, database_url()) as history:
        return history.report(summary.id)
