"""Four MiB of brackets in answer to every request, as many at once as are asked; expected verdict: the examiner's memory holds, no points."""
from flask import Flask, Response

BODY = b"[" + b"[]," * (4 * 1024 * 1024 // 3 - 10) + b"[]]"


def total(amounts):
    return [[]] * 150000


def check(name):
    return [[]] * 150000


def create_app():
    app = Flask(__name__)

    @app.before_request
    def large():
        return Response(BODY, 200, mimetype="application/json")

    return app
