"""Two boxes made by bubblewrap: Linux namespaces without an engine.

An outer `bwrap` makes the network that both boxes share, with nothing in it but loopback. The examiner's box is made in it, and
the solution's joins it by `nsenter`, for which `bwrap` has no option.
Limits come from control groups where those can be written, else from rlimits, and the notes of the result say which. Started as
root, each box runs as an unprivileged user of this machine; else in a user namespace of the caller's.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import re
import shlex
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from grader.error import SandboxError
from grader.sandbox import cgroup, forked
from grader.sandbox.channel import PipeChannel
from grader.sandbox.conduct import Examiner, Opened, Solution, ms_since, run_once
from grader.sandbox.forked import ONE_POD, Forks
from grader.sandbox.interpreter import PACKAGE, Interpreter, command, compile_inside, this_interpreter
from grader.sandbox.owner import owner_mark
from grader.sandbox.pod import SPARES, Limits, Listener, Pod, PodResult, Shape, examiner_arguments, with_spares
from grader.sandbox.user import own_users

PORT = 8000
ROOT = "/tmp"
PACKAGES = "/opt/packages"
SHM_MIB = 1
MIB = 1024 * 1024
USERS = {"solution": 65532, "examiner": 65533}
OWN_PROCESSES = 2
"""Of a box in its control group, before anything of the learner's: its first process, and `bwrap` itself."""
START_S = 15.0
END_S = 3.0
EXAMINER_LIMITS = Limits(memory_mib=512, processes=32, cpus=2.0, disk_mib=64)

_numbers = itertools.count(1)


class BubblewrapSandbox:
    """Runs a pod under `bwrap`."""

    name = "bubblewrap"

    def run(self, pod: Pod, listen: Listener | None = None) -> PodResult:
        """Run the pod; see `Sandbox.run`."""
        return run_once(self, pod, listen)

    @contextmanager
    def begin(
        self, *, ahead: bool = False, many: bool = False, needs_names: bool = False
    ) -> Iterator[_BubblewrapExaminer]:
        """Start the examiner's box in a network of its own; end it and all that is in it. See `WarmSandbox.begin`."""
        bwrap = program()
        if bwrap is None:
            raise SandboxError("`bwrap` is not installed", hint="apt-get install bubblewrap")
        cgroup.sweep()
        compile_inside()
        started = time.monotonic()
        mark = f"{owner_mark()}-{next(_numbers)}"
        user = [] if os.geteuid() == 0 else ["--unshare-user"]
        network = [bwrap, *user, "--unshare-net", "--die-with-parent", "--dev-bind", "/", "/"]
        inside = ["examiner", *examiner_arguments(ahead=ahead, many=many)]
        with (
            _group(f"{mark}-examiner", EXAMINER_LIMITS, extra_processes=1) as group,
            _Box(bwrap, "examiner", network, group, EXAMINER_LIMITS, inside) as box,
        ):
            examiner = _BubblewrapExaminer(bwrap, box, mark, ahead=ahead, many=many, begin_ms=ms_since(started))
            with closing(examiner.forks):
                yield examiner


