"""One line about a report, and what is counted from such lines."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from grader.report import Report, Status


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What a list shows of a report. `stamp` is its place in time, which holds even where the clock was set back."""

    id: str
    stamp: str
    created: str
    exercise: str
    exercise_title: str
    exercise_digest: str
    submission: str
    status: Status
    points: Decimal
    points_max: Decimal
    seed: int
    grader_version: str
    learner: str = ""

    @property
    def is_attempt(self) -> bool:
        """A grader-error is ours: it is remembered and never counted."""
        return self.status != "grader-error"


def summary_of(report: Report, *, stamp: str, learner: str = "") -> Summary:
    """Make the line about a report."""
    return Summary(
        id=report.id,
        stamp=stamp,
        created=report.created,
        exercise=report.exercise.id,
        exercise_title=report.exercise.title,
        exercise_digest=report.exercise.digest,
        submission=report.submission.digest,
        status=report.status,
        points=report.points,
        points_max=report.points_max,
        seed=report.seed,
        grader_version=report.grader_version,
        learner=learner,
    )


def in_order(summaries: Iterable[Summary]) -> list[Summary]:
    """Sort by when they were kept, the oldest first."""
    return sorted(summaries, key=lambda summary: (summary.stamp, summary.id))


def attempts(summaries: Iterable[Summary]) -> int:
    """Count the gradings that count."""
    return sum(summary.is_attempt for summary in summaries)


def best(summaries: Iterable[Summary]) -> Summary | None:
    """Give the one with the most points, a passed one before others, the first of equals; None without an attempt."""
    counted = [summary for summary in in_order(summaries) if summary.is_attempt]
    return max(counted, key=lambda summary: (summary.status == "passed", summary.points), default=None)
