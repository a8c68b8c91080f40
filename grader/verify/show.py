"""Proofs for programs: JSON, and JUnit XML for CI. For people, the command writes its own table."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from grader import __version__
from grader.render.plain import visible
from grader.verify.outcome import ABOUT, Finding, Point, Verified

_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_ATTRIBUTE = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;", "\t": "&#9;"})


def to_json(verified: Sequence[Verified]) -> bytes:
    """Write every proof with all that it found."""
    document = {
        "version": 1,
        "grader_version": __version__,
        "is_sound": all(each.is_sound for each in verified),
        "exercises": [{"is_sound": each.is_sound, **msgspec.to_builtins(each)} for each in verified],
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def to_junit(verified: Sequence[Verified]) -> bytes:
    """Write one suite an exercise and one case a point, as CI systems read them."""
    lines = ['<?xml version="1.0" encoding="utf-8"?>']
    points = [point for each in verified for point in each.points]
    failed = sum(point.state == "failed" for point in points)
    errors = sum(len(each.points) for each in verified if each.fault)
    lines.append(f'<testsuites name="verify" tests="{len(points)}" failures="{failed}" errors="{errors}">')
    for each in verified:
        failures = sum(point.state == "failed" for point in each.points)
        skipped = sum(point.state == "not-run" for point in each.points)
        errors = skipped if each.fault else 0
        counts = f'tests="{len(each.points)}" failures="{failures}" errors="{errors}" skipped="{skipped - errors}"'
        lines.append(f'<testsuite name="{_attribute(each.exercise)}" {counts} time="{each.duration_s:.3f}">')
        for point in each.points:
            lines += _case(each, point)
        lines.append("</testsuite>")
    return "\n".join([*lines, "</testsuites>", ""]).encode()


def _case(verified: Verified, point: Point) -> list[str]:
    head = f'<testcase classname="{_attribute(verified.exercise)}" name="{_attribute(f"{point.name}: {ABOUT[point.name]}")}"'
    if point.state == "proven":
        return [f'{head} time="0.000" />']
    if point.state == "not-run" and verified.fault:
        return [f'{head} time="0.000">', f'<error message="{_attribute(point.seen)}" />', "</testcase>"]
    if point.state == "not-run":
        return [f'{head} time="0.000">', f'<skipped message="{_attribute(point.seen)}" />', "</testcase>"]
    findings = [finding for finding in verified.findings if finding.point == point.name]
    told = "\n".join(told_of(finding) for finding in findings)
    if point.name == "machine":
        told += "".join(f"\n\n{survivor.id}\n{survivor.diff}" for survivor in verified.survivors)
    message = findings[0].text if findings else "failed"
    failure = f'<failure message="{_attribute(message)}" type="{point.name}">{_text(told)}</failure>'
    return [f'{head} time="0.000">', failure, "</testcase>"]


def told_of(finding: Finding) -> str:
    """Put a finding into words: place, fact, remedy."""
    remedy = f"\n  remedy: {finding.remedy}" if finding.remedy else ""
    return f"{finding.where}: {finding.text}{remedy}"


def _text(text: str) -> str:
    return visible(text).translate(_TEXT)


def _attribute(text: str) -> str:
    return visible(text).translate(_ATTRIBUTE)
