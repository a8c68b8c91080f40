"""What a teacher wants to know first: how the class did, which tests were hardest, and who has nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from grader.batch.batch import Kind, Row
from grader.batch.similar import Pair, Similar
from grader.exercise import Exercise
from grader.render.plain import counted, figure, one_line

BUCKETS = 10
HARDEST = 5
NAMED = 20
BAR = 40


@dataclass(kw_only=True)
class Summary:
    """Counts over all learners. `points` counts how many have each sum; `passed` how many passed each test; `similar` is
    `None` where nobody asked for it.
    """

    exercise: Exercise
    kinds: Counter[Kind] = field(default_factory=Counter)
    points: Counter[Decimal] = field(default_factory=Counter)
    passed: Counter[str] = field(default_factory=Counter)
    none: list[str] = field(default_factory=list)
    unscored: list[tuple[str, Kind, str]] = field(default_factory=list)
    copies: list[list[str]] = field(default_factory=list)
    similar: Similar | None = None

    @property
    def scored(self) -> int:
        """How many have a score."""
        return self.points.total()

    def mean(self) -> Decimal | None:
        """Give the mean of the points, to a hundredth; `None` where nobody has a score."""
        if not self.scored:
            return None
        total = sum((points * count for points, count in self.points.items()), Decimal(0))
        return (total / self.scored).quantize(Decimal("0.01"))

    def median(self) -> Decimal | None:
        """Give the middle one, or the mean of the middle two; `None` where nobody has a score."""
        if not self.scored:
            return None
        return (self._at((self.scored - 1) // 2) + self._at(self.scored // 2)) / 2

    def _at(self, place: int) -> Decimal:
        for points, count in sorted(self.points.items()):
            place -= count
            if place < 0:
                return points
        raise IndexError(place)

    def buckets(self) -> list[tuple[str, int]]:
        """Count by tenths of the points; who has all of them counts apart."""
        counts = [0] * (BUCKETS + 1)
        for points, count in self.points.items():
            counts[int(points * BUCKETS / self.exercise.points_max) if self.exercise.points_max else 0] += count
        labels = [f"{place * 10} to {place * 10 + 10} %" for place in range(BUCKETS)] + ["100 %"]
        return list(zip(labels, counts, strict=True))

    def hardest(self) -> list[tuple[str, int]]:
        """Give the tests that fewest passed, each with how many did; tests that all passed aren't hard."""
        tests = [(test.title, self.passed[test.name]) for test in self.exercise.tests]
        return sorted((each for each in tests if each[1] < self.scored), key=lambda each: each[1])[:HARDEST]


def summarize(exercise: Exercise, rows: Iterable[Row], copies: list[list[str]]) -> Summary:
    """Count over all rows."""
    found = Summary(exercise=exercise, copies=copies)
    for row in rows:
        found.kinds[row.kind] += 1
        if row.outcome is None:
            found.unscored.append((row.sent.label, row.kind, row.message))
            continue
        found.points[row.outcome.points] += 1
        if not row.outcome.points:
            found.none.append(row.sent.label)
        for test, status in zip(exercise.tests, row.outcome.tests, strict=False):
            found.passed[test.name] += status == "p"
    return found


def to_lines(summary: Summary, *, is_unicode: bool = True) -> list[str]:
    """Write it for a terminal."""
    lines = [f"{counted(summary.kinds.total(), 'learner')}: {kinds_in_words(summary.kinds)}"]
    mean, median = summary.mean(), summary.median()
    if mean is not None and median is not None:
        top = figure(summary.exercise.points_max)
        lines.append(f"mean {figure(mean)}, median {figure(median)} of {top} points")
        lines += ["", "points", *_plot(summary.buckets(), is_unicode)]
    if hardest := summary.hardest():
        lines += ["", "hardest tests"]
        lines += [f"  {passed} of {summary.scored} passed: {one_line(title, 100)}" for title, passed in hardest]
    lines += _named("no points", [one_line(label, 100) for label in summary.none])
    unscored = [f"{one_line(label, 100)}: {kind}: {one_line(text, 300)}" for label, kind, text in summary.unscored]
    lines += _named("no score", unscored)
    lines += _named("the same files", [", ".join(_few(group)) for group in summary.copies])
    if summary.similar is not None:
        lines += _similar(summary.similar)
    return lines


def _similar(similar: Similar) -> list[str]:
    if not similar.pairs:
        return ["", "no two are too alike"]
    more = [f"  and {similar.found - NAMED:,} more"] if similar.found > NAMED else []
    return [
        "",
        f"too alike ({similar.found:,})",
        *(f"  {pair_in_words(pair)}" for pair in similar.pairs[:NAMED]),
        *more,
    ]


def pair_in_words(pair: Pair) -> str:
    """Say who two are, and how much of each is in the other."""
    first, second = pair.first, pair.second
    return (
        f"{one_line(first.label, 100)} and {one_line(second.label, 100)}: "
        f"{first.share:.0%} of the one, {second.share:.0%} of the other"
    )


def kinds_in_words(kinds: Counter[Kind]) -> str:
    """Say how many ended how: `12 passed, 3 failed`."""
    order: tuple[Kind, ...] = ("passed", "failed", "broken", "refused", "missing", "grader-error")
    return ", ".join(f"{kinds[kind]:,} {kind}" for kind in order if kinds[kind]) or "none yet"


def _plot(buckets: list[tuple[str, int]], is_unicode: bool) -> list[str]:
    most = max(count for _, count in buckets) or 1
    mark = "█" if is_unicode else "#"
    width = max(len(label) for label, _ in buckets)
    # A few never look like none.
    return [
        f"  {label:>{width}}  {mark * max(round(BAR * count / most), 1 if count else 0)} {count or ''}".rstrip()
        for label, count in buckets
    ]


def _named(title: str, texts: list[str]) -> list[str]:
    if not texts:
        return []
    more = [f"  and {len(texts) - NAMED:,} more"] if len(texts) > NAMED else []
    return ["", f"{title} ({len(texts):,})", *(f"  {text}" for text in texts[:NAMED]), *more]


def _few(group: list[str]) -> list[str]:
    named = [one_line(label, 60) for label in group[:8]]
    return [*named, f"and {len(group) - 8:,} more"] if len(group) > 8 else named
