"""Answers with a compressed body that unpacks to gigabytes; expected verdict: a clear verdict in time, grader unharmed, no points."""
import zlib

from flask import Flask, Response


def fee(amount):
    return None


packer = zlib.compressobj(9, zlib.DEFLATED, 31)
block = b"0" * (1 << 20)
BOMB = b"".join(packer.compress(block) for _ in range(48)) + packer.flush()


def create_app():
    app = Flask(__name__)

    @app.before_request
    def boom():
        return Response(BOMB * 60, 200, {"Content-Encoding": "gzip", "Content-Type": "application/json"})

    return app
