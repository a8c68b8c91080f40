"""Boxes that wait for a grading while their engine comes and goes."""

from __future__ import annotations

import gc
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from grader.boxes import make_pod
from grader.error import SandboxError
from grader.sandbox.docker import DockerSandbox
from grader.sandbox.engine import connect
from grader.sandbox.pod import Box, Listener, OpenPod, Pod, PodResult, Shape
from grader.sandbox.warm import WarmPods
from tests.situation import reference, shop

UP = {"event": "up"}
DONE = PodResult(events=(UP, {"event": "done"}), ending="done")
STALE = PodResult(events=(UP,), ending="examiner-lost", detail="it ended")


class _Engine:
    """Begins boxes of which each has its outcome: a pod's result, or the fault that beginning them ends with."""

    name = "fake"

    def __init__(self, outcomes: Sequence[PodResult | SandboxError]) -> None:
        self._outcomes = list(outcomes)

    def run(self, pod: Pod, listen: Listener | None = None) -> PodResult:
        raise AssertionError("nothing waited")

    @contextmanager
    def begin(self, *, ahead: bool = False, many: bool = False, needs_names: bool = False) -> Iterator[_Begun]:
        outcome = self._outcomes.pop(0) if self._outcomes else DONE
        if isinstance(outcome, SandboxError):
            raise outcome
        yield _Begun(outcome)


class _Begun:
    is_spent = False

    def __init__(self, outcome: PodResult) -> None:
        self._outcome = outcome

    def expect(self, examiner: Box) -> None:
        pass

    @contextmanager
    def open(self, shape: Shape) -> Iterator[OpenPod]:
        yield _Opened(self._outcome)


class _Opened:
    def __init__(self, outcome: PodResult) -> None:
        self._outcome = outcome

    def run(
        self, pod: Pod, listen: Listener | None = None, *, is_cancelled: Callable[[], bool] = lambda: False
    ) -> PodResult:
        return self._outcome


@pytest.mark.parametrize("before", [SandboxError("the container engine stopped answering"), STALE])
def test_the_first_save_after_the_engine_is_back_is_graded(before: PodResult | SandboxError) -> None:
    """Boxes that were begun while it was away, or were ended with it, are begun anew once."""
    pod = make_pod(shop(), reference(), seed=1)
    with WarmPods(_Engine([before]), pod) as pods:
        assert pods.run(pod) == DONE
        assert pods.run(pod) == DONE


def test_an_engine_that_stays_away_is_told() -> None:
    """At each save, and not only at the first."""
    pod = make_pod(shop(), reference(), seed=1)
    away = SandboxError("no container engine answers")
    with WarmPods(_Engine([away] * 100), pod) as pods:
        for _ in range(2):
            with pytest.raises(SandboxError, match="no container engine answers"):
                pods.run(pod)


@pytest.fixture
def stopping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An engine that says its version, and breaks off whatever else it is asked."""
    version = b'{"ApiVersion": "1.43", "MinAPIVersion": "1.24", "Version": "24.0"}'
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
    place = tmp_path / "engine.sock"
    is_over = threading.Event()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place))
        listener.listen()

        def serve() -> None:
            while True:
                peer, _ = listener.accept()
                with peer:
                    asked = peer.recv(65536)
                    if is_over.is_set():
                        return
                    if b"/version" in asked.partition(b"\r\n")[0]:
                        peer.sendall(head % len(version) + version)

        thread = threading.Thread(target=serve)
        thread.start()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{place}")
        yield
        is_over.set()
        with socket.socket(socket.AF_UNIX) as last:
            last.connect(str(place))
        thread.join()


@pytest.mark.usefixtures("stopping")
def test_an_engine_that_stops_is_told_in_words() -> None:
    """Nothing of Python's own notation."""
    with pytest.raises(SandboxError) as caught, DockerSandbox().begin():
        pass

    assert caught.value.message == "the container engine stopped answering"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # docker leaves such a socket open
def test_an_engine_that_is_not_there_is_told_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the system said of its socket."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/engine.sock")
    with pytest.raises(SandboxError) as caught, connect():
        pass

    message = caught.value.message
    del caught
    gc.collect()  # the socket, in this test and no other
    assert message == "no container engine answers: no such file or directory"
