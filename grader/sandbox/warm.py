"""Boxes that are started ahead, one pair at a time: for who grades again and again, such as `grade watch`."""

from __future__ import annotations

import threading
from contextlib import ExitStack

from grader.error import GraderError, SandboxError
from grader.sandbox.conduct import open_boxes
from grader.sandbox.pod import Listener, OpenPod, Pod, PodResult, WarmSandbox


class WarmPods:
    """A sandbox whose next boxes are always being made while nobody waits for them. Use it under `with`.

    Each pair of boxes runs one pod and is ended. One pod at a time; `cancel` ends the one that runs.
    """

    def __init__(self, sandbox: WarmSandbox, pod: Pod) -> None:
        """`pod` is one of those that will come."""
        self.name = sandbox.name
        self._sandbox = sandbox
        self._shape = pod.shape
        self._examiner = pod.examiner
        self._wake = threading.Condition()
        self._ready: tuple[ExitStack, OpenPod] | None = None
        self._fault: GraderError | None = None
        self._is_closed = False
        self._is_cancelled = False
        self._maker = threading.Thread(target=self._make, daemon=True)
        self._enders: list[threading.Thread] = []

    def __enter__(self) -> WarmPods:
        self._maker.start()
        return self

    def __exit__(self, *_details: object) -> None:
        with self._wake:
            self._is_closed = True
            self._wake.notify_all()
        self._maker.join()
        for thread in self._enders:
            thread.join()
        if self._ready is not None:
            self._ready[0].close()

    @property
    def is_ready(self) -> bool:
        """Say whether boxes wait now."""
        return self._ready is not None

    def cancel(self) -> None:
        """End the pod that runs or is about to, without a verdict, until `resume`."""
        self._is_cancelled = True

    def resume(self) -> None:
        """Let pods run again. Whoever cancels says when, so that no cancelling is lost before a pod has begun."""
        self._is_cancelled = False

    def run(self, pod: Pod, listen: Listener | None = None) -> PodResult:
        """Run a pod in the boxes that wait, as soon as they do; see `Sandbox.run`."""
        if pod.shape != self._shape:
            return self._sandbox.run(pod, listen)
        with self._wake:
            # What failed before there was this pod says nothing of now. Otherwise nobody is woken: the next boxes are begun
            # after this pod, not beside it.
            if self._fault is not None:
                self._fault = None
                self._wake.notify_all()
        try:
            result = self._run(pod, listen)
        except SandboxError:
            if self._is_closed or self._is_cancelled:
                raise
        else:
            if not result.is_stale:
                return result
        # The boxes may have ended long before now, such as when the engine was stopped and started again.
        return self._run(pod, listen)

    def _run(self, pod: Pod, listen: Listener | None) -> PodResult:
        with self._wake:
            self._wake.wait_for(lambda: self._ready is not None or self._fault is not None or self._is_closed)
            if self._fault is not None:
                fault, self._fault = self._fault, None
                self._wake.notify_all()
                raise fault
            if self._ready is None:
                raise SandboxError("the boxes were ended")
            stack, opened = self._ready
            self._ready = None
        try:
            return opened.run(pod, listen, is_cancelled=lambda: self._is_cancelled)
        finally:
            # Ending boxes takes longer than a learner should wait, and making the next pair comes after it.
            ender = threading.Thread(target=self._end, args=(stack,), daemon=True)
            self._enders = [thread for thread in self._enders if thread.is_alive()] + [ender]
            ender.start()

    def _end(self, stack: ExitStack) -> None:
        try:
            stack.close()
        except GraderError as error:
            self._fault = error
        with self._wake:
            self._wake.notify_all()

    def _make(self) -> None:
        while True:
            stack = ExitStack()
            opened: OpenPod | None = None
            try:
                boxes = open_boxes(self._sandbox, self._shape, ahead=True, expected=self._examiner)
                opened = stack.enter_context(boxes)
            except GraderError as error:
                with self._wake:
                    self._fault = error
                    self._wake.notify_all()
            with self._wake:
                if opened is not None:
                    self._ready = (stack, opened)
                    self._wake.notify_all()
                # The next pair is made once this one was taken, or the fault was told: never in a tight loop.
                self._wake.wait_for(lambda: self._is_closed or (self._ready is None and self._fault is None))
                if self._is_closed:
                    return
