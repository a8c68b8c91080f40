"""`grade batch EXERCISE DIR`: grade a class."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.common import course_of, course_option, exercise_argument, exercise_of, has_unicode, sandbox_option, say
from grader.error import FaultError
from grader.render import FORMATS

if TYPE_CHECKING:
    from grader.batch.batch import Kind, Results, Settled
    from grader.batch.similar import Similar
    from grader.course import Course
    from grader.sandbox.choose import Choice

PROBLEMS = ("refused", "missing", "grader-error")
LIVE_S = 0.1
"""A terminal's line is written over at most so often."""


@click.command("batch", short_help="Grade a class.")
@exercise_argument()
@click.argument("folder", metavar="DIR", type=click.Path())
@course_option
@sandbox_option
@click.option("--runtime", metavar="NAME", help="An OCI runtime that the engine knows, such as runsc.")
@click.option("--jobs", type=click.IntRange(1, 256), metavar="N", help="Gradings at a time; default: what fits here.")
@click.option("--out", multiple=True, metavar="FILE", help="A gradebook: .csv, .json or .html. May be repeated.")
@click.option("--reports", metavar="FOLDER", help="One report for each learner, written there.")
@click.option(
    "--report-format", type=click.Choice(list(FORMATS)), default="html", show_default=True, help="The form of those."
)
@click.option(
    "--similar", is_flag=True, help="Find pairs that are too alike; the HTML gradebook shows them side by side."
)
@click.option("--no-cache", is_flag=True, help="Forget what is known, and grade all again.")
@click.pass_context
def batch(
    ctx: click.Context,
    exercise: str,
    folder: str,
    sandbox: str | None,
    runtime: str | None,
    jobs: int | None,
    out: tuple[str, ...],
    reports: str | None,
    report_format: str,
    similar: bool,
    no_cache: bool,
) -> int:
    """Grade a class: DIR holds a folder, a zip or a tar for each learner.

    Trees such as `learner/exercise-03/` are understood as well, and so is what Moodle and Canvas let a teacher download, once
    it is unpacked. A run that was stopped or killed goes on with the same command; what is known is not graded again.

    Exit code: 0 everyone is settled, 2 usage, 3 somebody has no score because the grader failed, 130 interrupted.
    """
    from grader.batch.batch import Settings, run
    from grader.batch.gradebook import check_gradebooks, form_of, write_gradebooks
    from grader.batch.journal import open_journal
    from grader.batch.machine import jobs_for
    from grader.batch.similar import require_similar
    from grader.batch.source import find_submissions
    from grader.batch.summary import summarize, to_lines
    from grader.sandbox.choose import choose

    books = [Path(name) for name in out]
    for book in books:
        form_of(book)
    if similar:
        require_similar()
    course = course_of(ctx)
    found = exercise_of(course, exercise)
    sent = find_submissions(Path(folder))
    if sent.ignored:
        more = f" and {len(sent.ignored) - 5} more" if len(sent.ignored) > 5 else ""
        say(f"note: no submission, so left out: {_quoted(sent.ignored[:5])}{more}")
    check_gradebooks(books)
    choice: Choice = choose(sandbox, is_own=False, say=say, runtime=runtime)
    if choice.notice:
        say(f"notice: {choice.notice}")
    settings = Settings(
        jobs=jobs or jobs_for(found.limits),
        reports=Path(reports) if reports is not None else None,
        report_format=report_format,
    )
    with ExitStack() as stack:
        place = _place(course, stack)
        journal = stack.enter_context(open_journal(place, found, choice.name, is_fresh=no_cache))
        progress = _Progress(len(sent.sent), settings.jobs)
        try:
            results = run(found, sent.sent, choice, journal, settings, progress.settled)
        finally:
            progress.close()
        if results.is_interrupted:
            return _interrupted(results, no_cache)
        summary = summarize(found, results.rows(), results.copies())
        if similar:
            summary.similar = _similar(results)
        try:
            write_gradebooks(books, results, summary, say)
        finally:
            for line in to_lines(summary, is_unicode=has_unicode()):
                click.echo(line if has_unicode() else line.encode("ascii", "backslashreplace").decode())
    failed = summary.kinds["grader-error"]
    if failed:
        say(f"\n{failed} without a score because the grader failed: the same command tries these again")
    return 3 if failed else 0


