"""Three counts over the library's tables, each made by the database in one query."""

from sqlalchemy import text


def books_per_author(session):
    """The name of each author and the number of books, by name, then by number."""
    # TODO: write the query
    return session.execute(text("SELECT 'no query yet'")).all()


def busy_years(session):
    """Each year with at least two books, and how many there are, by year."""
    # TODO: write the query
    return session.execute(text("SELECT 'no query yet'")).all()


def lending(session):
    """The title of each book, the number of its authors and of its loans, the most lent first, then by title."""
    # TODO: write the query
    return session.execute(text("SELECT 'no query yet'")).all()
