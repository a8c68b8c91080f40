"""The shop's books, and seven ways to fail."""

import json
import os

from flask import Flask, request
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from werkzeug.exceptions import HTTPException


class Base(DeclarativeBase):
    """What all models have in common."""


class Book(Base):
    """One book of the shop."""

    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    author: Mapped[str]
    year: Mapped[int]

    def as_dict(self):
        """Give the book as it is answered."""
        return {"id": self.id, "title": self.title, "author": self.author, "year": self.year}


def is_text(value):
    """Say whether a value is a text that isn't empty."""
    return isinstance(value, str) and value.strip() != ""


def is_year(value):
    """Say whether a value is a year in which books were printed."""
    return type(value) is int and 1450 <= value <= 2100


# Every field of a book: what its value must pass, and what to say when it doesn't.
CHECKS = {
    "title": (is_text, "must be a text that isn't empty"),
    "author": (is_text, "must be a text that isn't empty"),
    "year": (is_year, "must be a whole number from 1450 to 2100"),
}


def error(status, code, message, fields=None):
    """Return an error as a view returns it: the body in the agreed shape, and the status."""
    return {"error": {"code": code, "message": message, "fields": fields or {}}}, status


CODES = {
    400: "broken_json",
    404: "address_not_found",
    405: "method_not_allowed",
    415: "not_json",
    500: "server_error",
}


def create_app():
    """Build the app on the database that DATABASE_URL names."""
    app = Flask(__name__)
    engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///shop.db"))
    Base.metadata.create_all(engine)

    @app.errorhandler(Exception)
    def nobody_knows(_problem):
        return error(500, "server_error", "Something went wrong.")

    @app.errorhandler(HTTPException)
    def in_the_agreed_shape(problem):
        body, _ = error(problem.code, CODES[problem.code], problem.name)
        response = problem.get_response()  # it has the status, and headers such as Allow
        response.data = json.dumps(body)
        response.content_type = "application/json"
        return response

    @app.get("/books")
    def list_books():
        with Session(engine) as session:
            return [book.as_dict() for book in session.scalars(select(Book).order_by(Book.id))]

    @app.get("/books/<int:book_id>")
    def get_book(book_id):
        with Session(engine) as session:
            book = session.get(Book, book_id)
            if book is None:
                return error(404, "book_not_found", "There is no book with this id.")
            return book.as_dict()

    @app.post("/books")
    def add_book():
        payload = request.get_json()
        if not isinstance(payload, dict):
            payload = {}
        bad = {name: wish for name, (is_good, wish) in CHECKS.items() if not is_good(payload.get(name))}
        if bad:
            return error(422, "invalid_fields", "Some fields are missing or wrong.", bad)
        with Session(engine) as session:
            book = Book(**{name: payload[name] for name in CHECKS})
            session.add(book)
            session.commit()
            return book.as_dict(), 201

    return app
