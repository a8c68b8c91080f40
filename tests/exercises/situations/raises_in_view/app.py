from flask import Flask


def create_app():
    app = Flask(__name__)

    @app.get("/")
    def greet():
        stock = {"apples": 3}
        return str(stock["pears"])

    return app
