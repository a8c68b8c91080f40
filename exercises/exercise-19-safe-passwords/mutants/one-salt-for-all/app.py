"""The members' cards: who may come in, and with which password."""

import hashlib
import os

from errors import error
from flask import Flask, request
from sqlalchemy import create_engine, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    """What all models have in common."""


class User(Base):
    """One member, and what the library keeps of the password."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]


def scrypt(password):
    """Hash a password."""
    return hashlib.scrypt(password.encode(), salt=b"the library", n=2**14, r=8, p=1).hex()


def create_app():
    """Build the app on the database that DATABASE_URL names."""
    app = Flask(__name__)
    engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///members.db"))
    Base.metadata.create_all(engine)

    @app.post("/register")
    def register():
        payload = request.get_json()
        name, password = payload["name"], payload["password"]
        if len(password) < 8:
            wish = {"password": "must have at least 8 characters"}
            return error(422, "invalid_fields", "The password is too short.", wish)
        with Session(engine) as session:
            user = User(name=name, password_hash="scrypt$" + scrypt(password))
            session.add(user)
            try:
                session.commit()
            except IntegrityError:
                return error(409, "name_taken", "Somebody has this name already.")
            return {"id": user.id, "name": user.name}, 201

    @app.post("/check-password")
    def check_password():
        payload = request.get_json()
        name, password = payload["name"], payload["password"]
        with Session(engine) as session:
            user = session.scalar(select(User).where(User.name == name))
            return {"name": name, "correct": user is not None and user.password_hash == "scrypt$" + scrypt(password)}

    return app
