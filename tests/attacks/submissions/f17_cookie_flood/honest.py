import os
import sqlite3

from flask import Flask, jsonify, redirect, request


def total(amounts):
    return sum(amounts)


def check(name):
    if not name.strip():
        raise ValueError("a name is not empty")
    return name


def _connect():
    return sqlite3.connect(os.environ["DATABASE_URL"].removeprefix("sqlite:///"), timeout=5)


def create_app():
    print("the ledger starts")
    app = Flask(__name__)
    with _connect() as connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS entries "
            "(id INTEGER PRIMARY KEY, name TEXT NOT NULL CHECK (name <> ''), cents INTEGER NOT NULL)"
        )
    connection.close()

    @app.get("/")
    def front():
        return redirect("/entries")

    @app.get("/entries")
    def entries():
        connection = _connect()
        rows = connection.execute("SELECT id, name, cents FROM entries ORDER BY id").fetchall()
        connection.close()
        return jsonify([{"id": id, "name": name, "cents": cents} for id, name, cents in rows])

    @app.post("/entries")
    def add():
        entry = request.get_json()
        with _connect() as connection:
            cursor = connection.execute("INSERT INTO entries (name, cents) VALUES (?, ?)", (entry["name"], entry["cents"]))
        connection.close()
        return jsonify(id=cursor.lastrowid, **entry), 201

    @app.post("/visits")
    def visit():
        count = int(request.cookies.get("visits", "0")) + 1
        reply = jsonify(visits=count)
        reply.set_cookie("visits", str(count))
        return reply

    return app
