"""The tables of the history."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.types import TypeDecorator


class ExactDecimal(TypeDecorator[Decimal]):
    """A decimal number kept as its text: SQLite has no exact numbers, and points must stay exact."""

    impl = String(40)
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        """Give the text."""
        return None if value is None else format(value, "f")

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Decimal | None:
        """Give the number."""
        return None if value is None else Decimal(value)


class LongInteger(TypeDecorator[int]):
    """An integer of any size kept as its text: a seed may have more than the 63 bits that databases take."""

    impl = String(80)
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> str | None:
        """Give the text."""
        return None if value is None else str(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> int | None:
        """Give the number."""
        return None if value is None else int(value)


class Base(DeclarativeBase):
    """The base of all tables."""


class ReportRow(Base):
    """One report: the columns that lists and searches need. The whole report is in `body`."""

    __tablename__ = "reports"
    __table_args__ = (
        Index("reports_by_exercise", "exercise", "stamp"),
        Index("reports_by_learner", "learner", "stamp"),
        Index("reports_by_submission", "submission"),
    )

    id: Mapped[str] = mapped_column(String(100), primary_key=True)
    stamp: Mapped[str] = mapped_column(String(30))
    created: Mapped[str] = mapped_column(String(60))
    exercise: Mapped[str] = mapped_column(String(200))
    exercise_title: Mapped[str] = mapped_column(String(200))
    exercise_digest: Mapped[str] = mapped_column(String(200))
    submission: Mapped[str] = mapped_column(String(200))
    status: Mapped[str] = mapped_column(String(20))
    points: Mapped[Decimal] = mapped_column(ExactDecimal)
    points_max: Mapped[Decimal] = mapped_column(ExactDecimal)
    seed: Mapped[int] = mapped_column(LongInteger)
    grader_version: Mapped[str] = mapped_column(String(60))
    learner: Mapped[str] = mapped_column(String(200))
    body: Mapped[BodyRow] = relationship(cascade="all, delete-orphan", lazy="raise")


class BodyRow(Base):
    """A report's own JSON, deflated: a table apart, so that a list never reads it."""

    __tablename__ = "bodies"

    report_id: Mapped[str] = mapped_column(ForeignKey("reports.id", ondelete="CASCADE"), primary_key=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)
