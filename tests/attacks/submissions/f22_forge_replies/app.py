"""Writes on the control socket before it is asked: answers, endless lengths, depth, and reads nothing; expected verdict: a constant that is right by itself, no more."""
import json
import os
import struct
import threading
import time

from honest import create_app as _create


def frame(body):
    return struct.pack(">I", len(body)) + body


REPLIES = [
    frame(b'{"value": 1}'),
    frame(b'{"value": 1e999}'),
    frame(b'{"value": ' + b"[" * 900 + b"]" * 900 + b"}"),
    frame(b'{"value": ' + b"[" * 980 + b"]" * 980 + b"}"),
    frame(b'{"raised": {"type": "ValueError", "message": "' + b"m" * 3000000 + b'", "own": 1, "frames": [{"line": 1e400}]}}'),
    frame(b'{"raised": {"type": ["ValueError"], "message": {}, "own": true}}'),
    frame(b'{"raised": 5, "value": {"dict": [[[1], 2]]}}'),
    frame(b'{"ready": true, "value": {"decimal": "1e999999999"}}'),
    frame(b'{"value": {"bytes": "' + b"A" * 4000000 + b'"}}'),
    frame(b"[]"),
    b"\xff\xff\xff\xff",
]


def fee(amount):
    kind = {37: 0, 1234: 1, 987654: 2}.get(amount, 4)
    for reply in REPLIES[kind::3]:
        os.write(4, reply)
    time.sleep(30)


def create_app():
    for _ in range(50):
        os.write(4, frame(b'{"value": 1}'))
        os.write(4, frame(b'{"ready": true}'))
    return _create()
