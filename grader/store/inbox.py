"""Keep a report before it is shown: one file, written whole, in a few milliseconds.

The database is left out on purpose: importing SQLAlchemy costs 0.3 s, and a grading must not pay that.
`grader.store.history` takes the kept files in the next time that it is opened.
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import msgspec

from grader import report as report_json
from grader.error import DamagedReport
from grader.report import VERSION, Report
from grader.store.place import Note, places, reason, write_durably

INBOX = "inbox"
REPORTS = "reports"

# `-` ends the stamp in a file's name, so a stamp has none. An id becomes a part of that name, so it has no `/`.
_STAMP = r"\d{8}T\d{6}\.\d{6}Z"
_ID = r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,99}"
_NAME = re.compile(rf"({_STAMP})-({_ID})\.json")
_is_stamp = re.compile(_STAMP).fullmatch
_is_id = re.compile(_ID).fullmatch


class KeptReport(Report, frozen=True, kw_only=True):
    """A report as it lies in its file: the report itself, and whose it is where that was said."""

    learner: str = ""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A report with its place in time. `stamp` grows with every report that is kept, whatever the clock does."""

    stamp: str
    learner: str
    report: Report


class Kept(msgspec.Struct, frozen=True):
    """Where a report was kept (None: nowhere), and what the user should know about that."""

    path: Path | None
    note: Note | None = None


_decoder = msgspec.json.Decoder(KeptReport)


class _Version(msgspec.Struct):
    version: int


def keep(report: Report, state_dir: Path, *, learner: str = "") -> Kept:
    """Keep a report in the course's inbox, else in the user's own state folder. Raises nothing.

    When this returns a path, the report is on the disk: a power cut after that does not lose it.
    """
    try:
        data = encode(report, learner=learner)
        if not _is_id(report.id):
            raise ValueError(f"its id `{report.id}` can't name a file")
    except (ValueError, TypeError, msgspec.MsgspecError) as error:
        return Kept(None, _not_recorded(report, str(error)))
    first: Exception | None = None
    for place in places(state_dir):
        try:
            path = place / INBOX / file_name(_next_stamp(place), report.id)
            write_durably(path, data)
        except (OSError, ValueError) as error:
            first = first or error
            continue
        if first is None:
            return Kept(path)
        return Kept(
            path,
            Note(
                f"`{state_dir}` can't be written ({reason(first)}), so this result was kept in `{path}`",
                hint="nothing is lost: it stays a part of this course's history. "
                "Once the folder can be written again, results go there by themselves",
            ),
        )
    assert first is not None
    why = f"`{state_dir}` can't be written ({reason(first)}), and neither can a home folder"
    return Kept(None, _not_recorded(report, why))


def _not_recorded(report: Report, why: str) -> Note:
    return Note(
        f"this result was not recorded: {why}",
        hint=f"`grade {report.exercise.id} --seed {report.seed} --output FILE` grades the same files alike and keeps "
        "the report in a file of your choice",
    )


def pending(state_dir: Path) -> list[Path]:
    """List the kept reports that are not in the database yet, oldest first, wherever they were kept."""
    return sorted((path for place in places(state_dir) for path in inbox_files(place)), key=lambda path: path.name)


def inbox_files(place: Path) -> list[Path]:
    """List one place's kept reports, oldest first."""
    return _listed(place / INBOX)


def report_files(place: Path) -> list[Path]:
    """List one place's reports that were taken in, oldest first."""
    return [path for month in _months(place) for path in _listed(month)]


def filed_path(place: Path, stamp: str, report_id: str) -> Path:
    """Name the file that a report has once it is taken in."""
    return place / REPORTS / f"{stamp[:4]}-{stamp[4:6]}" / file_name(stamp, report_id)


def file_name(stamp: str, report_id: str) -> str:
    """Name a report's file. It sorts by time and tells the id without being read."""
    return f"{stamp}-{report_id}.json"


