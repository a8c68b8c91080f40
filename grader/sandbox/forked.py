"""Boxes of solutions that are forked inside of another box, where one examiner examines many: the imports are paid once."""

from __future__ import annotations

import json
import select
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace

from grader.error import SandboxError
from grader.inside import relay
from grader.sandbox.conduct import Channel, Solution
from grader.sandbox.pod import Limits, Shape

BEGIN_S = 15.0
END_S = 5.0
MORE_S = 1.0
ONE_POD = "there is one pod only"
PIECE_BYTES = 1 << 16
"""Who passes a piece on has it whole in memory, which the box has the less of."""

OWN_PROCESSES = 2
"""Of a box that makes boxes, beside those of one that is started: the one that it begins with, and the one that forks."""

OWN_MIB = 7
"""What these take of memory beside what they share with the box in it, as measured with and without a database's library."""


def with_server(limits: Limits) -> Limits:
    """Give the limits of a box in which boxes are made, so that what is left for the learner's is not less."""
    return replace(limits, memory_mib=limits.memory_mib + OWN_MIB, processes=limits.processes + OWN_PROCESSES)


class CannotFork(Exception):
    """This machine, or its engine, doesn't let a box be made inside of another one. It says why."""


class ForkServer:
    """The host's side of a box whose first process forks boxes (`inside/fork_server.py`), one at a time."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._unpacker = relay.Unpacker()
        self._early: list[tuple[bytes, bytes]] = []
        self.is_spent = False
        """Something went another way than it should, so no more boxes are taken from it."""

    @contextmanager
    def box(self) -> Iterator[ForkedBox]:
        """Have a box made; leaving the context ends it, and whatever runs in it.

        Raises:
            CannotFork: none can be made here.
            SandboxError: the server has ended, or is busy for too long.
        """
        self.say(relay.BEGIN, b"", time.monotonic() + BEGIN_S)
        kind, content = self._await({relay.BEGUN, relay.CANNOT}, time.monotonic() + BEGIN_S)
        if kind == relay.CANNOT:
            raise CannotFork(content.decode("utf-8", "replace"))
        if self._early:
            # Its end may be among it, and nothing would come after.
            self.say(relay.AGAIN, b"", time.monotonic() + MORE_S)
        try:
            yield ForkedBox(self)
        finally:
            self._end()

    def _end(self) -> None:
        if self.is_spent:
            return
        deadline = time.monotonic() + END_S
        try:
            self.say(relay.END, b"", deadline)
            _, limits = self._await({relay.GONE}, deadline)
            self._early.clear()
            # The kernel may have ended any process to free memory, one that makes boxes too. And what is counted of the
            # whole must be of the box that there is.
            self.is_spent = "memory" in json.loads(limits)
        except SandboxError:
            self.is_spent = True  # the whole is ended then, and the box with it

    def fileno(self) -> int:
        """Give the descriptor that becomes readable when the server has something to say."""
        return self._channel.fileno()

    def say(self, kind: bytes, content: bytes, deadline: float) -> None:
        """Send a piece before the deadline (monotonic seconds).

        Raises:
            SandboxError: it no longer reads.
        """
        try:
            self._channel.send(relay.pack(kind, content), deadline)
        except OSError as error:
            self.is_spent = True
            raise SandboxError(f"the box that makes boxes no longer takes requests: {error}") from error

    def hear(self) -> list[tuple[bytes, bytes]] | None:
        """Give the pieces that have come, maybe none as yet; `None` at the end of its stream."""
        data = self._channel.receive()
        try:
            pieces = [*self._early, *self._unpacker.feed(data)]
        except relay.BadPiece:
            data = b""
        if not data:
            self.is_spent = True
            return None
        self._early.clear()
        return pieces

    def _await(self, kinds: set[bytes], deadline: float) -> tuple[bytes, bytes]:
        """Pass over what comes before a piece of these kinds: it is of a box that has ended. Keep what comes after it."""
        while select.select([self], [], [], max(0.0, deadline - time.monotonic()))[0]:
            pieces = self.hear()
            if pieces is None:
                raise SandboxError("the box that makes boxes ended")
            for place, piece in enumerate(pieces):
                if piece[0] in kinds:
                    self._early = pieces[place + 1 :]
                    return piece
        self.is_spent = True
        raise SandboxError("the box that makes boxes did not answer in time")


class ForkedBox:
    """A box's stream with its first process, by way of the server. See `Channel`."""

    def __init__(self, server: ForkServer) -> None:
        self._server = server
        self._has_ended = False
        self._limits: list[str] = []

    def fileno(self) -> int:
        """Give the descriptor that becomes readable."""
        return self._server.fileno()

    def receive(self) -> bytes:
        """Read what is there; empty at the end of the stream."""
        data = b""
        while not data and not self._has_ended:
            pieces = self._server.hear()
            if pieces is None:
                return b""
            for kind, content in pieces:
                if kind == relay.DATA:
                    data += content
                elif kind == relay.ENDED:
                    self._has_ended = True
                    self._limits = json.loads(content)
            if not data and not self._has_ended and not select.select([self], [], [], MORE_S)[0]:
                break  # a piece that came in part, of a server that has stopped in the middle: as good as its end
        if data and self._has_ended:
            # The end came with the last words. Whoever waits for the stream must be woken for it.
            try:
                self._server.say(relay.AGAIN, b"", time.monotonic() + MORE_S)
            except SandboxError:
                pass  # then it is the stream's end that wakes them
        return data

    def send(self, data: bytes, deadline: float) -> None:
        """Write all of it before the deadline.

        Raises:
            OSError: the box is gone, or did not read in time.
        """
        if self._has_ended:
            raise BrokenPipeError("the box has ended")
        view = memoryview(data)
        try:
            for start in range(0, len(view), PIECE_BYTES):
                self._server.say(relay.DATA, bytes(view[start : start + PIECE_BYTES]), deadline)
        except SandboxError as error:
            raise BrokenPipeError(error.message) from error

    def ended_by(self) -> str | None:
        """Name the limit that ended it."""
        return "memory" if "memory" in self._limits else None


