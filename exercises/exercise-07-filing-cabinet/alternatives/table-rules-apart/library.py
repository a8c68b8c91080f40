"""The library's filing cabinet: what a book is, and how it goes into the drawer and out of it."""

from sqlalchemy import Column, Integer, String, Text, UniqueConstraint, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    """What all tables of the library have in common."""


class Book(Base):
    """A book: its title, its ISBN, and its year where somebody knows it."""

    __tablename__ = "books"

    __table_args__ = (UniqueConstraint("isbn", name="one_book_an_isbn"),)

    id = Column(Integer, primary_key=True)
    title = Column(Text, nullable=False)
    isbn = Column(String(20), nullable=False)
    year = Column(Integer)


def add_book(session, title, isbn, year):
    """Keep a new book and return it; return None when another book has this isbn."""
    book = Book(title=title, isbn=isbn, year=year)
    session.add(book)
    try:
        session.commit()
    except IntegrityError:
        session.rollback()
        return None
    return book


def get_book(session, book_id):
    """Return the book with this id, or None."""
    return session.execute(select(Book).where(Book.id == book_id)).scalar_one_or_none()
