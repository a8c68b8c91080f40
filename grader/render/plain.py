"""Text that is safe to show: hidden characters made visible, widths, points in words, sizes kept within bounds.

What a learner's code printed or answered can hold anything: terminal commands, characters that XML forbids,
text that turns the reading direction round. Every output passes it through `visible` or `one_line` first.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from functools import cache
from typing import Any

import msgspec

# Control characters (C0 without tab and newline, DEL, C1), soft hyphen, characters that are invisible or change the
# direction of reading, line separators, surrogates, the two that XML 1.0 forbids, and the invisible tag characters.
# The joiners U+200C and U+200D stay: names in Persian and Hindi, and many emoji, need them.
_HIDDEN_RANGES = (
    (0x00, 0x08),
    (0x0B, 0x1F),
    (0x7F, 0x9F),
    (0xAD, 0xAD),
    (0x61C, 0x61C),
    (0x180E, 0x180E),
    (0x200B, 0x200B),
    (0x200E, 0x200F),
    (0x2028, 0x202E),
    (0x2060, 0x206F),
    (0xD800, 0xDFFF),
    (0xFEFF, 0xFEFF),
    (0xFFF9, 0xFFFB),
    (0xFFFE, 0xFFFF),
    (0xE0000, 0xE007F),
)
_HIDDEN = re.compile("[" + "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in _HIDDEN_RANGES) + "]")
_OUR_SIGNS = str.maketrans({"…": "...", "→": "->", "✓": "ok", "✗": "x", "“": '"', "”": '"'})
# A command in backticks is one word where it isn't very long.
_WORD = re.compile(r"(?:[^\s`]*`[^`]{1,54}`[^\s`]*)+|\S+")
# How far from the edge a long line of code may be broken rather than within a word.
_NEAR = 16
_SIZES = (65_000, 16_000, 4_000, 1_000, 250, 60)

_encoder = msgspec.json.Encoder(decimal_format="number")


def visible(text: str) -> str:
    """Make every hidden character visible as an escape such as `\\x1b`; newlines stay, tabs become spaces."""
    if text.isascii() and text.isprintable():
        return text
    text = text.replace("\r\n", "\n").expandtabs(4)
    return text if _HIDDEN.search(text) is None else text.translate(_escapes())


def one_line(text: str, limit: int = 500) -> str:
    """Make `text` visible and put it on one line of at most `limit` characters."""
    # Cut before the work as well: the text can be a mebibyte.
    return cut(visible(text[: limit + 1]).strip("\n").replace("\n", "\\n"), limit)


def cut(text: str, limit: int) -> str:
    """Keep the first `limit` characters; an ellipsis is the last of them where something was left out."""
    return text if len(text) <= limit else text[: max(limit - 1, 0)] + "…"


def tail(text: str, limit: int) -> str:
    """Keep the last `limit` characters; an ellipsis is the first of them where something was left out."""
    return text if len(text) <= limit else "…" + text[len(text) - max(limit - 1, 0) :]


def to_ascii(text: str) -> str:
    """Put `text` in ASCII: our own signs have a plain form, any other character becomes an escape."""
    return text.translate(_OUR_SIGNS).encode("ascii", "backslashreplace").decode("ascii")


def pasteable(command: str, *, is_ascii: bool = False) -> str:
    """Put a shell command on one line that is safe to show and still does the same when pasted.

    Words with hidden characters are written as `$'...'`, which bash, zsh and ksh know; with `is_ascii` those with
    characters beyond ASCII too.
    """
    if not _needs_quoting(command, is_ascii):
        return command
    import shlex

    try:
        words = shlex.split(command)
    except ValueError:
        return one_line(command, len(command) + 1)
    return " ".join(_quoted(word) if _needs_quoting(word, is_ascii) else shlex.quote(word) for word in words)


def _needs_quoting(text: str, is_ascii: bool) -> bool:
    if text.isascii():
        return not text.isprintable()
    return is_ascii or "\n" in text or "\t" in text or _HIDDEN.search(text) is not None


def _quoted(word: str) -> str:
    plain = {"\n": "\\n", "\t": "\\t", "'": "\\'", "\\": "\\\\"}
    parts: list[str] = []
    for character in word:
        if character in plain:
            parts.append(plain[character])
        elif character.isascii() and character.isprintable():
            parts.append(character)
        else:
            parts += [f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogatepass")]
    return f"$'{''.join(parts)}'"


@cache
def _escapes() -> dict[int, str]:
    # A table is six times as fast as a function for each match, and learners print binary files.
    return {code: _escape(code) for first, last in _HIDDEN_RANGES for code in range(first, last + 1)}


def _escape(code: int) -> str:
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def width_of(text: str) -> int:
    """Count the columns that `text` takes in a terminal."""
    if text.isascii():
        return len(text)
    return sum(map(_columns, text))


def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def fold(line: str, width: int) -> list[str]:
    """Break one line after at most `width` columns, behind a blank where one is near; no character is lost."""
    if width_of(line) <= width:
        return [line]
    pieces: list[str] = []
    piece, used = "", 0
    for character in line:
        columns = _columns(character)
        if used + columns > width and piece:
            blank = piece.rfind(" ", len(piece) - _NEAR) + 1
            at = blank if piece[:blank].strip() else len(piece)
            pieces.append(piece[:at])
            piece = piece[at:]
            used = width_of(piece)
        piece += character
        used += columns
    return [*pieces, piece]


def wrap(text: str, width: int, *, taken: int = 0) -> list[str]:
    """Break prose between words into lines of at most `width` columns; a word that is longer is broken itself.

    `taken` columns of the first line are used already.
    """
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split(" "):
            room = width - (0 if lines else taken)
            joined = f"{line} {word}" if line else word
            if width_of(joined) <= room:
                line = joined
                continue
            if line:
                lines.append(line)
            *whole, line = fold(word, width - (0 if lines else taken))
            lines += whole
        lines.append(line)
    return lines


def _words(text: str, width: int) -> Iterator[str]:
    for word in _WORD.findall(text):
        yield from [word] if width_of(word) <= width else word.split()


def wrap_whole(text: str, width: int) -> list[str]:
    """Break prose between words; what stands in backticks and a longer word stay whole, for they get copied."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = paragraph[: len(paragraph) - len(paragraph.lstrip(" "))]
        is_empty = True
        for word in _words(paragraph, width):
            if not is_empty and width_of(line) + 1 + width_of(word) > width:
                lines.append(line)
                line, is_empty = "", True
            line += word if is_empty else f" {word}"
            is_empty = False
        lines.append(line)
    return lines


