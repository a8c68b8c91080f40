"""An exercise's README in a terminal."""

from __future__ import annotations

import re

import pytest

from grader.render.markdown_terminal import render_code, render_markdown
from grader.render.plain import width_of

TEXT = """# Find one dish

A guest points at the menu and asks the waiter about one dish. The waiter knows every
dish by `its number`, see [the docs](https://docs.example/x).

- A dish on the menu is answered 200, with everything that the menu says about it.
- Another.

1. Number one is a long item that has to be wrapped somewhere, surely.

```
curl -i http://127.0.0.1:8000/dishes/12 -H 'Accept: application/json' --data-binary '{"a": 1}'
```

\x1b[31mred 你好
"""
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.parametrize("width", [40, 60, 100])
@pytest.mark.parametrize("colour", [False, True])
def test_keeps_within_the_width_but_for_code(width: int, colour: bool) -> None:
    """A command stays whole, so that it can be pasted."""
    lines = ESCAPES.sub("", render_markdown(TEXT, width, colour)).split("\n")
    long = [line for line in lines if width_of(line) > width]
    assert all("curl -i" in line for line in long)
    assert any("curl -i" in line and line.endswith("'{\"a\": 1}'") for line in lines)


def test_without_colour_there_is_no_escape_and_markup_stays() -> None:
    """Piped or printed, it reads as it was written."""
    text = render_markdown(TEXT, 60, False)
    assert "\x1b" not in text
    assert "`its number`" in text
    assert "# Find one dish" in text
    assert "\\x1b[31mred 你好" in text


def test_with_colour_only_colours_are_sent() -> None:
    """No other escape reaches the terminal, and addresses of links can be seen."""
    text = render_markdown(TEXT, 60, True)
    assert "\x1b[" in text
    assert "\x1b" not in ESCAPES.sub("", text)
    assert "https://docs.example/x" in ESCAPES.sub("", text).replace("\n", "")


@pytest.mark.parametrize("colour", [False, True])
def test_a_terminal_without_unicode_gets_ascii(colour: bool) -> None:
    """Bullets become stars, other characters escapes."""
    text = render_markdown(TEXT, 60, colour, unicode=False)
    assert text.isascii()
    assert "\\u4f60" in text


def test_a_long_item_is_indented_under_its_first_line() -> None:
    """A list stays a list."""
    assert "- A dish on the menu is answered\n  200, with" in render_markdown(TEXT, 34, False)


@pytest.mark.parametrize("colour", [False, True])
def test_code_keeps_its_lines_and_blanks(colour: bool) -> None:
    """What is copied from the screen is the code, indented by two."""
    code = "def menu():\n    return [\n" + " " * 8 + "'" + "x" * 90 + "',\n    ]\n"
    shown = ESCAPES.sub("", render_code(code, "app.py", width=60, colour=colour))
    assert shown == "".join(f"  {line}\n" for line in code.splitlines())


def test_code_without_unicode_is_ascii_with_its_colours() -> None:
    """Colours stay escapes, characters become them."""
    shown = render_code("name = 'Zoë'", "app.py", width=60, colour=True, unicode=False)
    assert shown.isascii()
    assert "Zo\\xeb" in ESCAPES.sub("", shown)
    assert "\x1b" not in ESCAPES.sub("", shown)
