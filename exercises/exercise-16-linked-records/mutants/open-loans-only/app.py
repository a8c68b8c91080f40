"""The library's desk: who has which book."""

import os
from datetime import UTC, date, datetime

from errors import error
from flask import Flask, request
from sqlalchemy import CheckConstraint, ForeignKey, Index, create_engine, event, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    """What all models have in common."""


class Member(Base):
    """Somebody who may borrow books."""

    __tablename__ = "members"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Book(Base):
    """A book that may be borrowed."""

    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]


class Loan(Base):
    """One book, lent to one member; it is open until `returned_on` has a date."""

    __tablename__ = "loans"

    __table_args__ = (
        Index("one_open_loan_a_book", "book_id", unique=True, sqlite_where=text("returned_on IS NULL")),
        CheckConstraint("member_id IS NOT NULL OR returned_on IS NOT NULL", name="an_open_loan_has_a_member"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    book_id: Mapped[int] = mapped_column(ForeignKey("books.id"))
    member_id: Mapped[int | None] = mapped_column(ForeignKey("members.id", ondelete="SET NULL"))
    returned_on: Mapped[date | None]

    def as_dict(self):
        """Give the loan as it is answered."""
        returned_on = self.returned_on and self.returned_on.isoformat()
        return {"id": self.id, "book_id": self.book_id, "member_id": self.member_id, "returned_on": returned_on}


def add_samples(engine):
    """Put a few books and members into an empty library, to try things out."""
    with Session(engine) as session:
        if session.scalar(select(Book.id).limit(1)) is None:
            session.add_all([Book(title="Persepolis"), Book(title="Segu"), Member(name="Hina"), Member(name="Luca")])
            session.commit()


def create_app():
    """Build the app on the database that DATABASE_URL names."""
    app = Flask(__name__)
    engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///desk.db"))

    @event.listens_for(engine, "connect")
    def look_at_foreign_keys(connection, _record):
        connection.execute("PRAGMA foreign_keys = ON")

    Base.metadata.create_all(engine)
    if "DATABASE_URL" not in os.environ:
        add_samples(engine)

    @app.post("/loans")
    def lend():
        payload = request.get_json()
        book_id, member_id = payload["book_id"], payload["member_id"]
        with Session(engine) as session:
            if session.get(Book, book_id) is None:
                return error(404, "book_not_found", "There is no such book.")
            if session.get(Member, member_id) is None:
                return error(404, "member_not_found", "There is no such member.")
            loan = Loan(book_id=book_id, member_id=member_id)
            session.add(loan)
            try:
                session.commit()
            except IntegrityError:
                return error(409, "book_is_out", "Somebody has this book.")
            return loan.as_dict(), 201

    @app.post("/loans/<int:loan_id>/return")
    def take_back(loan_id):
        with Session(engine) as session:
            loan = session.get(Loan, loan_id)
            if loan is None:
                return error(404, "loan_not_found", "There is no such loan.")
            if loan.returned_on is not None:
                return error(409, "already_returned", "This book was brought back before.")
            loan.returned_on = datetime.now(UTC).date()
            session.commit()
            return loan.as_dict()

    @app.delete("/members/<int:member_id>")
    def leave(member_id):
        with Session(engine) as session:
            member = session.get(Member, member_id)
            if member is None:
                return error(404, "member_not_found", "There is no such member.")
            session.delete(member)
            try:
                session.commit()
            except IntegrityError:
                return error(409, "member_has_loans", "This member still has a book.")
            return "", 204

    @app.get("/members/<int:member_id>/loans")
    def list_loans(member_id):
        with Session(engine) as session:
            if session.get(Member, member_id) is None:
                return error(404, "member_not_found", "There is no such member.")
            query = (
                select(Loan, Book.title)
                .join(Book, Book.id == Loan.book_id)
                .where(Loan.member_id == member_id, Loan.returned_on.is_(None))
                .order_by(Loan.id)
            )
            return [{**loan.as_dict(), "title": title} for loan, title in session.execute(query)]

    return app
