"""The line on what a symptom usually means, which is never wrong."""

from __future__ import annotations

from typing import Any

import pytest

from grader.usually import for_test

PAGE = "<!doctype html>\n<html lang=en>\n<title>{status} {reason}</title>\n<h1>{reason}</h1>\n<p>Words.</p>\n"


def event(*, status: int = 200, body: str = "", headers: dict[str, str] | None = None, **others: Any) -> dict[str, Any]:
    """Give the event of a failed test whose deciding answer is this one."""
    response = {"status": status, "headers": list((headers or {}).items()), "body": body}
    return {"status": "fail", "transcript": [{"kind": "http", "is_deciding": True, "response": response}], **others}


def crashed(type: str, message: str) -> dict[str, Any]:
    """Give the event of a test that met an exception in a view."""
    return event(status=500, crash={"type": type, "message": message, "phase": "request"})


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"symptom": "refused"}, "listens on another port"),
        ({"symptom": "reset", "ended": {"code": 1, "signal": None}}, "the process ended"),
        ({"symptom": "reset", "ended": None}, "shorter than its `Content-Length`"),
        ({"symptom": "timeout"}, "longer than the limit"),
        ({"message": "sqlite3.OperationalError: database is locked"}, "a transaction was left open"),
        (crashed("OperationalError", "(sqlite3.OperationalError) no such table: boooks"), "spelt in another way"),
        (crashed("TypeError", "The view function for 'x' did not return a valid response. It returned None"), "`None`"),
        (crashed("gaierror", "[Errno -3] Temporary failure in name resolution"), "`127.0.0.1`"),
        (crashed("DetachedInstanceError", "x"), "after its session was closed"),
        (event(symptom="not-json"), "no body"),
        (event(symptom="not-json", status=404, body=PAGE.format(status=404, reason="Not Found")), "HTML page"),
        (event(symptom="not-json", body="{'id': 1, 'name': \"O'Hara\"}"), "`str`"),
        (event(symptom="not-json", body="dish", headers={"Content-Type": "text/html; charset=utf-8"}), "sent as HTML"),
        (event(symptom="not-json", status=308, body=PAGE.format(status=308, reason="Permanent Redirect")), "redirect"),
        (event(symptom="not-json", status=405, headers={"Allow": "GET"}), "not for this method"),
        (event(status=405, headers={"Allow": "GET"}, op="==", expected="201", got="405"), "not for this method"),
        (event(status=302, op="==", expected="200", got="302"), "redirect"),
        (
            event(body="dish not found", op="==", expected='"application/json"', got='"text/html"'),
            "a dictionary, a list or `jsonify(...)`",
        ),
    ],
)
def test_a_known_symptom_is_translated(told: dict[str, Any], words: str) -> None:
    """In one line."""
    line = for_test(told)

    assert line is not None
    assert words in line
    assert "\n" not in line


@pytest.mark.parametrize(
    "told",
    [
        event(symptom="not-json", body="<Dish 12>"),
        event(symptom="not-json", body="<h1>Dish</h1>"),
        event(symptom="not-json", body='{"id": 1, "name": "O\'Hara", }'),
        event(symptom="not-json", status=405, body="no"),
        event(status=405, op="==", expected="200", got="405"),
        event(status=404, op="==", expected="200", got="404"),
        event(status=308, op="==", expected="404", got="308"),
        event(status=404, body=PAGE.format(status=404, reason="Not Found"), op="==", expected='"application/json"',
              got='"text/html"'),
        crashed("ValueError", "x"),
        {"symptom": "shape"},
        {},
    ],
)  # fmt: skip
def test_when_unsure_nothing_is_said(told: dict[str, Any]) -> None:
    """A line that is wrong sends a learner the wrong way."""
    assert for_test(told) is None