def _similar(results: Results) -> Similar | None:
    """Compare the submissions; a failure of that costs nobody the gradebook."""
    from grader.batch.similar import find_similar

    say("comparing the submissions")
    try:
        found = find_similar(results)
    except FaultError as error:
        say(f"note: {error.message}; the gradebook is without it")
        return None
    for names, why in ((found.skipped, "could not be compared"), (found.cut, "was compared only in part: it is long")):
        if names:
            more = f" and {len(names) - 5} more" if len(names) > 5 else ""
            say(f"note: {why}: {_quoted(names[:5])}{more}")
    return found


def _place(course: Course, stack: ExitStack) -> Path:
    """Give the folder for the journal; one that goes away at the end where none can be kept."""
    from grader.file_name import shown
    from grader.store.place import home_place

    place = home_place(course.state)
    if place is None:
        where = "`.grade/`" if course.kept_at is None else shown(str(course.kept_at))
        say(f"note: {where} can't be written, so nothing is kept: a run that is stopped would begin again")
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kata-batch-")))
    return place


def _interrupted(results: Results, no_cache: bool) -> int:
    same = "the same command without `--no-cache`" if no_cache else "the same command"
    say(f"stopped: {results.settled:,} of {len(results.sent):,} are settled, and kept; no gradebook was written")
    say(f"\nhint: {same} goes on from there")
    return 130


def _quoted(names: Sequence[str]) -> str:
    from grader.file_name import shown

    return ", ".join(shown(name) for name in names)


class _Progress:
    """Rate, time left and counts on stderr: one line that is written over, or without a terminal one every now and then."""

    def __init__(self, total: int, jobs: int) -> None:
        self._total = total
        self._every = max(10, total // 20)
        self._kinds: Counter[Kind] = Counter()
        self._done = 0
        self._fresh = 0
        self._started = time.monotonic()
        self._shown = 0.0
        self._is_live = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._is_open = False
        say(f"{total:,} submissions, {jobs} at a time")

    def settled(self, one: Settled) -> None:
        """Take one learner's result."""
        from grader.render.plain import one_line

        self._done += 1
        self._fresh += not one.is_known
        self._kinds[one.kind] += 1
        if one.kind in PROBLEMS:
            self.close()
            say(f"problem: {one_line(one.sent.label, 100)}: {one.kind}: {one_line(one.message, 400)}")
        if self._is_live:
            now = time.monotonic()
            if now - self._shown >= LIVE_S or self._done == self._total:
                self._shown = now
                sys.stderr.write(f"\r\x1b[K{self._line(bar=True)[: _columns() - 1]}")
                sys.stderr.flush()
                self._is_open = True
        elif self._done % self._every == 0 or self._done == self._total:
            say(self._line(bar=False))

    def close(self) -> None:
        """Leave the terminal's line."""
        if self._is_open:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._is_open = False

    def _line(self, *, bar: bool) -> str:
        from grader.batch.summary import kinds_in_words

        elapsed_s = max(time.monotonic() - self._started, 0.001)
        rate = self._fresh / elapsed_s
        parts = [f"{self._done:,}/{self._total:,}"]
        if bar:
            filled = 20 * self._done // self._total
            parts.insert(0, f"[{'#' * filled}{'.' * (20 - filled)}]")
        if self._fresh:
            parts.append(f"{rate:.1f}/s")
        if self._fresh and self._done < self._total:
            parts.append(f"{_span((self._total - self._done) / (self._done / elapsed_s))} left")
        return f"{' '.join(parts)}: {kinds_in_words(self._kinds)}"


def _columns() -> int:
    try:
        return os.get_terminal_size(2).columns
    except OSError:
        return 80


def _span(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
