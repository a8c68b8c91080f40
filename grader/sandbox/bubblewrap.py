"""Two boxes made by bubblewrap: Linux namespaces without an engine.

An outer `bwrap` makes the network that both boxes share, with nothing in it but loopback; in it, one inner `bwrap` a box.
Limits come from control groups where those can be written, else from rlimits, and the notes of the result say which. Started as
root, each box runs as an unprivileged user of this machine; else in a user namespace of the caller's.
"""

from __future__ import annotations

import fcntl
import functools
import itertools
import os
import re
import shlex
import shutil
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from grader.error import SandboxError
from grader.sandbox import cgroup
from grader.sandbox.channel import PipeChannel
from grader.sandbox.conduct import Opened, ms_since, run_once
from grader.sandbox.interpreter import PACKAGE, Interpreter, command, compile_inside, this_interpreter
from grader.sandbox.pod import SPARES, Limits, Listener, Pod, PodResult, Shape, examiner_arguments, with_spares
from grader.sandbox.user import own_users

PORT = 8000
ROOT = "/tmp"
PACKAGES = "/opt/packages"
SHM_MIB = 1
USERS = {"solution": 65532, "examiner": 65533}
OWN_PROCESSES = 2
"""Of a box in its control group, before anything of the learner's: its first process, and `bwrap` itself."""
START_S = 15.0
END_S = 3.0
EXAMINER_LIMITS = Limits(memory_mib=512, processes=32, cpus=2.0, disk_mib=64)

_FDS = {"solution": (3, 4), "examiner": (5, 6)}
"""What the outer shell has of each box's pipes: the end to read from, the end to write to. On 7 it is told what to start."""

_NO_FDS = "3<&- 4>&- 5<&- 6>&- 7<&-"

_numbers = itertools.count(1)


class BubblewrapSandbox:
    """Runs a pod under `bwrap`."""

    name = "bubblewrap"

    def run(self, pod: Pod, listen: Listener | None = None) -> PodResult:
        """Run the pod; see `Sandbox.run`."""
        return run_once(self, pod, listen)

    @contextmanager
    def begin(self, *, ahead: bool = False) -> Iterator[_Boxes]:
        """Start the examiner's box; end both and all that is in them. See `WarmSandbox.begin`."""
        bwrap = program()
        if bwrap is None:
            raise SandboxError("`bwrap` is not installed", hint="apt-get install bubblewrap")
        cgroup.sweep()
        compile_inside()
        boxes = _Boxes(bwrap, ahead=ahead)
        try:
            boxes.begin()
            yield boxes
        finally:
            boxes.end()


