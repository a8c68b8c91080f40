"""A learner's files, taken as bytes: one class of rules for every source.

A source (a folder here, an archive in `grader.archive`) yields an `Entry` for each thing that it holds, and `collect`
decides. So a zip is held to exactly what a folder is held to, and everything that is wrong is told at once.
"""

from __future__ import annotations

import errno
import functools
import hashlib
import itertools
import os
import re
import stat
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from grader.error import RefusedSubmission
from grader.file_name import is_left_out, shown

MIB = 1024 * 1024
MAX_FILES = 200
MAX_FILE_BYTES = MIB
MAX_TOTAL_BYTES = 8 * MIB
MAX_DEPTH = 12
MAX_NAME_BYTES = 255
MAX_ENTRIES = 20_000
MAX_PROBLEMS = 20

_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NONBLOCK | os.O_CLOEXEC

# Bidirectional formatting makes a name read as another one (`exe.py` shown as `yp.exe`).
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True, kw_only=True)
class Submission:
    """What is graded: relative name (`/` between folders) to content, sorted by name, and a digest over both."""

    files: Mapping[str, bytes]
    digest: str


class Unreadable(Exception):
    """One entry can't be read; the text says why, as the end of a sentence that begins with its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that a source holds.

    `read(n)` gives at most `n` bytes of a file, and raises `Unreadable`; it is `None` for a folder. `size` is what the
    source declares. `problem` is why the source itself refuses the entry, as the end of a sentence that begins with its
    name.
    """

    name: str
    size: int = 0
    read: Callable[[int], bytes] | None = None
    problem: str = ""


def read_submission(path: Path) -> Submission:
    """Take the files of a folder, or of an archive.

    `path` itself may be a symbolic link; nothing in it may be one.

    Raises:
        RefusedSubmission: there is nothing to read, or something in it can't be taken; all of it is named.
    """
    try:
        folder = os.open(path, _FOLDER_FLAGS)
    except NotADirectoryError:
        from grader.archive import read_archive  # zipfile and tarfile cost 15 ms, and a folder is the common case

        return read_archive(path)
    except FileNotFoundError:
        raise RefusedSubmission(
            [f"there is no folder {shown(str(path))}"], hint="give the folder that holds your files"
        ) from None
    except (OSError, ValueError) as error:
        raise RefusedSubmission([f"{shown(str(path))} can't be opened: {_why(error)}"]) from error
    try:
        return collect(_walk(folder, "", 1), source=str(path))
    finally:
        os.close(folder)


def read_regular(path: Path) -> bytes:
    """Read a file of the course that may be anything: whoever reads a pipe waits for ever, and a device has no end.

    Raises:
        OSError: it can't be read, or is no regular file; a text for people is in `strerror`.
    """
    opened = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    with os.fdopen(opened, "rb") as file:
        mode = os.fstat(opened).st_mode
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, f"it {kind_problem(mode)}", str(path))
        return file.read()


def submission_of(files: Mapping[str, bytes], *, source: str = "submission") -> Submission:
    """Make a submission of files that are already in memory, by the same rules.

    Raises:
        RefusedSubmission: one of them can't be taken.
    """
    entries = (
        Entry(name=name, size=len(content), read=functools.partial(_head, content)) for name, content in files.items()
    )
    return collect(entries, source=source)


def collect(entries: Iterable[Entry], *, source: str, unwrap: bool = False) -> Submission:
    """Take what the entries of one source hold. Each is read before the next one is asked for.

    `source` is what the whole is called in messages. With `unwrap`, a single folder in which everything lies is taken
    off the names.

    Raises:
        RefusedSubmission: all that can't be taken, by name and reason; at most twenty are listed.
    """
    rules = _Rules(source)
    for entry in entries:
        if not rules.take(entry):
            break
    return rules.finish(unwrap=unwrap)


