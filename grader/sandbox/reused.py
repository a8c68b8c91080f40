"""One examiner for many gradings: it is trusted, so only what runs learner's code must be fresh every time."""

from __future__ import annotations

from contextlib import ExitStack

from grader.sandbox.pod import BegunPod, Listener, Pod, PodResult, WarmSandbox


class SameExaminer:
    """A sandbox that runs pod after pod with the same tests, one at a time. Use it under `with`, in one thread.

    Each pod has a solution box of its own, and is examined in a fork that has the tests collected.
    """

    def __init__(self, sandbox: WarmSandbox) -> None:
        self.name = sandbox.name
        self._sandbox = sandbox
        self._stack = ExitStack()
        self._begun: BegunPod | None = None
        self._tests: object = None

    def __enter__(self) -> SameExaminer:
        return self

    def __exit__(self, *_details: object) -> None:
        self._stack.close()

    @property
    def fork_problem(self) -> str:
        """See `BegunPod.fork_problem`; empty also where no pod has been run."""
        return "" if self._begun is None else self._begun.fork_problem

    def run(self, pod: Pod, listen: Listener | None = None) -> PodResult:
        """Run the pod; see `Sandbox.run`."""
        try:
            with self._examiner(pod).open(pod.shape) as opened:
                return opened.run(pod, listen)
        except BaseException:
            self._begun = None  # it may be the reason
            raise

    def _examiner(self, pod: Pod) -> BegunPod:
        """Give the examiner that knows these tests; another one takes its place where that one is spent."""
        if self._begun is None or self._begun.is_spent or self._tests != pod.examiner.files:
            self._begun = None
            self._stack.close()
            self._begun = self._stack.enter_context(self._sandbox.begin(many=True, needs_names=pod.shape.needs_names))
            self._tests = pod.examiner.files
            self._begun.expect(pod.examiner)
        return self._begun
