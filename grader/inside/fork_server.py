"""The first process of a box in which boxes of solutions are made, one at a time: forks that have everything imported.

A fork is process 1 of namespaces of its own, with file systems of its own for all that can be written; it goes on as a keeper.
What is said to and by a box is passed on without a look, by another process than the one that forks: a fork has all that its
parent's memory holds, freed or not, and must find nothing there of a box before it.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from . import cgroup, confine, keeper, namespaces, relay, seccomp

_CHUNK = 1 << 16
_MAX_WAITING = _CHUNK
"""What is kept for a box that doesn't read yet. It counts as memory of the box, like all that this process has had once."""

_BEFORE_SERVER = 500
"""When memory ends, the box goes before what makes boxes, and the learner's processes before all."""


class _CannotFork(Exception):
    """A box can't be made here, for the reason that it is told with."""


@dataclass(frozen=True)
class _Box:
    """A fork that is process 1 of its namespaces: its number and descriptor here, and this side of its streams."""

    pid: int
    pidfd: int
    send: int
    receive: int

    def end(self) -> None:
        """End it, and wait until nothing of it is left: the kernel ends all in a namespace before its first process."""
        signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        for fd in (self.pidfd, self.send, self.receive):
            os.close(fd)


class Server:
    """Makes boxes, and passes on what is said to and by the one that there is."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        """`settings`: `user` and AppArmor's `profile`, or none, that the learner's have, and `writable` folders (path to bytes)."""
        self._maker = _fork_maker(settings)
        self._box: _Box | None = None
        self._has_ended = False
        self._for_box = bytearray()
        self._unpacker = relay.Unpacker()
        self._cgroup = cgroup.Cgroup()

    def serve(self) -> None:
        """Do so until the host closes the stream."""
        while True:
            for fd in self._ready():
                if fd == 0:
                    data = os.read(0, _CHUNK)
                    if not data:
                        return
                    for kind, content in self._unpacker.feed(data):
                        self._take(kind, content)
                elif self._box is not None and fd == self._box.receive:
                    self._pass_on()
                elif self._box is not None and fd == self._box.pidfd:
                    self._note_end()
            self._write_to_box()

    def _ready(self) -> list[int]:
        poll = select.poll()
        if len(self._for_box) < _MAX_WAITING:
            poll.register(0, select.POLLIN)
        if self._box is not None and not self._has_ended:
            poll.register(self._box.receive, select.POLLIN)
            poll.register(self._box.pidfd, select.POLLIN)
            if self._for_box:
                poll.register(self._box.send, select.POLLOUT)
        return [fd for fd, _ in poll.poll()]

    def _take(self, kind: bytes, content: bytes) -> None:
        if kind == relay.BEGIN:
            self._begin()
        elif kind == relay.DATA and not self._has_ended:
            self._for_box += content
        elif kind == relay.AGAIN and self._has_ended:
            self._say_end()
        elif kind == relay.END:
            self._end()

    def _begin(self) -> None:
        self._cgroup.mark()
        self._has_ended = False
        self._for_box.clear()
        try:
            self._box = _ask_for_box(self._maker)
        except ConnectionError:
            raise  # and so end, to be replaced
        except (OSError, _CannotFork) as error:
            _say(relay.CANNOT, str(error).encode())
        else:
            _say(relay.BEGUN)

    def _end(self) -> None:
        if self._box is not None:
            self._box.end()
            self._box = None
        _say(relay.GONE, self._limits())

    def _pass_on(self) -> bool:
        """Pass on what the box has said; `False` where it has said no more."""
        assert self._box is not None
        try:
            data = os.read(self._box.receive, _CHUNK)
        except BlockingIOError:
            return False
        if data:
            _say(relay.DATA, data)
        elif not self._has_ended:
            self._tell_end()
        return bool(data)

    def _note_end(self) -> None:
        while self._pass_on():
            pass
        self._tell_end()

    def _tell_end(self) -> None:
        if not self._has_ended:
            self._has_ended = True
            self._for_box.clear()
            self._say_end()

    def _say_end(self) -> None:
        _say(relay.ENDED, self._limits())

    def _limits(self) -> bytes:
        return json.dumps(sorted(self._cgroup.reached())).encode()

    def _write_to_box(self) -> None:
        if self._box is None or not self._for_box:
            return
        try:
            del self._for_box[: os.write(self._box.send, self._for_box)]
        except BlockingIOError:
            pass
        except BrokenPipeError:
            self._for_box.clear()  # its end tells of itself


def _say(kind: bytes, content: bytes = b"") -> None:
    view = memoryview(relay.pack(kind, content))
    while view:
        view = view[os.write(1, view) :]


def _fork_maker(settings: Mapping[str, Any]) -> socket.socket:
    """Fork the process that forks boxes; give what it is asked by. It ends when nobody can ask any more."""
    ours, theirs = socket.socketpair()
    if os.fork() == 0:
        ours.close()
        try:
            _make_boxes(settings, theirs)
        finally:
            os._exit(0)
    theirs.close()
    return ours


def _make_boxes(settings: Mapping[str, Any], asked: socket.socket) -> None:
    # Nothing of a learner's can come into this process.
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(nothing)
    while asked.recv(1):
        fds: tuple[int, ...] = ()
        try:
            said, fds = _make(settings)
        except OSError as error:
            said = {"problem": error.strerror}
        socket.send_fds(asked, [json.dumps(said).encode()], fds)
        for fd in fds:
            os.close(fd)


def _ask_for_box(maker: socket.socket) -> _Box:
    """Have a box forked.

    Raises:
        OSError: there is no room for one.
        _CannotFork: the kernel doesn't allow it here.
        ConnectionError: the process that forks them has ended.
    """
    if seccomp.prepare() is None:
        raise _CannotFork("no filter keeps a learner's processes from namespaces on this kind of machine")
    maker.sendall(b"b")
    answer, fds, _, _ = socket.recv_fds(maker, _CHUNK, 2)
    if not answer:
        raise ConnectionResetError("the process that forks boxes has ended")
    said = json.loads(answer)
    if "first" not in said:
        for fd in fds:
            os.close(fd)
        raise _CannotFork(said.get("problem", "a fork ended without a word"))
    # Its parent has ended, and who makes boxes adopts none, so it is a child of this process.
    box = _Box(said["first"], os.pidfd_open(said["first"]), *fds)
    if "is_ready" not in said:
        box.end()
        raise _CannotFork(said.get("problem", "a box ended without a word"))
    for fd in fds:
        os.set_blocking(fd, False)
    return box


def _make(settings: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[int, int]]:
    """Fork a box; give what was said of it (`first`: its number, `is_ready`, `problem`), and these ends of its streams.

    Raises:
        OSError: there is no room for one.
    """
    box_in, send = os.pipe()
    receive, box_out = os.pipe()
    told, tell = os.pipe()
    # The process in between leaves for namespaces that only its own forks begin in, and this one must stay where it is.
    between = os.fork()
    if between == 0:
        _leave_and_fork(settings, box_in, box_out, tell)
    for fd in (box_in, box_out, tell):
        os.close(fd)
    said: dict[str, Any] = {}
    with open(told, encoding="utf-8") as lines:
        for line in lines:
            said.update(json.loads(line))
    os.waitpid(between, 0)
    return said, (send, receive)


def _leave_and_fork(settings: Mapping[str, Any], box_in: int, box_out: int, tell: int) -> NoReturn:
    try:
        namespaces.leave()
        first = os.fork()
        if first == 0:
            _be_box(settings, box_in, box_out, tell)
        _tell(tell, {"first": first})
    except OSError as error:
        _tell(tell, {"problem": error.strerror})
    finally:
        os._exit(0)


def _be_box(settings: Mapping[str, Any], box_in: int, box_out: int, tell: int) -> NoReturn:
    """Be process 1 of a box, until the host has no more to say."""
    try:
        _enter_box(settings, tell)
        os.dup2(box_in, 0)
        os.dup2(box_out, 1)
        os.closerange(3, 1024)
        keeper.serve()
    finally:
        os._exit(1)


def _enter_box(settings: Mapping[str, Any], tell: int) -> None:
    try:
        confine.come_before_others_when_memory_ends(_BEFORE_SERVER)
        namespaces.furnish(settings["writable"])
        if settings["profile"]:
            namespaces.take_profile(settings["profile"])  # which lets nobody mount
        namespaces.give_up_rights(settings["user"])
        confine.protect()
    except OSError as error:
        _tell(tell, {"problem": error.strerror})
        os._exit(1)
    _tell(tell, {"is_ready": True})


def _tell(fd: int, message: Mapping[str, Any]) -> None:
    os.write(fd, json.dumps(message).encode() + b"\n")  # one write, which no other one's comes into


def main() -> None:
    """Serve the host until it closes the stream. The arguments: modules to import ahead, and the settings as JSON."""
    confine.protect()
    keeper.preload(sys.argv[1])  # without collecting garbage, as this was started
    gc.freeze()
    gc.enable()
    Server(json.loads(sys.argv[2])).serve()


if __name__ == "__main__":
    main()
