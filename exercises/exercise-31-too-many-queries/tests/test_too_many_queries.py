"""Hidden tests: the page of authors says what it said before, and needs few statements for it."""

import json

import pytest

COUNTRIES = ("PE", "SN", "IS", "JP")
AT_MOST = 4
AT_MOST_S = 0.3


class Shop:
    """Authors with books and reviews, and what the page of them has to say."""

    def __init__(self, authors, books, reviews):
        self.authors, self.books, self.reviews = authors, books, reviews

    @classmethod
    def drawn(cls, fake, rng, counts):
        """A shop whose authors have so many books each; some books have no review, some have several on one day."""
        names = [f"{fake.last()}, {fake.first()}" for _ in range(max(1, len(counts) - 2))]
        authors = [
            {"id": number, "name": rng.choice(names), "country": rng.choice(COUNTRIES)}
            for number in fake.ids(len(counts), 10, 99999)
        ]
        written = [author["id"] for author, count in zip(authors, counts, strict=True) for _ in range(count)]
        rng.shuffle(written)
        titles = [f"{fake.word().title()} {fake.token(3)}" for _ in range(12)]
        books = [
            {"id": number, "author_id": author, "title": rng.choice(titles)}
            for number, author in zip(fake.ids(len(written), 10, 99999), written, strict=True)
        ]
        reviewed = [book["id"] for place, book in enumerate(books) for _ in range(place % 4)]
        rng.shuffle(reviewed)
        reviews = [
            {"id": number, "book_id": book, "stars": rng.randint(1, 5), "written_on": f"2025-03-1{rng.randrange(4)}"}
            for number, book in zip(fake.ids(len(reviewed), 10, 99999), reviewed, strict=True)
        ]
        return cls(authors, books, reviews)

    def fill(self, db):
        """Put these rows, and no others, into the database."""
        steps = ["BEGIN", "DELETE FROM reviews", "DELETE FROM books", "DELETE FROM authors"]
        for table in ("authors", "books", "reviews"):
            rows = getattr(self, table)
            if rows:
                values = ", ".join(f"({', '.join(map(literal, row.values()))})" for row in rows)
                steps.append(f"INSERT INTO {table} ({', '.join(rows[0])}) VALUES {values}")
        db.script("; ".join([*steps, "COMMIT"]))

    def page(self, page=1, per_page=20, country=None):
        """Give the answer, as it is written."""
        latest = {}
        for review in sorted(self.reviews, key=lambda review: (review["written_on"], review["id"])):
            latest[review["book_id"]] = {"stars": review["stars"], "written_on": review["written_on"]}
        books = {}
        for book in sorted(self.books, key=lambda book: (book["title"], book["id"])):
            told = {"id": book["id"], "title": book["title"], "latest_review": latest.get(book["id"])}
            books.setdefault(book["author_id"], []).append(told)
        found = [author for author in self.authors if country in (None, author["country"])]
        found.sort(key=lambda author: (author["name"], author["id"]))
        items = [
            {"id": author["id"], "name": author["name"], "books": books.get(author["id"], [])}
            for author in found[(page - 1) * per_page : page * per_page]
        ]
        return {"items": items, "total": len(found)}


def literal(value):
    """Write a value as SQL does."""
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"


def written(content):
    """Give an answer as Flask writes it."""
    return json.dumps(content, sort_keys=True, separators=(",", ":")) + "\n"


@pytest.fixture
def shop(client, db, fake, rng):
    """Make shops, and fill the database with them."""
    client.get("/authors")

    def make(counts):
        made = Shop.drawn(fake, rng, counts)
        made.fill(db)
        return made

    return make


@pytest.fixture
def some(rng):
    """Draw numbers of books for so many authors: none for some, many for others."""
    return lambda count: [0, 0, 3, 5, *(rng.randrange(4) for _ in range(count - 4))]


@pytest.mark.task("few", points=2)
def test_the_same_bytes(client, shop, some, rng):
    """The answer is byte for byte what it was before, for five bookshops, one of them empty."""
    for counts in ([], [2], some(6), some(rng.randrange(9, 14)), some(22)):
        made = shop(counts)
        assert client.get("/authors").text == written(made.page())


