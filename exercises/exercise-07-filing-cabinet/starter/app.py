"""The library's desk: books come in, and are looked up. Nothing is left to do in this file."""

import os

from flask import Flask, request
from library import Base, Book, add_book, get_book
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session


def as_json(book):
    """Return what a guest sees of a book."""
    return {"id": book.id, "title": book.title, "isbn": book.isbn, "year": book.year}


def wrong_fields(payload):
    """Return the names of the fields that are missing or of the wrong kind."""
    if not isinstance(payload, dict):
        return ["title", "isbn"]
    kinds = {"title": {str}, "isbn": {str}, "year": {int, type(None)}}
    # not by isinstance, which takes True for an int
    return [name for name, kind in kinds.items() if type(payload.get(name)) not in kind]


def create_app():
    """Build the app on the database that DATABASE_URL names; tables that are missing are made."""
    app = Flask(__name__)
    engine = create_engine(os.environ["DATABASE_URL"])
    Base.metadata.create_all(engine)

    @app.post("/books")
    def post_book():
        payload = request.get_json(silent=True)
        if wrong := wrong_fields(payload):
            return {"error": f"wrong or missing: {', '.join(wrong)}"}, 400
        with Session(engine) as session:
            book = add_book(session, payload["title"], payload["isbn"], payload.get("year"))
            if book is None:
                holder = session.scalars(select(Book).where(Book.isbn == payload["isbn"])).one()
                return {"error": f"book {holder.id} has this isbn"}, 409
            return as_json(book), 201

    @app.get("/books/<int:book_id>")
    def one_book(book_id):
        with Session(engine) as session:
            book = get_book(session, book_id)
            if book is None:
                return {"error": "book not found"}, 404
            return as_json(book)

    return app
