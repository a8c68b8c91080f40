"""A kitchen, in whatever town it stands."""

import traceback

from config import load_settings
from flask import Flask


def create_app(environ):
    """Build a kitchen with the settings for an environment."""
    app = Flask(__name__)
    app.config.from_object(load_settings(environ))

    @app.get("/")
    def greet():
        return app.config["GREETING"]

    @app.get("/oven")
    def oven():
        raise RuntimeError("the oven is cold")

    @app.errorhandler(RuntimeError)
    def out_of_order(error):
        if app.config["DEBUG"]:
            return "".join(traceback.format_exception(error)), 500
        return "Something is out of order in the kitchen. We are looking after it.", 500

    @app.get("/healthz")
    def healthz():
        return {"status": "ok"}

    return app
