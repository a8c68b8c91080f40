"""What the keeper knows of the processes below it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from grader.inside.processes import descendants

OUTLIVED = """
import ctypes, sys, threading, time
threading.Thread(target=time.sleep, args=(60,)).start()
print("ready", flush=True)
ctypes.CDLL(None).pthread_exit(None)
"""


def test_a_process_whose_first_thread_has_ended_is_still_one() -> None:
    """Linux calls it a zombie, though its other threads run and its sockets are open."""
    process = subprocess.Popen([sys.executable, "-c", OUTLIVED], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        while Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
            assert process.poll() is None

        assert process.pid in descendants(os.getpid())
    finally:
        process.kill()
        process.communicate()
    assert process.pid not in descendants(os.getpid())


def test_a_process_that_has_ended_is_none_even_before_it_is_awaited() -> None:
    """A loop that ends all of them comes to its end."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    try:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)

        assert process.pid not in descendants(os.getpid())
    finally:
        process.wait()
