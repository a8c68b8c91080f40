"""`grade EXERCISE [PATH]`: choose a sandbox and begin its boxes; what takes long to import is imported meanwhile."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from grader.cli.common import (
    course_of,
    course_option,
    exercise_argument,
    folder_of,
    format_options,
    sandbox_option,
    say,
)
from grader.course import home_of
from grader.folder import is_pack
from grader.sandbox.choose import Choice, choose
from grader.sandbox.early import EarlySandbox
from grader.sandbox.pod import WarmSandbox


class _Seconds(click.FloatRange):
    """A number of seconds. Click's own range takes `nan`, which is neither too small nor too large."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        seconds = super().convert(value, param, ctx)
        if math.isnan(seconds):
            self.fail(f"{value} is no number of seconds", param, ctx)
        return seconds


@click.command("exercise", short_help="Grade an exercise.")
@exercise_argument()
@click.argument("path", required=False, type=click.Path())
@course_option
@sandbox_option
@click.option("--seed", type=click.IntRange(0, 2**48 - 1), help="Replay a grading's hidden data.")
@click.option("--wall-limit", type=_Seconds(1, 3600), metavar="SECONDS", help="The time for all of it.")
@click.option("--runtime", metavar="NAME", help="An OCI runtime that the engine knows, such as runsc.")
@click.option("--keep/--no-keep", default=True, help="Leave boxes waiting for the next grading (GRADE_KEEP=0 too).")
@format_options
@click.option("-v", "--verbose", is_flag=True, help="Show every failed test in full, and what happens inside.")
@click.option("-q", "--quiet", is_flag=True, help="Show the points only.")
@click.pass_context
def grade_exercise(
    ctx: click.Context,
    exercise: str,
    path: str | None,
    sandbox: str | None,
    seed: int | None,
    wall_limit: float | None,
    runtime: str | None,
    keep: bool,
    format_name: str,
    output: str | None,
    verbose: bool,
    quiet: bool,
) -> int:
    """Grade an exercise.

    EXERCISE is its folder's name, its number or its slug; PATH is the submission, by default `solution/`.

    Exit code: 0 passed, 1 graded and not passed, 2 usage, 3 the grader or the exercise is at fault.
    """
    course = course_of(ctx)
    folder = folder_of(course, exercise)
    if is_pack(course.root):
        course.load(folder.name)  # says that the hidden tests are elsewhere
    home = home_of(course, Path.cwd())
    own = home.root / "exercises" / folder.name / "solution"
    is_own = path is None or Path(path).resolve() == own.resolve()
    choice = choose(sandbox, is_own=is_own, say=say, runtime=runtime)
    with _begun(choice, runtime=runtime, keep=keep and is_own and choice.name != "local") as (begun, early):
        from grader.boxes import shape_of
        from grader.exercise import load_exercise

        found = load_exercise(folder)
        if early is not None:
            early.prepare(shape_of(found, wall_s=wall_limit))
        from grader.cli.grading import grade_one
        from grader.cli.request import Request

        request = Request(
            path=None if path is None else Path(path),
            is_own=is_own,
            seed=seed,
            wall_s=wall_limit,
            format=format_name,
            output=output,
            is_verbose=verbose,
            is_quiet=quiet,
        )
        return grade_one(course, home, found, begun, request, another=choice)


@contextmanager
def _begun(choice: Choice, *, runtime: str | None, keep: bool) -> Iterator[tuple[Choice, EarlySandbox | None]]:
    """Have boxes begin, unless some wait. `keep`: use those that wait, and leave some for the next time."""
    sandbox = choice.sandbox
    if not isinstance(sandbox, WarmSandbox):
        yield choice, None
        return
    if keep:
        from grader.sandbox.kept import KeptSandbox, keep_s, sockets

        keep = keep_s() > 0
        if keep and sockets(sandbox.name):
            yield replace(choice, sandbox=KeptSandbox(sandbox, runtime=runtime)), None
            return
    with EarlySandbox(sandbox) as early:
        yield replace(choice, sandbox=KeptSandbox(early, runtime=runtime) if keep else early), early
