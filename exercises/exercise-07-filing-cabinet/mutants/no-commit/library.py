"""The library's filing cabinet: what a book is, and how it goes into the drawer and out of it."""

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """What all tables of the library have in common."""


class Book(Base):
    """A book: its title, its ISBN, and its year where somebody knows it."""

    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    isbn: Mapped[str] = mapped_column(unique=True)
    year: Mapped[int | None]


def add_book(session, title, isbn, year):
    """Keep a new book and return it; return None when another book has this isbn."""
    book = Book(title=title, isbn=isbn, year=year)
    session.add(book)
    try:
        session.flush()
    except IntegrityError:
        session.rollback()
        return None
    return book


def get_book(session, book_id):
    """Return the book with this id, or None."""
    return session.get(Book, book_id)
