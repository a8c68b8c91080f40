"""A shelf of books, kept in a database."""

import os

from flask import Flask, request
from sqlalchemy import create_engine, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

FIELDS = ("title", "author", "isbn", "year")
REQUIRED = ("title", "isbn")
MISSING = ({"error": "book not found"}, 404)


class Base(DeclarativeBase):
    """What all models have in common."""


class Book(Base):
    """One book on the shelf."""

    __tablename__ = "books"
    __table_args__ = {"sqlite_autoincrement": True}

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    author: Mapped[str | None]
    isbn: Mapped[str] = mapped_column(unique=True)
    year: Mapped[int | None]

    def as_dict(self):
        """Give the book as it is answered."""
        return {"id": self.id, "title": self.title, "author": self.author, "isbn": self.isbn, "year": self.year}


def missing_field(payload):
    """Name a required field that isn't in the payload, or give None."""
    for name in REQUIRED:
        if not payload.get(name):
            return name
    return None


def create_app():
    """Build the app on the database that DATABASE_URL names."""
    app = Flask(__name__)
    engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///shelf.db"))
    Base.metadata.create_all(engine)

    @app.errorhandler(IntegrityError)
    def refused_by_the_database(_error):
        return {"error": "another book has this isbn"}, 409

    @app.get("/books")
    def list_books():
        with Session(engine) as session:
            return [book.as_dict() for book in session.scalars(select(Book).order_by(Book.id))]

    @app.get("/books/<int:book_id>")
    def get_book(book_id):
        with Session(engine) as session:
            book = session.get(Book, book_id)
            return book.as_dict() if book else MISSING

    @app.post("/books")
    def add_book():
        payload = request.get_json()
        missing = missing_field(payload)
        if missing:
            return {"error": f"{missing} is missing"}, 400
        with Session(engine) as session:
            book = Book(**{name: payload.get(name) for name in FIELDS})
            session.add(book)
            session.commit()
            return book.as_dict(), 201

    @app.put("/books/<int:book_id>")
    def replace_book(book_id):
        payload = request.get_json()
        missing = missing_field(payload)
        if missing:
            return {"error": f"{missing} is missing"}, 400
        with Session(engine) as session:
            book = session.get(Book, book_id)
            if book is None:
                return MISSING
            for name in FIELDS:
                setattr(book, name, payload.get(name))
            session.commit()
            return book.as_dict()

    @app.patch("/books/<int:book_id>")
    def change_book(book_id):
        payload = request.get_json()
        for name in payload:
            if name not in FIELDS:
                return {"error": f"a book has no {name} that can be changed"}, 400
        with Session(engine) as session:
            book = session.get(Book, book_id)
            if book is None:
                return MISSING
            for name, value in payload.items():
                setattr(book, name, value)
            session.commit()
            return book.as_dict()

    @app.delete("/books/<int:book_id>")
    def delete_book(book_id):
        with Session(engine) as session:
            book = session.get(Book, book_id)
            if book is not None:
                session.delete(book)
                session.commit()
            return "", 204

    return app
