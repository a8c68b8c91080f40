"""The members' entrance."""

import hashlib
import os
import secrets

from clock import now
from errors import error
from flask import Flask, jsonify, request
from members import Attempt, Base, User, Visit, find_user
from sqlalchemy import create_engine, delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from werkzeug.security import generate_password_hash


def kept(token):
    """Give what is kept of a token: whoever reads the table can't make a cookie of it."""
    return hashlib.sha256(token.encode()).hexdigest()


def create_app():
    """Build the app on the database that DATABASE_URL names."""
    app = Flask(__name__)
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
                return error(401, "wrong_login", "The name or the password is wrong.")

            token = secrets.token_urlsafe()
            db.add(Visit(token=kept(token), user_id=user.id))
            db.execute(delete(Attempt).where(Attempt.name == name))
            db.commit()
            response = jsonify(id=user.id, name=user.name)
            response.set_cookie("visit", token, httponly=True, samesite="Strict")
            return response

    @app.get("/me")
    def me():
        with Session(engine) as db:
            token = kept(request.cookies.get("visit", ""))
            user = db.scalar(select(User).join(Visit).where(Visit.token == token))
            if user is None:
                return error(401, "not_logged_in", "Log in first.")
            return {"id": user.id, "name": user.name}

    @app.post("/logout")
    def logout():
        with Session(engine) as db:
            db.execute(delete(Visit).where(Visit.token == kept(request.cookies.get("visit", ""))))
            db.commit()
        response = app.make_response(("", 204))
        response.delete_cookie("visit", httponly=True, samesite="Strict")
        return response

    return app
