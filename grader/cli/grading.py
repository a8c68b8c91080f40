"""Grade one submission in boxes that have been begun.

What is imported here is imported while the boxes start, which keeps the processors busy. So what is used after the tests, and
takes as long to import, is imported while they run.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

import msgspec

from grader.cli.common import has_colour, has_unicode, say, width
from grader.cli.request import Request
from grader.course import Course, default_submission
from grader.error import GraderError, RefusedSubmission, UsageError
from grader.exercise import Exercise
from grader.grading import Options, derive_seed, grade
from grader.render.account import short_name
from grader.render.text import TextReporter
from grader.report import TestResult
from grader.sandbox.behind import Behind
from grader.sandbox.choose import Choice
from grader.submission import Submission, read_submission


def grade_one(
    course: Course, home: Course, found: Exercise, choice: Choice, request: Request, *, another: Choice
) -> int:
    """Grade; `home` is the course in which the learner works. Give the exit code.

    The sandbox of `choice` may be for one grading; that of `another` is for what must be graded beside it.

    Raises:
        GraderError: there is nothing that can be graded, or the sandbox failed.
    """
    if request.path is None:
        folder, is_new = default_submission(found if home is course else _in_pack(found, home))
        if is_new:
            say(f"made {os.path.relpath(folder)} from the starter: your code goes there")
            _say_what_it_builds_on(course, found)
    else:
        folder = request.path
    submission = _read(folder, found, is_default=request.path is None)
    if choice.notice:
        say(f"notice: {choice.notice}")
    if request.is_verbose:
        say(f"sandbox: {choice.name} ({choice.reason})")

    reporter = None
    if request.format == "text" and request.output in (None, "-"):
        reporter = TextReporter(_write, width(), has_colour(), has_unicode(), request.is_quiet, details=request.details)
        reporter.start(found.title, choice.name, [(task.id, task.title) for task in found.tasks])
    ahead: list[Behind] = []

    def hear(test: TestResult) -> None:
        if not ahead:
            ahead.append(Behind(_import_what_follows))
        if reporter is not None:
            reporter.test(test)

    options = Options(seed=_seed(request, found, submission, home), wall_s=request.wall_s)
    report = grade(found, submission, choice, options, listen=hear)
    from grader.cli.result import conclude

    return conclude(
        report,
        home=home,
        found=found,
        submission=submission,
        request=request,
        reporter=reporter,
        another=another,
    )


def _import_what_follows() -> None:
    importlib.import_module("grader.cli.result")


def _seed(request: Request, exercise: Exercise, submission: Submission, home: Course) -> int | None:
    """Give the seed that was asked for, or that of the learner's round; `None` where the grading's own is to be taken."""
    if request.seed is None and request.is_own:
        from grader.store.round import round_of

        if mix := round_of(home.state, exercise.id):
            return derive_seed(exercise, submission) ^ mix
    return request.seed


def _in_pack(exercise: Exercise, pack: Course) -> Exercise:
    """Give the exercise as it lies in a learners' pack: its solution and its starter are there."""
    folder = pack.root / "exercises" / exercise.id
    if not folder.is_dir():
        raise UsageError(
            f"`{exercise.id}` is not in the pack `{os.path.relpath(pack.root)}`",
            hint=f"give the folder with the solution: `grade {exercise.id} FOLDER --course FOLDER`",
        )
    return msgspec.structs.replace(exercise, folder=folder)


def _read(folder: Path, exercise: Exercise, *, is_default: bool) -> Submission:
    try:
        return read_submission(folder)
    except RefusedSubmission as error:
        if is_default and not error.hint and not any(folder.rglob("*")):
            hint = f"`grade reset {short_name(exercise.id)}` puts the starter there again"
            raise RefusedSubmission(error.problems, hint=hint) from error
        raise


def _say_what_it_builds_on(course: Course, exercise: Exercise) -> None:
    """Tell in one line, at the first grading of a locked exercise, what to pass before. It is graded all the same."""
    if not exercise.needs:
        return
    from grader.cli.learner import builds_on, learner_of

    try:
        note = builds_on(learner_of(course), exercise.id)
    except GraderError:
        return  # the history can't be used now, which the end of the grading tells
    if note:
        say(f"note: {note}")


def _write(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader left, as `head` does: the grading goes on, and its result is kept.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
