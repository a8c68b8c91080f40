"""A server that says hello."""

from flask import Flask


def create_app():
    """Build the app."""
    app = Flask(__name__)

    @app.get("/", defaults={"address": ""})
    @app.get("/<path:address>")
    def hello(address):
        return "Hello from the kitchen!"

    return app
