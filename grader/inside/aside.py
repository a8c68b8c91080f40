"""A process of the examiner's own that answers questions about what is the learner's, and may take too long over it.

A schema can have more combinations than there is time for, and a regular expression can be neither interrupted nor bounded from
within. So they are applied in a fork that has limits; what it says crosses as JSON.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import time
from collections.abc import Callable
from typing import Any, NoReturn

from . import processes, wire
from .libc import PR_SET_PDEATHSIG, prctl

CPU_S = 4
"""Of the processor, for all questions together: on a busy machine nothing right is cut off."""
WALL_S = 9.0
DATA_MIB = 256


class TookTooLong(Exception):
    """The process was ended by a limit before it had answered."""


class Aside:
    """The process, forked at once: `answer` is called there with each question, and both are what JSON can hold."""

    def __init__(self, answer: Callable[[Any], Any]) -> None:
        """Fork."""
        ours, theirs = socket.socketpair()
        self._owner = os.getpid()
        try:
            self._pid = os.fork()
            if self._pid == 0:
                _serve(theirs, answer)
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        self._socket = ours
        self._deadline_s = WALL_S
        self._has_ended = False

    def ask(self, question: Any) -> Any:
        """Give its answer.

        Raises:
            TookTooLong: it has reached a limit, now or at an earlier question.
            ValueError, RecursionError: the question can't be written as JSON.
        """
        line = json.dumps(question).encode() + b"\n"
        if self._has_ended:
            raise TookTooLong
        began = time.monotonic()
        try:
            answer = self._exchange(line, began + self._deadline_s)
        except OSError as error:
            self.end()
            raise TookTooLong from error
        except BaseException:  # such as the end of the test's time: the next answer would be that to this question
            self.end()
            raise
        self._deadline_s -= time.monotonic() - began
        return json.loads(answer)

    def _exchange(self, line: bytes, deadline: float) -> bytes:
        answer = bytearray()
        for data in wire.exchange(self._socket, line, deadline):
            answer += data
            if answer.endswith(b"\n"):
                break
        return bytes(answer)

    def end(self) -> None:
        """End it where it still runs."""
        if not self._has_ended and os.getpid() == self._owner:
            self._has_ended = True
            self._socket.close()
            processes.end_child(self._pid)


def _serve(asked: socket.socket, answer: Callable[[Any], Any]) -> NoReturn:
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        kept = socket.socket(fileno=os.dup2(asked.detach(), 3))
        os.closerange(4, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
        # Beside the standard streams, which lead nowhere, this is all that it has of the examiner.
        for which, most in ((resource.RLIMIT_CPU, CPU_S), (resource.RLIMIT_DATA, DATA_MIB * 1024 * 1024)):
            resource.setrlimit(which, (most, most))
        for line in kept.makefile("rb"):
            kept.sendall(json.dumps(answer(json.loads(line))).encode() + b"\n")
    finally:
        os._exit(0)
