"""The library's desk: who has which book."""

import os
from datetime import UTC, date, datetime

from errors import error
from flask import Flask, request
from sqlalchemy import create_engine, select
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

    # TODO: what the table itself must refuse

    id: Mapped[int] = mapped_column(primary_key=True)
    book_id: Mapped[int]  # TODO: this points at a book
    member_id: Mapped[int | None]  # TODO: this points at a member, or at nobody once the member has left
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
    # TODO: SQLite looks at foreign keys only on connections that were told to
    Base.metadata.create_all(engine)
    if "DATABASE_URL" not in os.environ:
        add_samples(engine)

    @app.post("/loans")
    def lend():
        payload = request.get_json()
        book_id, member_id = payload["book_id"], payload["member_id"]
        with Session(engine) as session:
            # TODO: refuse an unknown book, an unknown member, and a book that is out
            loan = Loan(book_id=book_id, member_id=member_id)
            session.add(loan)
            session.commit()
            return loan.as_dict(), 201

    @app.post("/loans/<int:loan_id>/return")
    def take_back(loan_id):
        with Session(engine) as session:
            loan = session.get(Loan, loan_id)
            if loan is None:
                return error(404, "loan_not_found", "There is no such loan.")
            # TODO: refuse a loan that is over already
            loan.returned_on = datetime.now(UTC).date()
            session.commit()
            return loan.as_dict()

    @app.delete("/members/<int:member_id>")
    def leave(member_id):
        with Session(engine) as session:
            member = session.get(Member, member_id)
            if member is None:
                return error(404, "member_not_found", "There is no such member.")
            # TODO: refuse a member who still has a book
            session.delete(member)
            session.commit()
            return "", 204

    @app.get("/members/<int:member_id>/loans")
    def list_loans(member_id):
        with Session(engine) as session:
            if session.get(Member, member_id) is None:
                return error(404, "member_not_found", "There is no such member.")
            # TODO: the title of each book beside its loan
            loans = session.scalars(select(Loan).where(Loan.member_id == member_id).order_by(Loan.id))
            return [loan.as_dict() for loan in loans]

    return app
