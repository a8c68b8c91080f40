"""A folder with the packages that boxes have and no others, for sandboxes that borrow this machine's.

A submission must see the same packages wherever it is graded, so what only the grader itself needs is left out. The folder is made
once, from what is installed, and named by the digest of all that decides what is in it.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from grader.sandbox.recipe_folder import recipe_folder
from grader.sandbox.runtime_folder import runtime_folder
from grader.whole_file import unshared

if TYPE_CHECKING:
    from importlib.metadata import Distribution

FOLDER = "box-packages"
_FORGOTTEN_S = 30 * 24 * 3600


def packages_of_boxes(installed: str, *, prefix: str) -> str | None:
    """Give the folder, made when it is missing; `None` where none can be had.

    `installed` is the folder of all packages; `prefix` is that of the environment, below which the folder lies where it can.
    """
    try:
        name, lock = _name_and_lock(installed)
    except OSError:
        return None
    for above in _places(prefix):
        if (above / name).is_dir():
            with suppress(OSError):
                os.utime(above / name)  # for `_sweep`
            return str(above / name)
    for above in _places(prefix):
        try:
            _make(above / name, installed, lock)
        except OSError:
            continue
        except (LookupError, ValueError):
            return None
        return str(above / name)
    return None


def _places(prefix: str) -> Iterator[Path]:
    yield Path(prefix, FOLDER)
    own = runtime_folder()
    if own is not None:
        yield own / FOLDER


def _name_and_lock(installed: str) -> tuple[str, str]:
    """Name the folder. A listing and one file are read: every grading comes by here."""
    lock = (recipe_folder() / "requirements" / "box.txt").read_bytes()
    # With the path, for the packages of two versions of Python may have the same names.
    digest = hashlib.sha256(os.fsencode(f"{installed}\n"))
    for entry in sorted(os.listdir(installed)):
        if entry.endswith(".dist-info"):
            digest.update(os.fsencode(f"{entry}\n"))
    digest.update(lock)
    return digest.hexdigest()[:16], lock.decode()


def _make(target: Path, installed: str, lock: str) -> None:
    """Make the folder aside, and give it its name when it is whole: another run may do the same at this moment.

    Raises:
        OSError: it can't be written here.
        LookupError: a package doesn't tell which files it has.
        ValueError: a package tells what it needs in a way that can't be read.
    """
    import shutil

    # Passable by all, whatever the umask: a box may run as another user.
    _make_folder(target.parent)
    _sweep(target.parent)
    aside = unshared(target)
    try:
        os.mkdir(aside)
        os.chmod(aside, 0o755)
        for distribution in _wanted(installed, lock):
            for name in _files(distribution, installed):
                _make_folder((aside / name).parent)
                _link(os.path.join(installed, name), str(aside / name))
        try:
            os.rename(aside, target)
        except OSError:
            if not target.is_dir():
                raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _sweep(above: Path) -> None:
    """Remove what no grading has used for long, and what killed runs have left."""
    import shutil

    for folder in above.iterdir():
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime > _FORGOTTEN_S:
                shutil.rmtree(folder, ignore_errors=True)


def _make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    with suppress(FileExistsError):
        folder.mkdir()
        folder.chmod(0o755)


def _link(source: str, target: str) -> None:
    import shutil

    try:
        os.link(source, target)
    except FileExistsError:
        return  # two packages have it
    except OSError:  # another file system, or one without hard links
        shutil.copy2(source, target)  # with its time, by which bytecode knows its source


def _wanted(installed: str, lock: str) -> list[Distribution]:
    """Give the packages of the lock, and what they need where other versions than the locked ones are installed."""
    from importlib.metadata import Distribution

    from packaging.requirements import Requirement

    wanted: dict[str, Distribution] = {}
    waiting = re.findall(r"^[\w.-]+==[^\\\n]+", lock, re.MULTILINE)
    while waiting:
        requirement = Requirement(waiting.pop())
        is_here = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        name = re.sub(r"[-_.]+", "-", requirement.name).lower()
        if is_here and name not in wanted:
            for found in Distribution.discover(name=name, path=[installed]):
                wanted[name] = found
                waiting += found.requires or ()
    return list(wanted.values())


def _files(distribution: Distribution, installed: str) -> Iterator[str]:
    """Give the files of a package by their paths below the folder of packages, with the bytecode that there is."""
    from importlib.util import cache_from_source

    if distribution.files is None:
        raise LookupError(distribution.metadata["Name"])
    for file in distribution.files:
        name = os.path.normpath(str(file))
        if os.path.isabs(name) or name.startswith(".."):
            continue  # a program, which is run by nobody here
        for each in (name, cache_from_source(name)) if name.endswith(".py") else (name,):
            if os.path.isfile(os.path.join(installed, each)):
                yield each
