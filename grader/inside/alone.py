"""How pytest is told to run the tests of one folder and to look at nothing else."""

from __future__ import annotations

import os


def alone(folder: str, *, without: str) -> list[str]:
    """Give pytest's arguments for a folder: no configuration, nothing beside or above it, and none of these plugins of its own."""
    left_out = [word for name in without.split() for word in ("-p", f"no:{name}")]
    return [*left_out, f"--rootdir={folder}", f"--confcutdir={folder}", "-c", os.devnull, folder]
