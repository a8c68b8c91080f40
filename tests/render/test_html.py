"""The HTML page: self-contained, no script, accessible, and safe whatever a learner printed."""

from __future__ import annotations

import itertools
import re
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest

from grader.render import html, render
from tests.render import browser, sample

VOID = {"meta", "link", "br", "hr", "img", "input"}
ALLOWED = {
    *("html", "head", "meta", "title", "style", "body", "header", "main", "footer", "section"),
    *("h1", "h2", "h3", "h4", "p", "a", "time", "span", "div", "ol", "li", "dl", "dt", "dd"),
    *("table", "thead", "tbody", "tr", "th", "td", "details", "summary", "pre", "code", "del", "ins"),
}


class Page(HTMLParser):
    """Collects the elements in order, and checks that each is closed where it should be."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.parents: list[tuple[str, ...]] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open, f"not closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.parents.append(tuple(self.open))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(params=sample.ALL)
def page(request: pytest.FixtureRequest) -> Page:
    """The page of each sample report."""
    return Page(render(sample.ALL[request.param](), "html").decode())


def test_only_known_elements_appear_and_none_has_a_handler_or_a_foreign_address(page: Page) -> None:
    """Nothing runs and nothing is loaded, whatever a learner printed."""
    assert {tag for tag, _ in page.elements} <= ALLOWED
    for _, attributes in page.elements:
        for name, value in attributes.items():
            assert not name.startswith("on")
            assert name not in ("src", "srcset", "style", "action", "data")
            assert name != "href" or (value or "").startswith("#")


def test_has_language_title_viewport_and_one_of_each_landmark(page: Page) -> None:
    """A screen reader can tell the language and jump between the parts."""
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("title")) == len(page.all("h1")) == 1
    assert len(page.all("header")) == len(page.all("main")) == len(page.all("footer")) == 1
    assert any(attributes.get("name") == "viewport" for attributes in page.all("meta"))
    assert page.elements[[tag for tag, _ in page.elements].index("a")][1]["href"] == "#main"


def test_headings_go_down_one_level_at_a_time(page: Page) -> None:
    """The outline has no gap."""
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_ids_are_unique_and_references_meet_one(page: Page) -> None:
    """Labels and the skip link lead somewhere."""
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.elements:
        if "aria-labelledby" in attributes:
            assert attributes["aria-labelledby"] in ids
        if (attributes.get("href") or "").startswith("#"):
            assert (attributes["href"] or "")[1:] in ids


def test_details_begin_with_a_summary(page: Page) -> None:
    """Every fold can be opened with the keyboard."""
    for (tag, _), (inner, _) in itertools.pairwise(page.elements):
        if tag == "details":
            assert inner == "summary"
    assert len(page.all("details")) == len(page.all("summary"))


def test_no_hidden_character_is_on_the_page(page: Page) -> None:
    """Control and direction characters are shown as escapes."""
    assert not re.search(
        "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe]", "".join(page.text)
    )


def test_a_learners_markup_is_shown_as_text() -> None:
    """What a learner prints is never markup."""
    text = render(sample.hostile(), "html").decode()
    assert "<script" not in text.replace("&lt;script", "")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_state_is_said_in_words() -> None:
    """Nothing is told by colour alone."""
    text = "".join(Page(render(sample.failed(), "html").decode()).text)
    assert "6 of 10 points" in text
    assert "not passed yet" in text
    for word in ("passed", "failed", "not run"):
        assert word in text
    assert '-   "price": 950,' in text
    assert '+   "price": 9.5,' in text


def test_a_grader_error_shows_no_score() -> None:
    """Nobody reads a zero where the grader failed."""
    text = "".join(Page(render(sample.grader_error(), "html").decode()).text)
    assert "the grader failed, not your code" in text
    assert not re.search(r"\d+ of \d+ point", text)


def test_a_page_is_bounded() -> None:
    """A page stays loadable, however much a learner printed."""
    assert len(render(sample.huge(), "html")) <= html.LIMIT_BYTES


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_every_pair_of_colours_has_the_contrast_of_wcag_aa(scheme: int) -> None:
    """4.5 to 1 for text, 3 to 1 for lines and outlines (WCAG 2.2, 1.4.3 and 1.4.11)."""
    rules = re.findall(r":root \{[^}]*?(--[^}]*)\}", html._STYLE)
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", rules[scheme]))
    for name in ("text", "quiet", "link", "pass", "fail", "skip", "error"):
        assert _contrast(colours[name], colours["ground"]) >= 4.5, name
    for ground in ("code-ground", "old-ground", "new-ground"):
        assert _contrast(colours["text"], colours[ground]) >= 4.5, ground
    for name in ("line", "link"):
        assert _contrast(colours[name], colours["ground"]) >= 3, name


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["passed", "failed", "hostile", "broken", "grader_error"])
def test_axe_finds_nothing_wrong_in_a_real_browser(name: str, is_dark: bool, tmp_path: Path) -> None:
    """axe-core, with the rules of WCAG 2.2 A and AA and its best practices."""
    found = browser.accessibility_of(render(sample.ALL[name](), "html"), tmp_path, is_dark=is_dark)
    assert found["dark"] == is_dark
    assert found["rules"] > 20
    assert found["wrong"] == []


def test_code_in_what_is_usually_meant_is_shown_as_code() -> None:
    """Those are words of the course; what a learner wrote stays as it was written."""
    test = sample.failing("test_a", "A.", "t", usually="look at `dish_id` first", message="a `learner` said")
    shown = render(sample.report(tests=[test]), "html").decode()
    assert "look at <code>dish_id</code> first" in shown
    assert "a `learner` said" in shown


def test_each_step_and_its_answer_has_a_box_of_its_own() -> None:
    """Else the answer of one reads as the beginning of the next."""
    steps = [sample.http("GET", f"/{place}", 200, body=f'{{"id": {place}}}') for place in range(3)]
    without = [msgspec.structs.replace(step, request={**step.request, "curl": ""}) for step in steps]
    test = sample.failing("test_a", "A.", "t", transcript=without)
    shown = render(sample.report(tests=[test]), "html").decode()
    assert "<pre>\n1. GET /0</pre>" in shown
    assert "<pre>\n2. GET /1</pre>" in shown
