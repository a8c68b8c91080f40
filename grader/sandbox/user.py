"""Users of this machine whose processes the kernel counts for one grading alone."""

from __future__ import annotations

_FIRST = 40000
"""Above the accounts that administrators make, below the 60000 from which Debian Policy, 9.2.2, gives numbers away."""
_PAIRS = 9999


def own_users() -> dict[str, int]:
    """Give a user's number for each box, so that `RLIMIT_NPROC` counts nothing of another grading.

    That limit counts the processes of a user, wherever on the machine they run: two gradings under one user would take
    each other's. The numbers are drawn: gradings at the same time have different ones in all but a few cases of 10000.
    """
    import random  # mostly control groups count

    first = _FIRST + 2 * random.randrange(_PAIRS)
    return {"solution": first, "examiner": first + 1}
