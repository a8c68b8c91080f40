"""Grade all that was found: several at a time, each content once, nothing that is known already."""

from __future__ import annotations

import os
import re
import threading
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from grader.batch.attempt import graded
from grader.batch.journal import Journal, Outcome
from grader.batch.machine import keep_to_share
from grader.batch.source import NotSent, Sent, read_sent
from grader.error import BrokenExercise, GraderError, RefusedSubmission, UsageError
from grader.exercise import Exercise
from grader.render import FORMATS, render
from grader.report import Report, Status
from grader.sandbox.choose import Choice
from grader.sandbox.pod import WarmSandbox
from grader.sandbox.reused import SameExaminer
from grader.store.place import reason
from grader.submission import Submission, submission_of
from grader.whole_file import write_whole

Kind = Status | Literal["refused", "missing"]
"""How it ended with one learner. `refused`: the files can't be taken. `missing`: nothing was sent for this exercise."""

STARTER = "the starter"
REFUSAL = ".refused.txt"
NAMED_COPIES = 5
POLL_S = 0.2


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to grade a class. `reports` is the folder for one report a learner."""

    jobs: int
    reports: Path | None = None
    report_format: str = "html"


@dataclass(frozen=True, kw_only=True)
class Settled:
    """What the listener hears of one learner. `is_known`: it was in the journal, or is the same as another's."""

    sent: Sent
    kind: Kind
    message: str
    is_known: bool


Listener = Callable[[Settled], None]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of a gradebook. `outcome` is `None` where there is no score; `same_as` names who sent the same files."""

    sent: Sent
    kind: Kind
    message: str
    digest: str
    outcome: Outcome | None
    same_as: Sequence[str]


@dataclass(kw_only=True)
class Results:
    """What came of a run: who sent which content, and what isn't in the journal. Small, however many learners."""

    exercise: Exercise
    sent: Sequence[Sent]
    journal: Journal
    starter: str
    digests: list[bytes] = field(default_factory=list)
    problems: dict[int, tuple[Kind, str]] = field(default_factory=dict)
    failures: dict[bytes, str] = field(default_factory=dict)
    is_interrupted: bool = False
    settled: int = 0

    def rows(self) -> Iterator[Row]:
        """Go through all learners, by label. Nothing in a row tells of this run: another one gives the same."""
        same = self._same()
        for place, sent in enumerate(self.sent):
            digest = self.digests[place]
            kind, message = self.problems.get(place, ("grader-error", self.failures.get(digest, "it was not graded")))
            outcome = None
            if place not in self.problems and digest not in self.failures and self.journal.knows(digest.hex()):
                outcome = self.journal.outcome(digest.hex())
                kind, message = outcome.status, outcome.message
            others: list[str] = []
            if digest:
                others = [STARTER] if digest.hex() == self.starter else []
                others = others or self._others(same.get(digest, ()), place)
            yield Row(sent=sent, kind=kind, message=message, digest=digest.hex(), outcome=outcome, same_as=others)

    def copies(self) -> list[list[str]]:
        """List who sent the same files, a group each; the untouched starter doesn't count."""
        return [
            [self.sent[place].label for place in places]
            for digest, places in self._same().items()
            if digest.hex() != self.starter
        ]

    def _others(self, places: Sequence[int], place: int) -> list[str]:
        # Bounded: where a hundred share one file, their rows must not name a hundred each.
        named = [self.sent[each].label for each in places[: NAMED_COPIES + 1] if each != place][:NAMED_COPIES]
        more = len(places) - 1 - len(named)
        return [*named, f"{more} more"] if more > 0 else named

    def _same(self) -> dict[bytes, list[int]]:
        counts = Counter(digest for digest in self.digests if digest)
        same: dict[bytes, list[int]] = {}
        for place, digest in enumerate(self.digests):
            if digest and counts[digest] > 1:
                same.setdefault(digest, []).append(place)
        return same


