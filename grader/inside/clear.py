"""Empty a folder of the learner's, whatever they made of it."""

from __future__ import annotations

import itertools
import os
import secrets
from collections.abc import Iterator

FOLDERS_AT_ONCE = 500
_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def empty(folder: str) -> None:
    """Remove what lies in a folder, whatever rights it has and however deep it goes.

    Nothing of the learner's runs meanwhile. What lies deeper is moved up, one level a turn, so that neither Python's
    recursion, nor the length of a path, nor the number of open descriptors ends it.
    """
    _restore(folder)
    top = os.open(folder, _FOLDER_FLAGS)
    token = secrets.token_hex(8)
    names = (f"{token}-{number}" for number in itertools.count())
    stuck: set[str] = set()
    try:
        while inner := _empty_level(top, stuck):
            while inner:
                name = inner.pop()
                try:
                    inner += _flatten(top, name, names)
                except OSError:
                    stuck.add(name)  # a mount, or another user's: it stays
    finally:
        os.close(top)


def _restore(folder: str) -> None:
    """Take off what a learner did to the folder itself, where it is their user's."""
    try:
        os.chmod(folder, 0o700)
        for name in os.listxattr(folder):
            os.removexattr(folder, name)
    except OSError:
        pass


def _empty_level(top: int, stuck: set[str]) -> list[str]:
    """Remove the files of a folder; give some of the folders in it, none when it is empty."""
    inner: list[str] = []
    with os.scandir(top) as entries:
        for entry in entries:
            if entry.name in stuck:
                continue
            if entry.is_dir(follow_symlinks=False):
                inner.append(entry.name)
                if len(inner) == FOLDERS_AT_ONCE:
                    break
                continue
            try:
                os.unlink(entry.name, dir_fd=top)
            except OSError:
                stuck.add(entry.name)
    return inner


def _flatten(top: int, name: str, names: Iterator[str]) -> list[str]:
    """Remove the folder `name` of `top`; what folders it has are moved to `top`. Give the names of some of them."""
    moved: list[str] = []
    os.chmod(name, 0o700, dir_fd=top)
    here = os.open(name, _FOLDER_FLAGS, dir_fd=top)
    try:
        with os.scandir(here) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    os.chmod(entry.name, 0o700, dir_fd=here)  # to move a folder is to write in it
                    new_name = next(names)
                    os.rename(entry.name, new_name, src_dir_fd=here, dst_dir_fd=top)
                    if len(moved) < FOLDERS_AT_ONCE:
                        moved.append(new_name)
                else:
                    os.unlink(entry.name, dir_fd=here)
    finally:
        os.close(here)
    os.rmdir(name, dir_fd=top)
    return moved
