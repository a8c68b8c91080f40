"""Submissions that arrive as a zip or a tar, held to the rules of `grader.submission`.

An archive is hostile until it is read: every read from it is bounded, whatever it declares, so neither a bomb nor a
damaged header costs more than a few MiB and seconds.
"""

from __future__ import annotations

import bz2
import functools
import gzip
import lzma
import os
import stat
import struct
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, BinaryIO, Literal, cast

from grader.error import RefusedSubmission
from grader.file_name import shown
from grader.submission import MIB, Entry, Submission, Unreadable, collect, kind_problem

MAX_ARCHIVE_BYTES = 64 * MIB
MAX_UNPACKED_BYTES = 128 * MIB
MAX_READ_BYTES = 4 * MIB  # more than any file may have, and room for a zip's directory of 20,000 names

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
_KNOWN = ".zip, .tar, .tar.gz, .tgz, .tar.bz2 or .tar.xz"

_Kind = Literal["zip", "tar", "gz", "bz2", "xz"]
_MAGIC: tuple[tuple[int, bytes, _Kind], ...] = (
    (0, b"PK\x03\x04", "zip"),
    (0, b"PK\x05\x06", "zip"),
    (0, b"\x1f\x8b", "gz"),
    (0, b"BZh", "bz2"),
    (0, b"\xfd7zXZ\x00", "xz"),
    (257, b"ustar", "tar"),
)

# What the standard library raises on damaged or hostile archives (found by mutating real ones).
_BROKEN = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    IndexError,
    MemoryError,
    NotImplementedError,
    OSError,
    OverflowError,
    RecursionError,
    RuntimeError,
    ValueError,
)
_ZIP_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1


class _TooMuch(Exception):
    """The archive asks for more than it may have; the text ends a sentence that begins with its name."""


def read_archive(path: Path) -> Submission:
    """Take the files of a zip or tar, known by its content and not by its name.

    A single folder in which everything lies is taken off the names, as is what macOS adds (`__MACOSX`, `._*`).

    Raises:
        RefusedSubmission: it is no such archive, it is broken, or something in it can't be taken; all of it is named.
    """
    with _open(path) as file:
        head = file.read(512)
        kind = _kind(head, path.name)
        if kind is None:
            raise RefusedSubmission(
                [f"{shown(str(path))} is a file, and no archive that can be read ({_KNOWN})"],
                hint="give the folder that holds your files",
            )
        try:
            if os.fstat(file.fileno()).st_size > MAX_ARCHIVE_BYTES:
                raise _TooMuch(f"is larger than {MAX_ARCHIVE_BYTES // MIB} MiB")
            file.seek(0)
            entries = _zip_entries(file) if kind == "zip" else _tar_entries(file, kind)
            return collect(_without_macos(entries), source=str(path), unwrap=True)
        except _TooMuch as error:
            hint = "leave out what isn't yours, such as `.venv`, `.git` and `node_modules`"
            raise RefusedSubmission([f"{shown(str(path))} {error}"], hint=hint) from error
        except _BROKEN as error:
            reason = str(error) or type(error).__name__
            raise RefusedSubmission(
                [f"{shown(str(path))} is broken: {_one_line(reason)}"], hint="make the archive again"
            ) from error


def _open(path: Path) -> BinaryIO:
    try:
        opened = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        raise RefusedSubmission([f"there is no folder or archive {shown(str(path))}"]) from None
    except (OSError, ValueError) as error:
        reason = str(getattr(error, "strerror", None) or error).lower()
        raise RefusedSubmission([f"{shown(str(path))} can't be opened: {reason}"]) from error
    mode = os.fstat(opened).st_mode
    if not stat.S_ISREG(mode):
        os.close(opened)
        problem = "is a folder, not an archive" if stat.S_ISDIR(mode) else kind_problem(mode)
        raise RefusedSubmission([f"{shown(str(path))} {problem}"])
    return os.fdopen(opened, "rb")


def _kind(head: bytes, name: str) -> _Kind | None:
    for offset, magic, kind in _MAGIC:
        if head.startswith(magic, offset):
            return kind
    if name.lower().endswith(SUFFIXES):
        return "zip" if name.lower().endswith(".zip") else "tar"
    return None


def _without_macos(entries: Iterator[Entry]) -> Iterator[Entry]:
    for entry in entries:
        parts = entry.name.split("/")
        if parts[0] != "__MACOSX" and not any(part.startswith("._") for part in parts):
            yield entry


