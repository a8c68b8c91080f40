from flask import Flask


def create_app():
    app = Flask(__name__)

    @app.get("/")
    def greet():
        greeting = "Welcome!"
        print(greeting)

    return app
