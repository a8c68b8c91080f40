"""How many gradings this machine takes at a time, and on which processors each of them runs."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

from grader.sandbox.pod import Limits

EXAMINER_MIB = 128
"""What an examiner needs while it runs hidden tests, with room to spare."""

MEMORY_SHARE = 0.8
_CGROUP_MEMORY = ("memory.max", "memory/memory.limit_in_bytes")


def jobs_for(
    limits: Limits,
    *,
    cgroup: Path = Path("/sys/fs/cgroup"),
    meminfo: Path = Path("/proc/meminfo"),
) -> int:
    """Give the number: a processor each, and room in memory for what each may use."""
    each_mib = limits.memory_mib + EXAMINER_MIB
    by_memory = int(_memory_mib(cgroup, meminfo) * MEMORY_SHARE / each_mib)
    return max(1, min(_processors(cgroup), by_memory))


def keep_to_share(worker: int, workers: int) -> None:
    """Have this thread, and the boxes that it starts, run on its share of the processors, where each can have one at least.

    `worker` counts from 0. Examiner and app take turns. A turn on another processor costs more than one on the same, and what a
    submission does in the background takes time of nobody else's grading.
    """
    if not hasattr(os, "sched_setaffinity"):
        return
    ours = sorted(os.sched_getaffinity(0))
    if 1 < workers <= len(ours):
        with suppress(OSError):  # where it isn't allowed, all run everywhere
            os.sched_setaffinity(0, ours[worker::workers])


def _processors(cgroup: Path) -> int:
    # Not all of the machine's may be ours: by affinity, or by a container's quota.
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, _, period = _text(cgroup / "cpu.max").partition(" ")
    if not quota:
        quota, period = _text(cgroup / "cpu/cpu.cfs_quota_us"), _text(cgroup / "cpu/cpu.cfs_period_us")
    if quota.isdigit() and period.isdigit() and int(period):
        count = min(count, round(int(quota) / int(period)))
    return max(count, 1)


def _memory_mib(cgroup: Path, meminfo: Path) -> float:
    """Give the memory that is free to use now, in MiB; a great deal where the machine doesn't say."""
    found = re.search(r"^MemAvailable:\s+([0-9]+) kB", _text(meminfo), re.MULTILINE)
    free_mib = int(found[1]) / 1024 if found else float(1 << 20)
    for name in _CGROUP_MEMORY:
        limit = _text(cgroup / name)
        if limit.isdigit():
            free_mib = min(free_mib, int(limit) / 1024**2)
    return free_mib


def _text(path: Path) -> str:
    try:
        return path.read_text("ascii", "replace").strip()
    except OSError:
        return ""
