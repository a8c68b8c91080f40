"""A server that says hello."""

from flask import Flask


def hello():
    """Greet whoever asks."""
    return "Hello from the kitchen!", 200


def create_app():
    """Build the app."""
    app = Flask(__name__)
    app.add_url_rule("/", view_func=hello)
    return app
