"""Hidden tests: the catalogue comes page by page, in an order that every request agrees on."""

import pytest

MANY = 100_000
MAKE_MANY = """
WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < ?1)
INSERT INTO books (id, title, author, isbn, year)
SELECT n + 1, printf('%s %05d', ?2, n * ?3 % ?1 / 2), ?4, ?5 + n * ?6 % ?1, 1900 + n % 100 FROM numbers
"""


def by(field, *, is_down=False):
    """A key that sorts by a field, up or down, and upward by isbn where that is equal."""

    def in_order(books):
        return sorted(sorted(books, key=lambda book: book["isbn"]), key=lambda book: book[field], reverse=is_down)

    return in_order


@pytest.fixture
def catalogue(client, db, fake, rng):
    """Fill the table with books of few years and some equal titles, and give them."""

    def fill(count):
        years = rng.sample(range(1900, 2024), 4)
        titles = [f"{fake.title()} {fake.token(3)}" for _ in range(count - count // 6)]
        titles += rng.choices(titles, k=count - len(titles))
        isbns = [fake.isbn() for _ in titles]
        rng.shuffle(titles)
        books = [
            {"id": number, "title": title, "author": fake.last(), "isbn": isbn, "year": rng.choice(years)}
            for number, title, isbn in zip(fake.ids(count, 1, 9000), titles, isbns, strict=True)
        ]
        client.get("/books")
        db.insert("books", *books)
        return books

    return fill


@pytest.fixture
def large_catalogue(client, db, fake, rng):
    """Have the database make 100,000 books, two of each title, in no order; give the first 200 by title."""
    # Multiplied by a number that shares no factor with 100,000, the numbers below it come in another order.
    title_step, isbn_step = (rng.randrange(10_001, MANY, 10) for _ in range(2))
    word, author, isbn = fake.word(), fake.last(), rng.randrange(9780000000000, 9790000000000)
    client.get("/books")
    db.execute(MAKE_MANY, [MANY, word, title_step, author, isbn, isbn_step])

    found = []
    for place in range(200):
        number = place * pow(title_step, -1, MANY) % MANY
        title, year = f"{word} {place // 2:05}", 1900 + number % 100
        isbn_of = str(isbn + number * isbn_step % MANY)
        found.append({"id": number + 1, "title": title, "author": author, "isbn": isbn_of, "year": year})
    return by("title")(found)


@pytest.fixture
def walk(client):
    """Turn the pages until one is not full, and give all items."""

    def turn(per_page, **wishes):
        items = []
        for page in range(1, 100):
            found = client.get("/books", params={"page": page, "per_page": per_page, **wishes}).json()["items"]
            items += found
            if len(found) < per_page:
                break
        return items

    return turn


@pytest.mark.task("pages", points=2)
def test_the_first_page_has_twenty(client, catalogue, rng):
    """Without parameters the first page is answered, with twenty books by title."""
    books = catalogue(rng.randrange(30, 40))

    reply = client.get("/books")

    assert reply.status_code == 200
    assert reply.json() == {"items": by("title")(books)[:20], "total": len(books), "page": 1, "per_page": 20}


@pytest.mark.task("pages", points=2)
def test_walking_finds_every_book_once(catalogue, walk, rng):
    """Whoever walks the pages finds every book exactly once, in order."""
    books = catalogue(rng.randrange(23, 34))

    assert walk(per_page=5) == by("title")(books)


@pytest.mark.task("pages", points=1)
def test_the_total_counts_every_book(client, catalogue, rng):
    """The total counts every book, not those on the page."""
    books = catalogue(rng.randrange(12, 40))

    found = client.get("/books", params={"page": 2, "per_page": 4}).json()

    assert found["total"] == len(books)
    assert found["items"] == by("title")(books)[4:8]


@pytest.mark.task("pages", points=2)
def test_after_the_last_page_is_nothing(client, catalogue, rng):
    """The last page may be short, and a page after it has no items and is answered 200."""
    books = catalogue(10 + rng.randrange(1, 10))

    last = client.get("/books", params={"page": 2, "per_page": 10}).json()
    after = client.get("/books", params={"page": rng.randrange(3, 50), "per_page": 10})

    assert last["items"] == by("title")(books)[10:]
    assert after.status_code == 200
    assert after.json()["items"] == []
    assert after.json()["total"] == len(books)


@pytest.mark.task("pages", points=1)
def test_a_page_has_at_most_a_hundred(client, catalogue, rng):
    """A page has at most a hundred books, and the answer says so."""
    books = catalogue(rng.randrange(103, 120))

    found = client.get("/books", params={"per_page": rng.randrange(101, 5000)}).json()

    assert found["items"] == by("title")(books)[:100]
    assert found["per_page"] == 100


@pytest.mark.task("pages", points=2)
def test_the_database_cuts_the_page_out(client, large_catalogue, db, rng):
    """Of 100,000 books the database cuts the page out: no query brings all of them."""
    page = rng.randrange(1, 9)

    db.forget()
    found = client.get("/books", params={"page": page}).json()
    sent = [statement.sql.upper() for statement in db.statements()]

    assert found["items"] == large_catalogue[(page - 1) * 20 : page * 20]
    assert found["total"] == MANY
    assert [sql for sql in sent if "LIMIT" not in sql and "COUNT(" not in sql] == []
    assert any("LIMIT" in sql for sql in sent)


@pytest.mark.task("refuse", points=2)
def test_a_page_below_one(client, catalogue, rng):
    """A page or a number of books below 1 is answered 400."""
    books = catalogue(rng.randrange(5, 12))

    for wishes in ({"page": 0}, {"page": -1}, {"page": -rng.randrange(2, 90)}, {"per_page": 0}, {"per_page": -1}):
        assert client.get("/books", params=wishes).status_code == 400
    assert client.get("/books", params={"page": 1, "per_page": 1}).json()["items"] == by("title")(books)[:1]


@pytest.mark.task("refuse", points=2)
def test_a_page_that_is_a_word(client, catalogue, fake, rng):
    """A word in place of a number is answered 400."""
    books = catalogue(rng.randrange(5, 12))

    for name in ("page", "per_page"):
        reply = client.get("/books", params={name: fake.word()})
        assert reply.status_code == 400
        assert reply.json()["error"] != ""
    assert client.get("/books").json()["items"] == by("title")(books)


@pytest.mark.task("sort", points=2)
def test_books_of_one_year_come_by_isbn(catalogue, walk, rng):
    """Books of one year come by their isbn, on every page."""
    books = catalogue(rng.randrange(23, 34))

    assert walk(per_page=6, sort="year") == by("year")(books)


@pytest.mark.task("sort", points=2)
def test_a_minus_sorts_downward(catalogue, walk, rng):
    """A minus sorts downward, and books of one year still come by their isbn."""
    books = catalogue(rng.randrange(23, 34))

    assert walk(per_page=8, sort="-year") == by("year", is_down=True)(books)


@pytest.mark.task("sort", points=2)
def test_sorting_by_title_in_both_directions(client, catalogue, rng):
    """Sorting by the title works in both directions."""
    books = catalogue(rng.randrange(21, 34))

    for sort, is_down in (("title", False), ("-title", True)):
        found = client.get("/books", params={"sort": sort}).json()
        assert found["items"] == by("title", is_down=is_down)(books)[:20]


@pytest.mark.task("sort", points=2)
def test_an_unknown_order_is_refused(client, catalogue, fake, rng):
    """Any other order is answered 400, and every book is still there."""
    books = catalogue(rng.randrange(5, 12))

    for sort in ("password", "year;drop table books", "--year", "", fake.word(), "random()"):
        assert client.get("/books", params={"sort": sort}).status_code == 400
    assert client.get("/books", params={"sort": "year"}).json()["items"] == by("year")(books)
