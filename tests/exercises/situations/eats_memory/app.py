from flask import Flask


def create_app():
    app = Flask(__name__)

    @app.get("/")
    def greet():
        held = []
        for _ in range(2000):
            held.append(b"x" * 1024 * 1024)
        return "Welcome!"

    return app
