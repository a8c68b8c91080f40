"""Three counts over the library's tables, each made by the database in one query."""

from sqlalchemy import text


def books_per_author(session):
    """The name of each author and the number of books, by name, then by number."""
    rows = []
    for author_id, name in session.execute(text("SELECT id, name FROM authors")).all():
        books = session.execute(text("SELECT 1 FROM authorships WHERE author_id = :id"), {"id": author_id}).all()
        rows.append((name, len(books)))
    return sorted(rows)


def busy_years(session):
    """Each year with at least two books, and how many there are, by year."""
    rows = []
    for (year,) in session.execute(text("SELECT DISTINCT year FROM books WHERE year IS NOT NULL")).all():
        books = session.execute(text("SELECT 1 FROM books WHERE year = :year"), {"year": year}).all()
        if len(books) >= 2:
            rows.append((year, len(books)))
    return sorted(rows)


def lending(session):
    """The title of each book, the number of its authors and of its loans, the most lent first, then by title."""
    rows = []
    for book_id, title in session.execute(text("SELECT id, title FROM books")).all():
        authors = session.execute(text("SELECT 1 FROM authorships WHERE book_id = :id"), {"id": book_id}).all()
        loans = session.execute(text("SELECT 1 FROM loans WHERE book_id = :id"), {"id": book_id}).all()
        rows.append((title, len(authors), len(loans)))
    return sorted(rows, key=lambda row: (-row[2], row[0]))
