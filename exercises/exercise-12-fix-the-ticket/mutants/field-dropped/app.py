"""The lending desk of the library: books, members, loans."""

import os
from datetime import date, timedelta

from flask import Flask, abort, request
from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

LOAN_DAYS = 14
FIRST_DAY_CENTS = 50
NEXT_DAY_CENTS = 20


class Base(DeclarativeBase):
    """What all models have in common."""


class Book(Base):
    """A book that can be lent, to one member at a time."""

    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    loans: Mapped[list["Loan"]] = relationship(back_populates="book")

    def as_dict(self):
        """Give the book as it is answered."""
        return {"id": self.id, "title": self.title, "available": all(loan.returned_on for loan in self.loans)}


class Member(Base):
    """Somebody who may borrow books."""

    __tablename__ = "members"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    loans: Mapped[list["Loan"]] = relationship(back_populates="member")

    def as_dict(self):
        """Give the member as it is answered."""
        return {"id": self.id, "name": self.name}


class Loan(Base):
    """A book in the hands of a member; `returned_on` is empty as long as it is there."""

    __tablename__ = "loans"

    id: Mapped[int] = mapped_column(primary_key=True)
    book_id: Mapped[int] = mapped_column(ForeignKey("books.id"))
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    lent_on: Mapped[date]
    returned_on: Mapped[date | None]
    book: Mapped[Book] = relationship(back_populates="loans")
    member: Mapped[Member] = relationship(back_populates="loans")

    @property
    def due_on(self):
        """Give the last day on which the book may come back."""
        return self.lent_on + timedelta(days=LOAN_DAYS)

    @property
    def fee_cents(self):
        """Give what the member has to pay: 50 cents for the first day after the due date, 20 for each further one."""
        if self.returned_on is None or self.returned_on <= self.due_on:
            return 0
        days_late = (self.returned_on - self.due_on).days
        return FIRST_DAY_CENTS + (days_late - 1) * NEXT_DAY_CENTS

    def as_dict(self):
        """Give the loan as it is answered."""
        return {
            "id": self.id,
            "book_id": self.book_id,
            "member_id": self.member_id,
            "lent_on": self.lent_on.isoformat(),
            "returned_on": self.returned_on.isoformat() if self.returned_on else None,
            "fee_cents": self.fee_cents,
        }


def sent_text(name):
    """Give a text from the body; anything else is answered 400."""
    payload = request.get_json(silent=True)
    value = payload.get(name) if isinstance(payload, dict) else None
    if not isinstance(value, str) or not value.strip():
        abort(400, f"{name} is missing")
    return value.strip()


def sent_day(name):
    """Give a day from the body; anything else is answered 400."""
    try:
        return date.fromisoformat(sent_text(name))
    except ValueError:
        abort(400, f"{name} is no date")


def create_app():
    """Build the app on the database that DATABASE_URL names."""
    app = Flask(__name__)
    engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///lending.db"))
    Base.metadata.create_all(engine)

    def found(session, model, row_id):
        return session.get(model, row_id) or abort(404, f"{model.__name__.lower()} not found")

    @app.errorhandler(400)
    @app.errorhandler(404)
    @app.errorhandler(409)
    def refuse(error):
        return {"error": error.description}, error.code

    @app.post("/books")
    def add_book():
        with Session(engine) as session:
            book = Book(title=sent_text("title"))
            session.add(book)
            session.commit()
            return book.as_dict(), 201

    @app.get("/books")
    def list_books():
        wanted = request.args.get("q", "").lower()
        with Session(engine) as session:
            books = session.scalars(select(Book).order_by(Book.title, Book.id))
            return [book.as_dict() for book in books if wanted in book.title.lower()]

    @app.post("/members")
    def add_member():
        with Session(engine) as session:
            member = Member(name=sent_text("name"))
            session.add(member)
            session.commit()
            return member.as_dict(), 201

    @app.get("/members/<int:member_id>/loans")
    def list_loans(member_id):
        with Session(engine) as session:
            member = found(session, Member, member_id)
            loans = sorted(member.loans, key=lambda loan: (loan.lent_on, loan.id), reverse=True)
            # The screen at the desk shows this header.
            headers = {"Latest-Loan": loans[0].lent_on.isoformat()} if loans else {}
            return [loan.as_dict() for loan in loans], headers

    @app.post("/members/<int:member_id>/loans")
    def lend(member_id):
        with Session(engine) as session:
            member = found(session, Member, member_id)
            payload = request.get_json(silent=True)
            book_id = payload.get("book_id") if isinstance(payload, dict) else None
            book = found(session, Book, book_id if isinstance(book_id, int) else 0)
            if not all(loan.returned_on for loan in book.loans):
                abort(409, "the book is lent already")
            loan = Loan(book=book, member=member, lent_on=sent_day("lent_on"))
            session.add(loan)
            session.commit()
            return loan.as_dict(), 201

    @app.post("/loans/<int:loan_id>/return")
    def take_back(loan_id):
        with Session(engine) as session:
            loan = found(session, Loan, loan_id)
            returned_on = sent_day("returned_on")
            if loan.returned_on:
                abort(409, "the book is back already")
            if returned_on < loan.lent_on:
                abort(400, "returned_on is before lent_on")
            loan.returned_on = returned_on
            session.commit()
            return loan.as_dict()

    return app