@pytest.mark.task("few", points=2)
def test_ten_authors(client, db, shop, some):
    """Ten authors take at most 4 statements."""
    made = shop(some(10))
    with db.budget(AT_MOST):
        assert client.get("/authors").json() == made.page()


@pytest.mark.task("few", points=3)
def test_a_thousand_authors(client, db, shop, rng):
    """A page of 500 out of 1,000 authors takes at most 4 statements, too; all 1,000 on one page come within 300 milliseconds."""
    made = shop([place % 2 for place in range(1000)])
    page = rng.choice([1, 2])
    with db.budget(AT_MOST):
        assert client.get("/authors", params={"page": page, "per_page": 500}).json() == made.page(page, 500)
    replies = [client.get("/authors", params={"per_page": 1000})]
    assert replies[0].json() == made.page(1, 1000)
    # A busy machine may be slow once, not three times.
    while replies[-1].elapsed_s > AT_MOST_S and len(replies) < 4:
        replies.append(client.get("/authors", params={"per_page": 1000}))
    assert min(reply.elapsed_s for reply in replies) <= AT_MOST_S


@pytest.mark.task("few", points=1)
def test_nothing_is_missing(client, shop, some):
    """Authors without books are there with an empty list, and books without a review with null."""
    made = shop(some(12))
    found = client.get("/authors").json()["items"]
    told = made.page()["items"]

    assert [author["id"] for author in found if not author["books"]] == [
        author["id"] for author in told if not author["books"]
    ]
    assert [book["id"] for author in found for book in author["books"] if book["latest_review"] is None] == [
        book["id"] for author in told for book in author["books"] if book["latest_review"] is None
    ]


@pytest.mark.task("few", points=2)
def test_the_latest_review(client, db, shop, fake, rng):
    """The latest review of a book is the one of the newest day, and of several on that day the one with the highest id."""
    made = shop([1])
    book, stars = made.books[0]["id"], rng.sample(range(1, 6), 3)
    ids = sorted(fake.ids(3, 200000, 900000))
    for number, each, day in zip(ids, stars, rng.choice([(21, 25, 25), (25, 25, 21)]), strict=True):
        made.reviews.append({"id": number, "book_id": book, "stars": each, "written_on": f"2025-04-{day}"})
    made.fill(db)

    assert client.get("/authors").json() == made.page()


@pytest.mark.task("few", points=2)
def test_news_shows_at_once(client, db, shop, some, rng):
    """A book and a review that were added a moment ago are in the next answer."""
    made = shop(some(9))
    assert client.get("/authors").json() == made.page()
    book = {"id": 200000, "author_id": rng.choice(made.authors)["id"], "title": "Just out"}
    made.books.append(book)
    db.insert("books", book)
    assert client.get("/authors").json() == made.page()
    review = {"id": 200000, "book_id": book["id"], "stars": rng.randint(1, 5), "written_on": "2025-05-01"}
    made.reviews.append(review)
    db.insert("reviews", review)
    assert client.get("/authors").json() == made.page()


@pytest.mark.task("pages", points=2)
def test_a_page_has_twenty_authors(client, db, shop, some):
    """A page has 20 authors, however many books they have, and takes at most 4 statements."""
    made = shop([*some(25), 9, 8])
    with db.budget(AT_MOST):
        first = client.get("/authors").json()
    assert [author["id"] for author in first["items"]] == [author["id"] for author in made.page()["items"]]
    assert first["total"] == 27


@pytest.mark.task("pages", points=2)
def test_walking(client, db, shop, some, rng):
    """Whoever turns the pages meets every author once and past the last page nobody, with at most 4 statements a page."""
    made = shop(some(rng.randrange(11, 15)))
    for page in range(1, 6):
        with db.budget(AT_MOST):
            reply = client.get("/authors", params={"page": page, "per_page": 4})
        assert reply.json() == made.page(page, 4)


@pytest.mark.task("pages", points=2)
def test_the_filter(client, db, shop, some, rng):
    """With a country only its authors are listed and counted, on every page, with at most 4 statements."""
    made = shop(some(20))
    for country in (*rng.sample(COUNTRIES, 2), "XX"):
        for page in (1, 2):
            with db.budget(AT_MOST):
                reply = client.get("/authors", params={"country": country, "page": page, "per_page": 3})
            assert reply.json() == made.page(page, 3, country)
