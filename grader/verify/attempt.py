"""Grade many submissions side by side, as `grade` does, and keep what a proof wants to know of each."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from grader.error import SandboxError
from grader.exercise import Exercise
from grader.grading import Options, grade
from grader.report import Report
from grader.sandbox.choose import Choice
from grader.sandbox.pod import Listener, Pod, PodResult, Sandbox
from grader.submission import submission_of

TRIES = 2
"""A sandbox may fail once: an engine under load does. Twice is a finding."""

Files = Mapping[str, bytes]
Ticked = Callable[[int, int], None]
"""Is told how many gradings are done, of how many that are known of by now."""

Transcript = tuple[Mapping[str, Any], ...]


class Stopped(Exception):
    """The proof was interrupted."""


class _Failed(Exception):
    """A test failed, and nothing more is asked."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One graded submission.

    `report` is None where it was stopped at the first test that failed, which `failed_at` names then. `transcripts` and
    `asked` (digests of what the tests asked of the solution box) are there for every test when it was recorded.
    """

    report: Report | None
    failed_at: str | None = None
    transcripts: Mapping[str, Transcript] = field(default_factory=dict)
    asked: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    collect_error: str = ""

    @property
    def passed(self) -> frozenset[str]:
        """The names of the tests that passed."""
        return (
            frozenset(test.name for test in self.report.tests if test.status == "pass") if self.report else frozenset()
        )

    @property
    def is_whole(self) -> bool:
        """Whether it earned every point."""
        return self.report is not None and self.report.status == "passed"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One submission to grade. `is_recorded` keeps the transcripts of tests that pass, too.

    `is_backward` runs the tests in the opposite order, but each behind those that it needs.
    """

    files: Files
    seed: int
    is_recorded: bool = False
    until_failure: bool = False
    is_backward: bool = False
    start_s: float | None = None


class Runner:
    """Grades side by side. To be used under `with`, which awaits or stops what still runs."""

    def __init__(self, choice: Choice, jobs: int, ticked: Ticked = lambda _done, _known: None) -> None:
        self._choice = choice
        self._pool = ThreadPoolExecutor(jobs, thread_name_prefix="grading")
        self._stop = threading.Event()
        self._ticked = ticked
        self._lock = threading.Lock()
        self._done = 0
        self._known = 0

    def __enter__(self) -> Runner:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    @property
    def sandbox(self) -> str:
        """The name of the sandbox."""
        return self._choice.name

    def stop(self) -> None:
        """Let what runs end at its next test."""
        self._stop.set()

    def submit(self, exercise: Exercise, plan: Plan) -> Future[Attempt]:
        """Grade when there is room; the future raises what `attempt` raises."""
        with self._lock:
            self._known += 1
        return self._pool.submit(self._run, exercise, plan)

    def _run(self, exercise: Exercise, plan: Plan) -> Attempt:
        try:
            return self.attempt(exercise, plan)
        finally:
            with self._lock:
                self._done += 1
                self._ticked(self._done, self._known)

    def attempt(self, exercise: Exercise, plan: Plan) -> Attempt:
        """Grade now.

        Raises:
            RefusedSubmission: the files can't be taken.
            SandboxError: the sandbox failed, twice.
            Stopped: the whole was stopped.
        """
        submission = submission_of(plan.files)
        if plan.start_s is not None:
            exercise = msgspec.structs.replace(exercise, limits=replace(exercise.limits, start_s=plan.start_s))
        for turn in range(TRIES):
            watched = _Watched(self._choice.sandbox, plan, self._stop)
            try:
                report = grade(exercise, submission, replace(self._choice, sandbox=watched), Options(seed=plan.seed))
            except _Failed as failed:
                return Attempt(report=None, failed_at=failed.name)
            except SandboxError:
                if turn == TRIES - 1:
                    raise
                continue
            return _attempt(report, watched.events)
        raise AssertionError("a turn either gives or raises")


class _Watched:
    """A sandbox that asks the examiner for what is planned, and can stop at the first test that fails."""

    def __init__(self, sandbox: Sandbox, plan: Plan, stop: threading.Event) -> None:
        self.name = sandbox.name
        self.events: tuple[Mapping[str, Any], ...] = ()
        self._sandbox = sandbox
        self._plan = plan
        self._stop = stop

    def run(self, pod: Pod, listen: Listener | None = None) -> PodResult:
        def hear(event: Mapping[str, Any]) -> None:
            if self._stop.is_set():
                raise Stopped
            if self._plan.until_failure and event.get("event") == "test" and event.get("status") == "fail":
                raise _Failed(str(event["name"]))
            if listen is not None:
                listen(event)

        if self._stop.is_set():
            raise Stopped
        asked: dict[str, Any] = {}
        if self._plan.is_recorded:
            asked["record"] = True
        if self._plan.is_backward:
            asked["order"] = "backward"
        pod = replace(pod, examiner=replace(pod.examiner, settings={**pod.examiner.settings, **asked}))
        result = self._sandbox.run(pod, hear)
        self.events = result.events
        return result


def _attempt(report: Report, events: tuple[Mapping[str, Any], ...]) -> Attempt:
    tests = [event for event in events if event.get("event") == "test"]
    errors = [str(event.get("text", "")) for event in events if event.get("event") == "collect-error"]
    return Attempt(
        report=report,
        transcripts={event["name"]: tuple(event.get("transcript") or ()) for event in tests},
        asked={event["name"]: tuple(event.get("asked") or ()) for event in tests},
        collect_error=errors[0] if errors else "",
    )
