"""One exercise, before and after its grading: `grade show`, `hint`, `reset`, `redo` and `reveal`."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import click

from grader.cli.common import complete_task, course_of, course_option, exercise_argument, say
from grader.cli.learner import Learner, builds_on, learner_of, report_of, say_note
from grader.cli.page import BOLD, DIM, Page
from grader.course import Course, default_submission
from grader.error import DamagedReport, GraderError, UsageError
from grader.exercise import Exercise, Released, ReleasedTask, Task, load_exercise, load_released
from grader.folder import is_pack
from grader.render.account import short_name
from grader.render.plain import counted, figure, listed, of_points, visible
from grader.store.error import HistoryError
from grader.store.hint import hints, record_hint
from grader.store.place import make_folder, places, reason
from grader.store.round import begin_round
from grader.submission import read_regular

_About = Exercise | Released
_Task = Task | ReleasedTask

README = "README.md"
KEPT = "kept"


@click.command("show", short_help="Show what an exercise wants.")
@exercise_argument(required=False)
@course_option
@click.pass_context
def show(ctx: click.Context, exercise: str | None) -> int:
    """Show what an exercise wants: its README, laid out for the terminal, and as it is in a pipe.

    Without EXERCISE: the one to go on with.
    """
    course = course_of(ctx)
    folder = _folder(course, exercise)
    path = folder / README
    try:
        text = read_regular(path).decode("utf-8", "backslashreplace")
    except OSError as error:
        raise UsageError(
            f"`{os.path.relpath(path)}` can't be read: {(error.strerror or str(error)).lower()}",
            hint="who keeps the course has to put it there",
        ) from error
    page = Page()
    if not sys.stdout.isatty():
        click.echo(page.plain(visible(text)), nl=False)
        return 0
    from grader.render.markdown_terminal import render_markdown

    laid_out = render_markdown(text, width=page.width, colour=page.has_colour, unicode=page.has_unicode)
    click.echo(laid_out, nl=False, color=True)
    _show_the_way(page, course, folder)
    return 0


def _show_the_way(page: Page, course: Course, folder: Path) -> None:
    """Say below the README where the code goes and how it is graded."""
    name = short_name(folder.name)
    solution = folder / "solution"
    page.line()
    page.line("─" * page.width if page.has_unicode else "-" * page.width, DIM)
    try:
        note = builds_on(learner_of(course), folder.name)
    except GraderError:
        note = ""  # the history can't be used now; the README doesn't need it
    if note:
        page.prose(f"Locked: {note}.")
    if solution.exists():
        page.prose(f"Your code: {os.path.relpath(solution)}{os.sep}")
    else:
        page.prose(f"Your code: {os.path.relpath(solution)}{os.sep}, which the first grading makes from the starter")
    page.commands([(f"grade {name}", "grade it"), (f"grade hint {name}", "a hint")])


@click.command("hint", short_help="Give a hint, one level more each time.")
@exercise_argument(required=False)
@click.option(
    "--task", metavar="ID", shell_complete=complete_task,
    help="For this task, by id or number; default: the first not yet earned.",
)  # fmt: skip
@course_option
@click.pass_context
def hint(ctx: click.Context, exercise: str | None, task: str | None) -> int:
    """Give a hint for the first task that your last grading did not earn: one level more each time.

    Hints cost nothing. Which ones were shown is kept in your history.
    """
    course = course_of(ctx)
    folder = _folder(course, exercise)
    found = load_released(folder) if is_pack(course.root) else load_exercise(folder)
    name = short_name(found.id)
    page = Page()
    chosen = _task_named(found, task) if task is not None else _task_to_earn(course, found)
    if chosen is None:
        page.prose(f"You have earned every task of {name}. `grade hint {name} --task ID` gives a hint all the same:")
        page.commands([(each.id, each.title) for each in found.tasks])
        return 0
    shown = min(hints(course.state, found.id).get(chosen.id, 0), len(chosen.hints))
    _show_title(page, found, chosen)
    if not chosen.hints:
        page.prose("No hint of this task was released: ask who gave you the pack.")
        return 0
    if shown == len(chosen.hints):
        for level, text in enumerate(chosen.hints, 1):
            _show_hint(page, level, len(chosen.hints), text)
        page.line()
        page.prose(f"These are all the hints of this task; `grade show {name}` has the whole text.", DIM)
        return 0
    kept = record_hint(course.state, found.id, chosen.id, shown + 1)
    _show_hint(page, shown + 1, len(chosen.hints), chosen.hints[shown])
    page.line()
    page.prose(_what_is_left(found, chosen, shown + 1, is_named=task is not None), DIM)
    if kept.note is not None:
        say_note(kept.note)
    return 0


def _show_title(page: Page, exercise: _About, task: _Task) -> None:
    place = [each.id for each in exercise.tasks].index(task.id) + 1
    lead = f"Task {place} of {len(exercise.tasks)}: " if len(exercise.tasks) > 1 else ""
    page.prose(lead + task.title, BOLD)


def _show_hint(page: Page, level: int, of: int, text: str) -> None:
    page.line()
    page.line(f"hint {level} of {of}", DIM)
    page.prose(text.strip(), indent="  ")


def _what_is_left(exercise: _About, task: _Task, level: int, *, is_named: bool) -> str:
    left = len(task.hints) - level
    if left == 0:
        return "That was the last hint of this task."
    again = f"grade hint {short_name(exercise.id)}" + (f" --task {task.id}" if is_named else "")
    return f"{counted(left, 'more hint')} for this task: `{again}`"


def _task_named(exercise: _About, given: str) -> _Task:
    wanted = given.strip().casefold()
    ids = [task.id for task in exercise.tasks]
    if wanted.isdecimal() and 1 <= int(wanted) <= len(ids) and wanted not in ids:
        return exercise.tasks[int(wanted) - 1]
    for task in exercise.tasks:
        if task.id == wanted:
            return task
    import difflib

    near = difflib.get_close_matches(wanted, ids, n=1)
    tasks = listed(f"`{id}`" for id in ids)
    raise UsageError(
        f"{short_name(exercise.id)} has no task `{given}`",
        hint=f"did you mean `--task {near[0]}`?" if near else f"its tasks are {tasks}",
    )


def _task_to_earn(course: Course, exercise: _About) -> _Task | None:
    """Give the first task without all of its points in the last report; the first of all where there is none."""
    try:
        last = learner_of(course).last(exercise.id)
        tasks = report_of(course, last).tasks if last is not None else []
    except (HistoryError, DamagedReport) as error:
        say(f"note: {error.message}; this is for the first task")
        return exercise.tasks[0]
    earned = {task.id for task in tasks if task.points >= task.points_max}
    return next((task for task in exercise.tasks if task.id not in earned), None)


@click.command("reset", short_help="Start an exercise again; your code is kept.")
@exercise_argument()
@click.option("--yes", is_flag=True, help="Don't ask.")
@course_option
@click.pass_context
def reset(ctx: click.Context, exercise: str, yes: bool) -> int:
    """Put the starter into `solution/` again. What was there is moved to a folder of its own, and the place is said."""
    course = course_of(ctx)
    found = course.load(exercise)
    return 0 if _start_again(course, found, ask=not yes) else 1


@click.command("redo", short_help="Do an exercise once more, with other data.")
@exercise_argument()
@click.option("--yes", is_flag=True, help="Don't ask.")
@course_option
@click.pass_context
def redo(ctx: click.Context, exercise: str, yes: bool) -> int:
    """Do an exercise once more: the starter again, and hidden data that you haven't met.

    What you earned stays earned, and your old code is kept as by `grade reset`.
    """
    course = course_of(ctx)
    found = course.load(exercise)
    if not _start_again(course, found, ask=not yes):
        return 1
    begun = begin_round(course.state, found.id)
    if begun.note is not None:
        say_note(begun.note)
    else:
        say("the hidden data is another one from now on; what you earned stays earned")
    return 0


def _start_again(course: Course, exercise: Exercise, *, ask: bool) -> bool:
    """Put the starter in the solution's place, and say so; False where the user would rather not.

    Raises:
        UsageError: that can't be done; what was there is there still.
        BrokenExercise: the starter can't be taken.
    """
    solution = exercise.folder / "solution"
    shown = os.path.relpath(solution) + os.sep
    starter = exercise.files_of("starter")
    if not os.path.lexists(solution):
        default_submission(exercise)
        say(f"made {shown} from the starter")
        return True
    if _holds(solution, starter):
        say(f"{shown} is the starter as it came: nothing to put away")
        return True
    if ask and sys.stdin.isatty():
        say(f"{shown} gets the starter again; your code is moved aside, not deleted")
        if not click.confirm("go on?", default=True, err=True):
            say("nothing was changed")
            return False
    kept = _put_away(course, exercise, solution)
    try:
        default_submission(exercise)
    except GraderError:
        if not os.path.lexists(solution):
            shutil.move(kept, solution)
        raise
    say(f"{shown} is the starter again\nyour code was kept in {os.path.relpath(kept)}{os.sep}")
    return True


def _holds(solution: Path, files: Mapping[str, bytes]) -> bool:
    """Say whether a folder holds these files and no others."""
    from grader.submission import read_submission

    try:
        return read_submission(solution).files == files
    except GraderError:
        return False


def _put_away(course: Course, exercise: Exercise, solution: Path) -> Path:
    first: OSError | None = None
    for place in places(course.state):
        target = _free(place / KEPT / f"{exercise.id}-{time.strftime('%Y%m%dT%H%M%S')}")
        try:
            make_folder(target.parent)
            shutil.move(solution, target)
        except OSError as error:
            first = first or error
            continue
        return target
    assert first is not None
    raise UsageError(
        f"your code can't be moved to `{course.state / KEPT}`: {reason(first)}",
        hint="nothing was changed: move `solution/` to a place of yours; the next grading makes it anew",
    ) from first


def _free(path: Path) -> Path:
    number, free = 1, path
    while os.path.lexists(free):
        number += 1
        free = path.with_name(f"{path.name}-{number}")
    return free


@click.command("reveal", short_help="Show the reference and other ways, once you have passed.")
@exercise_argument()
@course_option
@click.pass_context
def reveal(ctx: click.Context, exercise: str) -> int:
    """Show the reference and the alternatives, and when to prefer which. Only once you have passed the exercise.

    Exit code: 1 while it isn't passed; what is missing is said.
    """
    course = course_of(ctx)
    found = course.load(exercise)
    learner = learner_of(course)
    page = Page()
    standing = learner.standing(found.id)
    if standing is None or standing.state != "passed":
        _say_what_is_missing(page, learner, found)
        return 1
    reference = found.files_of("reference")
    page.prose(f"The reference for {short_name(found.id)}, {found.title}", BOLD)
    _show_files(page, reference)
    for each in found.alternatives:
        files = found.variant("alternatives", each.id)
        page.line()
        page.prose(f"Another way: {each.id}", BOLD)
        page.prose(f"Prefer it {each.when.strip()}.".replace("..", "."))
        _show_files(page, {name: data for name, data in files.items() if reference.get(name) != data})
    page.line()
    page.prose(f"Yours: {os.path.relpath(found.folder / 'solution')}{os.sep}", DIM)
    return 0


def _say_what_is_missing(page: Page, learner: Learner, exercise: Exercise) -> None:
    name = short_name(exercise.id)
    tries = [summary for summary in learner.of(exercise.id) if summary.is_attempt]
    if not tries:
        page.prose(f"The reference is shown once you have passed {name}. You have not graded it yet: `grade {name}`.")
        return
    top = max(tries, key=lambda summary: (summary.points, summary.stamp))
    so_far = of_points(top.points, top.points_max)
    page.prose(f"The reference is shown once you have passed {name}. Your best so far: {so_far}.")
    try:
        tasks = report_of(learner.course, top).tasks
    except (HistoryError, DamagedReport):
        return
    missing = [task for task in tasks if task.points < task.points_max]
    if missing:
        page.line("What is missing:")
        for task in missing:
            page.prose(f"- {task.title} ({figure(task.points)} of {figure(task.points_max)})", indent="  ")
    page.prose(f"`grade hint {name}` gives a hint.")


def _show_files(page: Page, files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        page.line()
        page.line(name, DIM)
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            page.line(f"({len(data):,} bytes that aren't text)")
            continue
        if not sys.stdout.isatty():
            click.echo(page.plain(visible(text)).rstrip("\n"))  # as it is: it may be written to a file
            continue
        from grader.render.markdown_terminal import render_code

        code = render_code(text, name, width=page.width, colour=page.has_colour, unicode=page.has_unicode)
        click.echo(code, nl=False, color=True)


def _folder(course: Course, exercise: str | None) -> Path:
    """Find the folder of the exercise that is meant, or of the one to go on with.

    Raises:
        UnknownExercise: none or several have the name.
        UsageError: none was named, and there is none to go on with.
    """
    if exercise is not None:
        return course.resolve(exercise)
    following = learner_of(course).next
    if following is None:
        raise UsageError("there is no exercise to go on with", hint="name one; `grade list` shows all")
    return course.resolve(following.id)
