"""Hidden tests: whatever goes wrong, the answer has the shape and the code of the contract."""

import pytest

HIDDEN_WORDS = ("Traceback", "File ", ".py", "sqlite", "SQLite", "sqlalchemy", "SELECT", "INSERT", "no such table")


def is_agreed(reply, status, code, fields=()):
    """Check the status and every part of the agreed shape; only texts for people are free."""
    assert reply.status_code == status
    assert reply.content_type == "application/json"
    body = reply.json()
    assert sorted(body) == ["error"]
    assert sorted(body["error"]) == ["code", "fields", "message"]
    assert body["error"]["code"] == code
    assert isinstance(body["error"]["message"], str)
    assert body["error"]["message"] != ""
    found = body["error"]["fields"]
    assert isinstance(found, dict)
    assert sorted(found) == sorted(fields)
    assert all(isinstance(wish, str) and wish != "" for wish in found.values())
    return True


@pytest.fixture
def new_book(fake, rng):
    """Give a function that makes a good book, another one each time."""

    def make():
        return {"title": fake.title(), "author": fake.name(), "year": rng.randrange(1500, 2020)}

    return make


@pytest.fixture
def shelf(client, db, fake, new_book):
    """Three books in the table, under numbers with gaps."""
    client.get("/books")
    books = [{"id": number, **new_book()} for number in sorted(fake.ids(3, 10, 900))]
    db.insert("books", *books)
    return books


@pytest.mark.task("nothing-there", points=2)
def test_an_unknown_address(client, fake, rng):
    """An address that the server doesn't know is answered 404 in the agreed shape."""
    for path in (f"/{fake.slug()}", f"/books/{fake.word()}", f"/books/{rng.randrange(1, 99)}/{fake.word()}"):
        assert is_agreed(client.get(path), 404, "address_not_found")
    assert is_agreed(client.post(f"/{fake.slug()}", json={}), 404, "address_not_found")


@pytest.mark.task("nothing-there", points=2)
def test_an_unknown_book(client, shelf, rng):
    """A book that isn't there is answered 404 in the agreed shape, with a code of its own."""
    assert is_agreed(client.get(f"/books/{rng.randrange(1000, 9000)}"), 404, "book_not_found")
    assert client.get(f"/books/{shelf[1]['id']}").json() == shelf[1]


@pytest.mark.task("nothing-there", points=3)
def test_a_method_that_is_not_allowed(client, rng):
    """A method that the address doesn't take is answered 405 in the agreed shape, with a header `Allow`."""
    for method, path, allowed in (
        ("DELETE", "/books", {"GET", "POST"}),
        ("PUT", "/books", {"GET", "POST"}),
        ("POST", f"/books/{rng.randrange(1, 99)}", {"GET"}),
    ):
        reply = client.request(method, path)
        assert is_agreed(reply, 405, "method_not_allowed")
        listed = {name.strip() for name in reply.headers.get("Allow", "").split(",")}
        assert listed - {"HEAD", "OPTIONS"} == allowed


@pytest.mark.task("not-a-book", points=2)
def test_broken_json(client, db, fake):
    """A body that can't be read as JSON is answered 400 in the agreed shape."""
    headers = {"Content-Type": "application/json"}

    for body in (f'{{"title": "{fake.title()}"', fake.sentence(), ""):
        assert is_agreed(client.post("/books", body=body, headers=headers), 400, "broken_json")
    assert db.value("SELECT count(*) FROM books") == 0


@pytest.mark.task("not-a-book", points=2)
def test_another_content_type(client, db, new_book):
    """A body that isn't sent as JSON is answered 415 in the agreed shape."""
    book = new_book()
    text = f'{{"title": "{book["title"]}", "author": "{book["author"]}", "year": {book["year"]}}}'

    assert is_agreed(client.post("/books", data=book), 415, "not_json")
    assert is_agreed(client.post("/books", body=text, headers={"Content-Type": "text/plain"}), 415, "not_json")
    assert db.value("SELECT count(*) FROM books") == 0


@pytest.mark.task("not-a-book", points=4)
def test_every_bad_field_is_told(client, db, new_book, rng):
    """A book with bad fields is answered 422, and `fields` has every bad one at once and no good one."""
    bad = {
        "title": ["", None, 7],
        "author": ["   ", None, ["x"]],
        "year": ["1999", None, rng.randrange(2101, 9000), 1449],
    }

    for names in (["title"], ["author"], ["year"], ["title", "year"], ["author", "year"], ["title", "author", "year"]):
        book = new_book() | {name: rng.choice(bad[name]) for name in names}
        assert is_agreed(client.post("/books", json=book), 422, "invalid_fields", names)
    assert is_agreed(client.post("/books", json={}), 422, "invalid_fields", ["title", "author", "year"])
    assert db.value("SELECT count(*) FROM books") == 0


@pytest.mark.task("crash", points=3)
def test_a_crash_tells_nothing(client, db, shelf, new_book):
    """Without its table the server answers 500 in the agreed shape, and nothing in it tells what went wrong."""
    db.script("DROP TABLE books")

    for reply in (client.get("/books"), client.get(f"/books/{shelf[0]['id']}"), client.post("/books", json=new_book())):
        assert is_agreed(reply, 500, "server_error")
        assert [word for word in HIDDEN_WORDS if word in reply.text] == []


@pytest.mark.task("crash", points=2)
def test_a_crash_is_written_down(client, app, db, shelf):
    """What went wrong is printed by the server, with its traceback."""
    assert client.get("/books").json() == shelf
    assert "Traceback" not in app.output()

    db.script("DROP TABLE books")
    assert is_agreed(client.get("/books"), 500, "server_error")

    printed = app.output()
    assert "Traceback (most recent call last)" in printed
    assert "no such table: books" in printed


@pytest.mark.task("good", points=2)
def test_good_answers_stay(client, shelf, new_book):
    """Good answers are as they were, also after a refusal, and a good book is still kept."""
    assert is_agreed(client.post("/books", json={}), 422, "invalid_fields", ["title", "author", "year"])
    listed = client.get("/books")
    book = new_book()
    added = client.post("/books", json=book)

    assert (listed.status_code, listed.json()) == (200, shelf)
    assert added.status_code == 201
    kept = added.json()
    assert kept == {"id": kept["id"], **book}
    assert client.get(f"/books/{kept['id']}").json() == kept
    assert client.get(f"/books/{shelf[2]['id']}").json() == shelf[2]
