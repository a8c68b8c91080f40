"""The processes of the solution box, as the keeper counts and ends them."""

from __future__ import annotations

import os
import signal
import time


def kill_everybody_else(*, wait: bool = True) -> None:
    """End every process of the box but this one; with `wait`, until none of them is left."""
    if os.getpid() == 1:
        try:
            os.kill(-1, signal.SIGKILL)
        except ProcessLookupError:
            pass
        if wait:
            _reap(block=True)
        return
    # Without a namespace of our own: this process adopts what its children leave, so all of it is below it.
    while children := descendants(os.getpid()):
        for pid in children:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if not wait:
            return
        _reap(block=False)
        time.sleep(0.001)
    _reap(block=False)


def kill_child(pid: int) -> None:
    """Have one child of this process end."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # it was ended and awaited with all the others


def end_child(pid: int) -> None:
    """End one child of this process and wait for that."""
    kill_child(pid)
    try:
        os.waitpid(pid, 0)
    except ChildProcessError:
        pass  # as above


def _reap(*, block: bool) -> None:
    while True:
        try:
            pid, _ = os.waitpid(-1, 0 if block else os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return


def descendants(root: int) -> list[int]:
    """Give the processes below one, without those that have wholly ended."""
    parents: dict[int, int] = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        # Its first thread may have ended while others still run, and hold its sockets. Source: proc(5), `num_threads`.
        if fields and (fields[0] != "Z" or int(fields[17]) > 1):
            parents[int(name)] = int(fields[1])
    found: list[int] = []
    layer = {root}
    while layer:
        layer = {pid for pid, parent in parents.items() if parent in layer and pid != root}
        found += layer
    return found
