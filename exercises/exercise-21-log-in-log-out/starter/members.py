"""What the library keeps about its members. Nothing is left to do in this file."""

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from werkzeug.security import check_password_hash

# The hash of a password that nobody has: checking it takes as long as checking a member's.
NOBODYS_HASH = (
    "scrypt:32768:8:1$rbQo2zHkAuRbb3cY$"
    "b3a62f1b87c73e1362e6842acf8341e514f6ac08725b40ea99cde2fd59128045"
    "90687bfa87770b5bf2c2913b37f5cdfb84e3348239d744f6b471310ca6007c86"
)


class Base(DeclarativeBase):
    """What all models have in common."""


class User(Base):
    """A member."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]


class Visit(Base):
    """One member in one browser, from logging in to logging out."""

    __tablename__ = "visits"

    token: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))


class Attempt(Base):
    """An attempt to log in under a name, whether or not somebody has it; `at` is what the clock said."""

    __tablename__ = "attempts"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    at: Mapped[float]


def find_user(db, name, password):
    """Give the user with this name and this password, or None. It takes the same time for a name that nobody has."""
    user = db.scalar(select(User).where(User.name == name))
    is_right = check_password_hash(user.password_hash if user else NOBODYS_HASH, password)
    return user if is_right else None
