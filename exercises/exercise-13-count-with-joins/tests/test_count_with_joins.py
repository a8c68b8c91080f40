"""Hidden tests: three counts on libraries whose rows are drawn anew each time."""

from collections import Counter

import pytest

TABLES = """
CREATE TABLE authors (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT NOT NULL UNIQUE, year INTEGER);
CREATE TABLE authorships (
    author_id INTEGER NOT NULL REFERENCES authors (id),
    book_id INTEGER NOT NULL REFERENCES books (id),
    PRIMARY KEY (author_id, book_id)
);
CREATE TABLE loans (id INTEGER PRIMARY KEY, book_id INTEGER NOT NULL REFERENCES books (id), lent_on TEXT NOT NULL);
"""


class Library:
    """One library: its rows by table, and the right answers about them."""

    def __init__(self, authors=(), books=(), authorships=(), loans=()):
        self.authors = list(authors)
        self.books = list(books)
        self.authorships = list(authorships)
        self.loans = list(loans)

    @classmethod
    def drawn(cls, fake, rng):
        """A library with namesakes, gaps and ties, its rows in an order from which no answer is right by luck."""
        while True:
            library = cls._shuffled(fake, rng)
            if library.is_mixed():
                return library

    @classmethod
    def _shuffled(cls, fake, rng):
        ids = fake.ids(6, 1, 90)
        names = sorted((f"{fake.name()} {rng.randrange(100, 1000)}" for _ in range(5)), key=lambda _name: rng.random())
        # The first two are namesakes; the last has no book.
        authors = [{"id": number, "name": name} for number, name in zip(ids, [names[0], *names], strict=True)]
        year, other = rng.sample(range(1900, 2000), 2)
        years = [year, other, year, other, other, rng.randrange(2001, 2024), None, None, None]
        rng.shuffle(years)
        titles = [f"{fake.title()} {rng.randrange(100, 1000)}" for _ in years]
        books = [
            {"id": number, "title": title, "year": year}
            for number, title, year in zip(fake.ids(len(years), 100, 190), titles, years, strict=True)
        ]
        by = [[0], [0, 2], [1, 3], [2], [2, 4], [3], [4], [0], []]
        authorships = [
            {"author_id": ids[author], "book_id": book["id"]}
            for book, authors_of_it in zip(books, by, strict=True)
            for author in authors_of_it
        ]
        # The most lent has two authors; two are tied behind it, two at the end, and two were never lent.
        counts = [1, rng.randrange(7, 10), 3, 4, 3, 1, 2, 0, 0]
        lent = [book["id"] for book, count in zip(books, counts, strict=True) for _ in range(count)]
        rng.shuffle(lent)
        loans = [
            {"id": number, "book_id": book, "lent_on": str(fake.date())}
            for number, book in zip(fake.ids(len(lent), 1000, 1900), lent, strict=True)
        ]
        for rows in (authors, books, authorships, loans):
            rng.shuffle(rows)
        return cls(authors, books, authorships, loans)

    def is_mixed(self):
        """Whether each answer needs all of its ORDER BY: neither the ids' order nor the first key alone gives it."""
        authors = self._counted_authors(sorted(self.authors, key=lambda author: author["id"]))
        books = self._counted_books(sorted(self.books, key=lambda book: book["id"]))
        by_title = self._counted_books(sorted(self.books, key=lambda book: book["title"]))
        first_key = sorted(books, key=lambda row: -row[2])
        return (
            self.per_author() not in (authors, authors[::-1], sorted(authors, key=lambda row: row[0]))
            and self.lending() not in (books, books[::-1], first_key, by_title)
            and sorted(authors, key=lambda row: row[1]) != self.per_author()
        )

    def _counted_authors(self, authors):
        counts = Counter(row["author_id"] for row in self.authorships)
        return [(author["name"], counts[author["id"]]) for author in authors]

    def _counted_books(self, books):
        authors = Counter(row["book_id"] for row in self.authorships)
        loans = Counter(row["book_id"] for row in self.loans)
        return [(book["title"], authors[book["id"]], loans[book["id"]]) for book in books]

    def per_author(self):
        """Each author's name and number of books, by name, then by number."""
        return sorted(self._counted_authors(self.authors))

    def years(self):
        """Each year with at least two books, and how many there are."""
        counts = Counter(book["year"] for book in self.books if book["year"] is not None)
        return sorted((year, count) for year, count in counts.items() if count >= 2)

    def lending(self):
        """Each book's title and its numbers of authors and loans, the most lent first, then by title."""
        return sorted(self._counted_books(self.books), key=lambda row: (-row[2], row[0]))

    def fill(self, db):
        """Put these rows, and no others, into the database."""
        steps = ["DELETE FROM loans", "DELETE FROM authorships", "DELETE FROM books", "DELETE FROM authors"]
        for table in ("authors", "books", "authorships", "loans"):
            rows = getattr(self, table)
            if rows:
                values = ", ".join(f"({', '.join(map(literal, row.values()))})" for row in rows)
                steps.append(f"INSERT INTO {table} ({', '.join(rows[0])}) VALUES {values}")
        db.script("; ".join(steps))


