"""What the C library and the kernel have that Python has no name for. Numbers: `linux/prctl.h`."""

from __future__ import annotations

import ctypes
import os
from typing import Any

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_SECCOMP = 22
PR_CAPBSET_DROP = 24
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38

# Opened once: a second time costs a fork a tenth of what it does before the learner's code runs.
_LIBC = ctypes.CDLL(None, use_errno=True)
_PRCTL = _LIBC.prctl


def prctl(option: int, *arguments: Any) -> bool:
    """Set something of this process; `False` where the kernel refuses."""
    return bool(_PRCTL(option, *arguments, *[0] * (4 - len(arguments))) == 0)


def call(name: str, *arguments: Any) -> None:
    """Call a function that gives 0 where it did what it should.

    Raises:
        OSError: it did not.
    """
    if getattr(_LIBC, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