class _Rules:
    """The rules for one submission: what was taken so far, and every problem."""

    def __init__(self, source: str) -> None:
        self._source = shown(source)
        self._contents: dict[str, bytes] = {}
        self._folders: set[str] = set()
        self._left_out: set[str] = set()
        self._refused: dict[str, str] = {}
        self._general: list[str] = []
        self._entries = 0
        self._files = 0
        self._bytes = 0

    def take(self, entry: Entry) -> bool:
        """Take one entry or note why not. False: no more of them need be offered."""
        self._entries += 1
        if self._entries > MAX_ENTRIES:
            self._general.append(f"{self._source} holds more than {MAX_ENTRIES:,} files and folders")
            return False
        parts = [part for part in entry.name.split("/") if part not in ("", ".")]
        if not parts:
            return True
        ignored = next((part for part in parts if is_left_out(part)), None)
        if ignored is not None and ".." not in parts:
            if len(self._left_out) < MAX_PROBLEMS:
                self._left_out.add(ignored)
            return True
        name = "/".join(parts)
        if any("/".join(parts[:length]) in self._refused for length in range(1, len(parts))):
            return True  # its folder is refused and named already
        problem = _name_problem(entry.name, parts) or entry.problem
        if problem:
            self._refused.setdefault(name if not entry.name.startswith("/") else entry.name, problem)
        elif entry.read is None:
            self._folders.add(name)
        elif name in self._contents:
            self._refused[name] = "is there twice"
        else:
            self._read(name, entry, entry.read)
        return True

    def finish(self, *, unwrap: bool) -> Submission:
        """Give what was taken.

        Raises:
            RefusedSubmission: there were problems, or there is nothing.
        """
        names = sorted(self._contents)
        wrapper = self._wrapper() if unwrap else ""
        self._check_depths(wrapper)
        self._check_collisions()
        if self._files > MAX_FILES:
            self._general.append(f"{self._source} holds {self._files:,} files; at most {MAX_FILES} are taken")
        if self._bytes > MAX_TOTAL_BYTES:
            together = _mib(self._bytes)
            self._general.append(f"the files are {together} together; at most {_mib(MAX_TOTAL_BYTES)} are taken")
        if self._refused or self._general:
            texts = self._general + [f"{shown(name)} {reason}" for name, reason in sorted(self._refused.items())]
            if len(texts) > MAX_PROBLEMS:
                texts[MAX_PROBLEMS:] = [f"and {len(texts) - MAX_PROBLEMS:,} more"]
            raise RefusedSubmission(texts)
        if not names:
            raise self._nothing()
        files = {name.removeprefix(wrapper): self._contents[name] for name in names}
        return Submission(files=files, digest=_digest(files))

    def _read(self, name: str, entry: Entry, read: Callable[[int], bytes]) -> None:
        self._contents[name] = b""
        self._files += 1
        if not 0 <= entry.size <= MAX_FILE_BYTES:
            self._refused[name] = f"is {_mib(entry.size)}; at most {_mib(MAX_FILE_BYTES)} a file is taken"
            return
        self._bytes += entry.size
        if self._files > MAX_FILES or self._bytes > MAX_TOTAL_BYTES:
            return  # refused as a whole: only names and sizes matter from here on
        try:
            content = read(entry.size + 1)
        except Unreadable as error:
            self._refused[name] = str(error)
            return
        if len(content) != entry.size:
            self._refused[name] = "changed while it was read; try again"
            return
        self._contents[name] = content

    def _wrapper(self) -> str:
        tops = {name.partition("/")[0] for name in (*self._contents, *self._folders)}
        if len(tops) != 1 or tops & self._contents.keys():
            return ""
        return f"{tops.pop()}/"

    def _check_depths(self, wrapper: str) -> None:
        most = MAX_DEPTH + wrapper.count("/")
        for name in (*self._contents, *self._folders):
            parts = name.split("/")
            if len(parts) > most:
                self._refused["/".join(parts[: most + 1])] = f"lies deeper than {MAX_DEPTH} levels"

    def _check_collisions(self) -> None:
        seen: dict[str, str] = {}
        for name in sorted({*self._contents, *self._folders}):
            parts = name.split("/")
            for length in range(1, len(parts) + 1):
                actual = "/".join(parts[:length])
                first = seen.setdefault(_folded(actual), actual)
                if first != actual:
                    is_case = first.casefold() == actual.casefold()
                    where = "case doesn't count" if is_case else "it doesn't count how an accent is written"
                    self._refused[actual] = f"and {shown(first)} are one name where {where}; rename one"
                    break
                if actual in self._contents and (length < len(parts) or actual in self._folders):
                    self._refused[actual] = "is a file and a folder at once"
                    break

    def _nothing(self) -> RefusedSubmission:
        if self._left_out:
            kinds = ", ".join(shown(name) for name in sorted(self._left_out)[:5])
            return RefusedSubmission([f"{self._source} holds no file to grade; left out: {kinds}"])
        return RefusedSubmission([f"{self._source} is empty: there is no file to grade"])