def run(
    exercise: Exercise,
    sent: Sequence[Sent],
    choice: Choice,
    journal: Journal,
    settings: Settings,
    listen: Listener = lambda _settled: None,
) -> Results:
    """Grade what isn't known. An interruption lets what runs end, and is told in the result.

    Raises:
        UsageError: the journal or a report can't be written any more; what was graded before is kept.
    """
    results = Results(exercise=exercise, sent=sent, journal=journal, starter=_starter(exercise))
    results.digests = [b""] * len(sent)
    _Run(results, choice, settings, listen).run()
    return results


class _Run:
    """The workers. Each holds one submission at a time, and nothing is held once it is settled."""

    def __init__(self, results: Results, choice: Choice, settings: Settings, listen: Listener) -> None:
        self._results = results
        self._choice = choice
        self._settings = settings
        self._listen = listen
        self._lock = threading.Lock()
        self._next = 0
        self._stop = threading.Event()
        self._fault: BaseException | None = None
        # Who waits for a content that is being graded for someone else.
        self._running: dict[bytes, list[int]] = {}
        self._names = report_names(results.sent, settings.report_format) if settings.reports else []

    def run(self) -> None:
        """Start the workers and wait for their end.

        Raises:
            UsageError: see `run` of the module.
        """
        if self._settings.reports is not None:
            try:
                self._settings.reports.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise _unwritable(self._settings.reports, error) from error
        jobs = max(1, min(self._settings.jobs, len(self._results.sent)))
        workers = [
            threading.Thread(target=self._work, args=(number, jobs), name=f"batch-{number}") for number in range(jobs)
        ]
        try:
            for worker in workers:
                worker.start()
            _await(workers)
        except KeyboardInterrupt:
            self._results.is_interrupted = True
            self._stop.set()
            _await(workers)
        if self._fault is not None:
            raise self._fault

    def _work(self, number: int, workers: int) -> None:
        try:
            keep_to_share(number, workers)
            with _same_examiner(self._choice) as choice:
                while (place := self._take()) is not None:
                    self._one(place, choice)
        except BaseException as error:  # noqa: BLE001  raised again in the caller's thread
            self._fault = self._fault or error
            self._stop.set()

    def _take(self) -> int | None:
        with self._lock:
            if self._stop.is_set() or self._next >= len(self._results.sent):
                return None
            self._next += 1
            return self._next - 1

    def _one(self, place: int, choice: Choice) -> None:
        sent = self._results.sent[place]
        try:
            submission = read_sent(sent, self._results.exercise.id)
        except NotSent as error:
            return self._refuse(place, "missing", error)
        except RefusedSubmission as error:
            return self._refuse(place, "refused", error)
        except Exception as error:  # noqa: BLE001  one submission never stops the rest, whatever is in it
            return self._end(place, "grader-error", f"its files could not be read: {type(error).__name__}: {error}")
        digest = bytes.fromhex(submission.digest)
        self._results.digests[place] = digest
        with self._lock:
            if digest in self._running:
                self._running[digest].append(place)
                return None
            failure = self._results.failures.get(digest)
            is_known = self._results.journal.knows(submission.digest)
            if failure is None and not is_known:
                self._running[digest] = []
        if failure is not None:
            return self._tell(place, "grader-error", failure, is_known=True)
        if is_known:
            return self._settle(place, submission.digest, None, is_known=True)
        return self._grade(place, submission, choice)

    def _grade(self, place: int, submission: Submission, choice: Choice) -> None:
        digest = bytes.fromhex(submission.digest)
        try:
            report = graded(self._results.exercise, submission, choice, is_stopped=self._stop.is_set)
            failure = report.message if report.status == "grader-error" else ""
        except Exception as error:  # noqa: BLE001  a fault of ours in one grading never stops the rest
            report, failure = None, f"{type(error).__name__}: {error}"
        if report is not None and not failure:
            try:
                self._results.journal.add(report)
            except OSError as error:
                raise UsageError(
                    f"the journal can't be written: {reason(error)}", hint="what was graded before is kept in it"
                ) from error
        with self._lock:
            if failure:
                self._results.failures[digest] = failure
            waiting = self._running.pop(digest)
        for number, each in enumerate([place, *waiting]):
            if failure:
                if report is not None and self._settings.reports is not None:
                    self._write(each, render(report, self._settings.report_format))
                self._tell(each, "grader-error", failure, is_known=number > 0)
            else:
                self._settle(each, submission.digest, report, is_known=number > 0)

    def _settle(self, place: int, digest: str, report: Report | None, *, is_known: bool) -> None:
        """Write the learner's report, and tell."""
        journal = self._results.journal
        if self._settings.reports is not None:
            report = report or journal.report(digest)
            self._write(place, render(report, self._settings.report_format))
        if report is not None:
            return self._tell(place, report.status, report.message, is_known=is_known)
        outcome = journal.outcome(digest)
        return self._tell(place, outcome.status, outcome.message, is_known=is_known)

    def _refuse(self, place: int, kind: Kind, error: RefusedSubmission) -> None:
        # The folder that was given is the teacher's, and no business of the gradebook.
        above = f"{os.path.dirname(self._results.sent[place].paths[0][1])}/"
        self._end(place, kind, "; ".join(problem.replace(above, "") for problem in error.problems))

    def _end(self, place: int, kind: Kind, message: str) -> None:
        """Note that there is nothing to grade."""
        self._results.problems[place] = (kind, message)
        if self._settings.reports is not None and kind == "refused":
            self._write(place, f"not graded: {message}\n".encode(), is_refusal=True)
        self._tell(place, kind, message, is_known=False)

    def _write(self, place: int, data: bytes, *, is_refusal: bool = False) -> None:
        """Write the learner's report, or why there is none, in place of what an earlier run wrote."""
        assert self._settings.reports is not None
        report = self._settings.reports / self._names[place]
        refusal = report.with_name(f"{report.name.removesuffix(report.suffix)}{REFUSAL}")
        path, other = (refusal, report) if is_refusal else (report, refusal)
        try:
            write_whole(path, data)
            if other != path:
                other.unlink(missing_ok=True)
        except OSError as error:
            raise _unwritable(path, error) from error

    def _tell(self, place: int, kind: Kind, message: str, *, is_known: bool) -> None:
        with self._lock:
            self._results.settled += 1
            self._listen(Settled(sent=self._results.sent[place], kind=kind, message=message, is_known=is_known))


