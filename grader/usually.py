"""One line on what a known symptom usually means. When unsure, nothing is said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any, Protocol


class KnownMutant(Protocol):
    """A wrong answer that the exercise knows: the tests it fails, those it may fail, and a line of help."""

    @property
    def fails(self) -> tuple[str, ...]: ...
    @property
    def also(self) -> tuple[str, ...]: ...
    @property
    def help(self) -> str: ...


def known_mutant(mutants: Iterable[KnownMutant], failing: Set[str]) -> str | None:
    """Give the help line of the one known wrong answer that fails exactly these tests; `None` when several or none do."""
    fitting = [
        mutant for mutant in mutants if set(mutant.fails) <= failing <= set(mutant.fails) | set(mutant.also) and failing
    ]
    return fitting[0].help or None if len(fitting) == 1 else None


_EXCEPTIONS = {
    "DetachedInstanceError": "an object was used after its session was closed",
    "IntegrityError": "the database refused a row because of a constraint, and nothing caught that",
    "PendingRollbackError": "an earlier database error was not rolled back",
    "UnmappedInstanceError": "an object was given to the session that is no mapped model",
    "BuildError": "`url_for` was asked for a view that does not exist",
    "TemplateNotFound": "the template's file is not in `templates/`, or has another name",
    "gaierror": "a name was looked up where there is no network; for `localhost`, write `127.0.0.1`",
    "RecursionError": "a function calls itself without an end",
}


def for_test(event: Mapping[str, Any]) -> str | None:
    """Give the line for one test's event, or `None`."""
    symptom = event.get("symptom")
    if symptom == "refused":
        return "the app stopped, or it listens on another port than `PORT` says"
    if symptom == "reset":
        return "the process ended while it was answering"
    if symptom == "timeout":
        return "something in the code waits: a loop without an end, a lock, or input that never comes"
    crash = event.get("crash")
    if isinstance(crash, dict) and crash.get("phase") == "request" and _deciding_status(event) == 500:
        return _for_crash(crash)
    if symptom == "not-json":
        return _for_body_that_is_not_json(event)
    reply = _deciding_reply(event)
    if reply is not None and event.get("op") == "==":
        status = reply.get("status")
        if event.get("expected") == "200" and event.get("got") == str(status) and status in (301, 302, 303, 307, 308):
            return (
                "the app sent a redirect instead of an answer; a route that ends in `/` does that for a path without it"
            )
        if event.get("expected") not in ("405", None) and event.get("got") == "405" and status == 405:
            return "the route exists, but not for this method"
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
            "the view reached its end without `return`"
            if "None" in text
            else "the view returned something that is no answer"
        )
    if name == "OperationalError" and "database is locked" in text:
        return "another connection holds the database: a transaction was left open"
    if name == "OperationalError" and "no such table" in text:
        return "the tables were never created: `create_all` was not called before the first query"
    return _EXCEPTIONS.get(name)


def _for_body_that_is_not_json(event: Mapping[str, Any]) -> str | None:
    reply = _deciding_reply(event)
    if reply is None:
        return None
    body = str(reply.get("body") or "").lstrip()
    if not body:
        return "the answer has no body"
    if body[:1] == "<":
        return "this is an HTML page, such as Flask makes for an error that the code does not answer itself"
    if body[:1] in "[{" and "'" in body:
        return "a Python value was turned into text with `str`, which is not JSON"
    return None


def _deciding_reply(event: Mapping[str, Any]) -> Mapping[str, Any] | None:
    for step in event.get("transcript") or ():
        if step.get("is_deciding") and step.get("kind") == "http" and isinstance(step.get("response"), dict):
            reply: Mapping[str, Any] = step["response"]
            return reply
    return None


def _deciding_status(event: Mapping[str, Any]) -> int | None:
    reply = _deciding_reply(event)
    return None if reply is None else reply.get("status")
