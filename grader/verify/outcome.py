"""What a proof found: records that are shown, kept and written as JSON."""

from __future__ import annotations

from typing import Literal

import msgspec

VERSION = 1
PASS_MARK = 90

Name = Literal["structure", "written", "starter", "answers", "mutants", "machine", "hostile", "time"]
NAMES: tuple[Name, ...] = ("structure", "written", "starter", "answers", "mutants", "machine", "hostile", "time")
ABOUT = {
    "structure": "metadata, README, hints, points and sentences are whole",
    "written": "nothing is left for the author to write",
    "starter": "the starter runs, has a TODO, and fails a test of every task",
    "answers": "the reference and every alternative earn every point, on other data for every seed; the tests' order is no matter",
    "mutants": "each wrong answer fails the tests that it names, and no others of other tasks",
    "machine": "the tests catch the mutants that a machine makes of the reference",
    "hostile": "submissions that cheat earn no more than the starter, and see nothing of the tests",
    "time": "the reference stays under a fifth of each limit of time",
}

State = Literal["proven", "failed", "not-run"]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that an author must put right. `where` is `folder/file:line`, as far as it is known."""

    point: Name
    where: str
    text: str
    remedy: str = ""


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """How one part of the proof ended. `seen` is a figure for the table, such as `6/6`, or why it was not run."""

    name: Name
    state: State
    seen: str = ""


class Survivor(msgspec.Struct, frozen=True, kw_only=True):
    """A machine-made mutant that no test caught, as a unified diff from the reference."""

    id: str
    operator: str
    diff: str


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """How many machine-made mutants were run, died, and are excused as equivalents; `made` counts those not run too."""

    made: int = 0
    run: int = 0
    killed: int = 0
    equivalent: int = 0

    @property
    def percent(self) -> int | None:
        """The kill rate, rounded down; None where there was nothing to kill."""
        return self.killed * 100 // self.run if self.run else None


class SlowTest(msgspec.Struct, frozen=True, kw_only=True):
    """A hidden test and the least time that it took with the reference."""

    name: str
    least_ms: float


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """The proof of one exercise, or why there is none. `fault` is how the grader itself failed, else empty."""

    version: int = VERSION
    exercise: str
    points: list[Point]
    findings: list[Finding] = []
    survivors: list[Survivor] = []
    machine: Machine = Machine()
    slowest: list[SlowTest] = []
    whole_ms: float | None = None
    notes: list[str] = []
    seeds: int = 0
    gradings: int = 0
    sandbox: str = ""
    duration_s: float = 0.0
    fault: str = ""
    is_remembered: bool = False

    @property
    def is_sound(self) -> bool:
        """Whether nothing was found that must be put right."""
        return not self.findings and not self.fault and all(point.state != "failed" for point in self.points)

    def point(self, name: Name) -> Point:
        """Give one point."""
        return next(point for point in self.points if point.name == name)


def not_proven(exercise: str, fault: str) -> Verified:
    """Say that the grader itself failed with an exercise: that is no verdict on it."""
    why = f"the grader itself failed: {fault}"
    return Verified(
        exercise=exercise, points=[Point(name=name, state="not-run", seen=why) for name in NAMES], fault=fault
    )


def points_from(findings: list[Finding], seen: dict[Name, str], not_run: dict[Name, str]) -> list[Point]:
    """Put the points together: one with a finding has failed, one that was not run says why."""
    failed = {finding.point for finding in findings}
    points = []
    for name in NAMES:
        state: State = "failed" if name in failed else "not-run" if name in not_run else "proven"
        points.append(Point(name=name, state=state, seen=seen.get(name) or not_run.get(name, "")))
    return points
