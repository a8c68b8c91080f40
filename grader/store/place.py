"""Where the history's files are, and how one is written so that it survives a power cut.

A *place* is a folder with this shape. A course has one, `.grade/`; where that can't be written, a second one
under the user's own state folder stands in for it.

    inbox/<stamp>-<id>.json             reports that were kept and are not in the database yet
    reports/<year>-<month>/<same name>  reports that are: the durable copy, the database is made from it
    submissions/<digest>.tar.gz         what was graded
    hints.jsonl                         hints that were shown
    history.db                          the index over reports/ (SQLite, unless another database is set)
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from grader.whole_file import check_writable, write_whole

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM}


class Note(msgspec.Struct, frozen=True):
    """Something that the user should know: a fact in one sentence, and the remedy or empty."""

    message: str
    hint: str = ""


def fallback_place(state_dir: Path, environ: Mapping[str, str] | None = None) -> Path | None:
    """Name the place that stands in for `state_dir`, or None where there is no home folder.

    `$XDG_STATE_HOME/kata-grader/<course>`, else `$HOME/.local/state/kata-grader/<course>`; `<course>` is a digest of
    the course's real path, so that two courses never mix.
    """
    environ = os.environ if environ is None else environ
    base = environ.get("XDG_STATE_HOME", "")
    # The XDG specification: a relative path is to be ignored.
    if not os.path.isabs(base):
        home = environ.get("HOME", "")
        if not os.path.isabs(home):
            return None
        base = os.path.join(home, ".local", "state")
    course = hashlib.sha256(os.fsencode(os.path.realpath(state_dir.parent))).hexdigest()[:16]
    return Path(base, "kata-grader", course)


def places(state_dir: Path) -> list[Path]:
    """List the places that a course may have files in, its own first; they need not exist."""
    fallback = fallback_place(state_dir)
    return [state_dir] if fallback is None or fallback == state_dir else [state_dir, fallback]


def home_place(state_dir: Path) -> Path | None:
    """Give the first place that can be written, made if missing; None where there is none."""
    for place in places(state_dir):
        try:
            if not place.is_dir():
                make_folder(place)
                # A course is mostly a Git repository, and what a learner did is no part of it.
                (place / ".gitignore").write_text("*\n")
            check_writable(place)
        except (OSError, ValueError):
            continue
        return place
    return None


def make_folder(folder: Path) -> None:
    """Make a folder and what is missing above it, and see that their names reach the disk."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    try:
        folder.mkdir()
    except FileExistsError:
        if not folder.is_dir():
            raise
    sync_folder(folder.parent)


def write_durably(path: Path, data: bytes, *, is_last: bool = True) -> None:
    """Write a whole file or none: after a power cut it is there as given, or not at all.

    `is_last=False` leaves the folder's own flush to the caller, for many files in a row.
    """
    make_folder(path.parent)
    write_whole(path, data, is_durable=True)
    if is_last:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Flush a folder's names to the disk, where its file system can."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        # Some network and FUSE file systems refuse to flush a folder; their rename is all that there is.
        pass
    finally:
        os.close(handle)


def reason(error: Exception) -> str:
    """Say in a few words why a file could not be written."""
    if not isinstance(error, OSError):
        return str(error)
    if error.errno in _FULL:
        return "the disk is full"
    if error.errno == errno.EROFS:
        return "the disk is read-only"
    if error.errno in _FORBIDDEN:
        return "writing there is not permitted"
    if error.errno in {errno.ENOTDIR, errno.EEXIST}:
        return "a file is in the way of the folder"
    return error.strerror or type(error).__name__
