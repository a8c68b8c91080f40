"""Work behind one's back comes to its end."""

from __future__ import annotations

import os
import signal
import time

import pytest

from grader.sandbox.behind import Behind


def test_what_it_raised_is_raised_once() -> None:
    """In the thread that waits."""

    def work() -> None:
        raise ZeroDivisionError

    behind = Behind(work)
    with pytest.raises(ZeroDivisionError):
        behind.wait()
    behind.wait()


def test_what_interrupts_the_waiting_is_raised_after_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while boxes are being removed must not leave half of them."""
    ended = []

    def work() -> None:
        time.sleep(0.2)
        ended.append(True)

    behind = Behind(work)
    join = behind._thread.join

    def interrupted() -> None:
        monkeypatch.setattr(behind._thread, "join", join)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(1)

    monkeypatch.setattr(behind._thread, "join", interrupted)
    with pytest.raises(KeyboardInterrupt):
        behind.wait()
    assert ended