def _await(workers: Sequence[threading.Thread]) -> None:
    """Wait for the end of those that were started."""
    while running := [worker for worker in workers if worker.is_alive()]:
        # Waiting with a bound lets a signal through.
        running[0].join(POLL_S)


def report_names(sent: Sequence[Sent], format: str) -> list[str]:
    """Name the file of each learner's report, after the learner; safe on every file system, and no two the same."""
    suffix = FORMATS[format].suffix
    taken: set[str] = set()
    names = []
    for each in sent:
        plain = unicodedata.normalize("NFC", each.label)
        plain = re.sub(r"[^\w .,()@+-]", "_", plain).strip(" .").encode()[:120].decode("utf-8", "ignore") or "_"
        name, number = plain, 2
        while unicodedata.normalize("NFC", name.casefold()) in taken:
            name, number = f"{plain}-{number}", number + 1
        taken.add(unicodedata.normalize("NFC", name.casefold()))
        names.append(name + suffix)
    return names


@contextmanager
def _same_examiner(choice: Choice) -> Iterator[Choice]:
    if not isinstance(choice.sandbox, WarmSandbox):
        yield choice
        return
    with SameExaminer(choice.sandbox) as sandbox:
        yield replace(choice, sandbox=sandbox)


def _starter(exercise: Exercise) -> str:
    try:
        return submission_of(exercise.files_of("starter")).digest
    except (BrokenExercise, RefusedSubmission, OSError):
        return ""


def _unwritable(path: Path, error: OSError) -> GraderError:
    return UsageError(
        f"`{path}` can't be written: {reason(error)}", hint="what was graded is kept; the same command goes on"
    )
