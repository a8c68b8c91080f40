"""An app, and no tests of it."""

from flask import Flask

# TODO: write `test_app.py`


def create_app():
    """Build the app."""
    app = Flask(__name__)
    app.add_url_rule("/", view_func=lambda: "not yet")
    return app
