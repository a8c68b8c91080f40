"""Hidden tests: books are replaced, changed and deleted, and every other book is left alone."""

import pytest


def new_book(fake):
    """A book with every field."""
    return {"title": fake.title(), "author": fake.name(), "isbn": fake.isbn(), "year": fake.year()}


@pytest.fixture
def fill(client, fake):
    """Add books, and give them as they were answered."""

    def add(count=1):
        books = []
        for sent in [new_book(fake) for _ in range(count)]:
            book = client.post("/books", json=sent).json()
            assert {name: book[name] for name in sent} == sent
            books.append(book)
        return books

    return add


def unknown(books, rng):
    """An id that no book has."""
    return max(book["id"] for book in books) + rng.randrange(10, 1000)


@pytest.mark.task("replace", points=2)
def test_put_replaces_every_field(client, fill, fake):
    """A replaced book has every field that was sent, in the answer and at its address."""
    old = fill(2)[0]
    sent = new_book(fake)

    reply = client.put(f"/books/{old['id']}", json=sent)

    assert reply.status_code == 200
    assert reply.json() == {"id": old["id"], **sent}
    assert client.get(f"/books/{old['id']}").json() == {"id": old["id"], **sent}


@pytest.mark.task("replace", points=1)
def test_put_empties_what_is_left_out(client, fill, fake):
    """A field that a replacement leaves out is `null` afterwards."""
    old = fill()[0]
    sent = {"title": fake.title(), "isbn": fake.isbn()}

    client.put(f"/books/{old['id']}", json=sent)

    assert client.get(f"/books/{old['id']}").json() == {"id": old["id"], "author": None, "year": None, **sent}


@pytest.mark.task("replace", points=1)
def test_put_without_a_required_field(client, fill, fake):
    """A replacement without `title` or without `isbn` is answered 400, and the book stays as it was."""
    old = fill()[0]

    for name in ("title", "isbn"):
        sent = {field: value for field, value in new_book(fake).items() if field != name}
        assert client.put(f"/books/{old['id']}", json=sent).status_code == 400
        assert client.get(f"/books/{old['id']}").json() == old


@pytest.mark.task("replace", points=1)
def test_put_to_an_unknown_book(client, fill, fake, rng):
    """Replacing a book that isn't there is answered 404."""
    books = fill(2)

    assert client.put(f"/books/{unknown(books, rng)}", json=new_book(fake)).status_code == 404
    assert client.get("/books").json() == books


@pytest.mark.task("replace", points=1)
def test_put_leaves_the_others_alone(client, fill, fake):
    """Replacing one book leaves every other book as it was."""
    first, second, third = fill(3)
    sent = new_book(fake)

    client.put(f"/books/{second['id']}", json=sent)

    assert client.get("/books").json() == [first, {"id": second["id"], **sent}, third]


@pytest.mark.task("change", points=2)
def test_patch_changes_one_field(client, fill, fake):
    """Changing the title leaves all other fields as they were."""
    old = fill()[0]
    title = fake.title()

    reply = client.patch(f"/books/{old['id']}", json={"title": title})

    assert reply.status_code == 200
    assert reply.json() == {**old, "title": title}
    assert client.get(f"/books/{old['id']}").json() == {**old, "title": title}


@pytest.mark.task("change", points=1)
def test_patch_with_nothing_changes_nothing(client, fill):
    """Sending an empty object is answered 200 and changes nothing."""
    old = fill()[0]

    reply = client.patch(f"/books/{old['id']}", json={})

    assert reply.status_code == 200
    assert reply.json() == old
    assert client.get(f"/books/{old['id']}").json() == old


@pytest.mark.task("change", points=1)
def test_patch_with_an_unknown_field(client, fill, fake):
    """A field that a book doesn't have is answered 400, and the good field beside it changes nothing."""
    old = fill()[0]

    reply = client.patch(f"/books/{old['id']}", json={"title": fake.title(), f"{fake.word()}_{fake.token(4)}": 1})

    assert reply.status_code == 400
    assert client.get(f"/books/{old['id']}").json() == old


@pytest.mark.task("change", points=1)
def test_patch_with_the_id(client, fill, rng):
    """The id of a book can't be changed: 400, and everything stays as it was."""
    books = fill(2)

    assert client.patch(f"/books/{books[0]['id']}", json={"id": unknown(books, rng)}).status_code == 400
    assert client.get("/books").json() == books


@pytest.mark.task("change", points=1)
def test_patch_to_an_unknown_book(client, fill, fake, rng):
    """Changing a book that isn't there is answered 404."""
    books = fill(2)

    assert client.patch(f"/books/{unknown(books, rng)}", json={"title": fake.title()}).status_code == 404
    assert client.get("/books").json() == books


@pytest.mark.task("change", points=1)
def test_patch_leaves_the_others_alone(client, fill, fake):
    """Changing a part of one book leaves every other book as it was."""
    first, second, third = fill(3)
    author = fake.name()

    client.patch(f"/books/{second['id']}", json={"author": author})

    assert client.get("/books").json() == [first, {**second, "author": author}, third]


@pytest.mark.task("delete", points=2)
def test_delete_is_204(client, fill):
    """Deleting a book is answered 204, with an empty body."""
    book = fill(2)[0]

    reply = client.delete(f"/books/{book['id']}")

    assert reply.status_code == 204
    assert reply.body == b""


@pytest.mark.task("delete", points=2)
def test_a_deleted_book_is_gone(client, app, fill):
    """A deleted book is gone from the list and from its address, also after a restart."""
    first, second, third = fill(3)

    client.delete(f"/books/{second['id']}")

    assert client.get("/books").json() == [first, third]
    assert client.get(f"/books/{second['id']}").status_code == 404
    app.restart()
    assert client.get("/books").json() == [first, third]
    assert client.get(f"/books/{second['id']}").status_code == 404


@pytest.mark.task("delete", points=1)
def test_a_second_delete_is_404(client, fill):
    """Deleting a book a second time is answered 404."""
    book, other = fill(2)

    client.delete(f"/books/{book['id']}")

    assert client.delete(f"/books/{book['id']}").status_code == 404
    assert client.get("/books").json() == [other]


@pytest.mark.task("delete", points=2)
def test_an_id_is_never_used_again(client, app, fill):
    """The id of a deleted book is never given to another one, not even after a restart."""
    books = fill(2)
    used = {book["id"] for book in books}
    newest = max(used)

    assert client.delete(f"/books/{newest}").status_code == 204
    book = fill()[0]
    assert book["id"] not in used

    used.add(book["id"])
    assert client.delete(f"/books/{book['id']}").status_code == 204
    app.restart()
    assert fill()[0]["id"] not in used
