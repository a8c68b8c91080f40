"""NaN, infinity, numbers of thousands of digits, lone surrogates and doubled keys, in answers and returned values; expected verdict: a clear verdict in time, grader unharmed, no points."""
from decimal import Decimal

from flask import Flask, Response

BODIES = [
    '{"account": NaN, "balance": Infinity}',
    '{"account": "bob", "balance": 1e999}',
    '{"account": "bob", "balance": ' + "9" * 4000 + "}",
    '{"account": "bob", "balance": ' + "9" * 400000 + "}",
    '{"account": "\\ud800\\udfff\\u0000\\u001b[2J", "\\udc00": "\\ud83d"}',
    '{"account": "mallory", "account": "bob", "balance": 0, "balance": 25}',
    "\ufeff{}",
    '{"a": "\x00\x1b"}',
    "",
    "-",
]


def fee(amount):
    if amount == 37:
        return "\ud800\udfff \x1b[2J\x00 </script><script>alert(1)</script>"
    if amount == 1234:
        return [float("nan"), float("inf"), Decimal("1e999999999"), Decimal("sNaN"), 10**4000, "\udcff"]
    if amount == 987654:
        return 10**5000
    raise KeyError("\ud800\udfff\x1b]0;x\x07")


def create_app():
    app = Flask(__name__)
    count = 0

    @app.before_request
    def odd():
        nonlocal count
        count += 1
        return Response(BODIES[(count + __import__("os").getpid()) % len(BODIES)].encode("utf-8", "surrogatepass"), 200, mimetype="application/json")

    return app
