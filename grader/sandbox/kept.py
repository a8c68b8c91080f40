"""Boxes that wait for the next grading, so that a second one in a row starts at once.

After a grading, one process of the user's own is left: it holds two fresh boxes with everything imported, and listens on a socket
in a folder that only this user can enter. The next grading hands its pod over that socket and gets the events back. The boxes are
used for that one pod and ended; the process makes the next two. When nothing came for `KEEP_S` seconds it ends itself.

`GRADE_KEEP` sets that time in seconds; 0 turns it off. The socket's name has a digest over the grader's code and what the boxes are
made like, so a changed grader never meets old boxes.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from grader.error import GraderError, SandboxError
from grader.inside import wire
from grader.sandbox.choose import named
from grader.sandbox.conduct import open_boxes
from grader.sandbox.interpreter import PACKAGE
from grader.sandbox.pod import Box, Limits, Listener, OpenPod, Pod, PodResult, Sandbox, Shape, WarmSandbox
from grader.sandbox.runtime_folder import runtime_folder

KEEP_S = 600.0
CONNECT_S = 5.0
MAX_SOCKET_PATH = 100
"""Linux takes 107 bytes, macOS 103."""

MAX_FRAME = 64 * 1024 * 1024
EXPECTED_FD = 3
_SUFFIX = ".sock"
_ENVIRONMENT = ("DOCKER_HOST", "DOCKER_CONTEXT", "GRADE_BASE_IMAGE", "GRADE_WHEELS")


def keep_s() -> float:
    """Give how long boxes wait, in seconds; 0 means that none are kept."""
    told = os.environ.get("GRADE_KEEP", "")
    try:
        return max(0.0, min(float(told), 3600.0)) if told else KEEP_S
    except ValueError:
        return 0.0


class KeptSandbox:
    """A sandbox that uses boxes which wait, where there are any, and leaves some for the next time."""

    def __init__(self, sandbox: Sandbox, *, runtime: str | None = None) -> None:
        self._sandbox = sandbox
        self._runtime = runtime
        self.name = sandbox.name

    def run(self, pod: Pod, listen: Listener | None = None) -> PodResult:
        """Run the pod in boxes that wait, else in new ones; see `Sandbox.run`."""
        place = _socket_path(self.name, self._runtime, pod.shape)
        if place is None:
            return self._sandbox.run(pod, listen)
        result = _run_over(place, pod, listen)
        if result is not None:
            return result
        result = self._sandbox.run(pod, listen)
        _leave_keeper(place, self.name, self._runtime, pod)
        return result


def sockets(name: str) -> list[Path]:
    """List the sockets of processes that wait with boxes of a sandbox, whatever these are made like."""
    folder = runtime_folder()
    return sorted(folder.glob(f"{name}-*{_SUFFIX}")) if folder else []


def _socket_path(name: str, runtime: str | None, shape: Shape) -> Path | None:
    folder = runtime_folder()
    if folder is None:
        return None
    state = hashlib.sha256(json.dumps([name, runtime, asdict(shape)], sort_keys=True).encode())
    for variable in _ENVIRONMENT:
        state.update(f"{variable}={os.environ.get(variable, '')}\n".encode())
    for path in sorted([*(PACKAGE / "inside").glob("*.py"), *(PACKAGE / "sandbox").glob("*.py")]):
        found = path.stat()
        state.update(f"{path} {found.st_mtime_ns} {found.st_size}\n".encode())
    place = folder / f"{name}-{state.hexdigest()[:16]}{_SUFFIX}"
    return place if len(os.fsencode(place)) <= MAX_SOCKET_PATH else None


def _run_over(place: Path, pod: Pod, listen: Listener | None) -> PodResult | None:
    """Hand the pod to the process that waits there; `None` when there is none, or it failed before the first event."""
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(CONNECT_S)
        try:
            peer.connect(str(place))
            peer.settimeout(pod.wall_s + 60)
            peer.sendall(wire.encode(_pod_to_json(pod)))
        except OSError:
            return None
        decoder = wire.Decoder(MAX_FRAME)
        has_begun = False
        try:
            while data := peer.recv(1 << 18):
                for message in decoder.feed(data):
                    if "result" in message:
                        result = _result_from_json(message["result"])
                        return None if result.is_stale else result
                    if "failed" in message:
                        if has_begun:
                            raise SandboxError(str(message["failed"]), hint=str(message["hint"]))
                        return None
                    has_begun = True
                    if listen is not None:
                        listen(message["told"])
        except (OSError, wire.BadFrame) as error:
            if has_begun:
                raise SandboxError(f"the process that kept the boxes failed: {error}") from error
            return None
        if has_begun:
            raise SandboxError("the process that kept the boxes ended in the middle", hint="run it again")
        return None


def _leave_keeper(place: Path, name: str, runtime: str | None, pod: Pod) -> None:
    """Start the process that makes boxes for the next grading and waits with them."""
    told = json.dumps({"name": name, "runtime": runtime, "shape": asdict(pod.shape), "place": str(place)})
    code = f"import sys; sys.path.insert(0, {str(PACKAGE.parent)!r}); from grader.sandbox.kept import main; main()"
    try:
        with tempfile.TemporaryFile() as expected:
            expected.write(wire.encode(_box_to_json(pod.examiner)))
            expected.seek(0)
            # The shell leaves it behind and ends at once, so that it is nobody's child and no zombie of ours. What it
            # leaves behind has no standard input, so this one is kept as another descriptor.
            subprocess.run(
                ["/bin/sh", "-c", f'exec {EXPECTED_FD}<&0; "$@" &', "sh", sys.executable, "-I", "-c", code, told],
                check=False,
                stdin=expected,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                cwd="/",
            )
    except OSError:
        pass  # the next grading starts its own boxes, as this one did


@dataclass(frozen=True)
class Waiting:
    """A process that waits with boxes: in which sandbox, its number, and in how many seconds it ends by itself."""

    sandbox: str
    pid: int
    ends_in_s: int


def waiting() -> list[Waiting]:
    """Give the processes of this user's that wait with boxes."""
    folder = runtime_folder()
    found = []
    for path in sorted(folder.glob(f"*{_SUFFIX}.json")) if folder else ():
        try:
            told = json.loads(path.read_text())
            os.kill(told["pid"], 0)
        except (OSError, ValueError, KeyError):
            continue
        found.append(Waiting(str(told["name"]), int(told["pid"]), max(0, round(told["until"] - time.time()))))
    return found


