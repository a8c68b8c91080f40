"""A page of HTML, taken apart as a browser does: elements, texts, links, labels, and forms that can be filled in and sent.

Only what an exercise's page needs: end tags that may be left out are known, broken markup is read without an error. What
looks and scripts do to a page is not looked at.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

from .fault import Wrong

if TYPE_CHECKING:
    from .client import Client, Reply

VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())
"""Elements without an end tag."""

PLAIN = frozenset({"textarea", "title"})
"""Elements in which a tag is text."""

NOT_TYPED_INTO = frozenset({"hidden", "submit", "button", "image", "reset"})
CONTROLS = frozenset({"input", "textarea", "select"})

MAX_ELEMENTS = 20_000
MAX_DEPTH = 200

_BLOCKS = frozenset(
    "address article aside blockquote details div dl fieldset figure footer form h1 h2 h3 h4 h5 h6 header hr main menu nav ol p "
    "pre section table ul".split()
)
_ENDED_BY = {
    "li": frozenset({"li"}),
    "dt": frozenset({"dt", "dd"}),
    "dd": frozenset({"dt", "dd"}),
    "p": _BLOCKS,
    "option": frozenset({"option", "optgroup"}),
    "tr": frozenset({"tr", "tbody", "tfoot"}),
    "td": frozenset({"td", "th", "tr", "tbody", "tfoot"}),
    "th": frozenset({"td", "th", "tr", "tbody", "tfoot"}),
    "thead": frozenset({"tbody", "tfoot"}),
    "tbody": frozenset({"tbody", "tfoot"}),
    "head": frozenset({"body"}),
}
"""Which start tags end an open element: https://html.spec.whatwg.org/multipage/syntax.html#optional-tags"""

_WALLS = frozenset({"ul", "ol", "dl", "table", "select", "menu", "body", "html"})
"""What the end of an element by a start tag doesn't reach across: an `<li>` in a list in an `<li>` ends nothing outside."""


class Element:
    """An element of a page. `children` are elements and texts, in order; `attributes` have their values unescaped."""

    def __init__(self, tag: str, attributes: Mapping[str, str], parent: Element | None) -> None:
        self.tag = tag
        self.attributes = dict(attributes)
        self.parent = parent
        self.children: list[Element | str] = []

    def __repr__(self) -> str:
        return f"<{self.tag}> {self.text[:60]!r}"

    @property
    def text(self) -> str:
        """All text in this element, with single blanks; without scripts and styles."""
        return " ".join(self.raw_text.split())

    @property
    def raw_text(self) -> str:
        """All text in this element with every blank and line break as it stands; without scripts and styles."""
        hidden = {"script", "style", "template"} - {self.tag}
        return "".join(
            child if isinstance(child, str) else child.raw_text
            for child in self.children
            if isinstance(child, str) or child.tag not in hidden
        )

    def get(self, name: str, default: str = "") -> str:
        """Give an attribute, or the default where the element has none of that name."""
        return self.attributes.get(name, default)

    def walk(self) -> Iterator[Element]:
        """Give every element below this one, in the order of the page."""
        for child in self.children:
            if isinstance(child, Element):
                yield child
                yield from child.walk()

    def all(self, tag: str = "", /, **attributes: str) -> list[Element]:
        """Give the elements below this one with this name and these attributes, in order.

        `class_` and `for_` stand for `class` and `for`, and other underscores for hyphens. A class counts when it is one of
        the element's classes.
        """
        return [element for element in self.walk() if element.is_a(tag, **attributes)]

    def one(self, tag: str = "", /, **attributes: str) -> Element:
        """Give the one element with this name and these attributes.

        Raises:
            Wrong: there is none, or there are more.
        """
        found = self.all(tag, **attributes)
        if len(found) != 1:
            wanted = f"<{tag or '...'}{''.join(f' {_named(k)}={v!r}' for k, v in attributes.items())}>"
            raise Wrong(
                "page",
                f"the page has {len(found) or 'no'} {wanted}",
                expected=f"one {wanted}",
                got="\n".join(map(repr, found[:10])) or f"none in <{self.tag}>",
            )
        return found[0]

    def is_a(self, tag: str = "", /, **attributes: str) -> bool:
        """Say whether this element has this name and these attributes."""
        return tag in ("", self.tag) and all(self._has(_named(name), value) for name, value in attributes.items())

    def inside(self, tag: str, /, **attributes: str) -> Element | None:
        """Give the nearest element around this one with this name and these attributes."""
        element = self.parent
        while element is not None and not element.is_a(tag, **attributes):
            element = element.parent
        return element

    @property
    def value(self) -> str | None:
        """What a form sends for this control; `None` where it sends nothing, as for a box that isn't ticked."""
        kind = self.get("type").lower()
        if "disabled" in self.attributes or (self.tag == "input" and kind in ("button", "reset", "image", "file")):
            return None
        if self.tag == "textarea":
            return self.raw_text.removeprefix("\r\n" if self.raw_text.startswith("\r\n") else "\n")
        if self.tag == "select":
            options = self.all("option")
            chosen = [option for option in options if "selected" in option.attributes] or options[:1]
            return chosen[0].get("value", chosen[0].text) if chosen else None
        if kind in ("checkbox", "radio"):
            return self.get("value", "on") if "checked" in self.attributes else None
        return self.get("value")

    def _has(self, name: str, value: str) -> bool:
        if name == "class":
            return value in self.get("class").split()
        return self.attributes.get(name) == value


