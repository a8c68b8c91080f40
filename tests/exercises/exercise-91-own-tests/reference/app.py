"""An app beside its tests."""

from flask import Flask


def create_app():
    """Build the app."""
    app = Flask(__name__)
    app.add_url_rule("/", view_func=lambda: "here")
    return app
