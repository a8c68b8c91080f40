"""The report itself: versioned JSON whose schema is `grader.report.schema()`."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from grader.render.plain import escape_json, visible
from grader.report import Report, to_json


def render(report: Report, *, indent: int = 2) -> bytes:
    """Write the whole report; nothing is left out, and hidden characters stand as `\\u` escapes."""
    try:
        data = to_json(report, indent=indent)
    except UnicodeEncodeError:
        data = to_json(_with_visible_text(report), indent=indent)
    return escape_json(data)


def _with_visible_text(report: Report) -> Report:
    """Make half characters (lone surrogates) visible: JSON in UTF-8 can't hold them."""

    def mended(value: object) -> object:
        if isinstance(value, str):
            return visible(value) if any("\ud800" <= character <= "\udfff" for character in value) else value
        if isinstance(value, dict):
            return {mended(key): mended(entry) for key, entry in value.items()}
        if isinstance(value, list):
            return [mended(entry) for entry in value]
        return value

    return msgspec.convert(mended(msgspec.to_builtins(report, builtin_types=(Decimal,))), Report)
