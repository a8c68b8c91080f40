"""The library's catalogue."""

import os

from flask import Flask, request
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    """What all models have in common."""


class Book(Base):
    """One book of the catalogue."""

    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    author: Mapped[str]
    isbn: Mapped[str] = mapped_column(unique=True)
    year: Mapped[int]

    def as_dict(self):
        """Give the book as it is answered."""
        return {"id": self.id, "title": self.title, "author": self.author, "isbn": self.isbn, "year": self.year}


SORTS = {"title": Book.title, "year": Book.year}


def is_counting(text):
    """Say whether a text is a whole number from 1 on."""
    return text.isdecimal() and int(text) > 0


def add_samples(engine):
    """Put a few books into an empty catalogue, to try things out."""
    with Session(engine) as session:
        if session.scalar(select(func.count()).select_from(Book)) == 0:
            for number in range(1, 46):
                isbn = f"{9780000000000 + number * 7919 % 9973}"
                book = Book(title=f"Tale {number * 37 % 46}", author="Anonymous", isbn=isbn, year=1900 + number % 7)
                session.add(book)
            session.commit()


def create_app():
    """Build the app on the database that DATABASE_URL names."""
    app = Flask(__name__)
    engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///catalogue.db"))
    Base.metadata.create_all(engine)
    if "DATABASE_URL" not in os.environ:
        add_samples(engine)

    @app.get("/books")
    def list_books():
        page = request.args.get("page", "1")
        per_page = request.args.get("per_page", "20")
        if not is_counting(page) or not is_counting(per_page):
            return {"error": "page and per_page are whole numbers from 1 on"}, 400
        page, per_page = int(page), int(per_page)

        sort = request.args.get("sort", "title")
        column = SORTS.get(sort.removeprefix("-"))
        if column is None:
            return {"error": "sort is title, year, -title or -year"}, 400
        order = column.desc() if sort.startswith("-") else column

        query = select(Book).order_by(order, Book.isbn).limit(per_page).offset((page - 1) * per_page)
        with Session(engine) as session:
            books = [book.as_dict() for book in session.scalars(query)]
            total = session.scalar(select(func.count()).select_from(Book))
            return {"items": books, "total": total, "page": page, "per_page": per_page}

    return app
