"""A course that is given as an archive: unpacked into a folder of its own for as long as a command runs."""

from __future__ import annotations

import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from grader.error import NoCourse

MAX_BYTES = 1024 * 1024 * 1024
MAX_ENTRIES = 50_000


@contextmanager
def unpacked_course(archive: Path) -> Iterator[Path]:
    """Give the folder that holds `exercises/`; it is removed at the end.

    Raises:
        NoCourse: it is no archive, is too large, or holds no course.
    """
    with tempfile.TemporaryDirectory(prefix="kata-course-", ignore_cleanup_errors=True) as folder:
        target = Path(folder)
        try:
            _unpack(archive, target)
        except (OSError, ValueError, EOFError, tarfile.TarError, zipfile.BadZipFile, shutil.Error) as error:
            raise NoCourse(
                f"`{archive}` can't be unpacked: {error}", hint="give a folder, or a .tar.gz or .zip of one"
            ) from error
        found = [path.parent for depth in ("", "*/", "*/*/") for path in sorted(target.glob(f"{depth}exercises"))]
        if not found:
            raise NoCourse(f"`{archive}` holds no course", hint="the folder that holds `exercises/` belongs in it")
        yield found[0]


def _unpack(archive: Path, target: Path) -> None:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            infos = opened.infolist()
            _check(len(infos), sum(info.file_size for info in infos))
            opened.extractall(target)  # leaves out what leads outside, and makes no links
        return
    with tarfile.open(archive) as opened:
        members = opened.getmembers()
        _check(len(members), sum(member.size for member in members))
        if hasattr(tarfile, "data_filter"):
            opened.extractall(target, filter="data")
            return
        # An older Python's: what `filter` would refuse is left out, and nothing is made but folders and files.
        plain = [member for member in members if member.isreg() or member.isdir()]
        inside = [member for member in plain if (target / member.name).resolve().is_relative_to(target.resolve())]
        opened.extractall(target, members=inside)


def _check(entries: int, size: int) -> None:
    if entries > MAX_ENTRIES or size > MAX_BYTES:
        raise ValueError(f"it is larger than {MAX_BYTES // 1024**2} MiB or {MAX_ENTRIES:,} files")
