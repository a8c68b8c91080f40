"""Two containers of an engine that speaks the Docker API.

The solution's joins the network of the examiner's, which has nothing in it but loopback.
"""

from __future__ import annotations

import itertools
import json
import secrets
import select
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from grader.sandbox import cgroup, forked
from grader.sandbox.behind import Behind
from grader.sandbox.conduct import Examiner, Opened, Solution, ms_since, run_once
from grader.sandbox.engine import Engine, is_missing, judged
from grader.sandbox.forked import ONE_POD, Forks
from grader.sandbox.image import ensure_image, read_recipe
from grader.sandbox.interpreter import boot
from grader.sandbox.owner import is_left, owner_mark
from grader.sandbox.pod import SPARES, Limits, Listener, Pod, PodResult, Shape, examiner_arguments, with_spares

LABEL = "kata-grader.pod"
HOST_LABEL = "kata-grader.host"
PORT = 8000
ROOT = "/tmp"
USERS = {"keeper": 65532, "fork_server": 65532, "examiner": 65533}
"""By the module of a box's first process. Two, as the kernel has limits that it counts by user, such as queued signals."""

SHM_BYTES = 1024 * 1024
PYTHON = "/opt/grade/bin/python"
FILTER = Path(__file__).with_name("seccomp.json")
"""In place of the engine's own, which takes it a fifth of a container's start to compile, and allows more."""

NAMESPACE_CALLS = ("unshare", "mount")
UNCONFINED = "unconfined"
"""What AppArmor calls it when no profile applies."""

MIB = 1024 * 1024

EXAMINER_LIMITS = Limits(memory_mib=512, processes=32, cpus=2.0)
OLD_S = 3600
LOOK_AGAIN_S = 0.5

_STDOUT = 1
_HEADER = struct.Struct(">BxxxI")


class DockerSandbox:
    """Runs a pod as two containers.

    `runtime` names an OCI runtime that the engine knows, such as `runsc`; `say` gets a line for each step of building the image.
    """

    name = "docker"

    def __init__(self, *, runtime: str | None = None, say: Callable[[str], None] = lambda _line: None) -> None:
        self._runtime = runtime
        self._say = say

    def run(self, pod: Pod, listen: Listener | None = None) -> PodResult:
        """Run the pod; see `Sandbox.run`."""
        return run_once(self, pod, listen)

    @contextmanager
    def begin(self, *, ahead: bool = False, many: bool = False, needs_names: bool = False) -> Iterator[_DockerExaminer]:
        """Start the examiner's container; remove it whatever happens. See `WarmSandbox.begin`."""
        started = time.monotonic()
        image, name = read_recipe().tag, f"kata-{secrets.token_hex(6)}"
        arguments = examiner_arguments(ahead=ahead, many=many)
        config = _config(
            image, "examiner", arguments, limits=EXAMINER_LIMITS, runtime=self._runtime, needs_names=needs_names
        )
        with judged(), closing(Engine()) as engine:
            examiner = _DockerExaminer(engine, image, self._runtime, name, ahead=ahead, many=many)
            try:
                try:
                    examiner.begin(started, config)
                except Exception as error:
                    if not is_missing(error):
                        raise
                    # Not asked for before, as it is mostly there.
                    ensure_image(engine.sdk, say=self._say)
                    examiner.begin(started, config)
                yield examiner
            finally:
                examiner.end()


class _AttachedChannel:
    """A container's attached standard streams: raw on the way in, framed by the engine on the way out."""

    def __init__(self, raw: Any) -> None:
        self._owner = raw
        self._socket: socket.socket = getattr(raw, "_sock", raw)
        self._socket.setblocking(False)
        self._buffer = bytearray()
        self._left = 0
        self._is_stdout = False

    def fileno(self) -> int:
        return self._socket.fileno()

    def receive(self) -> bytes:
        """Read what is there of the container's standard output; empty at the end of the stream."""
        out = bytearray()
        while not out:
            try:
                data = self._socket.recv(1 << 18)
            except BlockingIOError:
                # The engine's framing came alone. Wait for what it announced, a moment at the most.
                if not select.select([self._socket], [], [], 1.0)[0]:
                    return bytes(out)
                continue
            except OSError:
                return b""
            if not data:
                return b""
            self._buffer += data
            self._unpack(out)
        return bytes(out)

    def _unpack(self, out: bytearray) -> None:
        while self._buffer:
            if self._left == 0:
                if len(self._buffer) < _HEADER.size:
                    return
                stream, self._left = _HEADER.unpack_from(self._buffer)
                self._is_stdout = stream == _STDOUT
                del self._buffer[: _HEADER.size]
                continue
            piece = self._buffer[: self._left]
            if self._is_stdout:
                out += piece
            self._left -= len(piece)
            del self._buffer[: len(piece)]

    def send(self, data: bytes, deadline: float) -> None:
        """Write all of it before the deadline.

        Raises:
            OSError: the container is gone, or did not read in time.
        """
        view = memoryview(data)
        while view:
            try:
                view = view[self._socket.send(view) :]
            except BlockingIOError:
                left = deadline - time.monotonic()
                if left <= 0 or not select.select([], [self._socket], [], left)[1]:
                    raise TimeoutError("the box did not read in time") from None

    def close(self) -> None:
        # The SDK keeps the answer that the stream came with. It can't close itself any more once the stream is closed.
        response = getattr(self._owner, "_response", None)
        if response is not None:
            response.close()
        self._owner.close()
        self._socket.close()