def _name_problem(name: str, parts: list[str]) -> str:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return "has a name that isn't UTF-8; rename it"
    if any(unicodedata.category(c) in ("Cc", "Zl", "Zp") or c in _BIDI for c in name):
        return "has control characters in its name; rename it"
    if name.startswith("/") or _DRIVE.match(name):
        return "is an absolute path; only what lies in the folder is taken"
    if ".." in parts or ".." in name.split("\\"):
        return "leads out of the folder by `..`"
    if "\\" in name:
        return "has a backslash in its name; rename it"
    if any(len(part.encode("utf-8")) > MAX_NAME_BYTES for part in parts):
        return f"has a name longer than {MAX_NAME_BYTES} bytes; shorten it"
    return ""


def _folded(name: str) -> str:
    """Fold as file systems do that keep no case: canonical caseless matching of the Unicode standard, 3.13 D145."""
    if name.isascii():
        return name.lower()
    decomposed = unicodedata.normalize("NFD", name).casefold()
    return unicodedata.normalize("NFD", decomposed)


def _digest(files: Mapping[str, bytes]) -> str:
    whole = hashlib.sha256(b"submission 1\n")
    for name, content in files.items():
        encoded = name.encode("utf-8")
        # Lengths first: no content can pass for a name.
        whole.update(f"{len(encoded)} {len(content)}\n".encode("ascii") + encoded + content)
    return whole.hexdigest()


def _head(content: bytes, most: int) -> bytes:
    return content[:most]


def _walk(folder: int, prefix: str, depth: int) -> Iterator[Entry]:
    """Yield what lies below an open folder, each opened relative to it: a swapped folder leads nowhere else."""
    try:
        with os.scandir(folder) as found:
            items = list(itertools.islice(found, MAX_ENTRIES + 1))
    except OSError as error:
        if not prefix:
            raise RefusedSubmission([f"the folder can't be listed: {_why(error)}"]) from error
        yield Entry(name=prefix.rstrip("/"), problem=f"can't be listed: {_why(error)}")
        return
    for item in items:
        # Whatever the locale's encoding is, the name that enters a box is UTF-8.
        name = prefix + os.fsencode(item.name).decode("utf-8", "surrogateescape")
        if is_left_out(item.name):
            yield Entry(name=name)
            continue
        try:
            state = item.stat(follow_symlinks=False)
        except OSError as error:
            yield Entry(name=name, problem=f"can't be read: {_why(error)}")
            continue
        if stat.S_ISDIR(state.st_mode):
            yield Entry(name=name)
            if depth <= MAX_DEPTH:
                yield from _enter(folder, item.name, name, depth)
        elif stat.S_ISREG(state.st_mode):
            read = functools.partial(_read_file, folder, item.name)
            yield Entry(name=name, size=state.st_size, read=read)
        else:
            yield Entry(name=name, problem=kind_problem(state.st_mode))


def _enter(folder: int, part: str, name: str, depth: int) -> Iterator[Entry]:
    try:
        inner = os.open(part, _FOLDER_FLAGS | os.O_NOFOLLOW, dir_fd=folder)
    except OSError as error:
        yield Entry(name=name, problem=f"can't be opened: {_why(error)}")
        return
    try:
        yield from _walk(inner, f"{name}/", depth + 1)
    finally:
        os.close(inner)


def _read_file(folder: int, part: str, most: int) -> bytes:
    """Read what is a regular file at the moment of opening, whatever stood there when it was listed."""
    try:
        opened = os.open(part, _READ_FLAGS, dir_fd=folder)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise Unreadable(kind_problem(stat.S_IFLNK)) from error
        raise Unreadable(f"can't be read: {_why(error)}") from error
    try:
        state = os.fstat(opened)
        if not stat.S_ISREG(state.st_mode):
            raise Unreadable(kind_problem(state.st_mode))
        chunks: list[bytes] = []
        while most > 0 and (chunk := os.read(opened, most)):
            chunks.append(chunk)
            most -= len(chunk)
        return b"".join(chunks)
    except OSError as error:
        raise Unreadable(f"can't be read: {_why(error)}") from error
    finally:
        os.close(opened)


def kind_problem(mode: int) -> str:
    """Say why something of this `st_mode` that is neither file nor folder is refused."""
    if stat.S_ISLNK(mode):
        return "is a symbolic link; put the file itself there"
    kinds = {
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFBLK: "a device",
        stat.S_IFCHR: "a device",
        stat.S_IFDIR: "a folder",
    }
    return f"is {kinds.get(stat.S_IFMT(mode), 'a special file')}; only regular files are taken"


def _why(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error).lower()


def _mib(size: int) -> str:
    if size < MIB:
        return f"{size:,} bytes"
    # Rounded up, so that what is over a limit never reads as equal to it.
    tenths = -(-size * 10 // MIB)
    return f"{tenths // 10:,}.{tenths % 10} MiB" if tenths % 10 else f"{tenths // 10:,} MiB"
