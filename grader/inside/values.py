"""Python values as JSON, for the calls that cross from one box to the other.

Plain JSON stays as it is; a list is a list; everything else is an object with one key that names the type:
`{"dict": [[key, value], ...]}`, `{"tuple": [...]}`, `{"set": [...]}`, `{"decimal": "1.10"}`, `{"date": "2026-01-31"}`,
`{"datetime": ...}`, `{"time": ...}`, `{"timedelta": [days, seconds, microseconds]}`, `{"bytes": base64}`, `{"float": "nan"}`,
`{"int": "..."}` (beyond 53 bits), `{"special": "session"}`, and `{"opaque": [type, text]}` for what has no such form.
Decoding makes builtins only, so what a learner's class says of its own equality never counts.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

MAX_DEPTH = 40
MAX_NODES = 200_000
MAX_TEXT = 1024 * 1024
MAX_DIGITS = 1000
"""Of a decimal number. Written out, `1e999999999` would fill the memory of whoever rounds it."""


class Unreadable(Exception):
    """The value is too large, too deep, or not in the form of this module."""


@dataclass(frozen=True)
class Opaque:
    """A value of a type that does not cross: its type's name and its `repr`, cut."""

    type: str
    text: str


@dataclass(frozen=True)
class Special:
    """Something that only exists in the solution box: `session` or `connection`."""

    name: str

    def __repr__(self) -> str:
        return self.name  # as it stands in the transcript of a call


class _Budget:
    def __init__(self) -> None:
        self.nodes = 0

    def spend(self, depth: int) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise Unreadable(f"more than {MAX_NODES} values")
        if depth > MAX_DEPTH:
            raise Unreadable(f"nested more than {MAX_DEPTH} deep")


def encode(value: Any) -> Any:
    """Give the JSON form of a value.

    Raises:
        Unreadable: it is too large or too deep.
    """
    return _encode(value, 0, _Budget())


def _encode(value: Any, depth: int, budget: _Budget) -> Any:
    budget.spend(depth)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        number = int(value)
        return number if abs(number) < 2**53 else {"int": _digits(number)}
    if isinstance(value, float):
        number_f = float(value)
        return number_f if math.isfinite(number_f) else {"float": repr(number_f)}
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            raise Unreadable(f"a text of {len(value)} characters")
        return str.__str__(value)
    if isinstance(value, (bytes, bytearray)):
        return {"bytes": base64.b64encode(bytes(value)).decode("ascii")}
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    if isinstance(value, datetime):
        return {"datetime": value.isoformat()}
    if isinstance(value, date):
        return {"date": value.isoformat()}
    if isinstance(value, time):
        return {"time": value.isoformat()}
    if isinstance(value, timedelta):
        return {"timedelta": [value.days, value.seconds, value.microseconds]}
    if isinstance(value, Special):
        return {"special": value.name}
    if isinstance(value, Opaque):
        return {"opaque": [value.type, value.text]}
    if isinstance(value, tuple) or type(value).__module__.startswith("sqlalchemy.engine.row"):
        return {"tuple": [_encode(item, depth + 1, budget) for item in value]}
    if isinstance(value, list) or _is_rows(value):
        return [_encode(item, depth + 1, budget) for item in value]
    if isinstance(value, (set, frozenset)):
        return {"set": [_encode(item, depth + 1, budget) for item in value]}
    if isinstance(value, Mapping):
        return {
            "dict": [[_encode(key, depth + 1, budget), _encode(item, depth + 1, budget)] for key, item in value.items()]
        }
    return {"opaque": [type(value).__qualname__[:100], repr(value)[:300]]}


def _digits(number: int) -> str:
    try:
        return str(number)
    except ValueError:  # beyond Python's own limit of digits
        raise Unreadable("a number of thousands of digits") from None


def _decimal(text: str) -> Decimal:
    number = Decimal(text[: 2 * MAX_DIGITS])
    if number.is_finite() and not (len(text) < MAX_DIGITS and -MAX_DIGITS < number.adjusted() < MAX_DIGITS):
        raise Unreadable(f"a decimal number of more than {MAX_DIGITS} digits")
    return number


def _is_rows(value: Any) -> bool:
    """A SQLAlchemy result that the learner returned without reading it: its rows are what was meant."""
    return type(value).__module__.startswith("sqlalchemy.engine") and hasattr(value, "fetchall")


def decode(data: Any) -> Any:
    """Read the JSON form of a value.

    Raises:
        Unreadable: `data` isn't of that form, too large or too deep.
    """
    try:
        return _decode(data, 0, _Budget())
    except Unreadable:
        raise
    except (ValueError, TypeError, ArithmeticError, KeyError, IndexError) as error:
        raise Unreadable(str(error)) from None


def _decode(data: Any, depth: int, budget: _Budget) -> Any:
    budget.spend(depth)
    if data is None or isinstance(data, (bool, int, float, str)):
        return data
    if isinstance(data, list):
        return [_decode(item, depth + 1, budget) for item in data]
    if not isinstance(data, dict) or len(data) != 1:
        raise Unreadable("not a value")
    ((kind, body),) = data.items()
    if kind == "dict":
        return {_decode(key, depth + 1, budget): _decode(item, depth + 1, budget) for key, item in body}
    if kind in ("tuple", "set"):
        items = [_decode(item, depth + 1, budget) for item in body]
        return tuple(items) if kind == "tuple" else set(items)
    if kind == "opaque":
        return Opaque(str(body[0])[:100], str(body[1])[:300])
    if kind == "special":
        return Special(str(body))
    if kind == "timedelta":
        return timedelta(*map(int, body))
    if kind == "bytes":
        return base64.b64decode(str(body), validate=True)
    readers: dict[str, Any] = {
        "decimal": _decimal,
        "datetime": datetime.fromisoformat,
        "date": date.fromisoformat,
        "time": time.fromisoformat,
        "float": float,
        "int": int,
    }
    if kind not in readers:
        raise Unreadable(f"no type `{kind[:40]}`")
    return readers[kind](str(body))
