"""Answers just when the time is up, with as much as is taken; expected verdict: a time-out is the failure of the test, never of the examiner."""
import os
import struct
import time

from flask import Flask, Response

LIMIT_S = 1.0


def fee(amount):
    if amount == 37:
        time.sleep(LIMIT_S - 0.06)
        return [["x" * 100] * 10] * 3000


def create_app():
    app = Flask(__name__)

    @app.get("/balance")
    def late():
        def body():
            time.sleep(LIMIT_S - 0.1)
            for _ in range(400):
                yield b"[[[[]]]]," * 1000

        return Response(body(), 200, mimetype="application/json")

    return app
