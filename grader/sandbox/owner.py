"""Whose something is: the mark with which the names of all that a run makes begin, so that what a killed one left can be told."""

from __future__ import annotations

import os
from pathlib import Path


def owner_mark() -> str:
    """Give the mark of this process: its number, when it started, and the namespace in which it has that number."""
    return f"{os.getpid()}-{_start_time(os.getpid())}-{_namespace()}"


def is_left(name: str) -> bool:
    """Say whether a name begins with the mark of a process that has ended.

    One of another namespace, such as another container's on this machine, can't be seen from here, and counts as running.
    """
    pid, start, namespace, *_ = [*name.split("-"), "", ""]
    return pid.isdigit() and namespace == _namespace() and start != _start_time(int(pid))


def _start_time(pid: int) -> str:
    """Give when a process started, in the kernel's ticks, for its number may be another's later; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def _namespace() -> str:
    try:
        return str(os.stat("/proc/self/ns/pid").st_ino)
    except OSError:
        return "0"
