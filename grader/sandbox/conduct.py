"""Lead a pod through one grading: hand both boxes what is theirs, relay between them, keep the time.

Every sandbox starts its boxes in its own way and then calls `conduct` with two open channels. What comes out of the solution box
is untrusted: it is bounded, parsed as JSON, and only ever passed on as data.
"""

from __future__ import annotations

import base64
import select
import selectors
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol

from grader.inside import wire
from grader.sandbox.pod import Box, Ending, Listener, OpenPod, Pod, PodResult, Shape, WarmSandbox

SOLUTION_MAX_FRAME = 5 * 1024 * 1024
EXAMINER_MAX_FRAME = 16 * 1024 * 1024
SOLUTION_MAX_BYTES = 256 * 1024 * 1024
MAX_EVENTS = 4000
EXPECT_S = 5.0
READY_S = 5.0


class Channel(Protocol):
    """Both ends of one box's stream with its first process."""

    def fileno(self) -> int:
        """Give the descriptor that becomes readable."""
        ...

    def receive(self) -> bytes:
        """Read what is there; empty at the end of the stream."""
        ...

    def send(self, data: bytes, deadline: float) -> None:
        """Write all of it before the deadline (monotonic seconds).

        Raises:
            OSError: the box no longer reads.
        """
        ...


@dataclass
class _Side:
    channel: Channel
    decoder: wire.Decoder
    is_open: bool = True
    received: int = 0


def load_message(box: Box, *, port: int, root: str, extra: Mapping[str, Any]) -> dict[str, Any]:
    """Give the first message of a solution box: the learner's files and how to run them."""
    limits = box.limits
    return {
        "op": "load",
        "files": _encoded(box.files),
        "settings": {
            **box.settings,
            "port": port,
            "root": root,
            "limits": {
                "open_files": limits.open_files,
                "output_kib": limits.output_kib,
                "disk_mib": limits.disk_mib,
                "test_s": limits.test_s,
                **dict(extra.get("limits", {})),
            },
            **{name: value for name, value in extra.items() if name != "limits"},
        },
    }


def examine_message(pod: Pod, *, port: int) -> dict[str, Any]:
    """Give the first message of an examiner box: the hidden tests and what they need to know."""
    limits = pod.solution.limits
    return {
        "files": _encoded(pod.examiner.files),
        "settings": {
            **pod.examiner.settings,
            "port": port,
            "limits": {
                "start_s": limits.start_s,
                "test_s": limits.test_s,
                "memory_mib": limits.memory_mib,
                "processes": limits.processes,
                "output_kib": limits.output_kib,
                "disk_mib": limits.disk_mib,
            },
        },
    }


def _encoded(files: Mapping[str, bytes]) -> dict[str, str]:
    return {name: base64.b64encode(content).decode("ascii") for name, content in files.items()}