# The process that waits


def main() -> None:
    """Wait with boxes until they were not wanted for long enough. The argument is JSON, made by `_leave_keeper`."""
    told = json.loads(sys.argv[1])
    place = Path(told["place"])
    plain = told["shape"]
    shape = Shape(
        limits=Limits(**plain["limits"]), preload=tuple(plain["preload"]), needs_names=bool(plain["needs_names"])
    )
    with open(f"{place}.lock", "w", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return  # another one waits there already
        stop = _Stop()
        place.unlink(missing_ok=True)
        try:
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(str(place))
                listener.listen(8)
                _serve(listener, named(told["name"], runtime=told["runtime"]), shape, place, _expected(), stop)
        except GraderError:
            pass
        finally:
            for path in (place, _info(place)):
                path.unlink(missing_ok=True)


class _Stop:
    """Whether a signal asked for the end. It ends the waiting and the grading, never the removing of boxes half-way."""

    def __init__(self) -> None:
        self._asked, tell = os.pipe()
        os.set_blocking(tell, False)
        signal.set_wakeup_fd(tell)
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: None)

    def fileno(self) -> int:
        """Give the descriptor that becomes readable."""
        return self._asked


def _info(place: Path) -> Path:
    return place.with_name(f"{place.name}.json")


def _expected() -> Box:
    """Read the examiner's box of the grading before: the next one is mostly of the same exercise."""
    with os.fdopen(EXPECTED_FD, "rb") as file:
        for message in wire.Decoder(MAX_FRAME).feed(file.read()):
            return _box_from_json(message)
    raise wire.BadFrame("no box came")


def _serve(
    listener: socket.socket, sandbox: WarmSandbox, shape: Shape, place: Path, expected: Box, stop: _Stop
) -> None:
    while not _can_read(stop, 0):
        until = time.time() + keep_s()
        _info(place).write_text(json.dumps({"name": sandbox.name, "pid": os.getpid(), "until": until}))
        with open_boxes(sandbox, shape, ahead=True, expected=expected) as opened:
            both = [listener.fileno(), stop.fileno()]
            if both[0] not in select.select(both, [], [], max(0.0, until - time.time()))[0]:
                return
            peer, _ = listener.accept()
            with peer:
                expected = _attend(peer, opened, stop) or expected


def _can_read(what: socket.socket | _Stop, seconds: float) -> bool:
    return bool(select.select([what], [], [], seconds)[0])


def _attend(peer: socket.socket, opened: OpenPod, stop: _Stop) -> Box | None:
    """Run the pod that comes; give its examiner's box."""
    peer.settimeout(CONNECT_S)
    try:
        pod = _pod_from_json(_receive(peer))

        def tell(event: Mapping[str, Any]) -> None:
            peer.sendall(wire.encode({"told": event}))

        def is_unwanted() -> bool:
            # Nothing more is ever sent: what can be read is the end.
            return _can_read(peer, 0) or _can_read(stop, 0)

        try:
            result = opened.run(pod, tell, is_cancelled=is_unwanted)
            peer.sendall(wire.encode({"result": _result_to_json(result)}))
        except GraderError as error:
            peer.sendall(wire.encode({"failed": error.message, "hint": error.hint}))
        return pod.examiner
    except (OSError, wire.BadFrame, KeyError, TypeError, ValueError):
        return None  # the grading that asked is gone, or was of another version; these boxes end unused


def _receive(peer: socket.socket) -> Mapping[str, Any]:
    decoder = wire.Decoder(MAX_FRAME)
    while data := peer.recv(1 << 18):
        for message in decoder.feed(data):
            return message
    raise wire.BadFrame("no pod came")


def _pod_to_json(pod: Pod) -> dict[str, Any]:
    return {"solution": _box_to_json(pod.solution), "examiner": _box_to_json(pod.examiner), "wall_s": pod.wall_s}


def _box_to_json(box: Box) -> dict[str, Any]:
    files = {name: base64.b64encode(content).decode("ascii") for name, content in box.files.items()}
    return {"files": files, "settings": dict(box.settings), "limits": asdict(box.limits)}


def _pod_from_json(data: Mapping[str, Any]) -> Pod:
    return Pod(
        solution=_box_from_json(data["solution"]),
        examiner=_box_from_json(data["examiner"]),
        wall_s=float(data["wall_s"]),
    )


def _box_from_json(data: Mapping[str, Any]) -> Box:
    files = {name: base64.b64decode(content) for name, content in data["files"].items()}
    return Box(files=files, settings=data["settings"], limits=Limits(**data["limits"]))


def _result_to_json(result: PodResult) -> dict[str, Any]:
    return {**asdict(result), "durations_ms": dict(result.durations_ms)}


def _result_from_json(data: Mapping[str, Any]) -> PodResult:
    rows = {name: tuple(data[name]) for name in ("events", "notes", "unlimited")}
    return PodResult(**{**data, **rows})


if __name__ == "__main__":
    main()
