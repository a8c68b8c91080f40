"""The front desk: a page with the books that were given to the library."""

import os

from flask import Flask, render_template, request
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

    def page(**values):
        """Render the page; `values` are names that the template finds beside `books`."""
        with Session(engine) as session:
            books = session.scalars(select(Book).order_by(Book.id)).all()
        return render_template("books.html", books=books, **values)

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
        return page()

    return app
