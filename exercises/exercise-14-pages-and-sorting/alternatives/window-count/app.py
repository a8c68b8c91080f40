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


ORDERS = {
    "title": [Book.title, Book.isbn],
    "-title": [Book.title.desc(), Book.isbn],
    "year": [Book.year, Book.isbn],
    "-year": [Book.year.desc(), Book.isbn],
}


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
        try:
            page, per_page = (int(request.args.get(name, value)) for name, value in (("page", 1), ("per_page", 20)))
        except ValueError:
            return {"error": "page and per_page are numbers"}, 400
        if page < 1 or per_page < 1:
            return {"error": "pages are counted from 1"}, 400
        per_page = min(per_page, 100)
        orders = ORDERS.get(request.args.get("sort", "title"))
        if orders is None:
            return {"error": f"sort is one of {', '.join(ORDERS)}"}, 400

        counted = select(Book, func.count().over()).order_by(*orders).limit(per_page).offset((page - 1) * per_page)
        with Session(engine) as session:
            rows = session.execute(counted).all()
            # After the last page there is no row that could carry the total.
            total = rows[0][1] if rows else session.scalar(select(func.count(Book.id)))
        return {"items": [book.as_dict() for book, _ in rows], "total": total, "page": page, "per_page": per_page}

    return app
