"""The town's directory of firms: a search for everybody, and a login for those who keep it."""

import os

from errors import error
from flask import Flask, request
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.security import check_password_hash

TABLES = (
    "CREATE TABLE IF NOT EXISTS firms (id INTEGER PRIMARY KEY, name TEXT NOT NULL, town TEXT NOT NULL, founded INTEGER)",
    "CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, password_hash TEXT NOT NULL)",
)

ORDERS = {"name": "name", "town": "town", "founded": "founded"}
"""What a visitor may write for `sort`, and what becomes part of the query for it."""


def literally(part):
    """Give the pattern of LIKE that stands for a text as it is, with `!` before what LIKE reads as a sign."""
    return part.replace("!", "!!").replace("%", "!%").replace("_", "!_")


def create_app():
    """Build the app on the database that DATABASE_URL names."""
    app = Flask(__name__)
    engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///directory.db"))
    with engine.begin() as connection:
        for table in TABLES:
            connection.exec_driver_sql(table)

    @app.errorhandler(SQLAlchemyError)
    def database_failed(failure):
        app.logger.error("the database failed: %s", failure)
        return error(500, "internal_error", "Something went wrong on our side.")

    @app.get("/firms")
    def search():
        town = request.args.get("town", "")
        part = request.args.get("q", "")
        values = {"part": f"%{literally(part)}%", "town": town}
        order = ORDERS.get(request.args.get("sort", "name"))
        if order is None:
            return error(400, "bad_sort", f"sort is one of {', '.join(ORDERS)}.")
        sql = "SELECT id, name, town, founded FROM firms WHERE name LIKE :part ESCAPE '!'"
        if town:
            sql += " AND town = :town"
        sql += f" ORDER BY {order}, id"
        with engine.connect() as connection:
            return [dict(row) for row in connection.execute(text(sql), values).mappings()]

    @app.post("/login")
    def login():
        payload = request.get_json()
        name, password = str(payload.get("name")), str(payload.get("password"))
        sql = text("SELECT id, name, password_hash FROM users WHERE name = :name")
        with engine.connect() as connection:
            user = connection.execute(sql, {"name": name}).mappings().first()
        if user is None or not check_password_hash(user["password_hash"], password):
            return error(401, "wrong_login", "This name and password don't belong together.")
        return {"id": user["id"], "name": user["name"]}

    return app
