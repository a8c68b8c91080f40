"""The members' entrance."""

import os
import secrets

from clock import now
from errors import error
from flask import Flask, request, session
from members import Attempt, Base, User, Visit, find_user
from sqlalchemy import create_engine, delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from werkzeug.security import generate_password_hash


def create_app():
    """Build the app on the database that DATABASE_URL names, with the key in SECRET_KEY."""
    app = Flask(__name__)
    app.config["SECRET_KEY"] = os.environ["SECRET_KEY"]
    app.config["SESSION_COOKIE_SAMESITE"] = "Lax"
    engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///entrance.db"))
    Base.metadata.create_all(engine)

    @app.post("/register")
    def register():
        payload = request.get_json()
        with Session(engine) as db:
            user = User(name=payload["name"], password_hash=generate_password_hash(payload["password"]))
            db.add(user)
            try:
                db.commit()
            except IntegrityError:
                return error(409, "name_taken", "Somebody has this name already.")
            return {"id": user.id, "name": user.name}, 201

    @app.post("/login")
    def login():
        payload = request.get_json()
        name, password = payload["name"], payload["password"]
        with Session(engine) as db:
            # Written down before anything is counted, so that attempts at the same moment see one another.
            db.add(Attempt(name=name, at=now()))
            db.commit()
            lately = select(func.count(Attempt.id)).where(Attempt.name == name, Attempt.at > now() - 60)
            if db.scalar(lately) > 5:
                return error(429, "too_many_attempts", "Wait a minute, then try again.")

            user = find_user(db, name, password)
            if user is None:
                is_known = db.scalar(select(User).where(User.name == name)) is not None
                return error(401, "wrong_login", "Wrong password." if is_known else "Nobody has this name.")

            visit = Visit(token=secrets.token_urlsafe(), user_id=user.id)
            db.add(visit)
            db.execute(delete(Attempt).where(Attempt.name == name))
            db.commit()
            session["visit"] = visit.token
            return {"id": user.id, "name": user.name}

    @app.get("/me")
    def me():
        with Session(engine) as db:
            user = db.scalar(select(User).join(Visit).where(Visit.token == session.get("visit")))
            if user is None:
                return error(401, "not_logged_in", "Log in first.")
            return {"id": user.id, "name": user.name}

    @app.post("/logout")
    def logout():
        with Session(engine) as db:
            db.execute(delete(Visit).where(Visit.token == session.get("visit")))
            db.commit()
        session.clear()
        return "", 204

    return app
