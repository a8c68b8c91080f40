"""Boxes that are begun before there is a pod, and ended while the caller goes on with what came of it: for one grading."""

from __future__ import annotations

from contextlib import ExitStack

from grader.error import SandboxError
from grader.sandbox.behind import Behind
from grader.sandbox.pod import BegunPod, Listener, OpenPod, Pod, PodResult, Shape, WarmSandbox


class EarlySandbox:
    """A sandbox for one pod. Under `with`: what needs nothing of it is started at once; at its end all has ended."""

    def __init__(self, sandbox: WarmSandbox) -> None:
        self.name = sandbox.name
        self._sandbox = sandbox
        self._stack = ExitStack()
        self._begun: BegunPod | None = None
        self._opened: tuple[Shape, OpenPod] | None = None
        self._ending: Behind | None = None

    def __enter__(self) -> EarlySandbox:
        self._begun = self._stack.enter_context(self._sandbox.begin())
        return self

    def __exit__(self, *_details: object) -> None:
        if self._ending is None:
            self._stack.close()
        else:
            self._ending.wait()

    def prepare(self, shape: Shape) -> None:
        """Start the rest, for a pod of this shape."""
        if self._begun is not None and shape.needs_names:
            # Which nobody knew when this one was begun.
            self._stack.close()
            self._begun = self._stack.enter_context(self._sandbox.begin(needs_names=True))
        if self._begun is not None:
            begun, self._begun = self._begun, None
            self._opened = shape, self._stack.enter_context(begun.open(shape))

    def run(self, pod: Pod, listen: Listener | None = None) -> PodResult:
        """Run the pod; see `Sandbox.run`."""
        self.prepare(pod.shape)
        if self._opened is None:
            raise SandboxError("these boxes have run a pod already")
        (shape, opened), self._opened = self._opened, None
        assert shape == pod.shape
        try:
            return opened.run(pod, listen)
        finally:
            self._ending = Behind(self._stack.close)
