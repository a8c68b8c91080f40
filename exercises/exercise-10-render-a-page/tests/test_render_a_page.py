"""Hidden tests: pages are read as a browser reads them, and the form is sent as a browser sends it."""

from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import pytest

WITHOUT_END = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
NOT_TYPED_INTO = {"hidden", "submit", "button", "image", "reset"}


class Element:
    """An element of a page: its name, its attributes, and the text in it."""

    def __init__(self, tag, attributes, parents):
        self.tag = tag
        self.attributes = dict(attributes)
        self.parents = parents
        self.pieces = []

    @property
    def text(self):
        """All text below this element, with single blanks."""
        return " ".join("".join(self.pieces).split())


class Page(HTMLParser):
    """A page, taken apart."""

    def __init__(self, reply):
        super().__init__(convert_charrefs=True)
        self.reply = reply
        self.elements = []
        self._open = []
        self.feed(reply.text)
        self.close()

    def handle_starttag(self, tag, attrs):
        element = Element(tag, attrs, list(self._open))
        self.elements.append(element)
        if tag not in WITHOUT_END:
            self._open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.elements.append(Element(tag, attrs, list(self._open)))

    def handle_endtag(self, tag):
        for place in range(len(self._open) - 1, -1, -1):
            if self._open[place].tag == tag:
                del self._open[place:]
                return

    def handle_data(self, data):
        for element in self._open:
            element.pieces.append(data)

    def all(self, tag):
        """Give the elements of a name."""
        return [element for element in self.elements if element.tag == tag]

    def items(self):
        """Give the text of each item of the list."""
        return [element.text for element in self.all("li")]

    def shows(self, book):
        """Say how many items show both the title and the author of a book."""
        return len([text for text in self.items() if book["title"] in text and book["author"] in text])

    def alerts(self):
        """Give the text of each alert."""
        return [element.text for element in self.elements if element.attributes.get("role") == "alert"]

    def values(self):
        """Give what is in each input of the form, by name."""
        return {
            element.attributes.get("name"): element.attributes.get("value", "")
            for element in self.all("input")
            if element.attributes.get("type") not in NOT_TYPED_INTO
        }

    def unlabelled(self):
        """Give the names of the inputs for which there is no label."""
        labelled = {label.attributes.get("for") for label in self.all("label") if label.text}
        return [
            element.attributes.get("name")
            for element in self.all("input")
            if element.attributes.get("type") not in NOT_TYPED_INTO
            and element.attributes.get("id", "") not in labelled
            and not any(parent.tag == "label" and parent.text for parent in element.parents)
        ]


def new_book(fake):
    """What somebody types."""
    return {"title": fake.title(), "author": fake.name()}


@pytest.fixture
def shelf(client, db):
    """Put books into the table, past the form, and give the page."""

    def fill(*books):
        client.get("/")
        db.insert("books", *books)
        return Page(client.get("/"))

    return fill


@pytest.mark.task("list", points=3)
def test_the_page_lists_every_book(shelf, fake, rng):
    """The page is HTML, and lists every book with title and author."""
    books = [new_book(fake) for _ in range(rng.randrange(3, 7))]

    page = shelf(*books)

    assert [page.shows(book) for book in books] == [1] * len(books)
    assert len(page.items()) == len(books)
    assert page.reply.status_code == 200
    assert page.reply.content_type == "text/html"


@pytest.mark.task("list", points=2)
def test_a_bold_title_is_text(shelf, fake):
    """A title with bold markup in it is shown as text."""
    word = f"{fake.word()}{fake.token(5)}"
    book = {"title": f'<b>{word} & "{fake.word()}"</b>', "author": f"<i>{word}</i>"}

    page = shelf(book)

    assert page.shows(book) == 1
    assert [element.tag for element in page.elements if element.tag in ("b", "i") and word in element.text] == []


@pytest.mark.task("list", points=2)
def test_a_script_stays_text(shelf, fake):
    """A title with a script in it makes no script."""
    word = f"{fake.word()}{fake.token(5)}"
    book = {"title": f"<script>alert('{word}')</script>", "author": fake.name()}

    page = shelf(book)

    assert page.shows(book) == 1
    assert [element for element in page.all("script") if word in element.text] == []


@pytest.mark.task("add", points=2)
def test_the_form_redirects(client, fake):
    """A new book is answered with a redirect to the page, which then shows it."""
    book = new_book(fake)

    reply = client.post("/books", data=book)

    assert reply.status_code in (302, 303)
    assert urlsplit(urljoin("/books", reply.headers["Location"])).path == "/"
    assert Page(client.get("/")).shows(book) == 1


@pytest.mark.task("add", points=1)
def test_a_typed_title_is_shown_as_it_was_typed(client, fake):
    """A title is shown as it was typed, whatever signs are in it."""
    title = f"{fake.word()} <{fake.word()}> & \"{fake.word()}\" it's {fake.token(5)}"
    book = {"title": title, "author": fake.name()}

    client.post("/books", data=book)

    assert Page(client.get("/")).shows(book) == 1


@pytest.mark.task("add", points=2)
def test_a_reload_adds_nothing(client, fake):
    """Reloading after the form was sent doesn't add the book again."""
    book = new_book(fake)
    reply = client.post("/books", data=book)

    # A browser repeats the last request that it made: the page's, if there was a redirect, else the form's.
    for _ in range(2):
        if reply.status_code in (301, 302, 303):
            page = Page(client.get("/"))
        else:
            page = Page(client.post("/books", data=book))

    assert page.shows(book) == 1


@pytest.mark.task("add", points=2)
def test_an_empty_title_is_refused(client, shelf, fake, rng):
    """An empty title, or one of blanks, is answered 400 with a message, and adds nothing."""
    book = new_book(fake)
    assert shelf(book).alerts() == []

    for title in ("", " " * rng.randrange(1, 5)):
        reply = client.post("/books", data={"title": title, "author": fake.name()})
        assert reply.status_code == 400
        assert [text != "" for text in Page(reply).alerts()] == [True]
    page = Page(client.get("/"))
    assert len(page.items()) == page.shows(book) == 1


@pytest.mark.task("add", points=2)
def test_what_was_typed_is_kept(client, fake):
    """After a refusal, what was typed is still in the form."""
    author = f'{fake.name()} "{fake.word()}" & <{fake.word()}>'

    values = Page(client.post("/books", data={"title": "  ", "author": author})).values()

    assert values == {"title": "  ", "author": author}


@pytest.mark.task("for-everyone", points=1)
def test_the_page_has_a_title(client):
    """The page has a title."""
    assert [title.text != "" for title in Page(client.get("/")).all("title")] == [True]


@pytest.mark.task("for-everyone", points=3)
def test_every_input_has_a_label(client, fake):
    """Every input has a label, also when the form is shown again."""
    author = fake.name()
    shown, again = Page(client.get("/")), Page(client.post("/books", data={"title": "", "author": author}))

    assert sorted(shown.values()) == ["author", "title"]
    assert shown.unlabelled() == []
    assert again.values() == {"title": "", "author": author}
    assert again.unlabelled() == []
