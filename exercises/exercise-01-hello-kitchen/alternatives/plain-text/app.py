"""A server that says hello."""

from flask import Flask, Response


def create_app():
    """Build the app."""
    app = Flask(__name__)

    @app.get("/")
    def hello():
        return Response("Hello from the kitchen!\n", mimetype="text/plain")

    return app
