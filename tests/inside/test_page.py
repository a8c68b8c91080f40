"""A page is read as a browser reads it."""

from __future__ import annotations

from typing import Any

import pytest

from grader.inside.client import Headers, Reply
from grader.inside.fault import Wrong
from grader.inside.page import MAX_DEPTH, MAX_ELEMENTS, Page


def _reply(content_type: str, body: str) -> Reply:
    return Reply(200, "OK", Headers([("Content-Type", content_type)]), body.encode(), 0.0, "/desk/new?x=1")


class _Visitor:
    """Stands in for a client: keeps what was sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[Any, ...]] = []

    def get(self, path: str, **options: Any) -> Any:
        self.sent.append(("GET", path, options))

    def post(self, path: str, **options: Any) -> Any:
        self.sent.append(("POST", path, options))


def test_only_html_is_a_page() -> None:
    """Markup that a browser would show as text is no page."""
    assert _reply("text/html; charset=utf-8", "<title>Desk</title>").page().title == "Desk"
    with pytest.raises(Wrong, match="not a page"):
        _reply("text/plain", "<title>Desk</title>").page()


def test_end_tags_may_be_left_out() -> None:
    """Items, cells and paragraphs end where the next one begins, as HTML says; a list within an item doesn't end it."""
    page = Page("<ul><li>one<li>two<ul><li>three</ul> after<li>four</ul><p>a<p>b<div>c</div>", "/")
    table = Page("<table><tr><td>1<td>2<tr><td>3</table>", "/")

    assert [item.text for item in page.all("li")] == ["one", "twothree after", "three", "four"]
    assert [each.text for each in page.all("p")] == ["a", "b"]
    assert [len(row.all("td")) for row in table.all("tr")] == [2, 1]


def test_markup_that_was_escaped_is_text() -> None:
    """What was typed comes back as it was typed; in a text field and a title a tag is text even unescaped."""
    page = Page("<li>&lt;b&gt; &amp; &quot;</li><textarea name=t>\n<i>x</i> &amp;</textarea><title><b></title>", "/")

    assert page.one("li").text == '<b> & "'
    assert page.one("textarea").value == "<i>x</i> &"
    assert page.title == "<b>"
    assert page.all("b") + page.all("i") == []


def test_scripts_are_no_text() -> None:
    """Nobody reads what stands in a script."""
    page = Page("<p>seen<script>let hidden = '<li>'</script></p>", "/")

    assert page.text == "seen"
    assert page.all("li") == []
    assert "hidden" in page.one("script").text


def test_elements_are_found_by_name_and_attributes() -> None:
    """A class is one of several, `class_` and `for_` are Python's way to write them."""
    page = Page('<div class="flash big" data-id=7>a</div><label for=x>b</label><img alt="c"/><p>d', "/")

    assert page.one(class_="flash").text == "a"
    assert page.one("div", data_id="7").get("class") == "flash big"
    assert page.one(for_="x").tag == "label"
    assert page.one("p").inside("img") is None
    with pytest.raises(Wrong, match="no <div class='small'>"):
        page.one("div", class_="small")


def test_a_form_is_sent_as_a_browser_sends_it() -> None:
    """Every field that has a name and a value goes, hidden ones too; the address is taken from where the page stands."""
    page = Page(
        '<form method=post action="save"><input type=hidden name=key value="a&amp;b"><input name=title>'
        "<input type=checkbox name=no><input type=checkbox name=yes checked><textarea name=body>\nhello\n</textarea>"
        "<select name=size><option>s<option value=m selected>medium</select><input disabled name=off>"
        "<input type=submit name=go value=Save></form><input name=outside><form action='/find?old'><input name=q></form>",
        "/desk/new?x=1",
    )
    form, search = page.forms
    visitor = _Visitor()

    form.send(visitor, {"title": "T"})  # type: ignore[arg-type]
    search.send(visitor, {"q": "w"})  # type: ignore[arg-type]

    sent = {"key": "a&b", "title": "T", "yes": "on", "body": "hello\n", "size": "m"}
    assert visitor.sent == [("POST", "/desk/save", {"data": sent}), ("GET", "/find", {"params": {"q": "w"}})]
    assert form.buttons == ["Save"]
    assert page.form("title").action == "/desk/save"
    with pytest.raises(Wrong, match="no field named `outside`"):
        form.send(visitor, {"outside": ""})  # type: ignore[arg-type]
    with pytest.raises(Wrong, match="no forms"):
        page.form("nothing")


def test_a_form_without_an_address_goes_to_its_page() -> None:
    """That is what a browser does, the query included."""
    (form,) = Page("<form method=POST><input name=a></form>", "/7/update?next=/x").forms

    assert (form.method, form.action) == ("POST", "/7/update?next=/x")


def test_fields_without_a_label_are_named() -> None:
    """A label belongs to a field by its id or by standing around it; an empty one counts for nothing."""
    page = Page(
        "<label for=a>A</label><input id=a name=a><label>B <input name=b></label><input name=c placeholder=C>"
        "<label for=d></label><textarea id=d name=d></textarea><input type=submit>",
        "/",
    )

    assert page.unlabelled == ["c", "d"]


def test_links_alerts_and_title() -> None:
    """What a visitor looks for has a name."""
    page = Page("<title> My\n desk </title><a href='new'>New</a><a>none</a><p role=alert>Wait", "/desk/")

    assert (page.title, page.links, page.alerts) == ("My desk", {"New": "/desk/new"}, ["Wait"])


@pytest.mark.parametrize("markup", ["<b>" * (MAX_DEPTH + 5), "<br>" * (MAX_ELEMENTS + 1)], ids=["deep", "long"])
def test_a_page_is_bounded(markup: str) -> None:
    """Elements without end are the learner's failure, and cost the examiner nothing."""
    with pytest.raises(Wrong, match="more than"):
        Page(markup, "/")


@pytest.mark.parametrize(
    "markup", ["", "</p></div>", "<", "<p", "<a href=>x", "<!--", "<![CDATA[", "&#xffffffff;", "<p/>"]
)
def test_broken_markup_is_read(markup: str) -> None:
    """A browser shows no error, so neither do we."""
    assert isinstance(Page(markup, "/").text, str)
