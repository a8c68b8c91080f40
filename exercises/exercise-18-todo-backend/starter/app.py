"""A list of todos that any frontend can use."""

import os

from flask import Flask


def create_app():
    """Build the app on the database that DATABASE_URL names."""
    app = Flask(__name__)
    # TODO: a model, the routes, and the headers that let a frontend from another place call them
    return app
