"""Markdown and code in a terminal. Rich, whose import costs 0.1 s, is imported only where there is colour."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from grader.render.plain import to_ascii, visible, width_of, wrap

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

_NARROWEST = 20
_FENCE = re.compile(r" {0,3}(```+|~~~+)")
_ITEM = re.compile(r"( *(?:[-*+]|\d+[.)]) +)(.*)")
_AS_IT_IS = re.compile(r" {4}|\t|#|\||>|(?:[-*_] *){3,}$")
_BOXES = str.maketrans("•━─│┃▌┏┓┗┛╇┼", "*=-|||++++++")
# The sixteen colours that a terminal's own scheme defines, on its own ground: readable on dark and on light.
_STYLES = {
    "markdown.h1": "bold underline",
    "markdown.h2": "bold",
    "markdown.h3": "bold",
    "markdown.code": "cyan",
    "markdown.item.bullet": "none",
    "markdown.item.number": "none",
    "markdown.link": "underline",
    "markdown.link_url": "underline",
}


def render_markdown(text: str, width: int, colour: bool, *, unicode: bool = True) -> str:
    """Lay Markdown out in at most `width` columns, with a final newline.

    With `colour`, markup becomes bold and colours. Without, it stays as it was written, which reads well, and only
    the paragraphs are wrapped. Code is never wrapped: a command must stay pasteable.
    """
    shown = visible(text)
    width = max(width, _NARROWEST)
    return _tidied(_in_colour(shown, width) if colour else "\n".join(_wrapped(shown, width)), unicode)


def render_code(source: str, file_name: str, *, width: int, colour: bool, unicode: bool = True) -> str:
    """Lay code out, indented by two and never wrapped; its language is told by the file's name."""
    code = visible(source).rstrip("\n")
    if not colour:
        return _tidied("\n".join(f"  {line}".rstrip() for line in code.split("\n")), unicode)
    from rich.padding import Padding
    from rich.syntax import Syntax

    # A line that is too long for the terminal is left to it: broken code can't be copied.
    longest = max(map(width_of, code.split("\n")))
    console, output = _console(max(width, longest + 4))
    syntax = Syntax(code, Syntax.guess_lexer(file_name, code), theme="ansi_dark", background_color="default")
    console.print(Padding(syntax, (0, 0, 0, 2)))
    return _tidied(output.getvalue(), unicode)


def _wrapped(text: str, width: int) -> Iterator[str]:
    paragraph = ""
    fence = ""
    for line in [*text.split("\n"), ""]:
        opening = _FENCE.match(line)
        if fence:
            yield line.rstrip()
            if opening and opening.group(1).startswith(fence):
                fence = ""
            continue
        item = _ITEM.match(line)
        if paragraph and (not line.strip() or opening or item or _AS_IT_IS.match(line)):
            yield from _paragraph(paragraph, width)
            paragraph = ""
        if opening:
            fence = opening.group(1)
            yield line.rstrip()
        elif not line.strip():
            yield ""
        elif not paragraph and not item and _AS_IT_IS.match(line):
            yield from wrap(line.rstrip(), width) if line.startswith("#") else [line.rstrip()]
        else:
            paragraph = f"{paragraph} {line.strip()}" if paragraph else line.rstrip()


def _paragraph(text: str, width: int) -> list[str]:
    item = _ITEM.match(text)
    if item is None:
        return wrap(text.strip(), width)
    lead, rest = item.groups()
    first, *others = wrap(rest, max(width - len(lead), 8))
    return [lead + first, *(" " * len(lead) + line for line in others)]


def _in_colour(text: str, width: int) -> str:
    from rich.markdown import CodeBlock, Heading, Markdown
    from rich.text import Text

    class LeftHeading(Heading):
        """A heading at the left margin: Rich centres it, in a box that takes three lines."""

        def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
            heading = self.text.copy()
            heading.justify = "left"
            yield heading

    class WholeCode(CodeBlock):
        """Code that is never wrapped: Rich would break a long command in two."""

        def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
            lines = str(self.text).rstrip().split("\n")
            code = "\n".join(f"  {line}".rstrip() for line in lines)
            yield Text(code, style="markdown.code", no_wrap=True, overflow="ignore")

    class PlainMarkdown(Markdown):
        """Markdown in the manner of this program."""

        elements = {
            **Markdown.elements,
            "heading_open": LeftHeading,
            "fence": WholeCode,
            "code_block": WholeCode,
        }

    console, output = _console(width)
    # A link whose address can't be seen is of no use where a terminal doesn't open it.
    console.print(PlainMarkdown(text, hyperlinks=False), crop=False)
    return output.getvalue()


def _console(width: int) -> tuple[Console, io.StringIO]:
    from rich.console import Console
    from rich.theme import Theme

    output = io.StringIO()
    console = Console(
        file=output,
        width=width,
        force_terminal=True,
        color_system="standard",
        theme=Theme(_STYLES),
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
        # Only what the caller says decides, not the variables that Rich knows.
        _environ={},
    )
    return console, output


def _tidied(text: str, unicode: bool) -> str:
    lines = "\n".join(line.rstrip() for line in text.split("\n"))
    tidy = re.sub(r"\n{3,}", "\n\n", lines).strip("\n") + "\n"
    if unicode:
        return tidy
    # The escapes that begin a colour are ours: those that the text held are visible already.
    parts = re.split(r"(\x1b\[[0-9;]*m|\n)", tidy.translate(_BOXES))
    return "".join(part if place % 2 else to_ascii(part) for place, part in enumerate(parts))
