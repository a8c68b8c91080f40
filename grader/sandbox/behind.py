"""Work that is done while something else is."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Behind:
    """Work that has been begun in a thread. It goes to its end, whatever becomes of the thread that waits."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._fault: BaseException | None = None

        def guarded() -> None:
            try:
                work()
            except BaseException as error:  # noqa: BLE001  raised in the thread that waits
                self._fault = error

        self._thread = threading.Thread(target=guarded)
        self._thread.start()

    def wait(self) -> None:
        """Wait for its end; raise what it raised, once. What interrupts the waiting is raised after the end."""
        try:
            self._thread.join()
        except BaseException:
            self._thread.join()
            raise
        fault, self._fault = self._fault, None
        if fault is not None:
            raise fault
