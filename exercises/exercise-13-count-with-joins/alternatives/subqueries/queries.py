"""Three counts over the library's tables, each made by the database in one query."""

from sqlalchemy import text


def books_per_author(session):
    """The name of each author and the number of books, by name, then by number."""
    query = """
        SELECT name, (SELECT COUNT(*) FROM authorships WHERE author_id = authors.id) AS books
        FROM authors
        ORDER BY name, books
    """
    return [tuple(row) for row in session.execute(text(query))]


def busy_years(session):
    """Each year with at least two books, and how many there are, by year."""
    query = """
        SELECT * FROM (SELECT year, COUNT(id) AS books FROM books GROUP BY year)
        WHERE books > 1 AND year IS NOT NULL
        ORDER BY year
    """
    return [tuple(row) for row in session.execute(text(query))]


def lending(session):
    """The title of each book, the number of its authors and of its loans, the most lent first, then by title."""
    query = """
        SELECT
            title,
            (SELECT COUNT(*) FROM authorships WHERE book_id = books.id),
            (SELECT COUNT(*) FROM loans WHERE book_id = books.id)
        FROM books
        ORDER BY 3 DESC, 1
    """
    return [tuple(row) for row in session.execute(text(query))]
