"""What the client of the hidden tests sends."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from grader.inside import served
from grader.inside.client import Client, Transcript

COOKIE = "session=" + "eyJ2aXNpdCI6Ijk1" * 300 + "; HttpOnly; Path=/; SameSite=Lax"


def _sets_a_cookie(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", [("Set-Cookie", COOKIE), ("Set-Cookie", "seen=1; Secure")])
    return [b"set"]


def test_a_cookies_value_is_shortened_and_its_attributes_are_not() -> None:
    """A test may judge `HttpOnly` and the like, so the transcript shows them."""
    transcript = Transcript()
    with served.serving(_sets_a_cookie) as address:
        Client(lambda: int(address.rpartition(":")[2]), transcript, 5).get("/")

    shown = [value for name, value in transcript.steps[0]["response"]["headers"] if name == "Set-Cookie"]
    assert shown == ["session=eyJ2aXNpdCI6Ijk1…; HttpOnly; Path=/; SameSite=Lax", "seen=1; Secure"]


def _tells_its_host(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["HTTP_HOST"].encode()]


@pytest.mark.parametrize("name", ["Host", "host"])
def test_an_app_can_be_asked_under_another_name(name: str) -> None:
    """A test may name the host; then that is the only one that is sent."""
    with served.serving(_tells_its_host) as address:
        client = Client(lambda: int(address.rpartition(":")[2]), Transcript(), 5)

        assert client.get("/", headers={name: "shop.example:81"}).text == "shop.example:81"
        assert client.get("/").text == address.removeprefix("http://")


def test_a_transcript_says_which_visitor_sent_a_request() -> None:
    """Requests at the same moment are all by the one who sends them."""
    transcript = Transcript()
    with served.serving(_tells_its_host) as address:
        first = Client(lambda: int(address.rpartition(":")[2]), transcript, 5)
        second = first.another()
        second.get("/")
        first.get("/")
        second.together([("GET", "/", {}), ("GET", "/", {})])
        first.another().get("/")

    assert [step["request"]["visitor"] for step in transcript.steps] == [2, 1, 2, 2, 3]
