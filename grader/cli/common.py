"""What several commands share: the course, the terminal, and options for grading."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from grader.course import Course, find_course
from grader.error import UnknownExercise
from grader.exercise import Exercise
from grader.render import FORMATS
from grader.sandbox.choose import NAMES

Command = TypeVar("Command", bound=Callable[..., Any])


def course_of(ctx: click.Context) -> Course:
    """Find the course that the user named, or the one around the current folder.

    Raises:
        NoCourse: there is none.
    """
    explicit = ctx.find_root().obj.get("course")
    return find_course(Path.cwd(), explicit=Path(explicit) if explicit else None)


def exercise_of(course: Course, name: str) -> Exercise:
    """Load the exercise that a name means.

    Raises:
        UnknownExercise: none or several are meant; a command that was meant is suggested.
        BrokenExercise: its folder isn't sound.
    """
    try:
        return course.load(name)
    except UnknownExercise as error:
        from grader.cli.main import command_like

        meant = command_like(name)
        if meant is None:
            raise
        raise UnknownExercise(error.message, hint=f"did you mean the command `grade {meant}`?") from error


def width() -> int:
    """Give the width to write at: the terminal's, at most 100; 80 where there is none."""
    if not sys.stdout.isatty() and "COLUMNS" not in os.environ:
        return 80
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
        "✓✗█▁…".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def say(text: str) -> None:
    """Tell the user, on stderr, what is being done."""
    click.echo(text, err=True)


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
