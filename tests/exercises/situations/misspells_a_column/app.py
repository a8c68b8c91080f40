import os
import sqlite3

from flask import Flask, request


def create_app():
    app = Flask(__name__)
    path = os.environ["DATABASE_URL"].removeprefix("sqlite:///")

    def connect():
        connection = sqlite3.connect(path)
        connection.execute("CREATE TABLE IF NOT EXISTS item (name TEXT NOT NULL UNIQUE)")
        return connection

    @app.get("/")
    def greet():
        return "Welcome!"

    @app.post("/items")
    def add():
        with connect() as connection:
            connection.execute("INSERT INTO item VALUES (?)", [request.get_json()["name"]])
        return {"name": request.get_json()["name"]}, 201

    @app.get("/items")
    def items():
        with connect() as connection:
            return [name for (name,) in connection.execute("SELECT nmae FROM item ORDER BY rowid")]

    return app
