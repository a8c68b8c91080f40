"""The bookshop's page of authors: each with the books, and each book with its latest review."""

import os

from flask import Flask, request
from sqlalchemy import ForeignKey, create_engine, event, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship


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


def page_of_authors(session, country, page, per_page):
    """Give one page of the authors, by name, and how many there are on all pages."""
    counted = select(func.count()).select_from(Author)
    query = select(Author.id, Author.name, Book.id.label("book_id"), Book.title).join(Book)
    if country:
        counted = counted.where(Author.country == country)
        query = query.where(Author.country == country)
    query = query.order_by(Author.name, Author.id, Book.title, Book.id)
    rows = session.execute(query).all()
    reviews = {
        review.book_id: review
        for review in session.scalars(
            select(Review)
            .where(Review.book_id.in_([row.book_id for row in rows]))
            .order_by(Review.written_on, Review.id)
        )
    }
    items = {}
    for row in rows:
        author = items.setdefault(row.id, {"id": row.id, "name": row.name, "books": []})
        if row.book_id:
            review = review_as_dict(reviews.get(row.book_id))
            author["books"].append({"id": row.book_id, "title": row.title, "latest_review": review})
    return {"items": list(items.values())[(page - 1) * per_page : page * per_page], "total": session.scalar(counted)}


def create_app():
    """Build the app on the database that DATABASE_URL names."""
    app = Flask(__name__)
    engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///bookshop.db"))
    Base.metadata.create_all(engine)
    sent = []

    @event.listens_for(engine, "before_cursor_execute")
    def note(_connection, _cursor, statement, *_others):
        sent.append(statement)

    @app.get("/authors")
    def list_authors():
        sent.clear()
        page = request.args.get("page", 1, type=int)
        per_page = request.args.get("per_page", 20, type=int)
        with Session(engine) as session:
            return page_of_authors(session, request.args.get("country"), page, per_page)

    @app.get("/debug/statements")
    def list_statements():
        return {"count": len(sent), "statements": sent}

    return app
