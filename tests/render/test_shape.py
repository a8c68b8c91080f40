"""Nested values as text: taken apart, laid out, compared."""

from __future__ import annotations

import time

import pytest

from grader.render import shape


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[]",
        '{"a": 1, "b": [true, null, "x, y: {z}"]}',
        "{'when': datetime.date(2026, 1, 31), 'price': Decimal('9.50'), (1, 2): {'x'}}",
        "[('Pho', 950), ('Ramen', None)]",
        "('one',)",
        '["a \\" quote", "b"]',
    ],
)
def test_reads_json_and_python_and_writes_the_same(text: str) -> None:
    """Nothing is lost or changed on the way."""
    found = shape.read(text)
    assert found is not None
    assert shape.inline(found) == text
    assert shape.read("\n".join(shape.lines_of(found, inline_columns=0))) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "404",
        "a body in JSON",
        "[draft] not yet",
        "{",
        '{"a": ',
        "{]",
        '["open',
        "[1, 2",
        "[" * 5000,
        "(" * 70 + ")" * 70,
        "{,}",
        '{"id": 1, }',
        "[1, 2,]",
        "(1, 2,)",
    ],
)
def test_anything_else_is_no_shape(text: str) -> None:
    """Prose, halves of values, commas too many and towers of brackets are left alone."""
    assert shape.read(text) is None


def test_only_what_differs_is_told_with_what_stands_around_it() -> None:
    """Key order is no difference, and neither is a comma at a line's end."""
    expected = '{"id": 41, "price": 950, "tags": ["a", "b", "c", "d", "e"], "name": "Pho"}'
    got = '{"name": "Pho", "tags": ["a", "b", "c", "d", "e"], "price": 9.5, "id": 41}'
    found = shape.difference(expected, got)
    assert found is not None
    assert [line.text for line in found if line.sign == "-"] == ['  "price": 950,']
    assert [line.text for line in found if line.sign == "+"] == ['  "price": 9.5,']
    assert any(line.sign == "…" for line in found)


def test_a_missing_entry_at_the_end_is_one_line() -> None:
    """The comma that the line before loses is not told."""
    found = shape.difference("[1, 2, 3]", "[1, 2]")
    assert found is not None
    assert [(line.sign, line.text) for line in found if line.sign in "-+"] == [("-", "  3")]


def test_equal_or_unlike_texts_have_no_difference() -> None:
    """Where there is nothing to show side by side, there is no diff."""
    assert shape.difference('{"a": 1, "b": 2}', '{"b": 2, "a": 1}') is None
    assert shape.difference("404", "[1]") is None


def test_a_hostile_value_costs_little_time() -> None:
    """A learner can't make the grader busy with a large answer."""
    many = "[" + ", ".join("[[], {}]" for _ in range(20_000)) + "]"
    started = time.process_time()
    assert shape.difference(many, many + " ") is None
    wide = "[" + ", ".join("0" for _ in range(590)) + "]"
    other = "[" + ", ".join("01"[place % 2] for place in range(590)) + "]"
    assert shape.difference(wide, other) is not None
    assert time.process_time() - started < 5
