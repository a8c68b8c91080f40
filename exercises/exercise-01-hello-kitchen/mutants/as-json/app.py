"""A server that says hello."""

from flask import Flask, jsonify


def create_app():
    """Build the app."""
    app = Flask(__name__)

    @app.get("/")
    def hello():
        return jsonify("Hello from the kitchen!")

    return app
