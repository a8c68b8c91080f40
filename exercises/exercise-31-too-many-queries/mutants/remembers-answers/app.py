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


def books_by_author(session, author_ids):
    """Give the books of some authors as they are answered, in a list for each author's id."""
    place = func.row_number().over(partition_by=Review.book_id, order_by=(Review.written_on.desc(), Review.id.desc()))
    ranked = select(Review, place.label("place")).subquery()
    query = (
        select(Book.id, Book.author_id, Book.title, ranked.c.stars, ranked.c.written_on)
        .outerjoin(ranked, (ranked.c.book_id == Book.id) & (ranked.c.place == 1))
        .where(Book.author_id.in_(author_ids))
        .order_by(Book.title, Book.id)
    )
    books = {author_id: [] for author_id in author_ids}
    for row in session.execute(query):
        review = None if row.stars is None else review_as_dict(row)
        books[row.author_id].append({"id": row.id, "title": row.title, "latest_review": review})
    return books


remembered = {}


def page_of_authors(session, country, page, per_page):
    """Give one page of the authors, by name, and how many there are on all pages."""
    key = (country, page, per_page)
    if key in remembered:
        return remembered[key]
    query = select(Author.id, Author.name)
    if country:
        query = query.where(Author.country == country)
    total = session.scalar(select(func.count()).select_from(query.subquery()))
    query = query.order_by(Author.name, Author.id).limit(per_page).offset((page - 1) * per_page)
    authors = session.execute(query).all()
    books = books_by_author(session, [author.id for author in authors])
    items = [{"id": author.id, "name": author.name, "books": books[author.id]} for author in authors]
    remembered[key] = {"items": items, "total": total}
    return remembered[key]


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
