"""The members' entrance."""

import os

from errors import error
from flask import Flask, request
from members import Base, User
from sqlalchemy import create_engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from werkzeug.security import generate_password_hash


def create_app():
    """Build the app on the database that DATABASE_URL names, with the key in SECRET_KEY."""
    app = Flask(__name__)
    app.config["SECRET_KEY"] = os.environ["SECRET_KEY"]
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

    # TODO: POST /login, POST /logout and GET /me

    return app