class _Boxes:
    """The boxes of one pod, in the network of an outer `bwrap`."""

    def __init__(self, bwrap: str, *, ahead: bool) -> None:
        self._bwrap = bwrap
        self._ahead = ahead
        self._mark = f"{cgroup.owner_mark()}-{next(_numbers)}"
        self._groups: dict[str, cgroup.Cgroup | None] = {}
        self._channels: dict[str, PipeChannel] = {}
        self._outer = 0
        self._script = -1
        self._inner: dict[str, int] = {}
        self._begin_ms = 0.0

    def begin(self) -> None:
        """Start the outer `bwrap`, which starts the examiner's box and then waits to be told what else to start."""
        started = time.monotonic()
        box_fds: list[int] = []
        try:
            for name in ("solution", "examiner"):
                to_box, from_host = os.pipe()
                from_box, to_host = os.pipe()
                box_fds += [to_box, to_host]
                self._channels[name] = PipeChannel(from_host, from_box)
            told, self._script = os.pipe()
            box_fds.append(told)
            self._groups["examiner"] = cgroup.make(f"{self._mark}-examiner", EXAMINER_LIMITS, extra_processes=1)
            examiner = self._command("examiner", "examiner", EXAMINER_LIMITS, examiner_arguments(ahead=self._ahead))
            self._outer = _spawn([*_outer(self._bwrap), f"{examiner}\n. /dev/fd/7\nexec {_NO_FDS}\nwait"], box_fds)
        finally:
            for fd in box_fds:
                os.close(fd)
        self._begin_ms = ms_since(started)

    def open(self, shape: Shape) -> Opened:
        """Start the solution's box; see `BegunPod.open`."""
        started = time.monotonic()
        limits = with_spares(shape.limits) if self._ahead else shape.limits
        group = cgroup.make(f"{self._mark}-solution", limits, extra_processes=OWN_PROCESSES)
        self._groups["solution"] = group
        arguments = shape.keeper_arguments(spares=SPARES if self._ahead and group is not None else 0)
        self._tell(self._command("solution", "keeper", shape.limits, arguments) + "\n")
        deadline = time.monotonic() + START_S
        for name in ("examiner", "solution"):
            self._await(name, deadline)
        rlimits, notes, unlimited = _fallbacks(shape.limits, group)
        return Opened(
            solution=self._channels["solution"],
            examiner=self._channels["examiner"],
            port=PORT,
            root=ROOT,
            extra={
                "limits": rlimits,
                "pythonpath": PACKAGES,
                "also_clear": ["/dev/shm"],
                "own_processes": OWN_PROCESSES,
            },
            notes=notes,
            unlimited=unlimited,
            start_ms=self._begin_ms + ms_since(started),
        )

    def end(self) -> None:
        """End both boxes, however far they came."""
        self._tell("")
        if self._outer:
            deadline = time.monotonic() + END_S
            for name in self._groups.keys() - self._inner.keys():
                with suppress(SandboxError):
                    self._await(name, deadline)
            _end(self._outer, list(self._inner.values()))
        for group in self._groups.values():
            if group is not None:
                group.remove()
        for channel in self._channels.values():
            channel.close()

    def _command(self, name: str, module: str, limits: Limits, arguments: Sequence[str]) -> str:
        """Give the line that starts a box: its shell enters the control group, says its number and becomes the box."""
        # The packages are shown elsewhere than they lie: below /tmp, which the keeper clears, they would be in its way.
        interpreter = replace(this_interpreter(), packages=PACKAGES)
        group = self._groups[name]
        # A control group counts the processes of its box; without one, their user's are counted.
        user = (USERS if group is not None else self._own_users)[name]
        argv = _inner(self._bwrap, user, limits, group)
        argv += command(module, *arguments, interpreter=interpreter, parent="/opt/box")
        enter = [f"echo 0 >{shlex.quote(str(file))}" for file in group.entrances] if group is not None else []
        shell = " && ".join([*enter, "echo $$", f"exec {shlex.join(argv)}"])
        stdin, stdout = _FDS[name]
        return f"{shlex.join(['/bin/sh', '-c', shell])} <&{stdin} >&{stdout} 2>/dev/null {_NO_FDS} &"

    @functools.cached_property
    def _own_users(self) -> dict[str, int]:
        return own_users()

    def _tell(self, line: str) -> None:
        """Have the outer shell run a line, the last one that it gets."""
        if self._script < 0:
            return
        try:
            with open(self._script, "w", encoding="utf-8") as script:
                script.write(line)
        except OSError:
            pass  # it has ended, which the box that doesn't start tells
        self._script = -1

    def _await(self, name: str, deadline: float) -> None:
        """Wait until a box's shell has said its number."""
        try:
            self._inner[name] = int(self._channels[name].read_line(deadline))
        except (OSError, ValueError) as error:
            raise SandboxError(
                f"`bwrap` could not start the {name} box: {error}", hint="`grade doctor` shows what this machine allows"
            ) from error


def program() -> str | None:
    """Give the path of `bwrap`, or `None` where it isn't installed."""
    return shutil.which("bwrap")


def _outer(bwrap: str) -> list[str]:
    user = [] if os.geteuid() == 0 else ["--unshare-user"]
    return [bwrap, *user, "--unshare-net", "--die-with-parent", "--dev-bind", "/", "/", "/bin/sh", "-c"]


def _spawn(argv: list[str], fds: Sequence[int]) -> int:
    # Descriptors are lifted first, so that no target of a copy is the source of another.
    lifted = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 20) for fd in fds]
    nothing = os.open(os.devnull, os.O_RDWR)
    actions = [(os.POSIX_SPAWN_DUP2, nothing, fd) for fd in (0, 1, 2)]
    actions += [(os.POSIX_SPAWN_DUP2, fd, 3 + place) for place, fd in enumerate(lifted)]
    try:
        return os.posix_spawn(argv[0], argv, {"PATH": "/usr/bin:/bin"}, file_actions=actions, setsid=True)
    except OSError as error:
        raise SandboxError(f"`bwrap` could not be started: {error.strerror}") from error
    finally:
        for fd in (*lifted, nothing):
            os.close(fd)


