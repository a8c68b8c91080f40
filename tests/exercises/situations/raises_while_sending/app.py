from flask import Flask, Response


def create_app():
    app = Flask(__name__)

    @app.get("/")
    def greet():
        stock = {"apples": 3}

        def pieces():
            yield "Welcome"
            yield str(stock["pears"])

        return Response(pieces())

    return app
