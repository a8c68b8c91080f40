"""What follows the tests of one grading: the report is kept and shown, the next step named.

Imported while the tests run, when a processor has nothing else to do: see `grader.cli.grading`.
"""

from __future__ import annotations

from grader.cli.common import put, say
from grader.cli.learner import after_passing, database_url, learner_of, say_note
from grader.cli.request import Request
from grader.course import Course
from grader.error import GraderError
from grader.exercise import Exercise
from grader.render.account import headline
from grader.render.text import TextReporter
from grader.report import Report
from grader.resemblance import with_help
from grader.sandbox.choose import Choice
from grader.store.inbox import keep as keep_report
from grader.store.place import Note
from grader.store.submissions import keep_submission
from grader.submission import Submission

EXIT_CODES = {"passed": 0, "failed": 1, "broken": 1, "grader-error": 3}


def conclude(
    report: Report,
    *,
    home: Course,
    found: Exercise,
    submission: Submission,
    request: Request,
    reporter: TextReporter | None,
    another: Choice,
) -> int:
    """Keep the report in the course `home`, show it, and give the exit code; `reporter` has shown the tests already.

    `another` is the sandbox for what must be graded beside it.
    """
    report = with_help(report, found, another)
    if request.format == "json":
        # Not for every grading: it takes a tenth of the time of a short one.
        from grader.batch.image import with_image

        report = with_image(report)
    keep_submission(submission.files, submission.digest, home.state)
    kept = keep_report(report, home.state, learner="" if request.is_own else str(request.path))
    notes: list[Note] = []
    if reporter is not None:
        following = _next_step(home, report, notes) if report.status == "passed" else None
        reporter.finish(report, path=str(request.path or ""), next_step=following)
    else:
        from grader.render import render

        put(
            render(report, request.format, **({"details": request.details} if request.format == "text" else {})),
            request.output,
            what="report",
            hint="the grading itself is done and is in the history",
        )
        if not request.is_quiet and request.output not in (None, "-"):
            say(f"{headline(report)}; the report is in {request.output}")
    for note in [*notes, *([kept.note] if kept.note is not None else [])]:
        say_note(note)
    if request.is_verbose:
        _tell_inside(report)
    return EXIT_CODES[report.status]


def _next_step(course: Course, report: Report, notes: list[Note]) -> str | None:
    """Name the exercise to go on with; None where the history can't tell. Adds to `notes`, for the report's end."""
    if database_url() is not None:
        return "Next: `grade next` names the exercise to go on with."  # a server is not asked while someone waits
    try:
        return after_passing(learner_of(course, tell=notes.append), report.exercise.id)
    except GraderError as error:
        notes.append(Note(error.message, error.hint))
        return None


def _tell_inside(report: Report) -> None:
    say(f"seed {report.seed}")
    for phase, duration_ms in report.durations_ms.items():
        say(f"{phase:>14}: {duration_ms:8.1f} ms")
    if report.status in ("broken", "grader-error"):
        say(f"message: {report.message}")
