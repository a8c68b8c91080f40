"""Processes that wait for a job in a solution box."""

from __future__ import annotations

import os
import signal

from grader.inside import fork


def test_one_to_whom_a_deadly_signal_is_on_its_way_does_not_answer() -> None:
    """It may seem to live for a while yet, and a job that it were given would be lost."""
    waiting = fork.make({"open_files": 64}, is_warmed=False)
    try:
        assert waiting.lives()
        assert waiting.answers()
        os.kill(waiting.pid, signal.SIGKILL)
        assert not waiting.answers()
    finally:
        waiting.kill()
        waiting.close()
