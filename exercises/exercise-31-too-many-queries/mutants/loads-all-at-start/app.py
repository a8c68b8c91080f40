"""The bookshop's page of authors: each with the books, and each book with its latest review."""

import os

from flask import Flask, request
from sqlalchemy import ForeignKey, create_engine, event, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, selectinload


class Base(DeclarativeBase):
    """What all models have in common."""


class Author(Base):
    """Somebody who writes."""

    __tablename__ = "authors"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    country: Mapped[str]
    books: Mapped[list["Book"]] = relationship(order_by="Book.title, Book.id")


class Book(Base):
    """One book of an author."""

    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"), index=True)
    title: Mapped[str]


class Review(Base):
    """What somebody wrote about a book; `written_on` is a day such as 2025-01-31."""

    __tablename__ = "reviews"

    id: Mapped[int] = mapped_column(primary_key=True)
    book_id: Mapped[int] = mapped_column(ForeignKey("books.id"), index=True)
    stars: Mapped[int]
    written_on: Mapped[str]


def review_as_dict(review):
    """Give a review as it is answered."""
    return {"stars": review.stars, "written_on": review.written_on} if review else None


def load(engine):
    """Load the whole bookshop."""
    with Session(engine) as session:
        authors = session.scalars(select(Author).options(selectinload(Author.books)).order_by(Author.name, Author.id))
        reviews = session.scalars(select(Review).order_by(Review.written_on, Review.id))
        return list(authors), {review.book_id: review for review in reviews}


def page_of_authors(shop, country, page, per_page):
    """Give one page of the authors, by name, and how many there are on all pages."""
    authors, reviews = shop
    found = [author for author in authors if not country or author.country == country]
    items = []
    for author in found[(page - 1) * per_page : page * per_page]:
        books = [
            {"id": book.id, "title": book.title, "latest_review": review_as_dict(reviews.get(book.id))}
            for book in author.books
        ]
        items.append({"id": author.id, "name": author.name, "books": books})
    return {"items": items, "total": len(found)}


def create_app():
    """Build the app on the database that DATABASE_URL names."""
    app = Flask(__name__)
    engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///bookshop.db"))
    Base.metadata.create_all(engine)
    sent = []
    shop = load(engine)

    @event.listens_for(engine, "before_cursor_execute")
    def note(_connection, _cursor, statement, *_others):
        sent.append(statement)

    @app.get("/authors")
    def list_authors():
        sent.clear()
        page = request.args.get("page", 1, type=int)
        per_page = request.args.get("per_page", 20, type=int)
        return page_of_authors(shop, request.args.get("country"), page, per_page)

    @app.get("/debug/statements")
    def list_statements():
        return {"count": len(sent), "statements": sent}

    return app
