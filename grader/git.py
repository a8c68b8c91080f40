"""Ask git about a clone, which may be a learner's."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

from grader.error import UsageError
from grader.render.plain import one_line

GIT_S = 60
_NOT_OURS = re.compile(r"[^\n]*dubious ownership in repository at '(?P<folder>[^\n]*)'")


def ask_git(folder: Path, *arguments: str, unasked: str, failed: str, hint: str) -> bytes:
    """Give what git prints in a folder.

    Raises:
        UsageError: git can't be run, which `unasked` puts in words, or it failed, which `failed` does.
    """
    # Nothing in the clone's configuration may start a program.
    safe = ("-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}", "--no-pager")
    try:
        done = subprocess.run(
            ["git", *safe, *arguments],
            cwd=folder,
            env={**os.environ, "LC_ALL": "C"},  # what it says is looked at
            capture_output=True,
            timeout=GIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"{unasked}: {error}", hint=hint) from error
    if done.returncode:
        told = done.stderr.decode("utf-8", "replace").strip()
        owned = _NOT_OURS.match(told)
        if owned:
            # Git's own advice follows on further lines, which would stand here as one.
            told, where = owned[0], shlex.quote(one_line(owned["folder"], 300))
            hint = (
                f"where you trust the folder: `git config --global --add safe.directory {where}`; "
                "git reads no folder of another user's otherwise"
            )
        raise UsageError(f"{failed}: {one_line(told, 300)}", hint=hint)
    return done.stdout
