"""Ask git about a clone, which may be a learner's."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from grader.error import UsageError
from grader.render.plain import one_line

GIT_S = 60


def ask_git(folder: Path, *arguments: str, unasked: str, failed: str, hint: str) -> bytes:
    """Give what git prints in a folder.

    Raises:
        UsageError: git can't be run, which `unasked` puts in words, or it failed, which `failed` does.
    """
    # Nothing in the clone's configuration may start a program.
    safe = ("-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}", "--no-pager")
    try:
        done = subprocess.run(["git", *safe, *arguments], cwd=folder, capture_output=True, timeout=GIT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"{unasked}: {error}", hint=hint) from error
    if done.returncode:
        told = one_line(done.stderr.decode("utf-8", "replace").strip(), 300)
        raise UsageError(f"{failed}: {told}", hint=hint)
    return done.stdout
