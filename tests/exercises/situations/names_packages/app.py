import importlib.metadata
import re

from flask import Flask


def create_app():
    app = Flask(__name__)

    @app.get("/")
    def greet():
        try:
            import docker
        except ImportError:
            docker = None
        names = {re.sub("[-_.]+", "-", each.name).lower() for each in importlib.metadata.distributions()}
        return " ".join([*sorted(names), "and docker"] if docker else sorted(names))

    return app
