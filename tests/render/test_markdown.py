"""Markdown whose structure no learner can change."""

from __future__ import annotations

import re

import pytest

from grader.render import markdown, render
from tests.render import sample


def tokens(name: str) -> list[object]:
    """The tokens of a sample report, by a CommonMark parser with tables."""
    parser = pytest.importorskip("markdown_it").MarkdownIt("commonmark").enable("table")
    found = parser.parse(render(sample.ALL[name](), "markdown").decode())
    return [*found, *(child for token in found for child in token.children or [])]


@pytest.mark.parametrize("name", sample.ALL)
def test_there_is_no_link_no_image_and_no_foreign_html(name: str) -> None:
    """Whatever a learner printed."""
    found = tokens(name)
    kinds = {getattr(token, "type", "") for token in found}
    assert not kinds & {"link_open", "image", "html_block"}
    html = {getattr(token, "content", "") for token in found if getattr(token, "type", "") == "html_inline"}
    assert html <= {"<sub>", "</sub>", "<!-- -->"}


def test_headings_and_tables_are_ours() -> None:
    """A learner's output adds neither."""
    hostile = tokens("hostile")
    headings = [token for token in hostile if getattr(token, "type", "") == "heading_open"]
    tables = [token for token in hostile if getattr(token, "type", "") == "table_open"]
    assert len(headings) == 2
    assert len(tables) == 2


def test_says_points_tasks_tests_and_reasons() -> None:
    """All that a step summary needs."""
    text = render(sample.failed(), "markdown").decode()
    assert "**6 of 10 points** (4 tests failed, 1 not run)" in text
    assert "| Answer a known dish | 5 of 6 points |" in text
    assert "| **failed** | An unknown id gets a 404. |" in text
    assert '-   "price": 950,' in text
    assert "curl -i http://127.0.0.1:8000/dishes/93" in text


def test_a_grader_error_says_no_points() -> None:
    """Nobody reads a zero."""
    text = render(sample.grader_error(), "markdown").decode()
    assert "No score: the grader failed, not your code" in text
    assert not re.search(r"\d of \d", text)


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a `GET /x` and *b*", "a `GET /x` and \\*b\\*"),
        ("a | b `c | d`", "a \\| b `c \\| d`"),
        ("- not a list", "\\- not a list"),
        ("1. not a list", "1\\. not a list"),
        ("[x](y) <b> &amp;", "\\[x\\](y) \\<b\\> \\&amp;"),
        ("ask @someone", "ask @<!-- -->someone"),
        ("http://x.example", "http\\://x.example"),
    ],
)
def test_signs_lose_their_power(text: str, escaped: str) -> None:
    """Only spans in backticks keep theirs."""
    assert markdown.escape(text) == escaped


def test_a_fence_is_longer_than_any_within() -> None:
    """Backticks in an answer can't end the block."""
    test = sample.failing("test_a", "A.", "t", expected="1", got="```\nend\n````\n# heading")
    text = render(sample.report(tests=[test]), "markdown").decode()
    assert "`````text\n```\nend\n````\n# heading\n`````" in text