def _inner(bwrap: str, user: int, limits: Limits, group: cgroup.Cgroup | None) -> list[str]:
    is_root = os.geteuid() == 0
    interpreter = this_interpreter()
    etc = PACKAGE / "sandbox" / "etc"
    argv = [bwrap, "--unshare-pid", "--as-pid-1", "--unshare-ipc", "--unshare-uts", "--hostname", "box"]
    argv += ["--die-with-parent", "--new-session", "--clearenv", "--setenv", "LANG", "C.UTF-8", "--cap-drop", "ALL"]
    argv += (
        ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
        if is_root
        else ["--unshare-user", "--uid", str(user), "--gid", str(user)]
    )
    for folder in ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64"):
        if os.path.islink(folder):
            argv += ["--symlink", os.readlink(folder), folder]
        elif os.path.isdir(folder):
            argv += ["--ro-bind", folder, folder]
    # Programs need nothing of these, and a course may lie there: `/usr/src/app` is where many images have their own.
    hidden = [folder for folder in ("/usr/src", "/usr/local/src") if os.path.isdir(folder)]
    for folder in hidden:
        argv += ["--tmpfs", folder]
    for folder in ("/etc", "/opt", "/opt/box"):
        argv += ["--perms", "0755", "--dir", folder]
    for file in ("/etc/ld.so.cache", "/etc/alternatives"):
        argv += ["--ro-bind-try", file, file]
    for entry in sorted(etc.iterdir()):
        argv += ["--ro-bind", str(entry), f"/etc/{entry.name}"]
    argv += ["--proc", "/proc", "--dev", "/dev"]
    argv += ["--size", str(SHM_MIB * 1024 * 1024), "--perms", "1777", "--tmpfs", "/dev/shm"]
    argv += ["--size", str(limits.disk_mib * 1024 * 1024), "--perms", "1777", "--tmpfs", ROOT]
    # After /tmp, under which an interpreter may lie.
    argv += _bind_interpreter(interpreter)
    for folder in hidden:
        argv += ["--remount-ro", folder]
    argv += ["--ro-bind", str(PACKAGE / "inside"), "/opt/box/inside"]
    for source, shown in group.shown_at if group is not None else ():
        argv += _bind(str(source), shown)
    argv += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/"]
    if is_root:
        argv += ["/usr/bin/setpriv", "--reuid", str(user), "--regid", str(user), "--clear-groups"]
        argv += ["--inh-caps=-all", "--no-new-privs"]
    return argv


def _bind_interpreter(interpreter: Interpreter) -> list[str]:
    argv = _bind(interpreter.packages, PACKAGES)
    if not Path(interpreter.prefix).is_relative_to("/usr"):
        argv += _bind(interpreter.prefix, interpreter.prefix)
    return argv


def _bind(source: str, target: str) -> list[str]:
    """Show a folder read-only; the folders above it are made so that any user can pass through them."""
    argv = []
    for above in reversed(Path(target).parents[:-1]):
        argv += ["--perms", "0755", "--dir", str(above)]
    return [*argv, "--ro-bind", source, target]


def _fallbacks(limits: Limits, group: cgroup.Cgroup | None) -> tuple[dict[str, int], tuple[str, ...], tuple[str, ...]]:
    """Give the rlimits that stand in for a control group, what can't be enforced in words, and the limits that are none."""
    if group is not None:
        swap = "the kernel does not account for swap: memory is limited without it"
        return {}, () if group.limits_swap else (swap,), ()
    memory = "no control groups: memory is limited for each process, processor time is not limited"
    if os.geteuid() == 0 or _counts_processes_by_namespace(os.uname().release):
        rlimits = {"rlimit_memory_mib": limits.memory_mib, "rlimit_processes": limits.processes}
        return rlimits, (memory,), ("cpus",)
    processes = "no control groups: the number of processes is not limited"
    return {"rlimit_memory_mib": limits.memory_mib}, (memory, processes), ("cpus", "processes")


def _counts_processes_by_namespace(release: str) -> bool:
    """Say whether this Linux counts a user's processes for each user namespace, so that a box's are counted alone.

    Since 5.14: "Reimplement RLIMIT_NPROC on top of ucounts".
    """
    found = re.match(r"(\d+)\.(\d+)", release)
    return found is not None and (int(found[1]), int(found[2])) >= (5, 14)


def _end(outer: int, inner: Sequence[int]) -> None:
    """End both boxes from the inside out, so that each process is awaited by its parent and none is left to process 1."""
    for pid in inner:
        for first in _children(pid) or [pid]:
            _signal(first)
    deadline = time.monotonic() + END_S
    while time.monotonic() < deadline:
        if os.waitpid(outer, os.WNOHANG)[0]:
            return
        time.sleep(0.001)
    os.killpg(outer, signal.SIGKILL)
    os.waitpid(outer, 0)


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _signal(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