def _zip_entries(file: BinaryIO) -> Iterator[Entry]:
    # Entries that share their bytes, which newer Pythons warn of, are bounded like all others.
    warnings.filterwarnings("ignore", "Overlapped entries", UserWarning)
    # zipfile reads the whole directory at once: `_Bounded` is what keeps that small.
    with zipfile.ZipFile(cast(IO[bytes], _Bounded(file))) as archive:
        for info in archive.infolist():
            name = info.orig_filename  # `filename` is cut at a NUL
            mode = info.external_attr >> 16
            if info.is_dir() or stat.S_ISDIR(mode):
                yield Entry(name=name)
            elif stat.S_IFMT(mode) not in (0, stat.S_IFREG):
                yield Entry(name=name, problem=kind_problem(mode))
            elif info.flag_bits & _ENCRYPTED:
                yield Entry(name=name, problem="is encrypted; make the archive without a password")
            elif info.compress_type not in _ZIP_METHODS:
                # The others unpack without a bound in the standard library.
                yield Entry(name=name, problem="is compressed in an unusual way; make the zip with the usual method")
            else:
                yield Entry(name=name, size=info.file_size, read=functools.partial(_read_member, archive, info))


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, most: int) -> bytes:
    try:
        with archive.open(info) as member:
            return member.read(most)
    except _BROKEN as error:
        raise Unreadable(f"is damaged: {_one_line(str(error) or type(error).__name__)}") from error


def _tar_entries(file: BinaryIO, kind: _Kind) -> Iterator[Entry]:
    stream = _Forward(_unpacked(file, kind))
    with tarfile.open(fileobj=cast(IO[bytes], stream), mode="r:", encoding="utf-8") as archive:
        while (info := archive.next()) is not None:
            archive.members.clear()  # type: ignore[attr-defined]  # else it keeps a record of each to the end
            if info.isdir():
                yield Entry(name=info.name)
            elif info.issym():
                yield Entry(name=info.name, problem=kind_problem(stat.S_IFLNK))
            elif info.islnk():
                yield Entry(name=info.name, problem="is a hard link; put the file itself there")
            elif not info.isreg() or info.sparse is not None:
                yield Entry(
                    name=info.name, problem="is a device, a pipe or a special file; only regular files are taken"
                )
            else:
                read = functools.partial(stream.read_at, info.offset_data, info.size)
                yield Entry(name=info.name, size=info.size, read=read)
    # tarfile takes a damaged header for the end; a whole archive ends in zeros.
    if stream.last != bytes(tarfile.BLOCKSIZE):
        raise tarfile.ReadError("it is cut off or damaged in the middle")
    stream.drain()


def _unpacked(file: BinaryIO, kind: _Kind) -> IO[bytes]:
    if kind == "gz":
        return cast(IO[bytes], gzip.GzipFile(fileobj=file))
    if kind == "bz2":
        return cast(IO[bytes], bz2.BZ2File(file))
    if kind == "xz":
        return cast(IO[bytes], lzma.LZMAFile(file))
    return file


class _Bounded:
    """A file of which nobody reads more than `MAX_READ_BYTES` at once."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek = file.seek
        self.tell = file.tell
        self.seekable = file.seekable

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(MAX_READ_BYTES + 1 if size < 0 else min(size, MAX_READ_BYTES + 1))
        if len(data) > MAX_READ_BYTES:
            raise _TooMuch("lists too many files")
        return data

    def close(self) -> None:
        """Leave the file open: it is its opener's."""


class _Forward:
    """A stream that is read forward only, in bounded pieces, and only so far."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self._at = 0
        self.last = b""

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= MAX_READ_BYTES:
            raise tarfile.ReadError("a header in it declares an impossible size")
        pieces: list[bytes] = []
        while size > 0 and (piece := self._source.read(size)):
            pieces.append(piece)
            size -= len(piece)
            self._at += len(piece)
        if self._at > MAX_UNPACKED_BYTES:
            raise _TooMuch(f"unpacks to more than {MAX_UNPACKED_BYTES // MIB} MiB")
        self.last = b"".join(pieces)
        return self.last

    def read_at(self, start: int, size: int, most: int) -> bytes:
        self.seek(start)
        return self.read(min(size, most))

    def seek(self, position: int, whence: int = os.SEEK_SET) -> int:
        if whence != os.SEEK_SET or position < self._at:
            raise tarfile.ReadError("its headers contradict each other")
        if position > MAX_UNPACKED_BYTES:
            raise _TooMuch(f"unpacks to more than {MAX_UNPACKED_BYTES // MIB} MiB")
        while self._at < position:
            if not self.read(min(position - self._at, MIB)):
                raise tarfile.ReadError("it is cut off")
        return self._at

    def tell(self) -> int:
        return self._at

    def drain(self) -> None:
        """Read to the end, which is where a compressed stream has its checksum."""
        while self.read(MIB):
            pass

    def close(self) -> None:
        """Leave the source open: it is its opener's."""


def _one_line(text: str) -> str:
    return " ".join(shown(text)[1:-1].split())
