"""Three counts over the library's tables, each made by the database in one query."""

from sqlalchemy import column, func, select, table

authors = table("authors", column("id"), column("name"))
books = table("books", column("id"), column("title"), column("year"))
authorships = table("authorships", column("author_id"), column("book_id"))
loans = table("loans", column("id"), column("book_id"))


def books_per_author(session):
    """The name of each author and the number of books, by name, then by number."""
    count = func.count(authorships.c.book_id)
    return session.execute(
        select(authors.c.name, count)
        .select_from(authors.outerjoin(authorships, authorships.c.author_id == authors.c.id))
        .group_by(authors.c.id)
        .order_by(authors.c.name, count)
    ).all()


def busy_years(session):
    """Each year with at least two books, and how many there are, by year."""
    count = func.count()
    return session.execute(
        select(books.c.year, count)
        .where(books.c.year.is_not(None))
        .group_by(books.c.year)
        .having(count > 1)
        .order_by(books.c.year)
    ).all()


def lending(session):
    """The title of each book, the number of its authors and of its loans, the most lent first, then by title."""
    writers = select(authorships.c.book_id, func.count().label("n")).group_by(authorships.c.book_id).subquery()
    lent = select(loans.c.book_id, func.count().label("n")).group_by(loans.c.book_id).subquery()
    times = func.coalesce(lent.c.n, 0)
    with_writers = books.outerjoin(writers, writers.c.book_id == books.c.id)
    return session.execute(
        select(books.c.title, func.coalesce(writers.c.n, 0), times)
        .select_from(with_writers.outerjoin(lent, lent.c.book_id == books.c.id))
        .order_by(times.desc(), books.c.title)
    ).all()
