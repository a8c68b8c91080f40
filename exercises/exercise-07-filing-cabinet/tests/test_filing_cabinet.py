"""Hidden tests: books are kept in the table, also over a restart, and the table keeps its own rules."""

import pytest


@pytest.fixture
def book(fake, rng):
    """Give a function that makes a book, another one each time."""

    def make():
        return {"title": fake.title(), "isbn": fake.isbn(), "year": rng.randrange(1800, 2020)}

    return make


@pytest.fixture
def bring(client):
    """Give a function that brings a book in and returns it as the server answered it."""

    def send(book):
        reply = client.post("/books", json=book)
        assert reply.status_code == 201
        return reply.json()

    return send


@pytest.fixture
def books_table(app, db):
    """The database, with the tables that the app makes when it starts."""
    app.start()
    assert "books" in db.tables()
    return db


@pytest.mark.task("keep", points=3)
def test_a_book_can_be_read_back(client, bring, book):
    """A book that was brought in can be read back with the same title, ISBN and year, also one without a year."""
    undated = book()
    del undated["year"]
    wanted = [book(), undated, book()]

    kept = [bring(each) for each in wanted]

    for each, answer in zip(wanted, kept, strict=True):
        reply = client.get(f"/books/{answer['id']}")
        assert reply.status_code == 200
        assert reply.json() == {"id": answer["id"], "year": None} | each
        assert reply.json() == answer


@pytest.mark.task("keep", points=3)
def test_a_book_is_there_after_a_restart(client, app, bring, book):
    """A book is still there after the server was stopped and started again."""
    kept = bring(book())

    app.restart()

    reply = client.get(f"/books/{kept['id']}")
    assert reply.status_code == 200
    assert reply.json() == kept


@pytest.mark.task("keep", points=1)
def test_long_and_foreign_titles_survive(client, bring, book, fake):
    """Titles in any script, and titles of 300 characters, come back as they were."""
    long = fake.sentence()
    while len(long) < 300:
        long += " " + fake.sentence()
    for start in ("百年の孤独", "ألف ليلة وليلة", "Жизнь 🐋", long):
        title = start[:299] + "?" if start == long else f"{start} {fake.title()}"
        kept = bring(book() | {"title": title})
        assert client.get(f"/books/{kept['id']}").json()["title"] == title


@pytest.mark.task("keep", points=2)
def test_an_unknown_book_is_404(client, bring, book, rng):
    """An id that no book has is answered 404 with `book not found`, and a kept book still 200."""
    kept = bring(book())

    missing = client.get(f"/books/{rng.randrange(5000, 9000)}")

    assert missing.status_code == 404
    assert missing.json() == {"error": "book not found"}
    assert client.get(f"/books/{kept['id']}").json() == kept


@pytest.mark.task("keep", points=1)
def test_what_is_no_book_is_refused(client, bring, book, db):
    """What is no book (no title, no ISBN, a year in words, or no JSON) is answered 400 and is not kept."""
    bring(book())

    for wrong in ("title", "isbn", "year"):
        reply = client.post("/books", json=book() | {wrong: ["x"]})
        assert reply.status_code == 400
        assert reply.json() == {"error": f"wrong or missing: {wrong}"}
    reply = client.post("/books", body=book()["title"], headers={"Content-Type": "text/plain"})
    assert reply.status_code == 400
    assert reply.json() == {"error": "wrong or missing: title, isbn"}
    assert db.value("SELECT count(*) FROM books") == 1


@pytest.mark.task("table-rules", points=2)
def test_the_table_refuses_a_book_without_a_title(books_table, book):
    """The table itself refuses a book without a title or without an ISBN, and takes one without a year."""
    wanted = book()

    assert {column["name"] for column in books_table.columns("books")} >= {"id", "title", "isbn", "year"}
    books_table.execute("INSERT INTO books (title, isbn) VALUES (?, ?)", [wanted["title"], wanted["isbn"]])
    assert books_table.refuses("INSERT INTO books (isbn, year) VALUES (?, ?)", [book()["isbn"], wanted["year"]])
    assert books_table.refuses("INSERT INTO books (title, year) VALUES (?, ?)", [wanted["title"], wanted["year"]])


@pytest.mark.task("table-rules", points=2)
def test_the_table_keeps_the_isbn_unique(books_table, book):
    """The table itself refuses a second book with the same ISBN, and takes two books with the same title."""
    wanted = book()
    statement = "INSERT INTO books (title, isbn) VALUES (?, ?)"

    books_table.execute(statement, [wanted["title"], wanted["isbn"]])
    books_table.execute(statement, [wanted["title"], book()["isbn"]])
    assert books_table.refuses(statement, [book()["title"], wanted["isbn"]])
    assert ["isbn"] in books_table.unique("books")


@pytest.mark.task("same-isbn", points=3)
def test_the_same_isbn_is_refused(client, bring, book, db):
    """Bringing a second book with the same ISBN is answered 409, names the first book, and one row remains."""
    bring(book())
    first = bring(book())

    reply = client.post("/books", json=book() | {"isbn": first["isbn"]})

    assert reply.status_code == 409
    assert reply.json() == {"error": f"book {first['id']} has this isbn"}
    assert db.rows("SELECT title, isbn, year FROM books WHERE isbn = ?", [first["isbn"]]) == [
        {"title": first["title"], "isbn": first["isbn"], "year": first["year"]}
    ]


@pytest.mark.task("same-isbn", points=3)
def test_the_desk_goes_on_after_a_refusal(client, bring, book):
    """After such a refusal the next good book is kept as if nothing had happened."""
    first = bring(book())
    for _ in range(2):
        assert client.post("/books", json=book() | {"isbn": first["isbn"]}).status_code == 409

        wanted = book()
        kept = bring(wanted)
        assert client.get(f"/books/{kept['id']}").json() == {"id": kept["id"]} | wanted
    assert client.get(f"/books/{first['id']}").json() == first
