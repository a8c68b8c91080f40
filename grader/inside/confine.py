"""What keeps the keeper from the learner's processes, and these within their limits."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Mapping
from typing import Any

from . import seccomp
from .libc import PR_SET_CHILD_SUBREAPER, PR_SET_DUMPABLE, prctl

NICE_STEP = 10


def protect() -> None:
    """Keep the learner's processes, which have the same user, from reading, tracing or signalling this one."""
    prctl(PR_SET_DUMPABLE, 0)
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    # Process 1 is immune to signals that it doesn't handle, and Python handles this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def confine(limits: Mapping[str, Any]) -> None:
    """Put this process, a fork that will run what is the learner's, under its limits."""
    hard = [(resource.RLIMIT_CORE, 0), (resource.RLIMIT_NOFILE, limits["open_files"])]
    if "rlimit_memory_mib" in limits:
        hard.append((resource.RLIMIT_DATA, limits["rlimit_memory_mib"] * 1024 * 1024))
    if "rlimit_processes" in limits:
        hard.append((resource.RLIMIT_NPROC, limits["rlimit_processes"]))
    if "rlimit_file_mib" in limits:
        hard.append((resource.RLIMIT_FSIZE, limits["rlimit_file_mib"] * 1024 * 1024))
    for which, value in hard:
        resource.setrlimit(which, (value, value))
    os.nice(NICE_STEP)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    seccomp.apply()


def be_first_when_memory_ends() -> None:
    """Make this process the one that the kernel ends when memory runs out, and not its keeper."""
    # A fork of the keeper can't be read either, and its own files in /proc are root's, until it says otherwise.
    prctl(PR_SET_DUMPABLE, 1)
    come_before_others_when_memory_ends(1000)


def come_before_others_when_memory_ends(by: int) -> None:
    """Have the kernel end this process and its forks sooner than others when memory runs out; 1000 is the most."""
    try:
        file = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
    except OSError:
        return
    try:
        os.write(file, str(by).encode())
    except OSError:
        pass
    finally:
        os.close(file)