def figure(points: Decimal) -> str:
    """Write points without exponent and without needless zeros: `0.5`, `10`."""
    return format(points.normalize(), "f") if points else "0"


def number(points: Decimal) -> Decimal:
    """Give points in the shortest form that JSON writes as a plain number."""
    return Decimal(figure(points))


def of_points(points: Decimal, points_max: Decimal) -> str:
    """Say points in words: `6 of 10 points`."""
    return f"{figure(points)} of {figure(points_max)} point{'' if points_max == 1 else 's'}"


def counted(amount: int, noun: str, plural: str = "") -> str:
    """Say an amount in words: `1 test`, `3 tests`, `1,204 bytes`."""
    return f"{amount:,} {noun if amount == 1 else plural or noun + 's'}"


def listed(words: Iterable[str]) -> str:
    """Join words as in a sentence: `a, b and c`."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def to_json(value: Any, *, indent: int = 2) -> bytes:
    """Give `value` as UTF-8 JSON without a final newline; hidden characters stand as `\\u` escapes."""
    data = _encoder.encode(value)
    return escape_json(msgspec.json.format(data, indent=indent) if indent else data)


def escape_json(data: bytes) -> bytes:
    """Write the hidden characters in JSON text as `\\u` escapes, which changes no value."""
    # Outside of strings JSON is ASCII, so what is found here is always inside one.
    # A newline of the layout is not among the hidden ones, and inside a string it is escaped already.
    return _HIDDEN.sub(_escape_json, data.decode()).encode()


def _escape_json(match: re.Match[str]) -> str:
    units = match.group().encode("utf-16-be")
    return "".join(f"\\u{units[place]:02x}{units[place + 1]:02x}" for place in range(0, len(units), 2))


def fit(build: Callable[[int], bytes], limit_bytes: int) -> bytes:
    """Build an output with texts as long as they can be within `limit_bytes`.

    `build` takes the most characters that any one text may have.
    """
    for size in _SIZES:
        output = build(size)
        if len(output) <= limit_bytes:
            break
    return output
