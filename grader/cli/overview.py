"""`grade`, `grade list` and `grade next`: where the learner is in the course, and what comes next."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

import click

from grader.cli.common import complete_concept, complete_track, course_of, course_option, say
from grader.cli.learner import Learner, learner_of, minutes_of
from grader.cli.page import BOLD, DIM, GREEN, YELLOW, Page, column, padded
from grader.error import UsageError
from grader.outline import Outline
from grader.progress import Standing, TrackProgress, progress_bar
from grader.render.account import short_name
from grader.render.plain import counted, cut, figure, listed, of_points

STATES = ("passed", "started", "open", "locked")
_MARKS = {"passed": "✓", "started": "…", "open": " ", "locked": "-"}
_ASCII_MARKS = {"passed": "*", "started": "~", "open": " ", "locked": "-"}
_COLOURS = {"passed": GREEN, "started": YELLOW, "open": "", "locked": DIM}
_BAR = 30


@click.command("overview", short_help="Show where you are.")
@click.pass_context
def overview(ctx: click.Context) -> int:
    """Show where you are: what you passed, over the course and by track, and the exercise to go on with.

    `grade` alone does the same.
    """
    learner = learner_of(course_of(ctx))
    page = Page()
    if any(standing.attempts for standing in learner.progress.standings):
        _show_progress(page, learner)
    else:
        _welcome(page, learner)
    _name_unreadable(learner)
    return 0


def _welcome(page: Page, learner: Learner) -> None:
    total = learner.progress.total
    page.line("Welcome.", BOLD)
    hours = max(round(minutes_of(learner.outlines.known) / 60), 1)
    page.prose(
        f"This course has {counted(total.exercises, 'exercise')}, about {counted(hours, 'hour')} of practice in all. "
        "Each is one small piece of a backend: read what is wanted, write the code, and let it be graded as often as "
        "you like. You see what was sent to your code, what was expected and what came back."
    )
    first = learner.next
    if first is None:
        return
    name = short_name(first.id)
    page.line()
    page.prose(f"Begin with {name}, “{first.title}” ({counted(first.minutes, 'minute')}):")
    page.line()
    page.commands(
        [
            (f"grade show {name}", "what is wanted"),
            (f"grade {name}", "makes your `solution/` from the starter, and grades it"),
        ]
    )


def _show_progress(page: Page, learner: Learner) -> None:
    total = learner.progress.total
    bar = progress_bar(total.passed, total.exercises, width=min(_BAR, page.width - 20), is_unicode=page.has_unicode)
    page.parts((bar, GREEN), (f"  {total.passed} of {counted(total.exercises, 'exercise')}", BOLD))
    page.line(of_points(total.points, total.points_max) + ", " + _practised(learner))
    if len(learner.progress.tracks) > 1:
        page.line()
        _show_tracks(page, learner.progress.tracks)
    page.line()
    following = learner.next
    if following is not None:
        _show_next(page, learner, following)
    elif total.passed == total.exercises:
        page.prose("You have passed every exercise of the course.", BOLD)
        page.commands(
            [("grade redo NAME", "one of them again, with other data"), ("grade list", "all of them, with your points")]
        )
    else:
        page.prose("What is left is locked: `grade list` shows what it needs, and `grade list --all` unlocks it.")


def _practised(learner: Learner) -> str:
    days, streak = len(learner.progress.days), learner.progress.streak
    text = f"practised on {counted(days, 'day')}"
    return f"{text}, the last {streak} in a row" if streak > 1 else text


def _show_tracks(page: Page, tracks: Sequence[TrackProgress]) -> None:
    counts = [f"{track.passed} of {track.exercises}" for track in tracks]
    points = [f"{figure(track.points)}/{figure(track.points_max)} points" for track in tracks]
    fixed = 6 + column(counts) + column(points)
    names = min(column(track.track for track in tracks), page.width - fixed - 5)
    room = max(min(20, page.width - fixed - names), 5)
    for track, count, point in zip(tracks, counts, points, strict=True):
        bar = progress_bar(track.passed, track.exercises, width=room, is_unicode=page.has_unicode)
        page.parts(
            (padded(cut(track.track, names), names) + "  ", ""),
            (bar, GREEN),
            (f"  {padded(count, column(counts), right=True)}  ", ""),
            (padded(point, column(points), right=True), DIM),
        )


def _show_next(page: Page, learner: Learner, following: Outline) -> None:
    name = short_name(following.id)
    standing = learner.standing(following.id)
    begun = standing is not None and standing.state == "started"
    page.prose(f"{'Continue with' if begun else 'Next'}: {name}, “{following.title}”", BOLD)
    facts = f"difficulty {following.difficulty} of 10, {counted(following.minutes, 'minute')}"
    if standing is not None and begun:
        facts += f"; {of_points(standing.points, standing.points_max)} after {_tries(standing)}"
    page.prose(facts, DIM)
    page.line()
    page.commands(
        [
            (f"grade show {name}", "what is wanted"),
            (f"grade {name}", "grade your solution"),
            (f"grade hint {name}", "a hint; hints are free"),
        ]
    )


def _tries(standing: Standing) -> str:
    return counted(standing.attempts, "try", "tries")


@click.command("next", short_help="Name the exercise to go on with.")
@click.option("--all", "unlock_all", is_flag=True, help="Take exercises that are locked, too.")
@course_option
@click.pass_context
def next_exercise(ctx: click.Context, unlock_all: bool) -> int:
    """Name the exercise to go on with: the one that was begun last, else the next that is unlocked."""
    learner = learner_of(course_of(ctx), unlock_all=unlock_all)
    page = Page()
    following = learner.next
    total = learner.progress.total
    if following is not None:
        _show_next(page, learner, following)
    elif total.passed == total.exercises:
        page.prose("You have passed every exercise of the course. `grade list` shows them.")
    else:
        page.prose("What is left is locked: `grade next --all` takes it all the same.")
    _name_unreadable(learner)
    return 0


@click.command("list", short_help="List the exercises with your points.")
@click.option(
    "--track",
    metavar="NAME",
    shell_complete=complete_track,
    help="Those of a track; the beginning of its name is enough.",
)
@click.option(
    "--concept", metavar="NAME", shell_complete=complete_concept,
    help="Those that teach or need a concept, such as `path-parameters`.",
)  # fmt: skip
@click.option("--state", type=click.Choice(STATES), help="Those in a state.")
@click.option("--all", "unlock_all", is_flag=True, help="Unlock all (as GRADE_UNLOCK_ALL=1 does).")
@course_option
@click.pass_context
def list_exercises(
    ctx: click.Context, track: str | None, concept: str | None, state: str | None, unlock_all: bool
) -> int:
    """List the exercises: state, points, difficulty and minutes.

    An exercise is locked until you have passed those that teach what it builds on. That is advice: `grade NAME` grades
    a locked one too.
    """
    learner = learner_of(course_of(ctx), unlock_all=unlock_all)
    shown = list(learner.outlines.known)
    if track is not None:
        track = _meant(track, "track", [outline.track for outline in shown])
        shown = [outline for outline in shown if outline.track == track]
    if concept is not None:
        concepts = [name for outline in shown for name in (outline.teaches, *outline.needs)]
        concept = _meant(concept, "concept", concepts)
        shown = [outline for outline in shown if concept in (outline.teaches, *outline.needs)]
    rows = [(outline, standing) for outline in shown if (standing := learner.standing(outline.id)) is not None]
    rows = [(outline, standing) for outline, standing in rows if state in (None, standing.state)]
    page = Page()
    if rows:
        _show_list(page, rows)
    else:
        page.prose("No exercise is of this kind.")
    _name_unreadable(learner)
    return 0


def _show_list(page: Page, rows: Sequence[tuple[Outline, Standing]]) -> None:
    marks = _MARKS if page.has_unicode else _ASCII_MARKS
    names = [outline.id.removeprefix("exercise-") for outline, _ in rows]
    points = [f"{figure(each.points)}/{figure(each.points_max)}" for _, each in rows]
    minutes = [f"{outline.minutes} min" for outline, _ in rows]
    states = max(column(standing.state for _, standing in rows), len("state"))
    points_width = max(column(points), len("points"))
    minutes_width = max(column(minutes), len("time"))
    fixed = 2 + 2 + states + 2 + points_width + 2 + len("level") + 2 + minutes_width
    names_width = min(max(column(names), len("exercise")), page.width - fixed)
    titles_width = page.width - fixed - names_width - 2
    has_titles = titles_width >= 16
    head = (
        f"  {padded('exercise', names_width)}  {padded('state', states)}  {padded('points', points_width, right=True)}"
        f"  level  {padded('time', minutes_width, right=True)}"
    )
    page.line(head + ("  title" if has_titles else ""), DIM)
    for name, point, minute, (outline, standing) in zip(names, points, minutes, rows, strict=True):
        colour = _COLOURS[standing.state]
        numbers = (
            f"  {padded(point, points_width, right=True)}  {outline.difficulty:>5}"
            f"  {padded(minute, minutes_width, right=True)}"
        )
        title = f"  {cut(outline.title, titles_width)}" if has_titles else ""
        dim = DIM if standing.state == "locked" else ""
        page.parts(
            (f"{marks[standing.state]} ", colour),
            (padded(cut(name, names_width), names_width) + "  ", dim),
            (padded(standing.state, states), colour),
            (numbers + title, dim),
        )
    page.line()
    _sum_up(page, rows)


def _sum_up(page: Page, rows: Sequence[tuple[Outline, Standing]]) -> None:
    standings = [standing for _, standing in rows]
    by_state = [(name, sum(standing.state == name for standing in standings)) for name in STATES]
    points = sum((standing.points for standing in standings), start=standings[0].points * 0)
    points_max = sum((standing.points_max for standing in standings), start=standings[0].points * 0)
    counts = listed(f"{count} {name}" for name, count in by_state if count)
    page.prose(f"{counted(len(rows), 'exercise')}: {counts}; {of_points(points, points_max)}")
    missing = list(dict.fromkeys(concept for standing in standings for concept in standing.missing))
    if missing:
        named = [f"`{concept}`" for concept in missing[:4]]
        more = [f"{len(missing) - 4} more"] if len(missing) > 4 else []
        page.prose(f"Locked ones wait for {listed(named + more)}; `grade NAME` grades them all the same.", DIM)


def _meant(given: str, noun: str, names: Sequence[str]) -> str:
    """Find the track or concept that is meant.

    Raises:
        UsageError: there is none.
    """
    known = {name.casefold(): name for name in names}
    wanted = given.strip().casefold()
    if wanted in known:
        return known[wanted]
    found = [name for key, name in known.items() if wanted and key.startswith(wanted)]
    found = found or [name for key, name in known.items() if wanted and wanted in key]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"`{given}` is more than one {noun}: {listed(f'`{name}`' for name in found)}")
    near = difflib.get_close_matches(wanted, known, n=1)
    every = listed(f"`{name}`" for name in known.values())
    hint = f"did you mean `{known[near[0]]}`?" if near else f"there are {every}"
    raise UsageError(f"no {noun} named `{given}`", hint=hint)


def _name_unreadable(learner: Learner) -> None:
    for id in learner.outlines.unreadable:
        say(f"note: {id} is left out: its `exercise.toml` isn't sound; `grade {short_name(id)}` says what is wrong")
