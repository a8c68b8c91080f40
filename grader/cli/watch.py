"""`grade watch EXERCISE`: grade on every save, in boxes that wait ready."""

from __future__ import annotations

import os
import queue
import select
import sys
import termios
import threading
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import click

from grader.boxes import make_pod
from grader.cli.common import (
    course_of,
    course_option,
    exercise_argument,
    exercise_of,
    has_colour,
    has_unicode,
    sandbox_option,
    say,
    width,
)
from grader.course import default_submission
from grader.error import GraderError, UsageError
from grader.exercise import Exercise
from grader.file_name import is_left_out
from grader.grading import Options, grade
from grader.report import Report
from grader.resemblance import with_help
from grader.sandbox.choose import Choice, choose, named
from grader.sandbox.warm import WarmPods
from grader.store.inbox import keep
from grader.store.submissions import keep_submission
from grader.submission import Submission, read_submission, submission_of

LOOK_S = 0.004
"""How often the files' times are looked at: a few files cost 0.05 ms, the most that there may be one."""

SETTLE_S = 0.004
"""An editor writes a file in several steps; what came within this time is one save."""

KEYS = "h hint   t task   r run again   n next   q quit"


@click.command("watch", short_help="Grade on every save.")
@exercise_argument()
@sandbox_option
@course_option
@click.pass_context
def watch(ctx: click.Context, exercise: str, sandbox: str | None) -> int:
    """Grade on every save of your solution, until `q`.

    Keys: h next hint, t task text, r run again, n next exercise, q quit.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("`grade watch` needs a terminal", hint=f"`grade {exercise}` grades once")
    name: str | None = exercise
    while name is not None:
        name = _watch_one(ctx, name, sandbox)
    return 0


def _watch_one(ctx: click.Context, name: str, sandbox: str | None) -> str | None:
    """Watch one exercise; give the name of the next, or `None` to end."""
    course = course_of(ctx)
    exercise = exercise_of(course, name)
    folder, is_new = default_submission(exercise)
    if is_new:
        say(f"made {os.path.relpath(folder)} from the starter: your code goes there")
    choice = choose(sandbox, is_own=True, say=say)
    if choice.notice:
        say(f"notice: {choice.notice}")
    likely = make_pod(exercise, submission_of({"app.py": b""}), seed=0)
    with WarmPods(named(choice.name, say=say), likely) as pods, _keys() as keyboard:
        screen = _Screen(ctx, exercise, folder, replace(choice, sandbox=pods), pods, course.state)
        return screen.loop(keyboard)


class _Cause(NamedTuple):
    """Why something is graded: since when (monotonic), and whether that was a save."""

    since: float
    is_save: bool

    def __str__(self) -> str:
        taken_ms = (time.monotonic() - self.since) * 1000
        return f"{taken_ms:.0f} ms after the save" if self.is_save else f"in {taken_ms:.0f} ms"


@dataclass
class _Job:
    submission: Submission
    cause: _Cause
    number: int


class _Told(NamedTuple):
    """What came of a job. `is_end`: nothing more comes of it."""

    number: int
    cause: _Cause
    outcome: Report | GraderError
    is_end: bool = True


class _Screen:
    """One exercise on the screen: what was saved last, and the grading of it."""

    def __init__(
        self, ctx: click.Context, exercise: Exercise, folder: Path, choice: Choice, pods: WarmPods, state: Path
    ) -> None:
        self._ctx = ctx
        self._exercise = exercise
        self._folder = folder
        self._choice = choice
        self._pods = pods
        self._state = state
        self._done: queue.Queue[_Told] = queue.Queue()
        self._is_done, self._tell_done = os.pipe()
        self._number = 0
        self._shown: tuple[int, object, str] = 0, None, ""
        self._running: threading.Thread | None = None
        self._waiting: _Job | None = None

    def loop(self, keyboard: int) -> str | None:
        """Grade now and on every save; give the next exercise's name when `n` asks for it, `None` at the end."""
        seen = _state_of(self._folder)
        self._take(_Cause(time.monotonic(), is_save=False))
        while True:
            ready = select.select([keyboard, self._is_done], [], [], LOOK_S)[0]
            if self._is_done in ready:
                os.read(self._is_done, 1)
            if keyboard in ready:
                key = os.read(keyboard, 1).decode("ascii", "replace").lower()
                if key in ("q", "\x03", "\x04", ""):
                    self._pods.cancel()
                    return None
                if key == "n" and (following := self._next()):
                    self._pods.cancel()
                    return following
                self._press(key)
            found = _state_of(self._folder)
            if found != seen:
                saved = time.monotonic()
                while (again := _settled(self._folder)) != found:
                    found = again
                seen = found
                self._take(_Cause(saved, is_save=True))
            self._attend()

    def _press(self, key: str) -> None:
        from grader.cli.learn import hint, show
        from grader.cli.main import tell

        if key == "r":
            self._take(_Cause(time.monotonic(), is_save=False))
        elif key in ("h", "t"):
            self._clear()
            try:
                self._ctx.invoke(hint if key == "h" else show, exercise=self._exercise.id)
            except GraderError as error:
                tell(error, err=False)
            self._footer("")

    def _next(self) -> str | None:
        from grader.cli.learner import learner_of
        from grader.cli.main import tell

        try:
            following = learner_of(course_of(self._ctx)).progress.other_than(self._exercise.id)
        except GraderError as error:
            tell(error, err=False)
            return None
        if following is None:
            self._footer("there is no other exercise to go on with")
            return None
        return following

    def _take(self, cause: _Cause) -> None:
        """Take what is saved now as the thing to grade; one that runs is ended, one that waits is replaced."""
        self._number += 1
        try:
            submission = read_submission(self._folder)
        except GraderError as error:
            self._tell(_Told(self._number, cause, error))
            return
        self._waiting = _Job(submission, cause, self._number)
        if self._running is not None:
            self._pods.cancel()

    def _attend(self) -> None:
        """Show what is done, and start what waits."""
        try:
            told = self._done.get_nowait()
        except queue.Empty:
            pass
        else:
            if told.is_end:
                if self._running is not None and not isinstance(told.outcome, GraderError):
                    self._running.join()
                self._running = None
            if told.number == self._number:
                self._show(told)
        if self._waiting is not None and self._running is None:
            job, self._waiting = self._waiting, None
            self._pods.resume()
            self._running = threading.Thread(target=self._grade, args=(job,), daemon=True)
            self._running.start()

    def _grade(self, job: _Job) -> None:
        try:
            report = grade(self._exercise, job.submission, self._choice, Options())
        except GraderError as error:
            self._tell(_Told(job.number, job.cause, error))
            return
        if job.number == self._number:
            keep_submission(job.submission.files, job.submission.digest, self._state)
            keep(report, self._state)
        # Nobody waits for the line of help that there may be.
        self._tell(_Told(job.number, job.cause, report, is_end=False))
        self._tell(_Told(job.number, job.cause, with_help(report, self._exercise, self._choice)))

    def _tell(self, told: _Told) -> None:
        self._done.put(told)
        os.write(self._tell_done, b".")  # wakes the loop at once

    def _show(self, told: _Told) -> None:
        outcome = told.outcome
        number, shown, note = self._shown
        if number != told.number:
            note = str(told.cause)
        elif outcome is shown:
            return
        self._shown = told.number, outcome, note
        self._clear()
        if isinstance(outcome, GraderError):
            from grader.cli.main import tell

            tell(outcome, err=False)
            self._footer("waiting for the next save")
            return
        from grader.render import render

        text = render(
            outcome, "text", width=width(), colour=has_colour(), unicode=has_unicode(), details=1,
            next_step=None if outcome.status != "passed" else "Press n for the next exercise.",
        )  # fmt: skip
        sys.stdout.write(text.decode())
        self._footer(note)

    def _clear(self) -> None:
        sys.stdout.write("\x1b[H\x1b[2J\x1b[3J" if os.environ.get("TERM") != "dumb" else "\n" + "-" * 20 + "\n")

    def _footer(self, note: str) -> None:
        line = f"\n{KEYS}"
        if note:
            line += f"\n{note}"
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def _state_of(folder: Path) -> tuple[tuple[str, int, int], ...] | None:
    """Give names, times and sizes of all files that count; `None` when the folder is gone."""
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [each for each in folders if not is_left_out(each)]
        for name in names:
            if is_left_out(name):
                continue
            path = os.path.join(parent, name)
            try:
                status = os.lstat(path)
            except OSError:
                continue
            found.append((path, status.st_mtime_ns, status.st_size))
    if not found and not folder.is_dir():
        return None
    return tuple(sorted(found))


def _settled(folder: Path) -> tuple[tuple[str, int, int], ...] | None:
    time.sleep(SETTLE_S)
    return _state_of(folder)


@contextmanager
def _keys() -> Iterator[int]:
    """Give the descriptor of the keyboard, without line editing; the terminal is as before afterwards."""
    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)
    try:
        tty.setcbreak(keyboard)
        yield keyboard
    finally:
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)
