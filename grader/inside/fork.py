"""A fork of the keeper that will run what is the learner's: made first, told its job later.

Much of what such a process does is the same for every test: its pipes, and the copies of the memory that every request touches.
So the keeper may have some of them wait.
"""

from __future__ import annotations

import functools
import json
import os
import select
import signal
import socket
import struct
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, TextIO

from . import learner, processes, seccomp, warm, wire
from .confine import be_first_when_memory_ends, confine

CONTROL_S = 2
_PYTHON = ("python", "python3")
_CONTROL = 4
_ARE_YOU_THERE, _I_AM = b"?", b"!"
_NOTES = 3


@dataclass(frozen=True)
class Fork:
    """A process that waits for its job or does it, with the keeper's ends of its pipes."""

    pid: int
    pidfd: int
    output: int
    notes: int
    control: socket.socket

    def tell(self, message: Mapping[str, Any]) -> None:
        """Write it a message. One that has ended, or doesn't read, loses it: its end, or the test's time, tells of that."""
        try:
            wire.write(self.control.fileno(), message)
        except OSError:
            pass

    def lives(self) -> bool:
        """Say whether it has not ended, and let it run where it was stopped."""
        if select.select([self.pidfd], [], [], 0)[0]:
            return False
        os.kill(self.pid, signal.SIGCONT)
        return True

    def answers(self) -> bool:
        """Say whether it runs, while it waits for its job: one to whom a deadly signal is on its way seems to live, and doesn't."""
        try:
            self.control.sendall(_ARE_YOU_THERE)
            return bool(select.select([self.control], [], [], CONTROL_S)[0]) and self.control.recv(1) == _I_AM
        except OSError:
            return False

    def kill(self) -> None:
        """End it and wait for that."""
        processes.end_child(self.pid)

    def close(self) -> None:
        """Close the keeper's ends."""
        for fd in (self.output, self.notes, self.pidfd):
            os.close(fd)
        self.control.close()


def prepare() -> None:
    """Do once in the keeper what each fork would do for itself."""
    _streams()
    seccomp.prepare()


@functools.cache
def _streams() -> tuple[TextIO, TextIO, TextIO]:
    """Give what a program has for its standard streams. They are of descriptors, whatever these are in a process."""
    return (
        open(0, encoding="utf-8", errors="replace", closefd=False),
        open(1, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False),
        open(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False),
    )


def make(limits: Mapping[str, Any], *, is_warmed: bool) -> Fork:
    """Fork a process that waits for its job, under its limits. `is_warmed`: it will wait a while, and uses the time.

    Raises:
        OSError: the box has no room for one more.
    """
    output_read, output_write = os.pipe()
    notes_read, notes_write = os.pipe()
    ours, theirs = socket.socketpair()
    try:
        pid = os.fork()
        if pid == 0:
            _wait_for_job(limits, output_write, notes_write, theirs, is_warmed=is_warmed)
    except OSError:
        for fd in (output_read, notes_read):
            os.close(fd)
        ours.close()
        raise
    finally:
        for fd in (output_write, notes_write):
            os.close(fd)
        theirs.close()
    # A learner's process that never reads must not hold its keeper.
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", CONTROL_S, 0))
    for fd in (output_read, notes_read):
        os.set_blocking(fd, False)
    return Fork(pid=pid, pidfd=os.pidfd_open(pid), output=output_read, notes=notes_read, control=ours)


def _wait_for_job(
    limits: Mapping[str, Any], output: int, notes: int, control: socket.socket, *, is_warmed: bool
) -> NoReturn:
    """Leave all that is the keeper's, wait to be told what to run, and run it."""
    try:
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDONLY)
        wanted = [nothing, output, output, notes, control.fileno()]
        # Lifted above all of the targets first, so that no copy lands on a source that is still needed.
        lifted = [os.dup2(fd, 100 + place) for place, fd in enumerate(wanted)]
        for place, fd in enumerate(lifted):
            os.dup2(fd, place)
        os.closerange(len(wanted), 1024)
        sys.stdin, sys.stdout, sys.stderr = _streams()
        confine(limits)
        if is_warmed:
            warm.touch()
        decoder = wire.Decoder()
        while data := os.read(_CONTROL, 1 << 16):
            if data == _ARE_YOU_THERE:
                os.write(_CONTROL, _I_AM)
                continue
            for message in decoder.feed(data):
                _do(message)
    finally:
        os._exit(1)


def _do(message: Mapping[str, Any]) -> NoReturn:
    # Not before: until it has a job it can be neither read nor traced by another process of the learner's.
    be_first_when_memory_ends()
    os.environ.clear()
    os.environ.update(message["env"])
    time.tzset()  # `TZ` counts from here on, as it would for a program that was started with it
    command = message["command"]
    job = learner.Job(**message["job"], notes=_NOTES, control=_CONTROL)
    sys.argv = [os.path.join(job.code, "app.py")]
    if command:
        os.close(_CONTROL)
        os.chdir(job.code)
        # A machine whose interpreter a box borrows may have it by the name of `python3` only, or by another's.
        program = sys.executable if command[0] in _PYTHON else command[0]
        try:
            os.execvpe(program, command, dict(os.environ))
        except OSError as error:
            reason = {"type": "CannotStart", "own": True, "phase": "start", "frames": []}
            reason["message"] = f"`{command[0]}` could not be started: {error.strerror}"
            os.write(_NOTES, json.dumps({"crash": reason}).encode() + b"\n")
            os._exit(127)
    learner.run(job)
