"""The lines on which the keys of a TOML document stand, which `tomllib` doesn't tell."""

from __future__ import annotations

import re
import tomllib

Place = tuple[str | int, ...]

_SPACE = re.compile(r"[ \t]*")
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"""(?!")'
    r"|'''.*?'''(?!')"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}\n#]*")


def toml_lines(source: str) -> dict[Place, int]:
    """Give the 1-based line of every table, key and list item of a valid document, by its path.

    The second `[[tasks]]` is `("tasks", 1)`, the third item of its hints `("tasks", 1, "hints", 2)`.
    """
    scanner = _Scanner(source)
    try:
        scanner.document()
    except IndexError:
        pass  # not valid after all: what was found until here is still true
    return scanner.lines


class _Scanner:
    """Walks once over the text; each method starts at `_at` and leaves it behind what it read."""

    def __init__(self, text: str) -> None:
        self.lines: dict[Place, int] = {}
        self._text = text
        self._at = 0
        self._line = 1
        self._counted_to = 0
        self._sizes: dict[Place, int] = {}

    def document(self) -> None:
        table: Place = ()
        self._skip(_BLANK)
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip(_BLANK)

    def _header(self) -> Place:
        line = self._here()
        is_list = self._text.startswith("[[", self._at)
        self._at += 2 if is_list else 1
        place: Place = ()
        keys = self._key()
        for number, key in enumerate(keys, start=1):
            place += (key,)
            if is_list and number == len(keys):
                self._sizes[place] = self._sizes.get(place, 0) + 1
            self.lines.setdefault(place, line)
            if place in self._sizes:
                place += (self._sizes[place] - 1,)
        self.lines.setdefault(place, line)
        self._at += 2 if is_list else 1
        return place

    def _pair(self, table: Place) -> None:
        line = self._here()
        place = table
        for key in self._key():
            place += (key,)
            self.lines.setdefault(place, line)
        self._at += 1  # the `=`
        self._value(place)

    def _key(self) -> list[str]:
        keys: list[str] = []
        while True:
            self._skip(_SPACE)
            if self._text[self._at] in "\"'":
                keys.append(tomllib.loads(f"key = {self._take(_STRING)}")["key"])
            else:
                keys.append(self._take(_BARE_KEY))
            self._skip(_SPACE)
            if self._text[self._at] != ".":
                return keys
            self._at += 1

    def _value(self, place: Place) -> None:
        self._skip(_SPACE)
        opening = self._text[self._at]
        if opening in "\"'":
            self._skip(_STRING)
        elif opening in "[{":
            self._members(place, "]" if opening == "[" else "}")
        else:
            self._skip(_SCALAR)

    def _members(self, place: Place, closing: str) -> None:
        self._at += 1
        number = 0
        self._skip(_BLANK)
        while self._text[self._at] != closing:
            if closing == "]":
                self.lines[(*place, number)] = self._here()
                self._value((*place, number))
                number += 1
            else:
                self._pair(place)
            self._skip(_BLANK)
            if self._text[self._at] == ",":
                self._at += 1
                self._skip(_BLANK)
        self._at += 1

    def _here(self) -> int:
        self._line += self._text.count("\n", self._counted_to, self._at)
        self._counted_to = self._at
        return self._line

    def _take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        if found is None or not found[0]:
            raise IndexError
        self._at = found.end()
        return found[0]

    def _skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self._text, self._at)
        if found is None:
            raise IndexError
        self._at = found.end()