class _BubblewrapExaminer(Examiner):
    """An examiner's box, and the network that boxes of solutions join, one at a time."""

    def __init__(self, bwrap: str, box: _Box, mark: str, *, ahead: bool, many: bool, begin_ms: float) -> None:
        super().__init__(many=many, begin_ms=begin_ms)
        self._bwrap = bwrap
        self._box = box
        self._mark = mark
        self._ahead = ahead
        problem = "" if many else ONE_POD
        if Path(this_interpreter().prefix).is_relative_to(ROOT):
            problem = f"the interpreter lies in {ROOT}, where a box has a folder of its own"
        self.forks = Forks(partial(self._solution, forks=True), problem=problem)

    @property
    def channel(self) -> PipeChannel:
        """Its stream, once it has begun."""
        self._box.wait()
        return self._box.channel

    @property
    def fork_problem(self) -> str:
        """See `BegunPod.fork_problem`."""
        return self.forks.problem

    @contextmanager
    def open(self, shape: Shape) -> Iterator[Opened]:
        """Start a solution's box; end it and all that is in it. See `BegunPod.open`."""
        started = time.monotonic()
        with ExitStack() as stack:
            solution = stack.enter_context(self.forks.box(shape)) or stack.enter_context(self._solution(shape))
            solution = replace(solution, start_ms=self.start_ms(started))
            yield Opened(solution=lambda: solution, examiner=self)

    @contextmanager
    def _solution(self, shape: Shape, *, forks: bool = False) -> Iterator[Solution]:
        """Start a box in the examiner's network. `forks`: it is one that solutions' boxes are forked in."""
        limits = with_spares(shape) if self._ahead else shape.limits
        if forks:
            limits = forked.with_server(limits)
        joined = ["/usr/bin/nsenter", f"--net=/proc/{self._box.wait()}/ns/net"]
        if os.geteuid() != 0:
            joined += [f"--user=/proc/{self._box.wait()}/ns/user", "--preserve-credentials"]
        with _group(f"{self._mark}-solution-{next(_numbers)}", limits, extra_processes=OWN_PROCESSES) as group:
            if forks:
                user = _users(group)["solution"]
                writable = {ROOT: limits.disk_mib * MIB, "/dev/shm": SHM_MIB * MIB}
                inside = ["fork_server", *shape.server_arguments(user=user, writable=writable)]
            else:
                spares = SPARES if self._ahead and group is not None else 0
                inside = ["keeper", *shape.keeper_arguments(spares=spares)]
            with _Box(self._bwrap, "solution", joined, group, shape.limits, inside, makes_boxes=forks) as box:
                box.wait()
                rlimits, notes, unlimited = _fallbacks(shape.limits, group)
                yield Solution(
                    channel=box.channel,
                    port=PORT,
                    root=ROOT,
                    extra={
                        "limits": rlimits,
                        "pythonpath": PACKAGES,
                        "also_clear": ["/dev/shm"],
                        "own_processes": OWN_PROCESSES + (forked.OWN_PROCESSES if forks else 0),
                    },
                    notes=notes,
                    unlimited=unlimited,
                    ended_by=group.ended_by if group is not None else lambda: None,
                )


@contextmanager
def _group(name: str, limits: Limits, *, extra_processes: int) -> Iterator[cgroup.Cgroup | None]:
    group = cgroup.make(name, limits, extra_processes=extra_processes)
    try:
        yield group
    finally:
        if group is not None:
            group.remove()


class _Box:
    """A box, its first process begun by a shell that enters the control group, says its number and becomes `bwrap`.

    Use it under `with`. `outside` is the command that gives that shell its network.
    """

    def __init__(
        self,
        bwrap: str,
        name: str,
        outside: Sequence[str],
        group: cgroup.Cgroup | None,
        limits: Limits,
        inside: Sequence[str],
        *,
        makes_boxes: bool = False,
    ) -> None:
        """`inside` is the module of the box's first process, and its arguments; `makes_boxes`: it stays root, if it is."""
        # The packages are shown elsewhere than they lie: below /tmp, which the keeper clears, they would be in its way.
        interpreter = replace(this_interpreter(), packages=PACKAGES)
        box = _inner(bwrap, _users(group)[name], limits, group, makes_boxes=makes_boxes) + command(
            *inside, interpreter=interpreter, parent="/opt/box"
        )
        enter = [f"echo 0 >{shlex.quote(str(file))}" for file in group.entrances] if group is not None else []
        self._argv = [*outside, "/bin/sh", "-c", " && ".join([*enter, "echo $$", f"exec {shlex.join(box)}"])]
        self._name = name
        self._spawned = 0
        self._first = 0

    def __enter__(self) -> _Box:
        to_box, from_host = os.pipe()
        from_box, to_host = os.pipe()
        self.channel = PipeChannel(from_host, from_box)
        try:
            self._spawned = _spawn(self._argv, stdin=to_box, stdout=to_host)
        except BaseException:
            self.channel.close()
            raise
        finally:
            os.close(to_box)
            os.close(to_host)
        return self

    def __exit__(self, *_details: object) -> None:
        with suppress(SandboxError):
            self.wait(END_S)
        _end(self._spawned, self._first)
        self.channel.close()

    def wait(self, seconds: float = START_S) -> int:
        """Wait until the shell has said its number, and give it.

        Raises:
            SandboxError: it ended, or took too long.
        """
        if not self._first:
            try:
                self._first = int(self.channel.read_line(time.monotonic() + seconds))
            except (OSError, ValueError) as error:
                raise SandboxError(
                    f"`bwrap` could not start the {self._name} box: {error}",
                    hint="`grade doctor` shows what this machine allows",
                ) from error
        return self._first


