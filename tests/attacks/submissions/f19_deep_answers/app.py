"""JSON nested to the last level that can be read, in answers and in what functions return; expected verdict: a clear verdict in time, grader unharmed, no points."""
import json
import os
import threading

from flask import Flask, Response


def nest(depth):
    value = None
    for _ in range(depth):
        value = [value]
    return value


def fee(amount):
    depth = {37: 39, 1234: 45, 987654: 100000}.get(amount)
    if depth is None:
        value = nest(900)
        raise ValueError(value)
    return nest(depth)


DEPTHS = [900, 930, 960, 980, 990, 1000, 3000, 100000]


def create_app():
    app = Flask(__name__)
    count = os.getpid()

    @app.before_request
    def deep():
        nonlocal count
        count += 1
        depth = DEPTHS[count % len(DEPTHS)]
        return Response('{"account":' * depth + "1" + "}" * depth, 200, mimetype="application/json")

    return app
