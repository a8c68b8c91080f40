import time

from flask import Flask


def create_app():
    app = Flask(__name__)

    @app.get("/")
    def greet():
        time.sleep(1000)

    return app