def conduct(
    pod: Pod,
    solution: Channel,
    examiner: Channel,
    *,
    messages: tuple[Mapping[str, Any], Mapping[str, Any]],
    listen: Listener | None = None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> PodResult:
    """Run the pod to its end or to the end of its time. Boxes are neither started nor ended here."""
    started = time.monotonic()
    deadline = started + pod.wall_s
    sides = {
        "solution": _Side(solution, wire.Decoder(SOLUTION_MAX_FRAME)),
        "examiner": _Side(examiner, wire.Decoder(EXAMINER_MAX_FRAME)),
    }
    events: list[Mapping[str, Any]] = []
    phases: dict[str, float] = {}
    detail = ""
    ending: Ending = "wall"

    def tell_solution(message: Mapping[str, Any]) -> None:
        if sides["solution"].is_open:
            try:
                solution.send(wire.encode(message), deadline)
            except OSError:
                lose_solution("it no longer takes requests")

    def tell_examiner(message: Mapping[str, Any]) -> None:
        try:
            examiner.send(wire.encode(message), deadline)
        except TimeoutError:
            pass  # it was busy until the time was up, and that is what is told
        except OSError:
            pass  # it has ended: what it said last still stands in the stream, and the stream's end tells the rest

    def lose_solution(why: str) -> None:
        nonlocal detail
        side = sides["solution"]
        if side.is_open:
            side.is_open = False
            detail = why
            selector.unregister(solution)
            tell_examiner({"event": "lost"})

    def take_from_solution(message: Mapping[str, Any]) -> None:
        if message.get("event") == "up":
            phases.setdefault("solution_up", ms_since(started))
        elif isinstance(message.get("id"), int) or message.get("event") == "ended":
            tell_examiner(message)

    def take_from_examiner(message: Mapping[str, Any]) -> bool:
        if "ask" in message:
            if sides["solution"].is_open:
                tell_solution(message["ask"])
            else:
                tell_examiner({"event": "lost"})
            return False
        if len(events) < MAX_EVENTS:
            events.append(message)
        if message["event"] == "up":
            phases.setdefault("examiner_up", ms_since(started))
        elif message["event"] == "collected":
            phases.setdefault("collected", ms_since(started))
        if listen is not None:
            listen(message)
        return message["event"] in ("done", "crash")

    with selectors.DefaultSelector() as selector:
        selector.register(solution, selectors.EVENT_READ, "solution")
        selector.register(examiner, selectors.EVENT_READ, "examiner")
        tell_solution(messages[0])
        tell_examiner(messages[1])
        is_done = False
        while not is_done:
            left = deadline - time.monotonic()
            if left <= 0:
                break
            if is_cancelled():
                ending = "cancelled"
                break
            for key, _ in selector.select(min(left, 0.5)):
                side = sides[key.data]
                if not side.is_open:
                    continue
                data = side.channel.receive()
                side.received += len(data)
                try:
                    if not data:
                        raise wire.BadFrame("it ended")
                    if key.data == "solution" and side.received > SOLUTION_MAX_BYTES:
                        raise wire.BadFrame("it said too much")
                    for message in side.decoder.feed(data):
                        if key.data == "solution":
                            take_from_solution(message)
                        elif take_from_examiner(message):
                            is_done = True
                            ending = "done" if message["event"] == "done" else "examiner-lost"
                            detail = str(message.get("text", detail))
                            break
                except wire.BadFrame as error:
                    if key.data == "solution":
                        lose_solution(str(error))
                    else:
                        ending, detail, is_done = "examiner-lost", str(error), True
    phases["pod"] = ms_since(started)
    if ending == "done" and not sides["solution"].is_open:
        ending = "solution-lost"
    return PodResult(events=tuple(events), ending=ending, detail=detail, durations_ms=phases)


@dataclass(frozen=True, kw_only=True)
class Solution:
    """A solution box that waits. `extra` are settings of it that only the sandbox knows.

    `notes` and `unlimited` go into the result. `ended_by` names the limit that ended the box, as the engine saw it. `look`
    raises `SandboxError` where the engine is gone, when the examiner's box ended of itself.
    """

    channel: Channel
    port: int
    root: str
    extra: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    unlimited: tuple[str, ...] = ()
    start_ms: float = 0
    ended_by: Callable[[], str | None] = lambda: None
    look: Callable[[], None] = lambda: None


class Examiner:
    """An examiner box that waits: what those of every sandbox have in common."""

    def __init__(self, *, many: bool, begin_ms: float = 0) -> None:
        self.is_spent = False
        self._many = many
        self._begin_ms = begin_ms

    @property
    def channel(self) -> Channel:
        """Its stream."""
        raise NotImplementedError

    @property
    def fork_problem(self) -> str:
        """See `BegunPod.fork_problem`."""
        return "this sandbox starts each"

    def expect(self, examiner: Box) -> None:
        """Have tests collected ahead; see `BegunPod.expect`."""
        try:
            self.channel.send(wire.encode({"files": _encoded(examiner.files)}), time.monotonic() + EXPECT_S)
        except OSError:
            pass  # a box that has ended says so when it is used

    def start_ms(self, started: float) -> float:
        """Give how long a pod's boxes took to start, in ms; its own start counts for the first pod only."""
        begin_ms, self._begin_ms = self._begin_ms, 0.0
        return begin_ms + ms_since(started)

    def release(self, ending: Ending) -> None:
        """After a pod: have the fork end that examined it, and wait for the word that another one may come."""
        self.is_spent = not (self._many and ending in ("done", "solution-lost") and self._is_ready())

    def _is_ready(self) -> bool:
        deadline = time.monotonic() + READY_S
        decoder = wire.Decoder(EXAMINER_MAX_FRAME)
        try:
            self.channel.send(wire.encode({"event": "bye"}), deadline)
            while select.select([self.channel], [], [], max(0.0, deadline - time.monotonic()))[0]:
                data = self.channel.receive()
                for message in decoder.feed(data):
                    return message.get("event") == "ready"
                if not data:
                    break
        except (OSError, wire.BadFrame):
            pass
        return False


@dataclass(frozen=True, kw_only=True)
class Opened:
    """Two boxes that wait, or are being started: `solution` gives the one when it waits."""

    solution: Callable[[], Solution]
    examiner: Examiner

    def run(
        self, pod: Pod, listen: Listener | None = None, *, is_cancelled: Callable[[], bool] = lambda: False
    ) -> PodResult:
        """Run a pod in these boxes; see `OpenPod.run`."""
        solution = self.solution()
        messages = (
            load_message(pod.solution, port=solution.port, root=solution.root, extra=solution.extra),
            examine_message(pod, port=solution.port),
        )
        self.examiner.is_spent = True
        result = conduct(
            pod, solution.channel, self.examiner.channel, messages=messages, listen=listen, is_cancelled=is_cancelled
        )
        if result.ending == "examiner-lost":
            solution.look()
        self.examiner.release(result.ending)
        return replace(
            result,
            limit=solution.ended_by() if result.ending == "solution-lost" else None,
            notes=solution.notes,
            unlimited=solution.unlimited,
            durations_ms={"start": solution.start_ms, **result.durations_ms},
        )


@contextmanager
def open_boxes(
    sandbox: WarmSandbox, shape: Shape, *, ahead: bool = False, expected: Box | None = None
) -> Iterator[OpenPod]:
    """Start boxes that wait for a pod; leaving the context ends them.

    `ahead` as in `WarmSandbox.begin`; `expected`: the examiner's box of the pod that will probably come.

    Raises:
        SandboxError: they can't be started.
    """
    with sandbox.begin(ahead=ahead, needs_names=shape.needs_names) as begun:
        if expected is not None:
            begun.expect(expected)
        with begun.open(shape) as opened:
            yield opened


def run_once(sandbox: WarmSandbox, pod: Pod, listen: Listener | None) -> PodResult:
    """Start boxes, run the pod, end the boxes: what `Sandbox.run` is where nothing waits."""
    with open_boxes(sandbox, pod.shape) as opened:
        result = opened.run(pod, listen)
        ended = time.monotonic()
    return replace(result, durations_ms={**result.durations_ms, "end": ms_since(ended)})


def ms_since(started: float) -> float:
    """Give the milliseconds since a moment of the monotonic clock, in seconds."""
    return round((time.monotonic() - started) * 1000, 1)
