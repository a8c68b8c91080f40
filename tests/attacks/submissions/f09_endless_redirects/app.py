"""Answers every request with a redirect: to itself, elsewhere, to no address at all; expected verdict: a clear verdict in time, grader unharmed, no points."""
from flask import Flask, Response, request

TARGETS = ["/", "//example.com:99999/x", "http://[::bad/", "http://127.0.0.1:22/", "file:///etc/passwd", "\t/\x7f", "/" + "a" * 30000, "", "?" * 5000, "ftp://x/", "/%00%ff", "http://user:pw@127.0.0.1/"]


def total(amounts):
    return None


def check(name):
    return None


def create_app():
    app = Flask(__name__)
    count = 0

    @app.before_request
    def turn():
        nonlocal count
        count += 1
        reply = Response(status=[301, 302, 303, 307, 308][count % 5])
        reply.autocorrect_location_header = False
        reply.headers["Location"] = TARGETS[count % len(TARGETS)]
        return reply

    return app