def name_parts(name: str) -> tuple[str, str] | None:
    """Take a stamp and an id from a file's name; None for a name that isn't ours."""
    match = _NAME.fullmatch(name)
    return (match[1], match[2]) if match else None


def encode(report: Report, *, learner: str = "") -> bytes:
    """Give the bytes of a report's file: the report's own JSON, with `learner` beside it where one is given."""
    if learner:
        report = KeptReport(**{name: getattr(report, name) for name in Report.__struct_fields__}, learner=learner)
    return report_json.to_json(report)


def encode_compact(report: Report) -> bytes:
    """Give a report's JSON without spaces, for a program to read."""
    return report_json.encode(report)


def decode(data: bytes, name: str = "") -> Entry:
    """Read a report's file. The stamp is the name's, else made from the report's own time.

    Raises:
        DamagedReport: these bytes are no report, or one of a version that is not known here (see `is_newer`).
    """
    try:
        kept = report_json.with_points(_decoder.decode(data))
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DamagedReport(f"not a report: {error}") from error
    if not _is_id(kept.id):
        raise DamagedReport("not a report: its id is not one that a grader gives")
    parts = name_parts(name)
    fields = {field: getattr(kept, field) for field in Report.__struct_fields__}
    return Entry(stamp=parts[0] if parts else stamp_of(kept.created), learner=kept.learner, report=Report(**fields))


def is_newer(data: bytes) -> bool:
    """Tell whether these bytes say that they are a report of a later version."""
    try:
        return msgspec.json.decode(data, type=_Version).version > VERSION
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return False


def is_stamp(text: str) -> bool:
    """Tell whether a text that came with an export is a stamp of a moment that has been.

    One from the future would push every later stamp behind it.
    """
    from datetime import UTC, datetime

    try:
        moment = datetime.strptime(text, "%Y%m%dT%H%M%S.%fZ").replace(tzinfo=UTC)
    except ValueError:
        return False
    return _is_stamp(text) is not None and moment <= datetime.now(UTC)


def stamp_of(created: str) -> str:
    """Make a stamp from a report's time, at most the present; the earliest one where that can't be read."""
    from datetime import UTC, datetime

    try:
        moment = min(datetime.fromisoformat(created).astimezone(UTC), datetime.now(UTC))
        return moment.strftime("%Y%m%dT%H%M%S.%fZ").rjust(23, "0")
    except (ValueError, OverflowError):
        return "00010101T000000.000000Z"


def _next_stamp(place: Path) -> str:
    """Give the time, or one microsecond after the newest stamp here where the clock is behind that.

    So reports keep their order when the clock is set back.
    """
    now = time.time_ns() // 1000
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime(now // 1_000_000)) + f".{now % 1_000_000:06d}Z"
    newest = _newest_stamp(place)
    return stamp if stamp > newest else _after(newest)


def _newest_stamp(place: Path) -> str:
    newest = _newest_in(place / INBOX)
    for month in reversed(_months(place)):
        if found := _newest_in(month):
            return max(newest, found)
    return newest


def _newest_in(folder: Path) -> str:
    return max((parts[0] for name in _names(folder) if (parts := name_parts(name))), default="")


def _after(stamp: str) -> str:
    from datetime import datetime, timedelta

    try:
        moment = datetime.strptime(stamp, "%Y%m%dT%H%M%S.%fZ")  # noqa: DTZ007  (UTC in and out)
        return (moment + timedelta(microseconds=1)).strftime("%Y%m%dT%H%M%S.%fZ").rjust(23, "0")
    except (ValueError, OverflowError):
        return stamp


def _months(place: Path) -> list[Path]:
    return sorted(place / REPORTS / name for name in _names(place / REPORTS) if re.fullmatch(r"\d{4}-\d{2}", name))


def _listed(folder: Path) -> list[Path]:
    return [folder / name for name in sorted(_names(folder)) if name.endswith(".json") and not name.startswith(".")]


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except (OSError, ValueError):
        return []
