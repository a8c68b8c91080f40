"""Tables that are views without an end, triggers, names with quotes, values of a gigabyte, a held lock; expected verdict: a clear verdict in time, grader unharmed, at most what it does right."""
import os
import sqlite3

from flask import Flask, jsonify

PATH = os.environ["DATABASE_URL"].removeprefix("sqlite:///")
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS id, 'x' AS name, i AS cents FROM n"
TRAPS = [
    ["CREATE VIEW entries AS " + ENDLESS],
    ["CREATE TABLE entries (id, name, cents)", "CREATE TRIGGER t AFTER INSERT ON entries BEGIN INSERT INTO entries SELECT * FROM (" + ENDLESS + "); END"],
    ["CREATE TABLE entries (id, name, cents)", "INSERT INTO entries VALUES (zeroblob(50000000), zeroblob(50000000), 'x')"],
    ["CREATE TABLE entries (id, name, cents AS (load_extension('/tmp/x')))"],
    ["CREATE TABLE entries (id, name, cents)", "INSERT INTO entries VALUES (9e999, CAST(x'ff00fe' AS TEXT), -9e999)"],
    ["CREATE VIEW entries AS SELECT CAST(zeroblob(1000000000) AS TEXT) AS id, 'x' AS name, 1 AS cents"],
    ['CREATE TABLE "a""b\n\x1b[2J" ("x""y")', "CREATE TABLE entries (%s)" % ",".join("c%d" % n for n in range(1999))],
    ["PRAGMA journal_mode = WAL", "CREATE TABLE entries (id, name, cents)", "BEGIN EXCLUSIVE"],
    ["CREATE TABLE entries (id, name, cents)", "INSERT INTO entries VALUES ('a', 'b', 'c')", "PRAGMA writable_schema = ON", "UPDATE sqlite_master SET sql = 'CREATE TABLE entries (' || hex(zeroblob(400000))"],
    ["CREATE VIEW entries AS SELECT 'text' AS id, NULL AS name, randomblob(30) AS cents"],
]
held = []


def total(amounts):
    return None


def check(name):
    return None


def create_app():
    app = Flask(__name__)
    connection = sqlite3.connect(PATH, isolation_level=None)
    held.append(connection)
    for statement in TRAPS[os.getpid() % len(TRAPS)]:
        try:
            connection.execute(statement)
        except sqlite3.Error:
            pass
    app.add_url_rule("/entries", view_func=lambda: (jsonify([]), 201), methods=["GET", "POST"])
    return app
