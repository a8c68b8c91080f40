"""The journal of a class: every result on the disk before it counts, found again by whatever could change it.

One file for each exercise, sandbox and version of what grades; one line a result. A line is appended with one write and
flushed before anyone hears of the result. So a run that is killed has lost only what was being graded, and the journal is
what the next run knows already. In memory there is only where each line begins.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import os
import sys
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

import msgspec

from grader import __version__
from grader.error import DamagedReport, UsageError
from grader.exercise import Exercise
from grader.report import Report, Status, from_json, to_json
from grader.sandbox.code_digest import code_digest
from grader.store.place import make_folder, places, sync_folder

FOLDER = "batch"
SEED_RULE = "derived-1"
"""Names how `grader.grading.derive_seed` draws the hidden data; another rule gets another name."""

LINE_RULE = "sealed-1"
"""Names how a line is written. It is in a journal's name: one of another rule is as unknown as that of another grader."""

KEPT_FILES = 8
"""Journals of one exercise that are kept: an exercise or a grader that is changed back is known again."""

_SEAL = b',"check":"00000000"}\n'
_CODE = (
    "inside",
    "boxes.py",
    "grading.py",
    "usually.py",
    "resemblance.py",
    "exercise.py",
    "hidden_test.py",
    "file_name.py",
    "submission.py",
    "archive.py",
    "report.py",
)


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a gradebook says of one submission. `tasks` and `tests` are in the exercise's order; a test is one letter
    of `pass`, `fail`, `error` or `skip`.
    """

    status: Status
    message: str
    limit: str | None
    points: Decimal
    tasks: list[Decimal]
    tests: str
    seed: int


class _Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line: what was graded under which conditions, what came of it, and the report, packed. See `_sealed`."""

    exercise: str
    submission: str
    seed_rule: str
    grader: str
    inside: str
    sandbox: str
    outcome: Outcome
    report: str


class _Digest(msgspec.Struct, frozen=True, kw_only=True):
    """What of a line tells what was graded."""

    submission: str


class _Brief(msgspec.Struct, frozen=True, kw_only=True):
    """A line without its report, which is most of it."""

    outcome: Outcome


_Known = TypeVar("_Known")

_encoder = msgspec.json.Encoder(decimal_format="number")
_lines = msgspec.json.Decoder(_Line)
_briefs = msgspec.json.Decoder(_Brief)
_digests = msgspec.json.Decoder(_Digest)


def outcome_of(report: Report) -> Outcome:
    """Take from a report what a gradebook says."""
    return Outcome(
        status=report.status,
        message=report.message,
        limit=report.limit,
        points=report.points,
        tasks=[task.points for task in report.tasks],
        tests="".join(test.status[0] for test in report.tests),
        seed=report.seed,
    )