def _filter(*, allows_namespaces: bool) -> str:
    """Give the filter of system calls. Who forks boxes needs some that it takes from the learner's processes in them."""
    text = FILTER.read_text()
    if not allows_namespaces:
        return text
    profile = json.loads(text)
    profile["syscalls"].append({"names": NAMESPACE_CALLS, "action": "SCMP_ACT_ALLOW"})
    return json.dumps(profile)


def _command(module: str, arguments: list[str]) -> list[str]:
    return [PYTHON, "-I", "-B", "-c", boot(module, ["/opt/box"]), *arguments]


def _config(
    image: str,
    module: str,
    arguments: list[str],
    *,
    limits: Limits,
    runtime: str | None,
    joined: str | None = None,
    needs_names: bool = False,
    is_confined: bool = True,
) -> dict[str, Any]:
    """Describe a container as the API does.

    `joined`: whose network it shares; `None`: its own, with nothing but loopback. `is_confined`: by AppArmor, where there is one.
    """
    security = ["no-new-privileges", f"seccomp={_filter(allows_namespaces=module == 'fork_server')}"]
    if not is_confined:
        security.append(f"apparmor={UNCONFINED}")
    host = {
        "NetworkMode": f"container:{joined}" if joined else "none",
        "ReadonlyRootfs": True,
        "Tmpfs": {ROOT: f"rw,nosuid,nodev,exec,size={limits.disk_mib}m,mode=1777"},
        "CapDrop": ["ALL"],
        "SecurityOpt": security,
        "Memory": limits.memory_mib * MIB,
        "MemorySwap": limits.memory_mib * MIB,
        "PidsLimit": limits.processes + 1,  # for the one that waits for the next test
        "CpuPeriod": cgroup.PERIOD_US,
        "CpuQuota": int(limits.cpus * cgroup.PERIOD_US),
        "ShmSize": SHM_BYTES,
        "IpcMode": "private",
        "LogConfig": {"Type": "none", "Config": {}},
        "Init": False,
    }
    if runtime is not None:
        host["Runtime"] = runtime
    if module == "fork_server":
        # The kernel mounts a new `/proc` only where the one that there is can be seen whole. Boxes mask theirs themselves.
        host |= {"MaskedPaths": ["/sys/firmware", "/sys/devices/virtual/powercap"], "ReadonlyPaths": []}
    return {
        "Image": image,
        "Cmd": _command(module, arguments),
        "User": f"{USERS[module]}:{USERS[module]}",
        "WorkingDir": "/",
        "OpenStdin": True,
        "StdinOnce": True,
        "AttachStdin": True,
        "AttachStdout": True,
        "Env": ["LANG=C.UTF-8"],
        "Labels": {LABEL: owner_mark(), HOST_LABEL: socket.gethostname()},
        "HostConfig": host,
        # On top of `none`: the kernel's new network has loopback, and setting it up as one of the engine's costs it more
        # than the rest of a start. What it would add is a file with the name `localhost`, also for those that join.
        "NetworkDisabled": joined is None and not needs_names,
    }


def _create(engine: Engine, name: str, config: dict[str, Any]) -> None:
    try:
        engine.create(name, config)
    except Exception as error:
        if "seccomp profile" not in str(error):
            raise
        # Podman takes the name of a file on its own machine there, and nothing else. It has a filter of its own.
        options = config["HostConfig"]["SecurityOpt"]
        options[:] = [option for option in options if not option.startswith("seccomp=")]
        engine.create(name, config)


