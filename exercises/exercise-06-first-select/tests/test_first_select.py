"""Hidden tests: three queries on libraries whose rows are drawn anew each time."""

import pytest

TABLES = """
CREATE TABLE members (id INTEGER PRIMARY KEY, name TEXT NOT NULL, town TEXT NOT NULL, joined TEXT NOT NULL);
CREATE TABLE books (
    id INTEGER PRIMARY KEY, title TEXT NOT NULL, author TEXT NOT NULL, year INTEGER,
    member_id INTEGER REFERENCES members (id)
);
"""
TOWN = "Val-d'Or"


class Library:
    """One library: its books, its members, and the right answers about them."""

    def __init__(self, books, members):
        self.books = books
        self.members = members

    @classmethod
    def drawn(cls, fake, rng):
        """A library with ties, gaps and look-alikes, its rows in an order from which no answer is right by luck."""
        old, older = rng.sample(range(1850, 1945), 2)
        years = [old, old, old, older, older, 1949, 1950, rng.randrange(1951, 2024), rng.randrange(1951, 2024)]
        titles = [f"{fake.title()} {number}" for number in rng.sample(range(100, 1000), len(years))]
        titles[rng.randrange(5)] = f"{fake.last()}'s {fake.title()}"
        books = [
            {"title": title, "author": fake.name(), "year": year} for title, year in zip(titles, years, strict=True)
        ]
        twice = f"{fake.title()} {rng.randrange(100, 1000)}"
        for title in (twice, twice, f"{fake.last()}'s {fake.title()}"):
            books.append({"title": title, "author": f"{fake.name()} {fake.token(4)}", "year": None})

        day = rng.randrange(10, 28)
        days = [f"2019-05-{day}", f"2019-05-{day}", f"2019-05-{day + 1}", f"2018-11-{day}", f"2021-02-{day}"]
        names = [f"{fake.name()} {number}" for number in rng.sample(range(100, 1000), len(days) + 4)]
        members = [{"name": names.pop(), "town": TOWN, "joined": joined} for joined in days]
        for town in ("Val-d'or", "Val d'Or", "Val-dOr", f"Val-d'Or-{fake.word()}"):
            members.append({"name": names.pop(), "town": town, "joined": f"2020-07-{day}"})

        library = cls(books, members)
        while not library.is_mixed():
            rng.shuffle(books)
            rng.shuffle(members)
        return library

    def is_mixed(self):
        """Whether each answer needs all of its ORDER BY: neither the stored order nor the first column gives it."""
        old = [(book["title"], book["year"]) for book in self.books if book["year"] and book["year"] < 1950]
        town = [(member["name"], member["joined"]) for member in self.members if member["town"] == TOWN]
        undated = [(book["title"], book["author"]) for book in self.books if book["year"] is None]
        lucky = (
            (self.old(), old, sorted(old, key=lambda row: row[1])),
            (self.townspeople(), town, sorted(town, key=lambda row: row[1], reverse=True)),
            (self.undated(), undated, sorted(undated, key=lambda row: row[0])),
        )
        return all(answer not in (stored, stored[::-1], halfway) for answer, stored, halfway in lucky)

    def old(self):
        """The title and year of each book from before 1950, in order."""
        found = [book for book in self.books if book["year"] is not None and book["year"] < 1950]
        return [(book["title"], book["year"]) for book in sorted(found, key=lambda book: (book["year"], book["title"]))]

    def townspeople(self):
        """The name and joining day of each member of the town, in order."""
        found = [(member["name"], member["joined"]) for member in self.members if member["town"] == TOWN]
        return sorted(sorted(found), key=lambda row: row[1], reverse=True)

    def undated(self):
        """The title and author of each book without a year, in order."""
        return sorted((book["title"], book["author"]) for book in self.books if book["year"] is None)

    def fill(self, db):
        """Put these rows, and no others, into the database."""
        statements = ["BEGIN; DELETE FROM books; DELETE FROM members"]
        for table, rows in (("books", self.books), ("members", self.members)):
            for row in rows:
                values = ", ".join(literal(value) for value in row.values())
                statements.append(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({values})")
        db.script("; ".join([*statements, "COMMIT;"]))


def literal(value):
    """A value as SQL writes it."""
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
def ask(call, db):
    """Run the query that a function of the learner returns."""

    def run(name):
        sql = call(name)
        assert isinstance(sql, str)
        return db.query(sql)

    return run


@pytest.fixture
def three_libraries(library, fake, rng):
    """Two filled libraries and an empty one between them."""
    return [library, Library([], []), Library.drawn(fake, rng)]


def by_text(rows):
    """The rows in an order of their own, also where a value is of another type than it should be."""
    return sorted(rows, key=repr)


@pytest.mark.task("old-books", points=1)
def test_old_books_are_found(library, ask):
    """The books from before 1950 are found, all of them and no others."""
    assert by_text(ask("books_before_1950").rows) == by_text(library.old())


@pytest.mark.task("old-books", points=1)
def test_old_books_have_two_columns(library, ask):
    """The list of old books has two columns, the title first and then the year."""
    answer = ask("books_before_1950")

    assert list(answer.columns) == ["title", "year"]
    assert answer.rows[:1] == library.old()[:1]


@pytest.mark.task("old-books", points=2)
def test_old_books_come_by_year_then_title(library, ask):
    """The old books come in the order of their years, and those of one year by title."""
    assert ask("books_before_1950").rows == library.old()


@pytest.mark.task("old-books", points=1)
def test_1950_is_not_before_1950(library, ask):
    """A book of 1949 is on the list of old books, and a book of 1950 is not."""
    years = [row[-1] for row in ask("books_before_1950").rows]

    assert 1949 in years
    assert 1950 not in years


@pytest.mark.task("old-books", points=1)
def test_a_book_without_a_year_is_not_old(library, ask):
    """A book whose year nobody knows is not on the list of old books."""
    titles = [row[0] for row in ask("books_before_1950").rows]

    assert library.old()[0][0] in titles
    assert [title for title, _author in library.undated() if title in titles] == []


@pytest.mark.task("old-books", points=1)
def test_a_title_with_an_apostrophe(library, ask):
    """A title with an apostrophe comes out as it went in."""
    titles = [row[0] for row in ask("books_before_1950").rows]

    assert [title for title in titles if "'" in title] == [title for title, _year in library.old() if "'" in title]


@pytest.mark.task("old-books", points=2)
def test_old_books_of_three_libraries(db, three_libraries, ask):
    """The list of old books is right in three libraries, one of them empty."""
    for library in three_libraries:
        library.fill(db)
        assert ask("books_before_1950").rows == library.old()


@pytest.mark.task("old-books", points=1)
def test_asking_for_old_books_changes_nothing(library, db, ask):
    """Asking for the old books changes nothing in the filing cabinet."""
    before = db.digest()

    assert ask("books_before_1950").rows == library.old()
    assert db.digest() == before


@pytest.mark.task("one-town", points=1)
def test_members_of_the_town_are_found(library, ask):
    """The members from Val-d'Or are found, each with the name and the day of joining."""
    answer = ask("members_of_val_dor")

    assert list(answer.columns) == ["name", "joined"]
    assert by_text(answer.rows) == by_text(library.townspeople())


@pytest.mark.task("one-town", points=1)
def test_only_that_town(library, ask):
    """Members from towns that are spelled a little differently are left out."""
    names = [row[0] for row in ask("members_of_val_dor").rows]
    elsewhere = [member["name"] for member in library.members if member["town"] != TOWN]

    assert library.townspeople()[0][0] in names
    assert [name for name in elsewhere if name in names] == []


@pytest.mark.task("one-town", points=2)
def test_newest_member_comes_first(library, ask):
    """The newest member comes first, and those who joined on one day by name."""
    assert ask("members_of_val_dor").rows == library.townspeople()


@pytest.mark.task("one-town", points=1)
def test_members_of_the_town_in_three_libraries(db, three_libraries, ask):
    """The list of members from Val-d'Or is right in three libraries, one of them empty."""
    for library in three_libraries:
        library.fill(db)
        assert ask("members_of_val_dor").rows == library.townspeople()


@pytest.mark.task("one-town", points=1)
def test_asking_for_the_town_changes_nothing(library, db, ask):
    """Asking for the members from Val-d'Or changes nothing in the filing cabinet."""
    before = db.digest()

    assert ask("members_of_val_dor").rows == library.townspeople()
    assert db.digest() == before


@pytest.mark.task("unknown-year", points=2)
def test_books_without_a_year_are_found(library, ask):
    """The books whose year nobody knows are found with title and author, in the order of their titles, then authors."""
    answer = ask("books_without_a_year")

    assert list(answer.columns) == ["title", "author"]
    assert answer.rows == library.undated()


@pytest.mark.task("unknown-year", points=1)
def test_books_without_a_year_in_three_libraries(db, three_libraries, ask):
    """The list of books without a year is right in three libraries, one of them empty."""
    for library in three_libraries:
        library.fill(db)
        assert ask("books_without_a_year").rows == library.undated()


@pytest.mark.task("unknown-year", points=1)
def test_asking_for_books_without_a_year_changes_nothing(library, db, ask):
    """Asking for the books without a year changes nothing in the filing cabinet."""
    before = db.digest()

    assert ask("books_without_a_year").rows == library.undated()
    assert db.digest() == before