class Journal:
    """The results of one exercise, graded in one way. Made by `open_journal`; used by several threads."""

    def __init__(self, exercise: Exercise, sandbox: str, file: int) -> None:
        self._facts = {
            "exercise": exercise.digest,
            "seed_rule": SEED_RULE,
            "grader": __version__,
            "inside": inside_digest(),
            "sandbox": sandbox,
        }
        self._file = file
        self._lock = threading.Lock()
        self._places: dict[bytes, tuple[int, int]] = {}
        self._end = 0
        self._read_all()

    def __len__(self) -> int:
        return len(self._places)

    def knows(self, digest: str) -> bool:
        """Say whether a submission is graded already."""
        return bytes.fromhex(digest) in self._places

    def outcome(self, digest: str) -> Outcome:
        """Give what came of a submission that is known."""
        return self._decoded(digest, _briefs).outcome

    def report(self, digest: str) -> Report:
        """Give the whole report of a submission that is known."""
        return from_json(zlib.decompress(base64.b64decode(self._decoded(digest, _lines).report)))

    def add(self, report: Report) -> None:
        """Put a result on the disk; when this returns, no power cut takes it back.

        Raises:
            OSError: the disk doesn't take it. What was half-written is taken away.
        """
        packed = base64.b64encode(zlib.compress(to_json(report), 6)).decode("ascii")
        line = _Line(
            **self._facts,
            submission=report.submission.digest,
            outcome=outcome_of(report),
            report=packed,
        )
        data = _sealed(_encoder.encode(line))
        with self._lock:
            try:
                written = 0
                while written < len(data):
                    written += os.pwrite(self._file, data[written:], self._end + written)
                os.fsync(self._file)
            except OSError:
                os.ftruncate(self._file, self._end)
                raise
            self._places[bytes.fromhex(report.submission.digest)] = (self._end, len(data))
            self._end += len(data)

    def _decoded(self, digest: str, decoder: msgspec.json.Decoder[_Known]) -> _Known:
        start, length = self._places[bytes.fromhex(digest)]
        data = os.pread(self._file, length, start)
        if not _is_sealed(data):
            raise DamagedReport("a line of the journal was changed while it was in use")
        return decoder.decode(data)

    def _read_all(self) -> None:
        """Note where each line begins. What a killed run left half-written is cut off, a damaged line is passed over."""
        with os.fdopen(os.dup(self._file), "rb") as file:
            file.seek(0)
            for data in file:
                if not data.endswith(b"\n"):
                    break
                if _is_sealed(data):
                    self._places[bytes.fromhex(_digests.decode(data).submission)] = (self._end, len(data))
                self._end += len(data)
        os.ftruncate(self._file, self._end)


@contextmanager
def open_journal(place: Path, exercise: Exercise, sandbox: str, *, is_fresh: bool = False) -> Iterator[Journal]:
    """Open the journal below a course's `.grade/`; with `is_fresh` an empty one, and what was known is given up.

    Raises:
        UsageError: another run writes it now.
        OSError: it can't be written.
    """
    folder = place / FOLDER
    make_folder(folder)
    path = folder / f"{exercise.id}.{_name(exercise, sandbox)}.jsonl"
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(
                f"another run grades submissions of `{exercise.id}` now", hint="wait for its end; then the same command"
            ) from None
        if is_fresh:
            os.ftruncate(file, 0)
        sync_folder(folder)
        os.utime(path)
        _drop_oldest(folder, exercise.id, spare=path.name)
        yield Journal(exercise, sandbox, file)
    finally:
        os.close(file)


def graded_before(state_dir: Path, exercise_id: str) -> frozenset[str]:
    """List the digests of what `grade batch` graded for an exercise, as far as its journals are there."""
    found: set[str] = set()
    for place in places(state_dir):
        for path in _of_exercise(place / FOLDER, exercise_id):
            with suppress(OSError):
                for line in path.read_bytes().splitlines(keepends=True):
                    # The last line of a run that was killed may be half a line.
                    if _is_sealed(line):
                        found.add(_digests.decode(line).submission)
    return frozenset(found)


def inside_digest() -> str:
    """Give the digest over the code that grades, and over what the boxes hold."""
    return hashlib.sha256(f"{sys.version_info[:2]} {code_digest(_CODE)}".encode()).hexdigest()


def _name(exercise: Exercise, sandbox: str) -> str:
    parts = [exercise.digest, SEED_RULE, LINE_RULE, __version__, inside_digest(), sandbox]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _sealed(line: bytes) -> bytes:
    """End a line by a checksum over all of it, as its last key."""
    return line.removesuffix(b"}") + b',"check":"%08x"}\n' % zlib.crc32(line)


def _is_sealed(data: bytes) -> bool:
    """Say whether a line is whole and as it was written."""
    return data == _sealed(data[: -len(_SEAL)] + b"}")


def _of_exercise(folder: Path, exercise_id: str) -> list[Path]:
    return [path for path in folder.glob("*.jsonl") if path.name.rpartition(".")[0].rpartition(".")[0] == exercise_id]


def _drop_oldest(folder: Path, exercise_id: str, *, spare: str) -> None:
    for path in sorted(_of_exercise(folder, exercise_id), key=lambda each: each.stat().st_mtime)[:-KEPT_FILES]:
        if path.name != spare:
            path.unlink(missing_ok=True)
