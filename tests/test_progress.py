"""Where a learner is in the course."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import UTC, date, timedelta, timezone
from decimal import Decimal

import pytest

from grader.progress import Outline, Progress, practised_days, progress, progress_bar, sparkline, streak
from grader.report import Status
from grader.store.summary import Summary

TODAY = date(2025, 3, 10)
NOON = "2025-03-10T12:00:00Z"


@dataclass(frozen=True)
class Exercise:
    """As much of an exercise as is needed."""

    id: str
    teaches: str
    needs: tuple[str, ...] = ()
    track: str = "routing/APIs"
    points: Decimal = Decimal(10)


COURSE: list[Outline] = [
    Exercise("01", "route"),
    Exercise("02", "json", ("route",)),
    Exercise("03", "parameters", ("json",)),
    Exercise("06", "select", ("json", "python"), track="databases"),
    Exercise("07", "model", ("select", "parameters"), track="databases", points=Decimal("7.5")),
]


numbers = itertools.count(1)


def graded(exercise: str, status: Status = "passed", points: float | str = 10, *, created: str = NOON) -> Summary:
    """Give a summary of a grading; later calls are later."""
    number = next(numbers)
    return Summary(
        id=f"r{number}",
        stamp=f"{number:06}",
        created=created,
        exercise=exercise,
        exercise_title="",
        exercise_digest="",
        submission="",
        status=status,
        points=Decimal(str(points)),
        points_max=Decimal(10),
        seed=1,
        grader_version="1",
    )


def look(*summaries: Summary, unlock_all: bool = False) -> Progress:
    return progress(COURSE, summaries, unlock_all=unlock_all, today=TODAY, zone=UTC)


def states(seen: Progress) -> list[str]:
    return [standing.state for standing in seen.standings]


def test_a_new_learner_begins_with_what_needs_nothing() -> None:
    """All else is locked, and says by which concept."""
    seen = look()
    assert states(seen) == ["open", "locked", "locked", "locked", "locked"]
    assert seen.next == "01"
    assert seen.standing("07").missing == ("select", "parameters")
    assert seen.standing("06").missing == ("json",)
    assert seen.total.points == 0
    assert seen.days == ()
    assert seen.streak == 0


def test_passing_unlocks_what_needs_its_concept() -> None:
    """Only a pass does: neither most of the points nor a grader-error."""
    assert states(look(graded("01", "failed", 9))) == ["started", "locked", "locked", "locked", "locked"]
    assert states(look(graded("01", "grader-error"))) == ["open", "locked", "locked", "locked", "locked"]
    assert states(look(graded("01"))) == ["passed", "open", "locked", "locked", "locked"]
    assert states(look(graded("01"), graded("02"))) == ["passed", "passed", "open", "open", "locked"]
    assert states(look(*map(graded, ["02", "03", "06"]))) == ["open", "passed", "passed", "passed", "open"]


def test_a_concept_that_nothing_teaches_counts_as_known() -> None:
    """`python` in exercise 06 would lock it for ever; so would an exercise's own concept."""
    assert look(graded("02")).standing("06").state == "open"
    (standing,) = progress([Exercise("01", "route", ("route",))], [], today=TODAY).standings
    assert standing.state == "open"


def test_any_of_two_exercises_that_teach_a_concept_is_enough() -> None:
    """A concept is taught when one exercise that teaches it was passed."""
    course = [Exercise("01", "route"), Exercise("01b", "route"), Exercise("02", "json", ("route",))]
    assert progress(course, [graded("01b")], today=TODAY).standing("02").state == "open"


def test_everything_can_be_unlocked() -> None:
    """States that were earned stay."""
    seen = look(graded("01"), graded("03", "broken", 0), unlock_all=True)
    assert states(seen) == ["passed", "open", "started", "open", "open"]
    assert seen.standing("07").missing == ()


def test_what_was_passed_once_stays_passed() -> None:
    """A later failure takes nothing away: neither the state nor the points."""
    seen = look(graded("01"), graded("01", "failed", 3))
    assert seen.standing("01").state == "passed"
    assert seen.standing("01").points == 10
    assert seen.standing("01").attempts == 2


def test_points_are_the_best_of_each_exercise_by_track() -> None:
    """Exact, a track's and the course's; never more than an exercise is worth now."""
    seen = look(graded("01"), graded("02", "failed", "0.1"), graded("02", "failed", "0.3"), graded("07", points=10))
    assert [(track.track, track.points, track.points_max) for track in seen.tracks] == [
        ("routing/APIs", Decimal("10.3"), Decimal(30)),
        ("databases", Decimal("7.5"), Decimal("17.5")),
    ]
    assert (seen.total.points, seen.total.points_max) == (Decimal("17.8"), Decimal("47.5"))
    assert (seen.total.passed, seen.total.exercises) == (2, 5)


