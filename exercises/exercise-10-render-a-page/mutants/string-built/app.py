"""The front desk: a page with the books that were given to the library."""

import os

from flask import Flask, redirect, request
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    """What all models have in common."""


class Book(Base):
    """One book that was given to the library."""

    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    author: Mapped[str]


def create_app():
    """Build the app on the database that DATABASE_URL names."""
    app = Flask(__name__)
    engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///desk.db"))
    Base.metadata.create_all(engine)

    def page(message="", title="", author=""):
        """Give the page, with a message and with what is in the form."""
        with Session(engine) as session:
            books = session.scalars(select(Book).order_by(Book.id)).all()
        items = "".join(f"<li>{book.title}, by {book.author}</li>" for book in books)
        alert = f'<p role="alert">{message}</p>' if message else ""
        return f"""<!doctype html>
            <title>Books that were given to us</title>
            <h1>Books that were given to us</h1>
            <ul>{items}</ul>
            <form method="post" action="/books">
              {alert}
              <label for="title">Title</label>
              <input id="title" name="title" value="{title}">
              <label for="author">Author</label>
              <input id="author" name="author" value="{author}">
              <button>Add the book</button>
            </form>
        """

    @app.get("/")
    def front_desk():
        return page()

    @app.post("/books")
    def add_book():
        title = request.form["title"]
        author = request.form["author"]
        if not title.strip():
            return page(message="Please give the book its title.", title=title, author=author), 400
        with Session(engine) as session:
            session.add(Book(title=title, author=author))
            session.commit()
        return redirect("/")

    return app
