"""The history as bytes: JSON that can be taken in again, CSV for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Literal

import msgspec

from grader.error import DamagedReport
from grader.store import inbox
from grader.store.error import RefusedImport
from grader.store.hint import Hint
from grader.store.inbox import Entry
from grader.store.summary import Summary


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """A whole history. `format` grows when its shape changes."""

    kind: Literal["kata-grader-history"] = "kata-grader-history"
    format: Literal[1] = 1
    reports: list[msgspec.Raw]
    hints: list[msgspec.Raw] = []


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One report of an export, in its own JSON."""

    stamp: str
    learner: str = ""
    report: msgspec.Raw


class Parcel(msgspec.Struct, frozen=True):
    """What an export was found to hold; `refused` says of each unusable part which and why."""

    entries: list[Entry]
    hints: list[Hint]
    refused: list[str]


def to_json(lines: Iterable[Line], hints: Iterable[Hint]) -> bytes:
    """Give everything as JSON."""
    export = Export(
        reports=[msgspec.Raw(msgspec.json.encode(line)) for line in lines],
        hints=[msgspec.Raw(msgspec.json.encode(hint)) for hint in hints],
    )
    return msgspec.json.encode(export) + b"\n"


def to_csv(summaries: Iterable[Summary]) -> bytes:
    """Give one line for each report, with a line of names before."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(Summary.__struct_fields__)
    for summary in summaries:
        writer.writerow([_cell(getattr(summary, name)) for name in Summary.__struct_fields__])
    return text.getvalue().encode()


def from_json(data: bytes) -> Parcel:
    """Read an export, or one single report.

    Raises:
        RefusedImport: the bytes are neither.
    """
    try:
        export = msgspec.json.decode(data, type=Export)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return _single(data, error)
    parcel = Parcel([], [], [])
    for number, raw in enumerate(export.reports, 1):
        try:
            parcel.entries.append(_entry(raw))
        except (msgspec.MsgspecError, UnicodeDecodeError, DamagedReport) as error:
            parcel.refused.append(f"report {number}: {error}")
    for number, raw in enumerate(export.hints, 1):
        try:
            parcel.hints.append(msgspec.json.decode(raw, type=Hint))
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            parcel.refused.append(f"hint {number}: {error}")
    return parcel


def _entry(raw: msgspec.Raw) -> Entry:
    line = msgspec.json.decode(raw, type=Line)
    body = bytes(line.report)
    if inbox.is_newer(body):
        raise DamagedReport("a newer grader made it: update the grader, then import again")
    entry = inbox.decode(body)
    stamp = line.stamp if inbox.is_stamp(line.stamp) else entry.stamp
    return Entry(stamp=stamp, learner=line.learner, report=entry.report)


def _single(data: bytes, error: Exception) -> Parcel:
    if inbox.is_newer(data):
        raise RefusedImport("a newer grader made this report", hint="update the grader, then import again")
    try:
        return Parcel([inbox.decode(data)], [], [])
    except DamagedReport:
        pass
    if data[:1] not in (b"{", b"["):
        raise RefusedImport(
            "this is not the JSON of a history or of a report",
            hint="`grade history --export json` makes it; CSV holds the scores only and can't be taken in",
        ) from error
    raise RefusedImport(f"this is not the JSON of a history or of a report: {error}") from error


def _cell(value: object) -> str:
    text = str(value)
    # A spreadsheet runs a cell that begins like a formula; names of learners and titles come from others.
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    return text.lstrip("-").replace(".", "", 1).isdecimal()
