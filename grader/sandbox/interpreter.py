"""How the first process of a box is started with the interpreter of this machine: for sandboxes without an image."""

from __future__ import annotations

import functools
import importlib.util
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.sandbox.packages import packages_of_boxes

PACKAGE = Path(__file__).resolve().parent.parent
"""The folder that holds `inside/`."""


@dataclass(frozen=True)
class Interpreter:
    """The program, the folder of its standard library's prefix, and the folder of the packages that a box has.

    `installed` is the folder of all packages that are installed, the grader's own too.
    """

    program: str
    prefix: str
    packages: str
    installed: str


@functools.cache
def this_interpreter() -> Interpreter:
    """Give this process's own interpreter, with every symbolic link resolved."""
    installed = os.path.realpath(_folder_of_packages())
    # The one that an environment was made from, for it may hold a copy, and boxes don't see that folder.
    program = getattr(sys, "_base_executable", "") or sys.executable
    return Interpreter(
        program=os.path.realpath(program),
        prefix=os.path.realpath(sys.base_prefix),
        packages=packages_of_boxes(installed, prefix=sys.prefix) or installed,
        installed=installed,
    )


def _folder_of_packages() -> str:
    # Asked of a package, for the folder that new ones go to is another one in some distributions.
    found = importlib.util.find_spec("flask")
    assert found is not None
    assert found.origin is not None
    return os.path.dirname(os.path.dirname(found.origin))


def command(module: str, *arguments: str, interpreter: Interpreter, parent: str) -> list[str]:
    """Give the command that runs `inside.<module>`; `parent` is where the box sees the folder above `inside/`."""
    code = boot(module, [interpreter.packages, parent])
    return [interpreter.program, "-I", "-S", "-B", "-c", code, *arguments]


def boot(module: str, paths: Sequence[str]) -> str:
    """Give the code that runs `inside.<module>`. `paths`: more folders to import from.

    Garbage is not collected until `main` says so: nothing of what is imported is any, and looking for it takes a tenth of the time.
    """
    return f"import gc, sys; gc.disable(); sys.path += {list(paths)!r}; from inside.{module} import main; main()"


@functools.cache
def compile_inside() -> None:
    """Keep the bytecode of `inside/` fresh: a box sees that folder read-only and would compile it at every start."""
    stale = [str(path) for path in sorted((PACKAGE / "inside").glob("*.py")) if _is_stale(path)]
    if not stale:
        return
    import py_compile

    for each in stale:
        try:
            py_compile.compile(each)
        except (OSError, py_compile.PyCompileError):
            return  # a folder that can't be written: boxes compile what they need


def _is_stale(path: Path) -> bool:
    try:
        return os.stat(importlib.util.cache_from_source(str(path))).st_mtime < path.stat().st_mtime
    except OSError:
        return True
