"""Lines on stdout: wrapped to the terminal, coloured where it shows colour, in ASCII where it shows no more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click

from grader.cli.common import has_colour, has_unicode, width
from grader.render.called import as_called, command_as_called
from grader.render.plain import to_ascii, width_of, wrap_whole

BOLD, DIM, RED, GREEN, YELLOW = "1", "2", "31", "32", "33"


class Page:
    """Writes to stdout line by line, each as it is given."""

    def __init__(self) -> None:
        self.width = max(width(), 20)
        self.has_colour = has_colour()
        self.has_unicode = has_unicode()

    def paint(self, text: str, *codes: str) -> str:
        """Give the text in a style, where there is colour."""
        return f"\x1b[{';'.join(codes)}m{text}\x1b[0m" if self.has_colour and codes and text.strip() else text

    def plain(self, text: str) -> str:
        """Give the text in what the terminal can show."""
        return text if self.has_unicode else to_ascii(text)

    def line(self, text: str = "", *codes: str) -> None:
        """Write one line that is known to fit, or must not be broken."""
        click.echo(self.paint(self.plain(text).rstrip(), *codes), color=True)

    def parts(self, *parts: tuple[str, str]) -> None:
        """Write one line of pieces, each with its own style (a code, or empty)."""
        painted = (self.paint(self.plain(text), *([code] if code else [])) for text, code in parts)
        click.echo("".join(painted).rstrip(), color=True)

    def prose(self, text: str, *codes: str, indent: str = "") -> None:
        """Write a paragraph, broken between words; an address of the web is never broken."""
        for line in wrap_whole(self.plain(as_called(text)), self.width - len(indent)):
            self.line(indent + line, *codes)

    def commands(self, rows: Sequence[tuple[str, str]], *, indent: str = "  ") -> None:
        """Write commands with what each is for; below each other where both don't fit on a line."""
        rows = [(command_as_called(command), about) for command, about in rows]
        most = max(len(command) for command, _ in rows)
        for command, about in rows:
            room = self.width - len(indent) - most - 3
            if width_of(about) <= room:
                self.parts((f"{indent}{command:<{most}}   ", BOLD), (about, ""))
            else:
                self.line(indent + command, BOLD)
                self.prose(about, indent=indent + "  ")


def column(texts: Iterable[str]) -> int:
    """Give the width of a column that holds the texts."""
    return max((width_of(text) for text in texts), default=0)


def padded(text: str, width: int, *, right: bool = False) -> str:
    """Fill a text up to a width."""
    gap = " " * max(width - width_of(text), 0)
    return gap + text if right else text + gap
