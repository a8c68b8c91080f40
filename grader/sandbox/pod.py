"""The records that a sandbox takes and gives. Frozen data only; nothing here starts anything."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol, runtime_checkable


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one box may use. Enforced from outside of it."""

    memory_mib: int = 256
    processes: int = 64
    cpus: float = 1.0
    disk_mib: int = 64
    open_files: int = 256
    output_kib: int = 1024
    start_s: float = 10
    test_s: float = 5
    wall_s: float = 60


@dataclass(frozen=True, kw_only=True)
class Box:
    """One box: the files that enter it (relative path to content) and the settings of its first process."""

    files: Mapping[str, bytes]
    settings: Mapping[str, Any] = field(default_factory=dict)
    limits: Limits = Limits()


@dataclass(frozen=True, kw_only=True)
class Pod:
    """The two boxes of one grading and the time that both have together."""

    solution: Box
    examiner: Box
    wall_s: float = 60

    @property
    def shape(self) -> Shape:
        """What boxes must be made like, before they are told anything of this pod."""
        settings = self.solution.settings
        return Shape(
            limits=self.solution.limits,
            preload=tuple(settings["preload"]),
            needs_names=settings.get("command") is not None,
        )


@dataclass(frozen=True, kw_only=True)
class Shape:
    """All that boxes can be started with before there is a submission: limits, and the modules to import ahead.

    `needs_names`: the learner's program may be any, which may ask for the address of `localhost`.
    """

    limits: Limits
    preload: tuple[str, ...]
    needs_names: bool = False

    def keeper_arguments(self, *, spares: int) -> list[str]:
        """Give what the solution box's first process is started with; `spares` processes wait in the box."""
        return [",".join(self.preload), str(spares), json.dumps({"open_files": self.limits.open_files})]

    def server_arguments(self, *, user: int, writable: Mapping[str, int], profile: str = "") -> list[str]:
        """Give what a box in which solutions' boxes are forked is started with.

        `user` and AppArmor's `profile`, where there is one, are theirs; `writable` are their folders (path to bytes).
        """
        return [",".join(self.preload), json.dumps({"user": user, "writable": writable, "profile": profile})]


def examiner_arguments(*, ahead: bool, many: bool) -> list[str]:
    """Give what the examiner box's first process is started with; one that will wait has pytest run once before."""
    return [word for word, is_wanted in (("warm", ahead), ("many", many)) if is_wanted]


DATABASE_LIBRARY = "sqlalchemy.orm"
SPARES = 12
"""Processes that wait in a solution box which itself waits: a test's app is up sooner in one that has touched its memory."""

SPARE_MIB = 6
SPARE_DATABASE_MIB = 12
"""More, where it has touched the memory of the database's library too."""


def with_spares(shape: Shape) -> Limits:
    """Give the limits of a box in which spare processes wait, so that what is left for the learner's is not less."""
    each = SPARE_MIB + (SPARE_DATABASE_MIB if DATABASE_LIBRARY in shape.preload else 0)
    limits = shape.limits
    return replace(limits, memory_mib=limits.memory_mib + SPARES * each, processes=limits.processes + SPARES)


Ending = Literal["done", "wall", "solution-lost", "examiner-lost", "cancelled"]


@dataclass(frozen=True, kw_only=True)
class PodResult:
    """What came of a pod.

    `events` are the examiner's, in order: the only thing a score is made of. `ending` says why the pod ended. `limit` names
    a limit that the solution box reached (`memory`, `processes`, `disk`, `output`, `wall`), else None. `output` is the tail of
    what the learner's code printed: data that nobody vouches for. `notes` say what this machine can't enforce, in words;
    `unlimited` names those of the `Limits` that were not in force at all. `durations_ms` by phase.
    """

    events: tuple[Mapping[str, Any], ...]
    ending: Ending
    limit: str | None = None
    output: str = ""
    detail: str = ""
    notes: tuple[str, ...] = ()
    unlimited: tuple[str, ...] = ()
    durations_ms: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_stale(self) -> bool:
        """Say whether the examiner's box ended before it did anything for this pod, as one that waited may have."""
        return self.ending == "examiner-lost" and all(event["event"] == "up" for event in self.events)


Listener = Callable[[Mapping[str, Any]], None]


class OpenPod(Protocol):
    """Two boxes that wait, with everything imported. They run one pod; the solution's is never used again."""

    def run(self, pod: Pod, listen: Listener | None = None, *, is_cancelled: Callable[[], bool] = ...) -> PodResult:
        """Run a pod of the shape that the boxes were made for.

        Raises:
            SandboxError: the sandbox itself failed.
        """
        ...


class Sandbox(Protocol):
    """A place where a pod runs: one method, data in, data out."""

    name: str

    def run(self, pod: Pod, listen: Listener | None = None) -> PodResult:
        """Run the pod to its end; `listen` gets each of the examiner's events as it comes.

        Raises:
            SandboxError: the sandbox itself failed.
        """
        ...


class BegunPod(Protocol):
    """An examiner's box that has been started, before anything is known of the solution's."""

    @property
    def is_spent(self) -> bool:
        """Say whether this examiner has examined all that it can."""
        ...

    @property
    def fork_problem(self) -> str:
        """Say why solutions' boxes are started one by one, and not forked of one that has everything imported; else empty."""
        ...

    def expect(self, examiner: Box) -> None:
        """Have the tests collected that will probably be wanted, while nobody waits. Others may come all the same."""
        ...

    def open(self, shape: Shape) -> AbstractContextManager[OpenPod]:
        """Start the solution's box beside it, one at a time; leaving the context ends it.

        Raises:
            SandboxError: it can't be started.
        """
        ...


@runtime_checkable
class WarmSandbox(Sandbox, Protocol):
    """A sandbox whose boxes can be started before there is a submission."""

    def begin(
        self, *, ahead: bool = False, many: bool = False, needs_names: bool = False
    ) -> AbstractContextManager[BegunPod]:
        """Start an examiner's box; leaving the context ends it.

        `ahead`: the boxes will wait, so make them warmer. `many`: it examines one pod after the other, each in a fork of
        its own and with another solution box, as long as they have the tests that it was told to expect.
        `needs_names`: as the shapes of these pods say.

        Raises:
            SandboxError: they can't be started.
        """
        ...
