"""What several commands share: the course, the terminal, and options for grading."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from grader.course import Course, find_course
from grader.error import GraderError, UnknownExercise, UsageError
from grader.render import FORMATS
from grader.render.called import as_called
from grader.sandbox.choose import NAMES

if TYPE_CHECKING:
    from grader.exercise import Exercise

Command = TypeVar("Command", bound=Callable[..., Any])


def course_of(ctx: click.Context) -> Course:
    """Find the course that the user named, or the one around the current folder.

    Raises:
        NoCourse: there is none.
    """
    root = ctx.find_root()
    explicit = root.obj.get("course")
    if explicit and os.path.isfile(explicit):
        from grader.store.place import fallback_place
        from grader.verify.unpack import unpacked_course

        state = Path(explicit).absolute().parent / ".grade"
        root.obj["state"] = fallback_place(Path(explicit) / ".grade") or state
        # Unpacked once a run, and removed at its end.
        explicit = root.obj["course"] = str(root.with_resource(unpacked_course(Path(explicit))))
    found = find_course(Path.cwd(), explicit=Path(explicit) if explicit else None)
    return replace(found, kept_at=root.obj.get("state"))


def course_option(command: Command) -> Command:
    """Add `--course`, which may stand behind a command as well as before it."""

    def take(ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
        if value is not None:
            ctx.find_root().ensure_object(dict)["course"] = value

    return click.option(
        "--course", metavar="FOLDER", expose_value=False, callback=take,
        help="The course, or an archive of it; default: found upwards from here.",
    )(command)  # fmt: skip


def exercise_of(course: Course, name: str) -> Exercise:
    """Load the exercise that a name means.

    Raises:
        UnknownExercise: none or several are meant; a command that was meant is suggested.
        BrokenExercise: its folder isn't sound.
    """
    from grader.exercise import load_exercise  # not before the boxes of a grading are begun

    return load_exercise(folder_of(course, name))


def folder_of(course: Course, name: str) -> Path:
    """Find the folder of the exercise that a name means.

    Raises:
        UnknownExercise: none or several are meant; a command that was meant is suggested.
    """
    try:
        return course.resolve(name)
    except UnknownExercise as error:
        from grader.cli.main import command_like

        meant = command_like(name)
        if meant is None:
            raise
        raise UnknownExercise(error.message, hint=f"did you mean the command `grade {meant}`?") from error


def exercise_argument(*, required: bool = True) -> Callable[[Command], Command]:
    """Add the argument EXERCISE, whose names the shell completes."""
    return click.argument("exercise", required=required, shell_complete=complete_exercise)


def complete_exercise(ctx: click.Context, _param: click.Parameter | None, incomplete: str) -> list[Any]:
    """List the exercises whose name, number or slug begins like that, for the shell."""
    from click.shell_completion import CompletionItem

    course = _course_to_complete(ctx)
    found = course.exercises() if course is not None else []
    wanted = incomplete.casefold()
    for names in ([entry.id for entry in found], [entry.slug for entry in found]):
        if matching := [name for name in names if name.casefold().startswith(wanted)]:
            return [CompletionItem(name) for name in matching]
    return []


def complete_track(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """List the tracks of the course that begin like that, for the shell."""
    from grader.outline import outlines

    course = _course_to_complete(ctx)
    tracks = [each.track for each in outlines(course).known] if course is not None else []
    return _beginning(tracks, incomplete)


def complete_concept(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """List the concepts of the course that begin like that, for the shell."""
    from grader.outline import outlines

    course = _course_to_complete(ctx)
    known = outlines(course).known if course is not None else ()
    return _beginning([concept for each in known for concept in (each.teaches, *each.needs)], incomplete)


def complete_task(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """List the tasks of the exercise that was typed which begin like that, for the shell."""
    # An option without its value ends Click's reading before an argument is given its name.
    course, name = _course_to_complete(ctx), ctx.params.get("exercise") or next(iter(ctx.args), "")
    if course is None or not name:
        return []
    try:
        exercise = exercise_of(course, name)
    except (GraderError, OSError):
        return []
    return _beginning([task.id for task in exercise.tasks], incomplete)


def _course_to_complete(ctx: click.Context) -> Course | None:
    # The group's own function, which fills `obj`, isn't called while a shell completes.
    explicit = ctx.find_root().params.get("course")
    try:
        return find_course(Path.cwd(), explicit=Path(explicit) if explicit else None)
    except (GraderError, OSError):
        return None


def _beginning(names: Iterable[str], incomplete: str) -> list[str]:
    wanted = incomplete.casefold()
    return [name for name in dict.fromkeys(names) if name.casefold().startswith(wanted)]


def width() -> int:
    """Give the width to write at: the terminal's, at most 100; 80 where there is none."""
    if not sys.stdout.isatty() and "COLUMNS" not in os.environ:
        return 80
    import shutil  # not before the boxes of a grading are begun

    return min(shutil.get_terminal_size((80, 24)).columns, 100)


def has_colour() -> bool:
    """Say whether stdout shows colour: a terminal, unless NO_COLOR asks for none."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def has_unicode() -> bool:
    """Say whether stdout can show the marks beyond ASCII."""
    try:
        for encoding in (sys.stdout.encoding or "ascii", _encoding_asked_for()):
            "✓✗█▁…".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _encoding_asked_for() -> str:
    """Give the encoding that the environment names; UTF-8 where it names none.

    Python itself writes UTF-8 in the locale `C` (PEP 538, PEP 540), and `./grade` starts it so that it reads no
    PYTHONIOENCODING. What the terminal can show is what the variables say, all the same.
    """
    named = os.environ.get("PYTHONIOENCODING", "").partition(":")[0]
    if named:
        return named
    locale = next((value for name in ("LC_ALL", "LC_CTYPE", "LANG") if (value := os.environ.get(name))), "")
    if locale in ("C", "POSIX"):
        return "ascii"
    return locale.partition(".")[2].partition("@")[0] or "utf-8"


def say(text: str, *, indent: str = "", err: bool = True) -> None:
    """Tell the user, on stderr, what is being done; broken between words for a terminal, its later lines indented."""
    text = as_called(text)
    if (sys.stderr if err else sys.stdout).isatty() or "COLUMNS" in os.environ:
        from grader.render.plain import wrap_whole  # not before the boxes of a grading are begun

        first, *rest = wrap_whole(text, width() - len(indent))
        text = "\n".join([first, *(indent + line for line in rest)])
    click.echo(text, err=err)


def put(data: bytes, output: str | None, *, what: str, hint: str = "") -> None:
    """Write what a command gives to the file that `--output` names; `-`, or none, is stdout.

    As the shell's `>` does, it writes into what is there: through a link, into a pipe.

    Raises:
        UsageError: the file can't be written; `what` it would have been, and `hint`, are told.
    """
    if output is None or output == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    try:
        Path(output).write_bytes(data)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise UsageError(f"the {what} can't be written to `{output}`: {why}", hint=hint) from error


def sandbox_option(command: Command) -> Command:
    """Add `--sandbox`."""
    return click.option(
        "--sandbox", type=click.Choice(NAMES), help="Where to run it; default: the best that works (GRADE_SANDBOX)."
    )(command)


def format_options(command: Command) -> Command:
    """Add `--format` and `--output`."""
    command = click.option("--output", metavar="FILE", help="Write the report there; `-` is stdout.")(command)
    return click.option(
        "--format", "format_name", type=click.Choice(list(FORMATS)), default="text", show_default=True,
        help="The form of the report.",
    )(command)  # fmt: skip
