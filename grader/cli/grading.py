"""Grade one submission in boxes that have been begun, and show and keep what came of it.

What is imported here is imported while the boxes start, also what is used after them.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NamedTuple

import msgspec

from grader.cli.common import has_colour, has_unicode, put, say, width
from grader.cli.learner import after_passing, builds_on, database_url, learner_of, say_note
from grader.course import Course, default_submission
from grader.error import GraderError, RefusedSubmission, UsageError
from grader.exercise import Exercise
from grader.grading import Options, derive_seed, grade
from grader.render.account import next_step, short_name
from grader.render.text import TextReporter
from grader.report import Report
from grader.resemblance import with_help
from grader.sandbox.choose import Choice
from grader.store.inbox import keep as keep_report
from grader.store.place import Note
from grader.store.round import round_of
from grader.store.submissions import keep_submission
from grader.submission import Submission, read_submission

EXIT_CODES = {"passed": 0, "failed": 1, "broken": 1, "grader-error": 3}


class Request(NamedTuple):
    """What was asked for on the command line; see its options. `path`: None is the learner's own solution."""

    path: Path | None
    is_own: bool
    seed: int | None
    wall_s: float | None
    format: str
    output: str | None
    is_verbose: bool
    is_quiet: bool


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
    seed = request.seed
    if seed is None and request.is_own and (mix := round_of(home.state, found.id)):
        seed = derive_seed(found, submission) ^ mix
    if choice.notice:
        say(f"notice: {choice.notice}")
    if request.is_verbose:
        say(f"sandbox: {choice.name} ({choice.reason})")

    reporter = None
    if request.format == "text" and request.output in (None, "-"):
        reporter = TextReporter(_write, width(), has_colour(), has_unicode(), request.is_quiet)
        reporter.start(found.title, choice.name, [(task.id, task.title) for task in found.tasks])
    report = grade(
        found,
        submission,
        choice,
        Options(seed=seed, wall_s=request.wall_s),
        listen=None if reporter is None else reporter.test,
    )
    report = with_help(report, found, another)
    if request.format == "json":
        # Not for every grading: it takes a tenth of the time of a short one.
        from grader.batch.image import with_image

        report = with_image(report)
    keep_submission(submission.files, submission.digest, home.state)
    kept = keep_report(report, home.state, learner="" if request.is_own else str(folder))
    notes: list[Note] = []
    if reporter is not None:
        following = _next_step(home, report, notes) if report.status == "passed" else None
        reporter.finish(report, next_step=following or next_step(report, path=str(request.path or "")))
    else:
        from grader.render import render

        put(
            render(report, request.format),
            request.output,
            what="report",
            hint="the grading itself is done and is in the history",
        )
        if not request.is_quiet and request.output not in (None, "-"):
            from grader.render.account import headline

            say(f"{headline(report)}; the report is in {request.output}")
    for note in [*notes, *([kept.note] if kept.note is not None else [])]:
        say_note(note)
    if request.is_verbose:
        _tell_inside(report)
    return EXIT_CODES[report.status]


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
    try:
        note = builds_on(learner_of(course), exercise.id)
    except GraderError:
        return  # the history can't be used now, which the end of the grading tells
    if note:
        say(f"note: {note}")


def _next_step(course: Course, report: Report, notes: list[Note]) -> str | None:
    """Name the exercise to go on with; None where the history can't tell. Adds to `notes`, for the report's end."""
    if database_url() is not None:
        return "Next: `grade next` names the exercise to go on with."  # a server is not asked while someone waits
    try:
        return after_passing(learner_of(course, tell=notes.append), report.exercise.id)
    except GraderError as error:
        notes.append(Note(error.message, error.hint))
        return None


def _write(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader left, as `head` does: the grading goes on, and its result is kept.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _tell_inside(report: Report) -> None:
    say(f"seed {report.seed}")
    for phase, duration_ms in report.durations_ms.items():
        say(f"{phase:>14}: {duration_ms:8.1f} ms")
    if report.status in ("broken", "grader-error"):
        say(f"message: {report.message}")