def literal(value):
    """Write a value as SQL does."""
    if value is None:
        return "NULL"
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"


@pytest.fixture
def library(db, fake, rng):
    """A filled library."""
    db.script(TABLES)
    library = Library.drawn(fake, rng)
    library.fill(db)
    return library


@pytest.fixture
def ask(call):
    """Call a function of the learner with a session, and give its rows as tuples."""

    def run(name):
        return [tuple(row) for row in call(name, call.session)]

    return run


@pytest.fixture
def three_libraries(library, fake, rng):
    """Two filled libraries and an empty one between them."""
    return [library, Library(), Library.drawn(fake, rng)]


def by_text(rows):
    """The rows in an order of their own, also where a value is of another type than it should be."""
    return sorted(rows, key=repr)


@pytest.mark.task("authors", points=1)
def test_every_author_is_counted(library, ask):
    """Every author is listed, with the number of books."""
    assert by_text(ask("books_per_author")) == by_text(library.per_author())


@pytest.mark.task("authors", points=1)
def test_an_author_without_books_has_0(library, ask):
    """An author without books is listed with 0."""
    nobody = [row for row in library.per_author() if row[1] == 0]

    assert [row for row in ask("books_per_author") if row[0] == nobody[0][0]] == nobody


@pytest.mark.task("authors", points=1)
def test_a_book_of_two_authors_counts_for_both(library, ask):
    """A book of two authors counts once for each of them."""
    shared = {book for book, count in Counter(row["book_id"] for row in library.authorships).items() if count == 2}
    ids = {row["author_id"] for row in library.authorships if row["book_id"] in shared}
    names = {author["name"] for author in library.authors if author["id"] in ids}

    found = [row for row in ask("books_per_author") if row[0] in names]

    assert by_text(found) == by_text(row for row in library.per_author() if row[0] in names)


@pytest.mark.task("authors", points=1)
def test_namesakes_are_two_people(library, ask):
    """Two authors of one name are two people."""
    name = Counter(author["name"] for author in library.authors).most_common(1)[0][0]

    found = [row for row in ask("books_per_author") if row[0] == name]

    assert by_text(found) == by_text(row for row in library.per_author() if row[0] == name)


@pytest.mark.task("authors", points=2)
def test_authors_come_by_name(library, ask):
    """The authors come by name, and those of one name by the number of books."""
    assert ask("books_per_author") == library.per_author()


@pytest.mark.task("authors", points=1)
def test_authors_of_three_libraries(db, three_libraries, ask):
    """The counts of the authors are right in three libraries, one of them empty."""
    for library in three_libraries:
        library.fill(db)
        assert ask("books_per_author") == library.per_author()


@pytest.mark.task("authors", points=1)
def test_one_query_for_the_authors(db, library, ask):
    """One query is enough to count the books of all authors."""
    with db.budget(1):
        assert ask("books_per_author") == library.per_author()


@pytest.mark.task("years", points=2)
def test_years_with_more_than_one_book(library, ask):
    """The years with at least two books are listed, in order, each with its number of books."""
    assert [row for row in ask("busy_years") if row[0] is not None] == library.years()


@pytest.mark.task("years", points=1)
def test_unknown_years_are_no_year(library, ask):
    """Books whose year nobody knows belong to no year."""
    assert [row[0] for row in ask("busy_years")] == [year for year, _count in library.years()]


@pytest.mark.task("years", points=2)
def test_years_of_three_libraries(db, three_libraries, ask):
    """The counts of the years are right in three libraries, one of them empty."""
    for library in three_libraries:
        library.fill(db)
        assert ask("busy_years") == library.years()


@pytest.mark.task("years", points=1)
def test_one_query_for_the_years(db, library, ask):
    """One query is enough to find the years."""
    with db.budget(1):
        assert ask("busy_years") == library.years()


@pytest.mark.task("lending", points=1)
def test_the_most_lent_book_comes_first(library, ask):
    """The book that was lent most often comes first."""
    assert ask("lending")[0][0] == library.lending()[0][0]


@pytest.mark.task("lending", points=2)
def test_equal_counts_come_by_title(library, ask):
    """Books that were lent equally often come by title."""
    assert [row[0] for row in ask("lending")] == [row[0] for row in library.lending()]


@pytest.mark.task("lending", points=1)
def test_a_book_that_was_never_lent_has_0(library, ask):
    """A book that was never lent is listed with 0."""
    titles = sorted(row[0] for row in library.lending() if row[2] == 0)

    assert sorted(row[0] for row in ask("lending") if row[2] == 0) == titles


@pytest.mark.task("lending", points=2)
def test_two_joins_do_not_multiply(library, ask):
    """A book of two authors that was lent many times has the right number of both."""
    assert ask("lending")[0] == library.lending()[0]


@pytest.mark.task("lending", points=1)
def test_lending_of_three_libraries(db, three_libraries, ask):
    """The ranking is right in three libraries, one of them empty."""
    for library in three_libraries:
        library.fill(db)
        assert ask("lending") == library.lending()


@pytest.mark.task("lending", points=1)
def test_one_query_for_the_lending(db, library, ask):
    """One query is enough to rank the books."""
    with db.budget(1):
        assert ask("lending") == library.lending()
