"""The cookies of one visitor. Imported when the first one comes: most apps set none, and this takes a while to import."""

from __future__ import annotations

import http.cookiejar
import urllib.request
from email.message import Message

MAX_COOKIES = 100
MAX_COOKIE_CHARACTERS = 4096
"""As browsers do: https://www.rfc-editor.org/rfc/rfc6265#section-6.1"""


class Cookies:
    """Takes the cookies that a browser would, and gives those back that belong to an address."""

    def __init__(self) -> None:
        self._jar = http.cookiejar.CookieJar(_Policy())

    @property
    def values(self) -> dict[str, str]:
        """What is held now, by name."""
        return {cookie.name: cookie.value or "" for cookie in self._jar}

    def put(self, name: str, value: str) -> None:
        """Hold a cookie, in place of one of that name."""
        for cookie in list(self._jar):
            if cookie.name == name:
                self._jar.clear(cookie.domain, cookie.path, cookie.name)
        self._jar.set_cookie(
            http.cookiejar.Cookie(
                0, name, value, None, False, "127.0.0.1", False, False, "/", True, False, None, True, None, None, {}
            )
        )

    def header(self, url: str) -> str | None:
        """Give the `Cookie` header of a request to an address; `None` where nothing of what is held belongs there."""
        request = urllib.request.Request(url)
        self._jar.add_cookie_header(request)
        return request.get_header("Cookie")

    def take(self, url: str, headers: Message) -> None:
        """Take what the answer of an address sets."""
        self._jar.extract_cookies(_Response(headers), urllib.request.Request(url))  # type: ignore[arg-type]
        for cookie in list(self._jar)[:-MAX_COOKIES]:
            self._jar.clear(cookie.domain, cookie.path, cookie.name)


class _Policy(http.cookiejar.DefaultCookiePolicy):
    def set_ok(self, cookie: http.cookiejar.Cookie, request: urllib.request.Request) -> bool:
        size = len(cookie.name or "") + len(cookie.value or "")
        return size <= MAX_COOKIE_CHARACTERS and super().set_ok(cookie, request)


class _Response:
    """What `http.cookiejar` asks of a response."""

    def __init__(self, headers: Message) -> None:
        self._headers = headers

    def info(self) -> Message:
        return self._headers