def _users(group: cgroup.Cgroup | None) -> Mapping[str, int]:
    # A control group counts the processes of its box; without one, their user's are counted.
    return USERS if group is not None else own_users()


def program() -> str | None:
    """Give the path of `bwrap`, or `None` where it isn't installed."""
    # As `shutil.which`, which takes longer to import than a box takes to begin.
    for folder in os.get_exec_path():
        path = os.path.join(folder, "bwrap")
        if os.access(path, os.X_OK) and os.path.isfile(path):
            return path
    return None


def _spawn(argv: list[str], *, stdin: int, stdout: int) -> int:
    nothing = os.open(os.devnull, os.O_RDWR)
    # Lifted first, so that no target of a copy is the source of another.
    lifted = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 20) for fd in (stdin, stdout, nothing)]
    actions = [(os.POSIX_SPAWN_DUP2, fd, place) for place, fd in enumerate(lifted)]
    try:
        return os.posix_spawn(argv[0], argv, {"PATH": "/usr/bin:/bin"}, file_actions=actions, setsid=True)
    except OSError as error:
        raise SandboxError(f"`{argv[0]}` could not be started: {error.strerror}") from error
    finally:
        for fd in (*lifted, nothing):
            os.close(fd)


def _inner(bwrap: str, user: int, limits: Limits, group: cgroup.Cgroup | None, *, makes_boxes: bool) -> list[str]:
    is_root = os.geteuid() == 0
    interpreter = this_interpreter()
    etc = PACKAGE / "sandbox" / "etc"
    argv = [bwrap, "--unshare-pid", "--as-pid-1", "--unshare-ipc", "--unshare-uts", "--hostname", "box"]
    argv += ["--die-with-parent", "--new-session", "--clearenv", "--setenv", "LANG", "C.UTF-8", "--cap-drop", "ALL"]
    if is_root:
        rights = ["SETUID", "SETGID", *(["KILL", "SETPCAP", "SYS_ADMIN"] if makes_boxes else [])]
        argv += [word for right in rights for word in ("--cap-add", f"CAP_{right}")]
    else:
        argv += ["--unshare-user", "--uid", str(user), "--gid", str(user)]
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
    argv += ["--size", str(SHM_MIB * MIB), "--perms", "1777", "--tmpfs", "/dev/shm"]
    argv += ["--size", str(limits.disk_mib * MIB), "--perms", "1777", "--tmpfs", ROOT]
    # After /tmp, under which an interpreter may lie.
    argv += _bind_interpreter(interpreter)
    for folder in hidden:
        argv += ["--remount-ro", folder]
    argv += ["--ro-bind", str(PACKAGE / "inside"), "/opt/box/inside"]
    for source, shown in group.shown_at if group is not None else ():
        argv += _bind(str(source), shown)
    argv += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/"]
    if is_root and not makes_boxes:
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


def _end(spawned: int, first: int) -> None:
    """End a box from the inside out, so that each process is awaited by its parent and none is left to process 1."""
    for pid in (_children(first) or [first]) if first else ():
        _signal(pid)
    deadline = time.monotonic() + END_S
    while time.monotonic() < deadline:
        if os.waitpid(spawned, os.WNOHANG)[0]:
            return
        time.sleep(0.001)
    os.killpg(spawned, signal.SIGKILL)
    os.waitpid(spawned, 0)


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
