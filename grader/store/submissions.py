"""The submissions that were graded, one archive for each content, so that they can be graded again.

They serve a later look (`replay`, `preview-regrade`); a report doesn't depend on them. So there is a bound, and when it
is reached the oldest ones go.
"""

from __future__ import annotations

import gzip
import io
import os
import re
import tarfile
import zlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from grader.error import RefusedSubmission
from grader.store.inbox import Kept
from grader.store.place import Note, places, reason, write_durably
from grader.submission import Submission, submission_of

FOLDER = "submissions"
ONE_MAX_BYTES = 16 << 20
ALL_MAX_BYTES = 256 << 20

_is_digest = re.compile(r"(?:[a-z0-9]{1,16}:)?[A-Za-z0-9_]{8,128}").fullmatch


def keep_submission(
    files: Mapping[str, bytes], digest: str, state_dir: Path, *, all_max_bytes: int = ALL_MAX_BYTES
) -> Kept:
    """Keep a submission's files under its digest; costs next to nothing when it is known already. Raises nothing."""
    if not _is_digest(digest):
        return Kept(None, Note(f"this submission was not kept: `{digest}` is not a digest"))
    if sum(len(content) for content in files.values()) > ONE_MAX_BYTES:
        return Kept(None, Note("this submission was not kept: it is larger than 16 MiB"))
    name = _file_name(digest)
    for place in places(state_dir):
        try:
            # Its time is when it was last graded, for the bound.
            os.utime(place / FOLDER / name)
        except (OSError, ValueError):
            continue
        return Kept(place / FOLDER / name)
    try:
        data = _pack(files)
    except (ValueError, tarfile.TarError) as error:
        return Kept(None, Note(f"this submission was not kept: {error}"))
    first: Exception | None = None
    for place in places(state_dir):
        path = place / FOLDER / name
        try:
            write_durably(path, data)
        except (OSError, ValueError) as error:
            first = first or error
            continue
        _drop_oldest(place / FOLDER, all_max_bytes, spare=name)
        return Kept(path)
    assert first is not None
    return Kept(
        None,
        Note(
            f"this submission was not kept: `{state_dir}` can't be written ({reason(first)})",
            hint="its report is not affected; `grade replay REPORT PATH` takes the files from PATH",
        ),
    )


def load_submission(digest: str, state_dir: Path) -> dict[str, bytes] | None:
    """Give the files of a kept submission, or None where they were not kept, were dropped, or are damaged."""
    if not _is_digest(digest):
        return None
    for place in places(state_dir):
        try:
            return _unpack((place / FOLDER / _file_name(digest)).read_bytes())
        except (OSError, ValueError, EOFError, zlib.error, tarfile.TarError):
            continue
    return None


def kept_submission(digest: str, state_dir: Path) -> Submission | None:
    """Give a kept submission, or None where its files aren't at hand, or are not those of the digest."""
    files = load_submission(digest, state_dir)
    if files is None:
        return None
    try:
        submission = submission_of(files)
    except RefusedSubmission:
        return None
    return submission if submission.digest == digest else None


def kept_digests(state_dir: Path) -> list[str]:
    """List the digests whose files are at hand, oldest first."""
    found = [entry for place in places(state_dir) for entry in _archives(place / FOLDER)]
    return list(dict.fromkeys(name.removesuffix(".tar.gz").replace("-", ":", 1) for _, _, name in sorted(found)))


def _file_name(digest: str) -> str:
    return digest.replace(":", "-") + ".tar.gz"


def _pack(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in sorted(files):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(files[name]), 0o644
            archive.addfile(entry, io.BytesIO(files[name]))
    # Neither part has a time in it: the same files give the same bytes.
    return gzip.compress(packed.getvalue(), compresslevel=6, mtime=0)


def _unpack(data: bytes) -> dict[str, bytes]:
    # An archive that someone put there may be a bomb: what is unpacked is bounded, and nothing is written to a disk.
    # 2 KiB a file is what tar adds at most for 200 files with long names, and then some.
    limit = ONE_MAX_BYTES + (1 << 20)
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
        plain = stream.read(limit + 1)
        if len(plain) > limit:
            raise ValueError("larger than a submission can be")
        if stream.read(1):
            raise ValueError("more than one archive")
    files = {}
    with tarfile.open(fileobj=io.BytesIO(plain), mode="r:") as archive:
        for entry in archive:
            path = PurePosixPath(entry.name)
            content = archive.extractfile(entry) if entry.isreg() else None
            if content is None or path.is_absolute() or ".." in path.parts:
                raise ValueError("holds more than plain files")
            files[entry.name] = content.read()
    return files


def _archives(folder: Path) -> list[tuple[float, int, str]]:
    found = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.endswith(".tar.gz") and not entry.name.startswith("."):
                    stat = entry.stat()
                    found.append((stat.st_mtime, stat.st_size, entry.name))
    except OSError:
        pass
    return sorted(found)


def _drop_oldest(folder: Path, all_max_bytes: int, *, spare: str) -> None:
    archives = _archives(folder)
    total = sum(size for _, size, _ in archives)
    for _, size, name in archives:
        if total <= all_max_bytes:
            return
        if name == spare:
            continue
        try:
            os.unlink(folder / name)
        except OSError:
            continue
        total -= size
