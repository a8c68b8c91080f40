"""`grade history`: every report that was ever shown, scores over time, and the whole as a file."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal

import click

from grader.cli.common import course_of, course_option, exercise_argument, put, say
from grader.cli.learner import Learner, database_url, learner_of, say_note
from grader.cli.page import BOLD, DIM, GREEN, RED, YELLOW, Page, column, padded
from grader.course import Course
from grader.error import UsageError
from grader.progress import sparkline
from grader.render.account import short_name
from grader.render.plain import counted, cut, figure, of_points
from grader.render.plot import plot
from grader.store.summary import Summary, attempts, best

SHOWN = 20
_COLOURS = {"passed": GREEN, "failed": "", "broken": RED, "grader-error": YELLOW}
_SPARKS = 16


@click.command("history", short_help="Show your results over time.")
@exercise_argument(required=False)
@click.option("--all", "show_all", is_flag=True, help=f"Every result, not only the newest {SHOWN}.")
@click.option("--export", "form", type=click.Choice(["json", "csv"]), help="Write it all; JSON can be imported.")
@click.option("--output", metavar="FILE", help="Write the export there; `-` is stdout.")
@click.option("--import", "source", metavar="FILE", help="Take in an export, or a report of `--format json`.")
@course_option
@click.pass_context
def history(
    ctx: click.Context,
    exercise: str | None,
    show_all: bool,
    form: Literal["json", "csv"] | None,
    output: str | None,
    source: str | None,
) -> int:
    """Show your results over time: of all exercises, or every result of one.

    An import takes nothing twice, and changes nothing that is there.
    """
    course = course_of(ctx)
    if form is not None and source is not None:
        raise UsageError("`--export` and `--import` don't go together", hint="one after the other")
    if exercise is not None and (form is not None or source is not None):
        raise UsageError("an export or import is of the whole history", hint="leave the exercise's name out")
    if output is not None and form is None:
        raise UsageError("`--output` needs `--export`", hint="`grade history --export json --output FILE`")
    if form is not None:
        return _export(course, form, output)
    if source is not None:
        return _import(course, source)
    learner = learner_of(course)
    if exercise is None:
        _show_all(Page(), learner)
    else:
        _show_one(Page(), learner, _id_of(learner, exercise), SHOWN if not show_all else None)
    return 0


def _id_of(learner: Learner, exercise: str) -> str:
    """Give the id of an exercise; one that the course no longer has is known by its reports."""
    if any(summary.exercise == exercise for summary in learner.summaries):
        return exercise
    return learner.course.resolve(exercise).name


def _show_all(page: Page, learner: Learner) -> None:
    if not learner.summaries:
        page.prose("Nothing was graded here yet. `grade` says how to begin.")
        return
    order = [outline.id for outline in learner.outlines.known]
    graded = list(dict.fromkeys(summary.exercise for summary in learner.summaries))
    ids = [id for id in order if id in graded] + [id for id in graded if id not in order]
    names = [id.removeprefix("exercise-") for id in ids]
    tries = [learner.of(id) for id in ids]
    tops = [best(each) for each in tries]
    points = ["-" if top is None else f"{figure(top.points)}/{figure(top.points_max)}" for top in tops]
    counts = [counted(attempts(each), "try", "tries") for each in tries]
    dates = [_day(each[-1]) for each in tries]
    widths = [max(column(texts), len(head)) for texts, head in ((points, "best"), (counts, ""), (dates, "last"))]
    sparks = max(min(_SPARKS, max(len(each) for each in tries)), len("scores"))
    names_width = max(min(max(column(names), len("exercise")), page.width - sum(widths) - sparks - 8), 8)
    page.line(
        f"{padded('exercise', names_width)}  {padded('best', widths[0], right=True)}  {padded('', widths[1])}"
        f"  {padded('last', widths[2])}  scores",
        DIM,
    )
    for name, point, count, day, each, top in zip(names, points, counts, dates, tries, tops, strict=True):
        counted_ones = [summary for summary in each if summary.is_attempt]
        most = max((summary.points_max for summary in counted_ones), default=1)
        line = sparkline([one.points for one in counted_ones], top=most, width=_SPARKS, is_unicode=page.has_unicode)
        page.parts(
            (padded(cut(name, names_width), names_width) + "  ", ""),
            (padded(point, widths[0], right=True), GREEN if top is not None and top.status == "passed" else ""),
            (f"  {padded(count, widths[1], right=True)}  {padded(day, widths[2])}  ", ""),
            (line, DIM),
        )
    page.line()
    total = attempts(learner.summaries)
    page.prose(
        f"{counted(total, 'grading')} on {counted(len(learner.progress.days), 'day')}; "
        "`grade history EXERCISE` shows those of one exercise",
        DIM,
    )


def _show_one(page: Page, learner: Learner, id: str, most: int | None) -> None:
    tries = learner.of(id)
    outline = learner.outlines.of(id)
    page.prose(f"{short_name(id)}, {outline.title}" if outline else id, BOLD)
    if not tries:
        page.prose(f"Not graded yet: `grade {short_name(id)}` does it.")
        return
    counting = [summary for summary in tries if summary.is_attempt]
    if any(summary.points for summary in counting):
        page.line()
        top = max(summary.points_max for summary in counting)
        for line in plot([each.points for each in counting], top, width=page.width, is_unicode=page.has_unicode):
            page.line(line)
    page.line()
    shown = tries if most is None else tries[-most:]
    if len(shown) < len(tries):
        page.line(f"the newest {len(shown)} of {len(tries)}; `--all` shows every one", DIM)
    points = [f"{figure(each.points)}/{figure(each.points_max)}" if each.is_attempt else "-" for each in shown]
    points_width = max(column(points), len("points"))
    states = max(column(_status(each) for each in shown), len("result"))
    page.line(f"{'when':<16}  {padded('points', points_width, right=True)}  {padded('result', states)}  report", DIM)
    for each, point in zip(shown, points, strict=True):
        page.parts(
            (f"{_moment(each)}  ", DIM),
            (f"{padded(point, points_width, right=True)}  ", ""),
            (padded(_status(each), states), _COLOURS[each.status]),
            (f"  {each.id}", DIM),
        )
    top_one = best(tries)
    page.line()
    if top_one is not None:
        text = f"{counted(len(counting), 'try', 'tries')}; best {of_points(top_one.points, top_one.points_max)}"
        page.prose(text + ("" if len(counting) == len(tries) else "; a fault of the grader is no try"))


def _status(summary: Summary) -> str:
    return "the grader failed" if summary.status == "grader-error" else summary.status


def _day(summary: Summary) -> str:
    return _moment(summary)[:10]


def _moment(summary: Summary) -> str:
    try:
        return datetime.fromisoformat(summary.created).astimezone().strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError):
        return summary.created[:16]


def _export(course: Course, form: Literal["json", "csv"], output: str | None) -> int:
    from grader.store.history import open_history

    with open_history(course.state, database_url()) as found:
        for note in found.notes:
            say_note(note)
        data = found.export(form)
    put(data, output, what="export")
    if output not in (None, "-"):
        say(f"the history is in {output}")
    return 0


def _import(course: Course, source: str) -> int:
    from grader.store.history import open_history

    try:
        data = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    except OSError as error:
        raise UsageError(f"`{source}` can't be read: {(error.strerror or str(error)).lower()}") from error
    with open_history(course.state, database_url()) as found:
        for note in found.notes:
            say_note(note)
        taken = found.import_(data)
    click.echo(_what_was_taken(taken.taken, taken.known, taken.hints))
    for problem in _shortened(taken.refused):
        say(f"not taken: {problem}")
    return 1 if taken.refused else 0


def _what_was_taken(taken: int, known: int, hints: int) -> str:
    parts = [f"took in {counted(taken, 'report')}"]
    if hints:
        parts.append(f"{counted(hints, 'shown hint')}")
    text = " and ".join(parts)
    return f"{text}; {known} {'was' if known == 1 else 'were'} here already" if known else text


def _shortened(problems: Sequence[str], most: int = 10) -> list[str]:
    more = [f"and {len(problems) - most} more"] if len(problems) > most else []
    return [*problems[:most], *more]
