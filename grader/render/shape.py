"""Nested values that come as text, JSON or Python's own notation, as lines; and what differs between two of them.

The text is only taken apart at its brackets, commas, colons and quotes. Nothing is evaluated.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

MAX_CHARACTERS = 200_000
MAX_DEPTH = 60
MAX_NODES = 5_000
MAX_DIFF_LINES = 600
LEAF_CHARACTERS = 240

_CLOSES = {"{": "}", "[": "]", "(": ")"}


class Branch(NamedTuple):
    """A container: its two brackets, and its entries in order as key (or `None`) and value."""

    opens: str
    entries: list[tuple[str | None, Branch | str]]


class DiffLine(NamedTuple):
    """One line of a diff: ` ` for both, `-` for what was expected, `+` for what came, `…` for lines left out."""

    sign: str
    text: str


class _NoShapeError(Exception):
    """The text is not a nested value, or larger than what is read."""


def is_json(text: str) -> bool:
    """Say whether a text is JSON to the letter."""
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return False
    return True


def read(text: str) -> Branch | None:
    """Take a text apart; `None` where it isn't one container in JSON or Python notation."""
    text = text.strip()
    if not text or text[0] not in _CLOSES or len(text) > MAX_CHARACTERS:
        return None
    reader = _Reader(text)
    try:
        found = reader.value(0)
        reader.skip_space()
    except (_NoShapeError, IndexError):
        return None
    return found if isinstance(found, Branch) and reader.place == len(text) else None


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0
        self.nodes = 0

    def skip_space(self) -> None:
        while self.place < len(self.text) and self.text[self.place].isspace():
            self.place += 1

    def value(self, depth: int) -> Branch | str:
        self.nodes += 1
        if depth > MAX_DEPTH or self.nodes > MAX_NODES:
            raise _NoShapeError
        self.skip_space()
        if self.text[self.place] in _CLOSES:
            return self.branch(depth)
        return self.leaf()

    def branch(self, depth: int) -> Branch:
        opens = self.text[self.place]
        closes = _CLOSES[opens]
        self.place += 1
        entries: list[tuple[str | None, Branch | str]] = []
        self.skip_space()
        while self.text[self.place] != closes:
            entry = self.value(depth + 1)
            self.skip_space()
            key = None
            if opens == "{" and self.text[self.place] == ":":
                self.place += 1
                key = entry if isinstance(entry, str) else " ".join(inline(entry).split())
                entry = self.value(depth + 1)
                self.skip_space()
            entries.append((key, entry))
            if self.text[self.place] == ",":
                self.place += 1
                self.skip_space()
                # Only a tuple of one may end so. Elsewhere it may be the very error, which laying out anew would hide.
                if self.text[self.place] == closes and (opens != "(" or len(entries) > 1):
                    raise _NoShapeError
            elif self.text[self.place] != closes:
                raise _NoShapeError
        self.place += 1
        return Branch(opens, entries)

    def leaf(self) -> str:
        start = self.place
        open_brackets: list[str] = []
        while self.place < len(self.text):
            character = self.text[self.place]
            if character in "\"'":
                self.skip_string(character)
                continue
            if character in _CLOSES:
                open_brackets.append(_CLOSES[character])
            elif open_brackets and character == open_brackets[-1]:
                open_brackets.pop()
            elif not open_brackets and character in ",:]})":
                break
            self.place += 1
        found = self.text[start : self.place].strip()
        if not found or open_brackets:
            raise _NoShapeError
        return found

    def skip_string(self, quote: str) -> None:
        self.place += 1
        while self.text[self.place] != quote:
            self.place += 2 if self.text[self.place] == "\\" else 1
        self.place += 1


def inline(value: Branch | str) -> str:
    """Write a value on one line."""
    if isinstance(value, str):
        return value
    parts = (inline(entry) if key is None else f"{key}: {inline(entry)}" for key, entry in value.entries)
    inside = ", ".join(parts)
    if value.opens == "(" and len(value.entries) == 1:
        inside += ","
    return f"{value.opens}{inside}{_CLOSES[value.opens]}"


def lines_of(value: Branch | str, *, inline_columns: int = 60) -> list[str]:
    """Write a value on lines; a container that fits in `inline_columns` stands on one (0: none but the empty)."""
    return _lines(value, "", "", inline_columns)


def _lines(value: Branch | str, indent: str, lead: str, inline_columns: int) -> list[str]:
    if isinstance(value, str) or not value.entries:
        text = inline(value)
        if len(text) > LEAF_CHARACTERS:
            text = text[:LEAF_CHARACTERS] + "…"
        return [indent + lead + text]
    if inline_columns:
        whole = indent + lead + inline(value)
        if len(whole) <= inline_columns:
            return [whole]
    lines = [indent + lead + value.opens]
    for key, entry in value.entries:
        inner = _lines(entry, indent + "  ", "" if key is None else f"{key}: ", inline_columns)
        inner[-1] += ","
        lines += inner
    lines[-1] = lines[-1].removesuffix(",")
    return [*lines, indent + _CLOSES[value.opens]]


def in_order_of(value: Branch | str, model: Branch | str) -> Branch | str:
    """Put the keys of `value` in the order that they have in `model`, so that order alone is no difference."""
    if isinstance(value, str) or isinstance(model, str) or value.opens != model.opens:
        return value
    if any(key is None for key, _ in value.entries):
        paired = zip(value.entries, [*model.entries, *value.entries][: len(value.entries)], strict=False)
        return Branch(value.opens, [(key, in_order_of(entry, like)) for (key, entry), (_, like) in paired])
    found = dict(value.entries)
    entries: list[tuple[str | None, Branch | str]] = []
    for key, like in model.entries:
        if key in found:
            entries.append((key, in_order_of(found.pop(key), like)))
    return Branch(value.opens, entries + list(found.items()))


def difference(expected: str, got: str, *, context: int = 2) -> list[DiffLine] | None:
    """Give what differs between two nested values, with `context` lines around it.

    `None` where one of the two is no nested value, where both are written the same, or where they are too large.
    """
    wanted, found = read(expected), read(got)
    if wanted is None or found is None:
        return None
    before = lines_of(wanted, inline_columns=0)
    after = lines_of(in_order_of(found, wanted), inline_columns=0)
    if before == after or max(len(before), len(after)) > MAX_DIFF_LINES:
        return None
    import difflib  # 10 ms, needed only where a test failed

    # A comma at a line's end says only that another line follows: it is no difference.
    matcher = difflib.SequenceMatcher(
        None, [line.removesuffix(",") for line in before], [line.removesuffix(",") for line in after], autojunk=False
    )
    result: list[DiffLine] = []
    end = 0
    for group in matcher.get_grouped_opcodes(context):
        start = group[0][1]
        result += _left_out(before[end:start])
        for tag, old_start, old_end, new_start, new_end in group:
            if tag == "equal":
                result += [DiffLine(" ", line) for line in before[old_start:old_end]]
            else:
                result += [DiffLine("-", line) for line in before[old_start:old_end]]
                result += [DiffLine("+", line) for line in after[new_start:new_end]]
        end = group[-1][2]
    return result + _left_out(before[end:])


def _left_out(lines: list[str]) -> list[DiffLine]:
    # A note in place of a single line would save nothing.
    if len(lines) < 2:
        return [DiffLine(" ", line) for line in lines]
    return [DiffLine("…", f"{len(lines)} lines the same")]
