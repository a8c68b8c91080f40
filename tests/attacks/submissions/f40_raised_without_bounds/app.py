"""Exceptions whose type and message are megabytes, raised again and again; expected verdict: a clear verdict in time, grader unharmed, the honest rest is graded."""
import os
import struct

import honest
from honest import create_app, total

BODY = b'{"raised": {"type": "' + b"T" * 1900000 + b'", "message": "' + b"m" * 1900000 + b'", "frames": []}}'


def check(name):
    os.write(4, struct.pack(">I", len(BODY)) + BODY)
    raise ValueError("x" * 3000000)
