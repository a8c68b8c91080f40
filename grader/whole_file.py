"""Write files so that nobody ever reads half of one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

SUFFIX = ".tmp"
_NAME_MAX = 40  # of up to four bytes each; a file system takes 255


def unshared(path: Path) -> Path:
    """Name a hidden file beside `path` that nobody else writes.

    Not even another thread, or a process of the same number on another machine or in another container.
    """
    return path.with_name(f".{path.name[:_NAME_MAX]}.{os.urandom(6).hex()}{SUFFIX}")


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

    `is_durable` flushes it to the disk first, so that a power cut leaves the old content or the new.

    Raises:
        OSError: it can't be written.
    """
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
