"""The library's filing cabinet: what a book is, and how it goes into the drawer and out of it."""

from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """What all tables of the library have in common."""


class Book(Base):
    """A book: its title, its ISBN, and its year where somebody knows it."""

    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True)
    # TODO: the columns title, isbn and year


def add_book(session, title, isbn, year):
    """Keep a new book and return it; return None when another book has this isbn."""
    # TODO: keep the book
    raise NotImplementedError("add_book keeps nothing yet")


def get_book(session, book_id):
    """Return the book with this id, or None."""
    # TODO: find the book
    raise NotImplementedError("get_book finds nothing yet")
