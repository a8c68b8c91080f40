"""A server that says hello."""

from flask import Flask


def create_app():
    """Build the app."""
    app = Flask(__name__)

    @app.get("/")
    def hello():
        # TODO: return the greeting
        pass

    return app
