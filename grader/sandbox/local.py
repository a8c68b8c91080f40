"""Two plain processes: for a container that is thrown away anyway, or one's own code on one's own machine.

There is no isolation of files or network here, and the notes of the result say so. Where this runs as root, each box gets a user of
its own, if that user can run this interpreter.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from grader.error import SandboxError
from grader.inside.processes import descendants
from grader.sandbox.channel import PipeChannel
from grader.sandbox.conduct import Examiner, Opened, Solution, ms_since, run_once
from grader.sandbox.interpreter import PACKAGE, Interpreter, command, compile_inside, this_interpreter
from grader.sandbox.owner import is_left, owner_mark
from grader.sandbox.pod import Listener, Pod, PodResult, Shape, examiner_arguments
from grader.sandbox.user import own_users

PORTS = range(20000, 30000)
"""Below Linux's ephemeral ports, so that no outgoing connection takes the app's port."""

FOLDER = "kata-local-"


class LocalSandbox:
    """Runs a pod as two processes of this machine."""

    name = "local"

    def run(self, pod: Pod, listen: Listener | None = None) -> PodResult:
        """Run the pod; see `Sandbox.run`."""
        return run_once(self, pod, listen)

    @contextmanager
    def begin(self, *, ahead: bool = False, many: bool = False, needs_names: bool = False) -> Iterator[_LocalExaminer]:
        """Start the examiner's process; end it and all below it. See `WarmSandbox.begin`."""
        _sweep()
        compile_inside()
        interpreter = this_interpreter()
        users = own_users() if os.geteuid() == 0 and _others_can_read(interpreter.program, str(PACKAGE)) else {}
        if users and not _others_can_read(interpreter.packages):
            interpreter = replace(interpreter, packages=interpreter.installed)
        started = time.monotonic()
        arguments = ["examiner", *examiner_arguments(ahead=ahead, many=many)]
        user = users.get("examiner")
        with _folder(user) as folder, _process(interpreter, arguments, user, folder) as channel:
            yield _LocalExaminer(channel, interpreter, users, many=many, begin_ms=ms_since(started))


class _LocalExaminer(Examiner):
    """An examiner's process; `users` are those of both boxes, by name, where this may run as others."""

    def __init__(
        self, channel: PipeChannel, interpreter: Interpreter, users: Mapping[str, int], *, many: bool, begin_ms: float
    ) -> None:
        super().__init__(many=many, begin_ms=begin_ms)
        self._channel = channel
        self._interpreter = interpreter
        self._users = users

    @property
    def channel(self) -> PipeChannel:
        """Its stream."""
        return self._channel

    @contextmanager
    def open(self, shape: Shape) -> Iterator[Opened]:
        """Start the solution's process; end it and all below it. See `BegunPod.open`."""
        started = time.monotonic()
        limits, users = shape.limits, self._users
        notes = ["no isolation of files and network: your own code on your own machine"]
        if os.geteuid() == 0 and not users:
            notes.append("it ran as root: no other user can read this Python")
        rlimits = {"rlimit_memory_mib": limits.memory_mib, "rlimit_file_mib": limits.disk_mib, "disk_mib": 0}
        if users:
            rlimits["rlimit_processes"] = limits.processes
        else:
            notes.append("the number of processes is not limited")
        notes.append("memory is limited for each process, disk for each file, processor time is not limited")
        # No spares: nothing here counts the processes of one box alone.
        arguments = ["keeper", *shape.keeper_arguments(spares=0)]
        user = users.get("solution")
        with _folder(user) as root, _process(self._interpreter, arguments, user, root) as channel:
            solution = Solution(
                channel=channel,
                port=_free_port(),
                root=root,
                extra={"limits": rlimits, "pythonpath": self._interpreter.packages},
                notes=tuple(notes),
                unlimited=("cpus",) if users else ("cpus", "processes"),
                start_ms=self.start_ms(started),
            )
            yield Opened(solution=lambda: solution, examiner=self)


@contextmanager
def _folder(user: int | None) -> Iterator[str]:
    """Make a folder for one box, all that its process may leave behind, and remove it at the end."""
    folder = tempfile.mkdtemp(prefix=f"{FOLDER}{owner_mark()}-")
    try:
        if user is not None:
            os.chown(folder, user, user)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sweep() -> None:
    """Remove the folders of gradings that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDER}*-*"):
        if is_left(folder.name.removeprefix(FOLDER)):
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _process(interpreter: Interpreter, arguments: list[str], user: int | None, folder: str) -> Iterator[PipeChannel]:
    """Start a box's first process, its temporary files in a folder; end it and all below it."""
    try:
        process = subprocess.Popen(
            command(*arguments, interpreter=interpreter, parent=str(PACKAGE)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,
            cwd="/",
            env={"LANG": "C.UTF-8", "TMPDIR": folder},
            user=user,
            group=user,
            extra_groups=None if user is None else [],
        )
    except OSError as error:
        raise SandboxError(f"a process could not be started: {error.strerror}") from error
    assert process.stdin is not None
    assert process.stdout is not None
    channel = PipeChannel(process.stdin.fileno(), process.stdout.fileno())
    try:
        yield channel
    finally:
        end_tree(process.pid)
        process.wait()
        process.stdin.close()
        process.stdout.close()


def end_tree(root: int) -> None:
    """End a process that adopts its orphans, and all below it, however fast they fork."""
    try:
        os.kill(root, signal.SIGSTOP)
        for _ in range(2000):
            below = descendants(root)
            if not below:
                break
            for pid in below:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            time.sleep(0.001)
        os.kill(root, signal.SIGKILL)
    except ProcessLookupError:
        pass


def _others_can_read(*paths: str) -> bool:
    for path in paths:
        for folder in (Path(path), *Path(path).parents):
            if not os.stat(folder).st_mode & 0o001:
                return False
    return True


def _free_port() -> int:
    for port in random.sample(PORTS, 200):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise SandboxError("no free port was found on the loopback network")