class _DockerExaminer(Examiner):
    """An examiner's container. It is started first, and those of solutions join its network, one at a time."""

    def __init__(self, engine: Engine, image: str, runtime: str | None, name: str, *, ahead: bool, many: bool) -> None:
        super().__init__(many=many)
        self._engine = engine
        self._image = image
        self._runtime = runtime
        self._ahead = ahead
        self._name = name
        self._numbers = itertools.count(1)
        self._channels: dict[str, _AttachedChannel] = {}
        self._starting: Behind | None = None
        self._removing: list[Behind] = []
        self.forks = Forks(self._fork_server, problem="" if many else ONE_POD)

    def begin(self, started: float, config: dict[str, Any]) -> None:
        """Make the container, and have it start."""
        _create(self._engine, self._name, config)
        self._starting = Behind(self._start)
        _sweep(self._engine)  # while that one starts
        self._begin_ms = ms_since(started)

    @property
    def channel(self) -> _AttachedChannel:
        """Its streams, once it runs."""
        assert self._starting is not None
        self._starting.wait()
        return self._channels[self._name]

    @property
    def fork_problem(self) -> str:
        """See `BegunPod.fork_problem`."""
        return self.forks.problem

    @contextmanager
    def open(self, shape: Shape) -> Iterator[Opened]:
        """Have a solution's container started, or its box forked; remove it whatever happens. See `BegunPod.open`."""
        started = time.monotonic()
        with ExitStack() as stack:
            box = stack.enter_context(self.forks.box(shape))
            waited_for = stack.enter_context(self._starting_solution(shape)) if box is None else lambda: box
            yield Opened(solution=lambda: replace(waited_for(), start_ms=self.start_ms(started)), examiner=self)

    @contextmanager
    def _fork_server(self, shape: Shape) -> Iterator[Solution]:
        with self._starting_solution(shape, forks=True) as waited_for:
            yield waited_for()

    @contextmanager
    def _starting_solution(self, shape: Shape, *, forks: bool = False) -> Iterator[Callable[[], Solution]]:
        """Have a container started in the examiner's network, and give what waits for it; remove it whatever happens.

        `forks`: it is one that solutions' boxes are forked in.
        """
        name = f"{self._name}-solution-{next(self._numbers)}"
        limits = with_spares(shape) if self._ahead else shape.limits
        if forks:
            limits = forked.with_server(limits)

        @judged()
        def start() -> None:
            # The network is shared with one solution at a time.
            self._await_removal()
            profile = ""
            if forks:
                profile = self._profile()
                writable = {ROOT: limits.disk_mib * MIB, "/dev/shm": SHM_BYTES}
                user = USERS["fork_server"]
                module, arguments = "fork_server", shape.server_arguments(user=user, writable=writable, profile=profile)
            else:
                module, arguments = "keeper", shape.keeper_arguments(spares=SPARES if self._ahead else 0)
            config = _config(
                self._image,
                module,
                arguments,
                limits=limits,
                runtime=self._runtime,
                joined=self._name,
                # The profile that engines have for containers forbids mounts. Each box takes it when it has its own.
                is_confined=not profile,
            )
            _create(self._engine, name, config)
            self._channels[name] = _AttachedChannel(self._engine.attach(name))
            assert self.channel  # the network that is joined exists once the examiner's container runs
            self._engine.start(name)

        def solution() -> Solution:
            starting.wait()
            return Solution(
                channel=self._channels[name],
                port=PORT,
                root=ROOT,
                extra={
                    "also_clear": ["/dev/shm", "/dev/mqueue"],
                    "own_processes": 1 + (forked.OWN_PROCESSES if forks else 0),
                },
                ended_by=lambda: _ended_by(self._engine, name),
                look=lambda: _look(self._engine),
            )

        starting = Behind(start)
        try:
            yield solution
        finally:
            try:
                starting.wait()
            finally:
                self._remove(name)

    def _profile(self) -> str:
        """Name AppArmor's profile for this engine's containers; empty where there is none."""
        assert self.channel  # it is told of a container that runs
        profile = str(self._engine.inspect(self._name).get("AppArmorProfile") or "")
        return "" if profile == UNCONFINED else profile

    def end(self) -> None:
        """Remove the container, however far it came, and see that no other is left."""
        try:
            self.forks.close()
            if self._starting is not None:
                self._starting.wait()
        finally:
            self._remove(self._name)
            self._await_removal()

    @judged()
    def _start(self) -> None:
        self._channels[self._name] = _AttachedChannel(self._engine.attach(self._name))
        self._engine.start(self._name)

    def _remove(self, name: str) -> None:
        """Have a container removed."""
        channel = self._channels.pop(name, None)
        if channel is not None:
            channel.close()
        self._removing.append(Behind(judged()(partial(self._engine.remove, name))))

    def _await_removal(self) -> None:
        faults = []
        for removing in self._removing:
            try:
                removing.wait()
            except Exception as error:  # noqa: BLE001  raised once the others are gone too
                faults.append(error)
        self._removing.clear()
        if faults:
            raise faults[0]


@judged()
def _ended_by(engine: Engine, name: str) -> str | None:
    """Name the limit that ended the solution's container, as the engine saw it."""
    return "memory" if engine.inspect(name)["State"].get("OOMKilled") else None


@judged()
def _look(engine: Engine) -> None:
    """See that the engine is still there. One that is being stopped ends its containers first, and then goes itself."""
    for wait_s in (0.0, LOOK_AGAIN_S):
        time.sleep(wait_s)
        engine.ping()


def _sweep(engine: Engine) -> None:
    """Remove containers whose grader is gone: what a killed run left."""
    here = socket.gethostname()
    # Podman removes no container whose network another one has joined, so those that joined go first.
    for container in sorted(engine.containers(LABEL), key=lambda each: "-solution-" not in str(each["Names"][0])):
        labels = container["Labels"]
        age_s = time.time() - container["Created"]
        if is_left(labels[LABEL]) if labels.get(HOST_LABEL) == here else age_s > OLD_S:
            engine.remove(container["Id"])
