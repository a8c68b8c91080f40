"""One line on what a known symptom usually means. When unsure, nothing is said."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

_EXCEPTIONS = {
    "DetachedInstanceError": "an object was used after its session was closed",
    "IntegrityError": "the database refused a row because of a constraint, and nothing caught that",
    "PendingRollbackError": "an earlier database error was not rolled back",
    "UnmappedInstanceError": "an object was given to the session that is no mapped model",
    "BuildError": "`url_for` was asked for a view that does not exist",
    "TemplateNotFound": "the template's file is not in `templates/`, or has another name",
    "gaierror": "a name was looked up where there is no network; for `localhost`, write `127.0.0.1`",
    "RecursionError": "a function calls itself without an end, or deeper than Python goes",
}

_LOCKED = "another connection holds the database: a transaction was left open"
_TEXT = "a text that a view returns is sent as HTML; a dictionary, a list or `jsonify(...)` is sent as JSON"


def for_test(event: Mapping[str, Any]) -> str | None:
    """Give the line for one test's event, or `None`."""
    symptom = event.get("symptom")
    if symptom == "refused":
        return "the app stopped, or it listens on another port than `PORT` says"
    if symptom == "reset":
        if event.get("ended"):
            return "the process ended while it was answering"
        return "an error came while the answer was being sent, or it is shorter than its `Content-Length` says"
    if symptom == "timeout":
        return "it takes longer than the limit, or waits for what never comes: a loop's end, a lock, input"
    if "database is locked" in str(event.get("message")):
        return _LOCKED
    crash = event.get("crash")
    if isinstance(crash, dict) and crash.get("phase") == "request" and _deciding_status(event) == 500:
        return _for_crash(crash)
    reply = _deciding_reply(event)
    if reply is None:
        return None
    if symptom == "not-json":
        return _for_status(reply) or _for_body_that_is_not_json(reply)
    if event.get("op") != "==":
        return None
    expected, got = str(event.get("expected")), str(event.get("got"))
    if expected.startswith("2") and got == str(reply.get("status")):
        return _for_status(reply)
    if expected == '"application/json"' and got.startswith('"text/html') and not _is_page(reply):
        return _TEXT
    return None


def for_start(crash: Mapping[str, Any] | None, message: str) -> str | None:
    """Give the line for a submission that did not start, or `None`."""
    if crash is None:
        return None
    if crash.get("type") == "StartsItself":
        return 'put `app.run()` below `if __name__ == "__main__":`, or leave it out: the grader starts the app'
    if crash.get("type") == "ModuleNotFoundError" and "No module named" in message:
        return "the package is not installed where the code is graded, or a file of your own has another name"
    return None


def _for_crash(crash: Mapping[str, Any]) -> str | None:
    name, text = str(crash.get("type")), str(crash.get("message"))
    if name == "TypeError" and "did not return a valid response" in text:
        return (
            "the view returned `None`: it came to its end without `return`, or what it returned was `None`"
            if "None" in text
            else "the view returned something that is no answer"
        )
    if name == "OperationalError" and "database is locked" in text:
        return _LOCKED
    if name == "OperationalError" and "no such table" in text:
        return "no table has this name: it was never created, or its name is spelt in another way"
    return _EXCEPTIONS.get(name)


def _for_status(reply: Mapping[str, Any]) -> str | None:
    """Give the line for an answer whose status says why it isn't the one that was asked for."""
    status = reply.get("status")
    if status in (301, 302, 303, 307, 308):
        return "the app sent a redirect instead of an answer; a route that ends in `/` does that for a path without it"
    # A view that answers 405 by itself names no methods.
    if status == 405 and _header(reply, "allow"):
        return "the route exists, but not for this method"
    return None


def _for_body_that_is_not_json(reply: Mapping[str, Any]) -> str | None:
    body = str(reply.get("body") or "").strip()
    if not body:
        return "the answer has no body"
    if _is_page(reply):
        return "this is the HTML page that Flask makes for an error which the code does not answer itself"
    if _is_of_python(body):
        return "a Python value was turned into text with `str`, which is not JSON"
    if body[:1] not in "<[{" and _header(reply, "content-type").startswith("text/html"):
        return _TEXT
    return None


def _is_page(reply: Mapping[str, Any]) -> bool:
    """Say whether it is the page that Werkzeug makes for an HTTP error (`HTTPException.get_body`)."""
    start = f"<!doctype html>\n<html lang=en>\n<title>{reply.get('status')} "
    return str(reply.get("body") or "").startswith(start)


def _is_of_python(text: str) -> bool:
    """Say whether a text is what Python itself writes for a list or a dictionary."""
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return False
    return isinstance(value, list | dict) and repr(value) == text


def _header(reply: Mapping[str, Any], name: str) -> str:
    return next((str(value) for key, value in reply.get("headers") or () if str(key).lower() == name), "")


def _deciding_reply(event: Mapping[str, Any]) -> Mapping[str, Any] | None:
    for step in event.get("transcript") or ():
        if step.get("is_deciding") and step.get("kind") == "http" and isinstance(step.get("response"), dict):
            reply: Mapping[str, Any] = step["response"]
            return reply
    return None


def _deciding_status(event: Mapping[str, Any]) -> int | None:
    reply = _deciding_reply(event)
    return None if reply is None else reply.get("status")
