"""Safe text, widths, wrapping, points and sizes."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from decimal import Decimal

import pytest

from grader.render import plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\ntext", "plain\ntext"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\r\nb\rc", "a\nb\\x0dc"),
        ("\x9b2J", "\\x9b2J"),
        ("\u202eevil", "\\u202eevil"),
        ("a\tb", "a   b"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("پیش\u200cبند 👩\u200d🍳", "پیش\u200cبند 👩\u200d🍳"),
    ],
)
def test_hidden_characters_are_shown_and_others_stay(text: str, shown: str) -> None:
    """Names in any script stay readable; what works in secret becomes visible."""
    assert plain.visible(text) == shown


def test_points_are_written_as_people_write_them() -> None:
    """No exponent, no needless zero, the right number."""
    assert plain.figure(Decimal("0.50")) == "0.5"
    assert plain.figure(Decimal("1E+1")) == "10"
    assert plain.figure(Decimal("-0.0")) == "0"
    assert plain.of_points(Decimal(6), Decimal(10)) == "6 of 10 points"
    assert plain.of_points(Decimal("0.5"), Decimal(1)) == "0.5 of 1 point"


def test_wrapped_text_never_goes_over_the_edge() -> None:
    """Also with words longer than a line, and with characters that take two columns or none."""
    text = "a word and " + "x" * 95 + " 你好" * 20 + " e\u0301" * 40
    lines = plain.wrap(text, 30)
    assert max(plain.width_of(line) for line in lines) <= 30
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert plain.wrap("ab cd", 5, taken=3) == ["ab", "cd"]


def test_wide_and_combining_characters_are_counted_as_a_terminal_does() -> None:
    """Columns, not characters."""
    assert plain.width_of("你好") == 4
    assert plain.width_of("e\u0301") == 1


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize("is_ascii", [False, True])
def test_a_command_with_hidden_characters_still_does_the_same(is_ascii: bool) -> None:
    """What is shown is on one line, safe, and gives bash the very same words."""
    words = ["printf", "%s|", "plain", "two\nlines", "it's \x1b[0m\\n", "né 你", "tab\there", "$HOME `id`"]
    shown = plain.pasteable(shlex.join(words), is_ascii=is_ascii)
    assert shown.isprintable()
    assert shown.isascii() or not is_ascii
    done = subprocess.run(["bash", "-c", shown], capture_output=True, check=True)
    assert done.stdout.decode() == "".join(f"{word}|" for word in words[2:])


def test_a_command_that_is_safe_stays_as_it_is() -> None:
    """Nothing is quoted anew without need."""
    command = "curl -i http://127.0.0.1:8000/dishes -H 'Accept: */*' --data-binary '{\"name\": \"Crème\"}'"
    assert plain.pasteable(command) == command


def test_escapes_in_json_change_no_value() -> None:
    """Hidden characters stand as escapes, and come back as they were."""
    value = {"a\u202e": "\x9b \ufeff \U000e0041 \x1b ok"}
    data = plain.to_json(value)
    assert data.isascii()
    assert json.loads(data) == value


def test_numbers_in_json_are_exact() -> None:
    """Three tenths is 0.3."""
    assert plain.to_json([plain.number(Decimal("0.10") * 3)], indent=0) == b"[0.3]"


def test_fit_takes_the_longest_texts_that_have_room() -> None:
    """Texts shrink only as far as they must."""
    assert len(plain.fit(lambda size: b"x" * size * 10, 50_000)) == 40_000


def test_a_long_line_is_broken_behind_a_blank_and_keeps_every_character() -> None:
    """Indentation alone is no place to break."""
    assert plain.fold("a server that met an error", 20) == ["a server that met ", "an error"]
    assert plain.fold("        " + "x" * 30, 20) == ["        " + "x" * 12, "x" * 18]
    line = "your 你好 request " * 9
    assert "".join(plain.fold(line, 17)) == line
    assert max(map(plain.width_of, plain.fold(line, 17))) <= 17
