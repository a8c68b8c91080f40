"""Write files so that nobody ever reads half of one; what is no file, such as a pipe, is written as it is."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

SUFFIX = ".tmp"
_NAME_MAX = 40  # of up to four bytes each; a file system takes 255

DEVICES = "/dev"
_PROC = "/proc"


def unshared(path: Path) -> Path:
    """Name a hidden file beside `path` that nobody else writes.

    Not even another thread, or a process of the same number on another machine or in another container.
    """
    return path.with_name(f".{path.name[:_NAME_MAX]}.{os.urandom(6).hex()}{SUFFIX}")


def check_writable(folder: Path) -> None:
    """See that a file can be made in a folder. Asking for permission isn't enough: root has it on a read-only disk too.

    Raises:
        OSError: none can be.
    """
    probe = unshared(folder / "probe")
    os.close(os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    os.unlink(probe)


def write_whole(path: Path, data: bytes, *, is_durable: bool = False) -> None:
    """Write a whole file or none; see `whole_file`.

    Raises:
        OSError: it can't be written.
    """
    with whole_file(path, is_durable=is_durable) as file:
        file.write(data)


@contextmanager
def whole_file(path: Path, *, is_durable: bool = False) -> Iterator[BinaryIO]:
    """Open a file that takes the place of `path` at the end of the block, or is gone if that fails.

    A link that lies there is replaced, and nothing is written through it. What is a stream (see `is_stream`) is written as
    it is. `is_durable` flushes a file to the disk first, so that a power cut leaves the old content or the new.

    Raises:
        OSError: it can't be written, or `path` is a block device or a socket.
    """
    if is_stream(path):
        with os.fdopen(_opened(path), "wb") as stream:
            yield stream
        return
    made = unshared(path)
    try:
        with open(made, "xb") as file:
            yield file
            if is_durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(made, path)
    except BaseException:
        with suppress(OSError):
            made.unlink()
        raise


def is_stream(path: Path) -> bool:
    """Say whether `path` is no file that could be replaced: a pipe, a character device, or what `/dev` and `/proc` hold.

    Raises:
        OSError: it is a block device or a socket, which no output belongs in.
    """
    is_systems = _is_systems(path)
    try:
        # What the system itself has linked, as `/dev/stdout`, is what it leads to; a learner may have put any other link.
        mode = (os.stat if is_systems else os.lstat)(path).st_mode
    except OSError:
        return is_systems
    if stat.S_ISBLK(mode) or (stat.S_ISSOCK(mode) and own_descriptor(path) is None):
        told = "it is a block device" if stat.S_ISBLK(mode) else "it is a socket"
        raise OSError(errno.EINVAL, told, str(path))
    return is_systems or stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)


def own_descriptor(path: Path) -> int | None:
    """Give the number of the file that this process has open under the name, as `/dev/stdout` and `/dev/fd/1` say it.

    `None` for any other path.
    """
    name = os.path.abspath(path)
    if os.path.realpath(os.path.dirname(name)) == DEVICES and os.path.islink(name):
        name = os.path.join(DEVICES, os.readlink(name))
    folder, _, number = name.rpartition("/")
    is_own = number.isdecimal() and os.path.realpath(folder) == f"{_PROC}/{os.getpid()}/fd"
    return int(number) if is_own else None


def _is_systems(path: Path) -> bool:
    folder = os.path.realpath(os.path.dirname(os.path.abspath(path)))
    return folder in (DEVICES, _PROC) or folder.startswith(f"{_PROC}/")


def _opened(path: Path) -> int:
    own = own_descriptor(path)
    if own is not None:
        # Opened by its name, a file that stdout was sent to would be written from its beginning.
        return os.dup(own)
    follow = 0 if _is_systems(path) else os.O_NOFOLLOW
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOCTTY | os.O_CLOEXEC | follow)
