"""Hidden tests: pages are read as a browser reads them, and the form is sent as a browser sends it."""

from urllib.parse import urljoin, urlsplit

import pytest


def shows(page, book):
    """Say how many items of the list show both the title and the author of a book."""
    return len([item for item in page.all("li") if book["title"] in item.text and book["author"] in item.text])


def typed(page):
    """Give what is in the two fields of the form."""
    fields = page.form("title", "author").fields
    return {"title": fields["title"], "author": fields["author"]}


def new_book(fake):
    """What somebody types."""
    return {"title": fake.title(), "author": fake.name()}


@pytest.fixture
def shelf(client, db):
    """Put books into the table, past the form, and give the page."""

    def fill(*books):
        client.get("/")
        db.insert("books", *books)
        return client.get("/").page()

    return fill


@pytest.mark.task("list", points=3)
def test_the_page_lists_every_book(client, shelf, fake, rng):
    """The page is HTML, and lists every book with title and author."""
    books = [new_book(fake) for _ in range(rng.randrange(3, 7))]

    page = shelf(*books)

    assert [shows(page, book) for book in books] == [1] * len(books)
    assert len(page.all("li")) == len(books)
    assert client.get("/").status_code == 200


@pytest.mark.task("list", points=2)
def test_a_bold_title_is_text(shelf, fake):
    """A title with bold markup in it is shown as text."""
    word = f"{fake.word()}{fake.token(5)}"
    book = {"title": f'<b>{word} & "{fake.word()}"</b>', "author": f"<i>{word}</i>"}

    page = shelf(book)

    assert shows(page, book) == 1
    assert [element for element in page.all("b") + page.all("i") if word in element.text] == []


@pytest.mark.task("list", points=2)
def test_a_script_stays_text(shelf, fake):
    """A title with a script in it makes no script."""
    word = f"{fake.word()}{fake.token(5)}"
    book = {"title": f"<script>alert('{word}')</script>", "author": fake.name()}

    page = shelf(book)

    assert shows(page, book) == 1
    assert [element for element in page.all("script") if word in element.text] == []


@pytest.mark.task("add", points=2)
def test_the_form_redirects(client, fake):
    """A new book is answered with a redirect to the page, which then shows it."""
    book = new_book(fake)

    reply = client.post("/books", data=book)

    assert reply.status_code in (302, 303)
    assert urlsplit(urljoin("/books", reply.headers["Location"])).path == "/"
    assert shows(client.get("/").page(), book) == 1


@pytest.mark.task("add", points=1)
def test_a_typed_title_is_shown_as_it_was_typed(client, fake):
    """A title is shown as it was typed, whatever signs are in it."""
    title = f"{fake.word()} <{fake.word()}> & \"{fake.word()}\" it's {fake.token(5)}"
    book = {"title": title, "author": fake.name()}

    client.post("/books", data=book)

    assert shows(client.get("/").page(), book) == 1


@pytest.mark.task("add", points=2)
def test_a_reload_adds_nothing(client, fake):
    """Reloading after the form was sent doesn't add the book again."""
    book = new_book(fake)
    reply = client.post("/books", data=book)

    # A browser repeats the last request that it made: the page's, if there was a redirect, else the form's.
    for _ in range(2):
        if reply.status_code in (301, 302, 303):
            page = client.get("/").page()
        else:
            page = client.post("/books", data=book).page()

    assert shows(page, book) == 1


@pytest.mark.task("add", points=2)
def test_an_empty_title_is_refused(client, shelf, fake, rng):
    """An empty title, or one of blanks, is answered 400 with a message, and adds nothing."""
    book = new_book(fake)
    assert shelf(book).alerts == []

    for title in ("", " " * rng.randrange(1, 5)):
        reply = client.post("/books", data={"title": title, "author": fake.name()})
        assert reply.status_code == 400
        assert [text != "" for text in reply.page().alerts] == [True]
    page = client.get("/").page()
    assert len(page.all("li")) == shows(page, book) == 1


@pytest.mark.task("add", points=2)
def test_what_was_typed_is_kept(client, fake):
    """After a refusal, what was typed is still in the form."""
    author = f'{fake.name()} "{fake.word()}" & <{fake.word()}>'

    page = client.post("/books", data={"title": "  ", "author": author}).page()

    assert typed(page) == {"title": "  ", "author": author}


@pytest.mark.task("for-everyone", points=1)
def test_the_page_has_a_title(client):
    """The page has a title."""
    assert client.get("/").page().title != ""


@pytest.mark.task("for-everyone", points=3)
def test_every_input_has_a_label(client, fake):
    """Every input has a label, also when the form is shown again."""
    author = fake.name()
    shown, again = client.get("/").page(), client.post("/books", data={"title": "", "author": author}).page()

    assert typed(shown) == {"title": "", "author": ""}
    assert shown.unlabelled == []
    assert typed(again) == {"title": "", "author": author}
    assert again.unlabelled == []
