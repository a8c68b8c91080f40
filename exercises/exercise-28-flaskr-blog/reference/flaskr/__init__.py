"""The blog, as an app that can be made more than once."""

import os

from flask import Flask

from . import auth, blog, db


def create_app(test_config=None):
    """Build the app on the database that DATABASE_URL names."""
    app = Flask(__name__)
    app.config["SECRET_KEY"] = os.environ.get("SECRET_KEY", "only-for-trying-things-out")
    app.config["DATABASE"] = os.environ.get("DATABASE_URL", "sqlite:///flaskr.sqlite").removeprefix("sqlite:///")
    app.config.update(test_config or {})
    db.prepare(app)

    @app.get("/hello")
    def hello():
        return "Hello, World!"

    app.register_blueprint(auth.bp)
    app.register_blueprint(blog.bp)
    return app
