"""Name what the boxes held: the image's recipe, or this machine's Python with the packages of the grader."""

from __future__ import annotations

import functools
import platform

import msgspec

from grader.batch.journal import inside_digest
from grader.error import SandboxError
from grader.report import Report
from grader.sandbox.image import read_recipe


@functools.cache
def image_of(sandbox: str) -> str:
    """Name what the boxes of a sandbox hold, by its digest; empty where that isn't known.

    The same recipe gives the same name on every machine, though each engine's own name of what it built differs.
    """
    if sandbox == "docker":
        try:
            return read_recipe().tag
        except SandboxError:
            return ""
    if sandbox in ("bubblewrap", "local"):
        return f"python-{platform.python_version()}:{inside_digest()}"
    return ""


def with_image(report: Report) -> Report:
    """Note in a report what its boxes held."""
    sandbox = msgspec.structs.replace(report.sandbox, image=image_of(report.sandbox.name))
    return msgspec.structs.replace(report, sandbox=sandbox)
