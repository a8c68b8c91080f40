"""Writes its own notes on descriptor 3: crashes of every shape, endless numbers, depth, and then a flood; expected verdict: notes are data; the honest rest is graded."""
import json
import os
import threading

NOTES = [
    {"crash": {"type": 5, "message": ["x"], "frames": 7, "own": "yes", "syntax": 3}},
    {"crash": {"type": "E", "message": "m", "frames": [{"file": 1, "line": 10**30, "function": None, "code": [], "values": {"a": 1}}]}},
    {"crash": {"type": "E", "message": "m", "frames": [{"file": "\ud800", "line": True, "function": "f", "code": "\udfff", "values": {"\ud800": "\ud801"}}] * 20}},
    {"crash": {"type": "SyntaxError", "message": {}, "syntax": {"file": {}, "line": 10**40, "column": 10**9, "code": "\ud800"}, "frames": []}},
    {"crash": {"phase": "request", "type": "TypeError", "message": "did not return a valid response None"}},
    {"crash": []},
    {"crash": {}},
    {"sql": "\ud800 SELECT '\x1b[2J'"},
    {"sql": ["no"]},
    {"event": "ended", "generation": 1},
    {"id": 1, "ok": True},
    [],
    None,
]
RAW = [
    b'{"crash": {"type": 1e999}}',
    b'{"crash": {"a": NaN}}',
    b'{"crash": {"type": "E", "x": ' + b"[" * 930 + b"]" * 930 + b"}}",
    b'{"crash": {"type": "E", "x": ' + b"[" * 975 + b"]" * 975 + b"}}",
    b'{"crash": {"type": "E", "x": ' + b"[" * 985 + b"]" * 985 + b"}}",
    b'{"crash": {"type": "E", "x": ' + b'{"a":' * 640 + b"1" + b"}" * 640 + b"}}",
    b'{"crash": {"type": "E", "x": ' + b"9" * 4300 + b"}}",
    b"\xff\xfe\x00\x00",
]


def write(line):
    try:
        os.write(3, line + b"\n")
    except OSError:
        pass


def forge():
    """The keeper remembers the last few, so that the last one is another poison in every test."""
    for note in NOTES:
        write(json.dumps(note).encode())
    for line in RAW:
        write(line)
    write(json.dumps(NOTES[os.getpid() % 5]).encode())
    write(RAW[os.getpid() % len(RAW)])


os.set_blocking(3, True)
forge()

from honest import create_app as _create


def fee(amount):
    forge()
    return None


def create_app():
    app = _create()
    app.before_request(forge)

    def flood():
        while True:
            write(b"{" * 4000)

    threading.Timer(0.3, flood).start()
    return app
