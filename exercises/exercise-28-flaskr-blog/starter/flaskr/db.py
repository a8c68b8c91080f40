"""The database of a request. Nothing is left to do in this file."""

import sqlite3

from flask import current_app, g


def get_db():
    """Give this request's connection; rows are asked by column: `row["title"]`."""
    if "db" not in g:
        g.db = sqlite3.connect(current_app.config["DATABASE"])
        g.db.row_factory = sqlite3.Row
    return g.db


def close_db(problem=None):
    """Close the connection when the request is over."""
    if "db" in g:
        g.pop("db").close()


def prepare(app):
    """Make the tables where there are none, and close each request's connection."""
    app.teardown_appcontext(close_db)
    with app.app_context(), app.open_resource("schema.sql", "r") as schema:
        get_db().executescript(schema.read())
