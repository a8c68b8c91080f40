"""A sandbox that plays back events: for tests of what is built on top of sandboxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from grader.sandbox.pod import Ending, Listener, Pod, PodResult


class FakeSandbox:
    """Gives the events it was made with, whatever the pod. `pods` holds those that it was given."""

    name = "fake"

    def __init__(self, events: Sequence[Mapping[str, Any]] = (), *, ending: Ending = "done", detail: str = "") -> None:
        self._events = tuple(events)
        self._ending = ending
        self._detail = detail
        self.pods: list[Pod] = []

    def run(self, pod: Pod, listen: Listener | None = None) -> PodResult:
        """Play the events back; see `Sandbox.run`."""
        self.pods.append(pod)
        for event in self._events:
            if listen is not None:
                listen(event)
        return PodResult(events=self._events, ending=self._ending, detail=self._detail)
