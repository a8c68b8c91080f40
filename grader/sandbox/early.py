"""Boxes that are begun before there is a pod, and ended while the caller goes on with what came of it: for one grading."""

from __future__ import annotations

from contextlib import ExitStack

from grader.error import SandboxError
from grader.sandbox.behind import Behind
from grader.sandbox.pod import BegunPod, Listener, Pod, PodResult, WarmSandbox


class EarlySandbox:
    """A sandbox for one pod. Under `with`: what needs no pod is started at once; at its end all has ended."""

    def __init__(self, sandbox: WarmSandbox) -> None:
        self.name = sandbox.name
        self._sandbox = sandbox
        self._stack = ExitStack()
        self._begun: BegunPod | None = None
        self._ending: Behind | None = None

    def __enter__(self) -> EarlySandbox:
        self._begun = self._stack.enter_context(self._sandbox.begin())
        return self

    def __exit__(self, *_details: object) -> None:
        if self._ending is None:
            self._stack.close()
        else:
            self._ending.wait()

    def run(self, pod: Pod, listen: Listener | None = None) -> PodResult:
        """Run the pod; see `Sandbox.run`."""
        if self._begun is None:
            raise SandboxError("these boxes have run a pod already")
        begun, self._begun = self._begun, None
        try:
            return self._stack.enter_context(begun.open(pod.shape)).run(pod, listen)
        finally:
            self._ending = Behind(self._stack.close)