class Forks:
    """The boxes of one examiner's solutions, made one at a time in a box that forks them."""

    def __init__(self, start: Callable[[Shape], AbstractContextManager[Solution]], *, problem: str) -> None:
        """`start` starts the box that forks boxes of this shape: like one of a solution, but for who is in it.

        `problem` says why none should be forked, or is empty.
        """
        self._start = start
        self.problem = problem
        self._stack = ExitStack()
        self._server: ForkServer | None = None
        self._started: Solution | None = None
        self._shape: Shape | None = None

    @contextmanager
    def box(self, shape: Shape) -> Iterator[Solution | None]:
        """Have a box made; `None` where that can't be done here, so that it must be started in another way."""
        try:
            with ExitStack() as stack:
                solution = None
                if not self.problem:
                    server, started = self._serving(shape)
                    try:
                        box = stack.enter_context(server.box())
                        solution = replace(started, channel=box, ended_by=lambda: _ended_by(box, server, started))
                    except CannotFork as error:
                        self.problem = str(error)
                    except SandboxError:
                        # No box before this one was short of memory, or the server would be another.
                        if started.ended_by() != "memory":
                            raise
                        self.problem = "the limit of memory leaves no room for a process that forks them"
                    if self.problem:
                        self.close()
                yield solution
        finally:
            if self._server is not None and self._server.is_spent:
                self.close()  # nobody has ended the box that is in it

    def _serving(self, shape: Shape) -> tuple[ForkServer, Solution]:
        if self._server is None or self._started is None or self._server.is_spent or self._shape != shape:
            self.close()
            self._started = self._stack.enter_context(self._start(shape))
            self._server = ForkServer(self._started.channel)
            self._shape = shape
        return self._server, self._started

    def close(self) -> None:
        """End the box that forks, and with it whatever is in it."""
        self._server = None
        self._stack.close()


def _ended_by(box: ForkedBox, server: ForkServer, started: Solution) -> str | None:
    """Name the limit that ended a box, or that which it was forked in.

    Raises:
        SandboxError: that one ended, and no limit ended it. Nothing of the learner's could.
    """
    limit = box.ended_by()
    if limit is None and server.is_spent:
        limit = started.ended_by()
        if limit is None:
            raise SandboxError("the box that makes boxes ended")
    return limit