def _named(name: str) -> str:
    return name.removesuffix("_").replace("_", "-")


class Form:
    """A form of a page. `method` and `action` are what a browser would use; `fields` are its values by name."""

    def __init__(self, page: Page, element: Element) -> None:
        self.element = element
        self.method = element.get("method", "get").upper()
        self.action = urllib.parse.urljoin(page.path, element.get("action") or page.path)
        self.fields: dict[str, str] = {}
        for control in page.all():
            owner = control.get("form")
            is_own = owner == element.get("id", "\0") if owner else control.inside("form") is element
            if control.tag in CONTROLS and is_own and control.get("type").lower() != "submit":
                value = control.value
                if control.get("name") and value is not None:
                    self.fields[control.get("name")] = value

    @property
    def buttons(self) -> list[str]:
        """What stands on the buttons that send the form, in order."""
        found = []
        for control in self.element.all():
            kind = control.get("type").lower()
            if control.tag == "button" and kind in ("", "submit"):
                found.append(control.text)
            elif control.tag == "input" and kind in ("submit", "image"):
                found.append(control.get("value", "Submit"))
        return found

    def send(self, client: Client, values: Mapping[str, str] | None = None, **options: Any) -> Reply:
        """Fill in these values beside those that are there, send the form as a browser does, and give the answer.

        Raises:
            Wrong: the form has no field of one of these names.
        """
        missing = [name for name in values or {} if name not in self.fields]
        if missing:
            raise Wrong(
                "page",
                f"the form has no field named `{missing[0]}`",
                expected=f"a field named {missing[0]}",
                got=", ".join(self.fields) or "no fields",
            )
        filled = {**self.fields, **(values or {})}
        if self.method == "GET":
            return client.get(self.action.partition("?")[0], params=filled, **options)
        return client.post(self.action, data=filled, **options)


class Page(Element):
    """A page: an `Element` around all the others, and what a visitor looks for."""

    def __init__(self, text: str, path: str) -> None:
        super().__init__("", {}, None)
        self.path = path
        _Parser(self).read(text)

    @property
    def title(self) -> str:
        """The text of the page's `<title>`; empty where there is none."""
        return next((element.text for element in self.all("title") if element.inside("svg") is None), "")

    @property
    def links(self) -> dict[str, str]:
        """Where the links lead, by the text on them; within the app without its address."""
        return {
            link.text: urllib.parse.urljoin(self.path, link.get("href"))
            for link in self.all("a")
            if "href" in link.attributes
        }

    @property
    def forms(self) -> list[Form]:
        """The forms, in order."""
        return [Form(self, element) for element in self.all("form")]

    def form(self, *fields: str) -> Form:
        """Give the one form that has all these fields.

        Raises:
            Wrong: there is none, or there are more.
        """
        found = [form for form in self.forms if set(fields) <= set(form.fields)]
        if len(found) != 1:
            raise Wrong(
                "page",
                f"the page has {len(found) or 'no'} forms with these fields",
                expected=f"one form with the fields {', '.join(fields)}" if fields else "one form",
                got="\n".join(", ".join(form.fields) or "a form without fields" for form in self.forms) or "no form",
            )
        return found[0]

    @property
    def alerts(self) -> list[str]:
        """The texts of the elements with `role="alert"`."""
        return [element.text for element in self.all(role="alert")]

    @property
    def unlabelled(self) -> list[str]:
        """The names of the fields that people type into or choose from, and that have no label with a text."""
        labelled = {label.get("for") for label in self.all("label") if label.text}
        found = []
        for control in self.all():
            if control.tag not in CONTROLS or control.get("type").lower() in NOT_TYPED_INTO:
                continue
            around = control.inside("label")
            if control.get("id", "\0") not in labelled and not (around is not None and around.text):
                found.append(control.get("name"))
        return found


class _Parser(HTMLParser):
    def __init__(self, page: Page) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[Element] = [page]
        self._count = 0

    def read(self, text: str) -> None:
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._open[-1].tag in PLAIN:
            self.handle_data(self.get_starttag_text() or "")
            return
        self._end_before(tag)
        element = self._add(tag, attrs)
        if tag not in VOID:
            if len(self._open) >= MAX_DEPTH:
                raise Wrong("page", f"the page has elements more than {MAX_DEPTH} levels deep")
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)  # HTML takes no notice of the slash

    def handle_endtag(self, tag: str) -> None:
        if self._open[-1].tag in PLAIN and self._open[-1].tag != tag:
            self.handle_data(f"</{tag}>")
            return
        for place in range(len(self._open) - 1, 0, -1):
            if self._open[place].tag == tag:
                del self._open[place:]
                return

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)

    def _add(self, tag: str, attrs: list[tuple[str, str | None]]) -> Element:
        self._count += 1
        if self._count > MAX_ELEMENTS:
            raise Wrong("page", f"the page has more than {MAX_ELEMENTS:,} elements")
        attributes: dict[str, str] = {}
        for name, value in attrs:
            attributes.setdefault(name, value or "")  # the first of two counts
        element = Element(tag, attributes, self._open[-1])
        self._open[-1].children.append(element)
        return element

    def _end_before(self, tag: str) -> None:
        for place in range(len(self._open) - 1, 0, -1):
            if tag in _ENDED_BY.get(self._open[place].tag, ()):
                del self._open[place:]
            elif self._open[place].tag in _WALLS:
                return
