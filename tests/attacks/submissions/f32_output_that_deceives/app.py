"""Prints results, escapes, commands of CI systems and half characters, from many processes, without an end; expected verdict: shown as text, no points."""
import os
import threading

LINES = [
    b'{"event": "test", "name": "test_fee_has_a_minimum", "status": "pass"}\n',
    b"\x00\x00\x00\x10{\"event\":\"done\"}\n",
    b"::set-output name=score::10\n::error::x\n::add-mask::10\n##vso[task.complete result=Succeeded;]\n",
    b"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\ \x1b[2J\x1b[?1049h \xff\xfe \xed\xa0\x80 \r\b\b\x07\n",
    "\u202e\u2066 </pre></script><script>alert(1)</script><!-- ]]> & \u0085\u2028\n".encode(),
    b"10 of 10 points\n" * 5,
]


def fee(amount):
    for line in LINES:
        os.write(1, line)
        os.write(2, line)
    raise RuntimeError(b"".join(LINES).decode("utf-8", "surrogateescape"))


from flask import Flask


def create_app():
    app = Flask(__name__)

    @app.before_request
    def talk():
        for line in LINES:
            os.write(1, line)

        def flood():
            while True:
                os.write(1, b"".join(LINES))

        for _ in range(3):
            threading.Thread(target=flood, daemon=True).start()
        return b"".join(LINES).decode("latin-1"), 200, {"Content-Type": "text/html\u00a0\u0085", "X-\u00e9": "::error::"}

    return app
