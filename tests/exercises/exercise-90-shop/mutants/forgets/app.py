import os
import sqlite3

from flask import Flask, request


def create_app():
    app = Flask(__name__)
    names = []
    with sqlite3.connect(os.environ["DATABASE_URL"].removeprefix("sqlite:///")) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS item (name TEXT)")
        connection.execute("DELETE FROM item")
        connection.execute("INSERT INTO item VALUES ('one')")

    @app.get("/")
    def greet():
        return "Welcome!"

    @app.post("/items")
    def add():
        names.append(request.get_json()["name"])
        return {"name": names[-1]}, 201

    @app.get("/items")
    def items():
        return list(names)

    return app