def test_one_goes_on_with_what_was_begun_last() -> None:
    """Until it is passed; then with the next in the course, and at its end with what was left out."""
    assert look(graded("01"), graded("02", "failed", 3)).next == "02"
    assert look(graded("01"), graded("02")).next == "03"
    assert look(*map(graded, ["02", "03", "06", "07"])).next == "01"
    assert look(graded("01", "failed", 1), graded("02", "failed", 1), graded("01", "failed", 2)).next == "01"
    assert look(*map(graded, ["01", "02", "03", "06", "07"])).next is None
    assert look(graded("01"), graded("gone", "failed", 1)).next == "02"
    assert progress([], [graded("gone")], today=TODAY).next is None


def test_who_leaves_an_exercise_goes_on_with_another() -> None:
    """With the same that `next` is, unless that is the one which is left: then with the next that is open."""
    assert look(graded("01"), graded("02")).other_than("02") == "03"
    assert look(graded("01", "failed", 0), graded("02", "failed", 3)).other_than("02") == "01"
    assert look(graded("01"), graded("02", "failed", 3)).other_than("01") == "02"
    assert look(*map(graded, ["01", "02", "03", "06"]), graded("07", "failed", 1)).other_than("07") is None


def test_days_are_those_of_the_wall_calendar() -> None:
    """An hour before midnight in London is tomorrow in Tokyo; what has no readable time is no day."""
    late = graded("01", created="2025-03-09T23:30:00+00:00")
    assert practised_days([late], zone=UTC) == (date(2025, 3, 9),)
    assert practised_days([late], zone=timezone(timedelta(hours=9))) == (date(2025, 3, 10),)
    odd = [graded("01", created=created) for created in ("?", "", "0001-01-01T00:00:00+14:00")]
    assert practised_days([*odd, late, late], zone=UTC) == (date(2025, 3, 9),)


def test_grader_errors_are_no_practice_and_other_exercises_are() -> None:
    """Days count for whatever the learner did themselves."""
    ours = graded("01", "grader-error", created="2025-03-08T12:00:00Z")
    seen = look(ours, graded("gone", created="2025-03-09T12:00:00Z"))
    assert seen.days == (date(2025, 3, 9),)
    assert seen.streak == 1


@pytest.mark.parametrize(
    ("ago", "length"),
    [([], 0), ([0], 1), ([1], 1), ([0, 1, 2], 3), ([1, 2, 3], 3), ([2, 3], 0), ([0, 2, 3], 1), ([-1], 0)],
)
def test_a_streak_is_the_days_in_a_row_up_to_now(ago: list[int], length: int) -> None:
    """Today still counts as not missed."""
    assert streak([TODAY - timedelta(days=days) for days in ago], today=TODAY) == length


def test_a_sparkline_tells_none_and_all_from_nearly() -> None:
    """Only zero is lowest, only the top is highest; without Unicode too."""
    points = [Decimal(0), Decimal("0.1"), Decimal(5), Decimal("9.9"), Decimal(10)]
    assert sparkline(points, top=10) == "▁▂▅▇█"
    assert sparkline(points, top=10, is_unicode=False) == "_.+#@"
    assert sparkline([], top=10) == ""
    assert sparkline([0, 0]) == "▁▁"
    assert sparkline([3, 3]) == "██"
    assert sparkline([1, 2], top=0) == "▁▁"
    assert sparkline([20, -1], top=10) == "█▁"
    assert len(sparkline(range(100))) == 40
    assert sparkline(range(100), width=3) == "▇▇█"
    assert sparkline([1], width=0) == ""


def test_a_bar_is_full_only_at_the_end() -> None:
    """And empty only at the beginning; both kinds are equally wide."""
    assert progress_bar(0, 28, width=10) == "░" * 10
    assert progress_bar(1, 1000, width=10) == "█" + "░" * 9
    assert progress_bar(999, 1000, width=10) == "█" * 9 + "░"
    assert progress_bar(28, 28, width=10) == "█" * 10
    assert progress_bar(Decimal("2.5"), Decimal(10), width=10, is_unicode=False) == "[##------]"
    assert progress_bar(0, 0, width=4) == "░░░░"
    assert progress_bar(1, 2, width=0) == ""
    assert {len(progress_bar(1, 3, width=width, is_unicode=False)) for width in (7,)} == {7}
