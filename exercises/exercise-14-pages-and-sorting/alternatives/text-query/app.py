"""The library's catalogue."""

import os
import re

from flask import Flask, jsonify, request
from sqlalchemy import create_engine, func, select, text
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


ORDERS = {"title": "title", "-title": "title DESC", "year": "year", "-year": "year DESC"}


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
        numbers = {"page": "1", "per_page": "20", **request.args}
        if not all(re.fullmatch("0*[1-9][0-9]*", numbers[name]) for name in ("page", "per_page")):
            return jsonify(error="page and per_page count from 1"), 400
        page, per_page = int(numbers["page"]), min(int(numbers["per_page"]), 100)
        sort = numbers.get("sort", "title")
        if sort not in ORDERS:
            return jsonify(error="no such order"), 400

        query = text(f"SELECT * FROM books ORDER BY {ORDERS[sort]}, isbn LIMIT :limit OFFSET :offset")
        with engine.connect() as connection:
            rows = connection.execute(query, {"limit": per_page, "offset": (page - 1) * per_page}).mappings()
            items = [dict(row) for row in rows]
            total = connection.execute(text("SELECT COUNT(*) FROM books")).scalar_one()
        return jsonify(items=items, total=total, page=page, per_page=per_page)

    return app
