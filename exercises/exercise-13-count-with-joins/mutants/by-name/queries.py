"""Three counts over the library's tables, each made by the database in one query."""

from sqlalchemy import text


def books_per_author(session):
    """The name of each author and the number of books, by name, then by number."""
    query = """
        SELECT authors.name, COUNT(authorships.book_id) AS written
        FROM authors
        LEFT JOIN authorships ON authorships.author_id = authors.id
        GROUP BY authors.name
        ORDER BY authors.name, written
    """
    return session.execute(text(query)).all()


def busy_years(session):
    """Each year with at least two books, and how many there are, by year."""
    query = """
        SELECT year, COUNT(*)
        FROM books
        WHERE year IS NOT NULL
        GROUP BY year
        HAVING COUNT(*) >= 2
        ORDER BY year
    """
    return session.execute(text(query)).all()


def lending(session):
    """The title of each book, the number of its authors and of its loans, the most lent first, then by title."""
    query = """
        SELECT books.title, COUNT(DISTINCT authorships.author_id), COUNT(DISTINCT loans.id) AS times_lent
        FROM books
        LEFT JOIN authorships ON authorships.book_id = books.id
        LEFT JOIN loans ON loans.book_id = books.id
        GROUP BY books.id
        ORDER BY times_lent DESC, books.title
    """
    return session.execute(text(query)).all()
