"""What the client of the hidden tests sends."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from grader.inside import served
from grader.inside.client import Client, Transcript
from grader.inside.fault import Wrong

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
        second.together([("GET", "/1", {}), ("GET", "/2", {})])
        first.another().get("/")

    assert [step["request"]["visitor"] for step in transcript.steps] == [2, 1, 2, 2, 3]


class _OneOfMany:
    """Takes the first request and refuses the others; every fourth gets no answer where it `breaks`."""

    def __init__(self, *, breaks: bool = False) -> None:
        self._numbers = itertools.count()
        self._breaks = breaks

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"] or 0))
        number = next(self._numbers)
        if self._breaks and number % 4 == 3:
            start_response("200 OK", [("Content-Length", "1000")])
            return [b"half of it"]
        start_response("409 CONFLICT" if number else "201 CREATED", [("Content-Type", "text/plain")])
        return [str(number).encode()]


def test_requests_at_the_same_moment_are_folded_by_what_they_came_to() -> None:
    """More than a transcript holds leave two steps, and room for those around them."""
    transcript = Transcript()
    with served.serving(_OneOfMany()) as address:
        client = Client(lambda: int(address.rpartition(":")[2]), transcript, 20)
        replies = client.together([("POST", "/loans", {"json": {"book": 7}})] * 64)
        client.get("/loans")

    assert replies.outcomes == {201: 1, 409: 63}
    assert repr(replies) == "<64 answers: 201 x 1, 409 x 63>"
    assert isinstance(replies, list)
    assert sorted(reply.text for reply in replies) == sorted(map(str, range(64)))
    told = [(step["response"]["status"], step.get("moment"), step.get("times")) for step in transcript.steps]
    assert told == [(201, 1, 1), (409, 1, 63), (409, None, None)]


def test_those_without_an_answer_are_the_last_of_a_moment() -> None:
    """The test fails by one of them, and the transcript has all outcomes."""
    transcript = Transcript()
    with served.serving(_OneOfMany(breaks=True)) as address:
        client = Client(lambda: int(address.rpartition(":")[2]), transcript, 5)
        with pytest.raises(Wrong, match="closed the connection"):
            client.together([("POST", "/loans", {})] * 4)

    told = [(step.get("response", {}).get("status"), step.get("note"), step["times"]) for step in transcript.steps]
    assert told == [(201, None, 1), (409, None, 2), (None, "reset", 1)]


def test_moments_are_told_apart_and_redirects_belong_to_none() -> None:
    """What is followed is sent when its answer came."""

    def leads_on(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        is_there = environ["PATH_INFO"] == "/there"
        start_response("200 OK" if is_there else "303 SEE OTHER", [("Location", "/there")])
        return [b""]

    transcript = Transcript()
    with served.serving(leads_on) as address:
        client = Client(lambda: int(address.rpartition(":")[2]), transcript, 5)
        for _ in range(2):
            assert client.together([("POST", "/", {"follow": True})] * 2).outcomes == {200: 2}

    told = [(step["request"]["path"], step.get("moment")) for step in transcript.steps]
    assert told == [("/", 1), ("/there", None), ("/there", None), ("/", 2), ("/there", None), ("/there", None)]
