from flask import Flask


def create_app():
    app = Flask(__name__)

    @app.get("/")
    def greet():
        while True:
            print("x" * 1000)

    return app
