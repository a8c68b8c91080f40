"""The town's directory of firms: a search for everybody, and a login for those who keep it."""

import os

from errors import error
from flask import Flask, request
from sqlalchemy import Column, Integer, MetaData, String, Table, create_engine, select
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.security import check_password_hash

metadata = MetaData()
firms = Table(
    "firms",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String, nullable=False),
    Column("town", String, nullable=False),
    Column("founded", Integer),
)
users = Table(
    "users",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("password_hash", String, nullable=False),
)
SORTS = {"name", "town", "founded"}


def create_app():
    """Build the app on the database that DATABASE_URL names."""
    app = Flask(__name__)
    engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///directory.db"))
    metadata.create_all(engine)

    @app.errorhandler(SQLAlchemyError)
    def database_failed(failure):
        app.logger.exception(failure)
        return error(500, "internal_error", "The directory can't answer now.")

    @app.get("/firms")
    def search():
        sort = request.args.get("sort", "name")
        if sort not in SORTS:
            return error(400, "bad_sort", "There is no such order.")
        query = select(firms).where(firms.c.name.contains(request.args.get("q", ""), autoescape=True))
        if request.args.get("town"):
            query = query.where(firms.c.town == request.args["town"])
        with engine.connect() as connection:
            return [dict(row) for row in connection.execute(query.order_by(firms.c[sort], firms.c.id)).mappings()]

    @app.post("/login")
    def login():
        payload = request.get_json()
        name, password = str(payload.get("name")), str(payload.get("password"))
        with engine.connect() as connection:
            user = connection.execute(select(users).where(users.c.name == name)).mappings().first()
        if user is None or not check_password_hash(user["password_hash"], password):
            return error(401, "wrong_login", "This name and password don't belong together.")
        return {"id": user["id"], "name": user["name"]}

    return app
