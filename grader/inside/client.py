"""The HTTP client of the hidden tests: a visitor with cookies, bounded answers, and a transcript of all that was said."""

from __future__ import annotations

import http.client
import json
import shlex
import socket
import threading
import time
import urllib.parse
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from email.message import Message
from typing import TYPE_CHECKING, Any

from .fault import Wrong

if TYPE_CHECKING:
    from .cookies import Cookies
    from .page import Page

MAX_BODY_BYTES = 4 * 1024 * 1024
SHOWN_BODY_BYTES = 4000
SHOWN_HEADER_CHARACTERS = 400
MAX_EXCHANGES = 60
MAX_RECEIVED_BYTES = 32 * 1024 * 1024
"""Of all answers of one test together, so that a test may keep them all."""

MAX_VALUES = 200_000
"""Of the brackets and commas of a body that is read as JSON: each may become an object of a hundred bytes."""

SECRET_HEADERS = {"authorization", "cookie", "set-cookie", "x-api-key"}
_UNSET: Any = object()


class Headers(Mapping[str, str]):
    """Response headers: names in any case; `get_all` gives every value of a name."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self.pairs = list(pairs)

    def __getitem__(self, name: str) -> str:
        for key, value in self.pairs:
            if key.lower() == name.lower():
                return value
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and any(key.lower() == name.lower() for key, _ in self.pairs)

    def __iter__(self) -> Any:
        return iter({key for key, _ in self.pairs})

    def __len__(self) -> int:
        return len({key.lower() for key, _ in self.pairs})

    def get_all(self, name: str) -> list[str]:
        """Give every value of a header, in order."""
        return [value for key, value in self.pairs if key.lower() == name.lower()]


class Reply:
    """An answer. `body` holds bytes; `text` and `json()` read it; `elapsed_s` is the time until it was whole."""

    step: dict[str, Any] | None = None
    """What the transcript says of it."""

    def __init__(
        self, status_code: int, reason: str, headers: Headers, body: bytes, elapsed_s: float, path: str
    ) -> None:
        self.status_code = status_code
        self.reason = reason
        self.headers = headers
        self.body = body
        self.elapsed_s = elapsed_s
        self.path = path

    def __repr__(self) -> str:
        return f"<answer {self.status_code} {self.reason}>"

    @property
    def content_type(self) -> str:
        """The media type in lower case, without parameters; empty when the answer has none."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    @property
    def cookies_set(self) -> list[str]:
        """The values of all `Set-Cookie` headers, as sent."""
        return self.headers.get_all("Set-Cookie")

    @property
    def text(self) -> str:
        """The body as text, by the charset of the answer, else UTF-8; what can't be read is replaced."""
        header = Message()
        header["Content-Type"] = self.headers.get("Content-Type", "")
        charset = header.get_content_charset() or "utf-8"
        try:
            return self.body.decode(charset, "replace")
        except (LookupError, ValueError):
            return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """Read the body as JSON.

        Raises:
            Wrong: it isn't JSON, or far too much of it.
        """
        if sum(map(self.body.count, (b"[", b"{", b","))) > MAX_VALUES:
            raise Wrong("too-large", f"the body of the answer holds more than {MAX_VALUES:,} values", deciding=self)
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            shown = self.text[:SHOWN_BODY_BYTES]
            raise Wrong(
                "not-json",
                "the body of the answer is not JSON",
                expected="a body in JSON",
                got=shown or "an empty body",
                deciding=self,
            ) from None

    def page(self) -> Page:
        """Take the body apart as a page of HTML.

        Raises:
            Wrong: the answer isn't HTML, or far too much of it.
        """
        from .page import Page

        if self.content_type != "text/html":
            raise Wrong(
                "not-html",
                "the answer is not a page",
                expected="an answer of the type text/html",
                got=f"{self.status_code}, {self.content_type or 'of no type'}",
                deciding=self,
            )
        return Page(self.text, self.path)


class Replies(list[Reply]):
    """The answers to requests that were sent at the same moment, in the order of the requests."""

    def __repr__(self) -> str:
        return f"<{len(self)} answers: {', '.join(f'{status} x {count}' for status, count in self.outcomes.items())}>"

    @property
    def outcomes(self) -> dict[int, int]:
        """How many answers had each status: `{201: 1, 409: 5}`."""
        return dict(sorted(Counter(reply.status_code for reply in self).items()))


class Transcript:
    """What was said in one test, bounded: the first and the last of it when there is too much."""

    def __init__(self) -> None:
        self.steps: list[dict[str, Any]] = []
        self._received_bytes = 0
        self._visitors = 0
        self._moments = 0
        self._lock = threading.Lock()

    def new_visitor(self) -> int:
        """Give a visitor's number: 1 for the first."""
        with self._lock:
            self._visitors += 1
            return self._visitors

    def add(self, step: dict[str, Any]) -> None:
        with self._lock:
            self.steps.append(step)
            if len(self.steps) > MAX_EXCHANGES:
                del self.steps[MAX_EXCHANGES // 3]

    def add_together(self, parts: Sequence[Sequence[dict[str, Any]]]) -> None:
        """Add what several sent from the same moment on, a part for each of them.

        Of first requests that are alike and came to the same, one stands for all, and says how many there were. Fifty would
        leave no room for anything else.
        """
        self._moments += 1
        alike: dict[tuple[object, ...], list[dict[str, Any]]] = {}
        for step in (part[0] for part in parts if part):
            alike.setdefault(_outcome(step), []).append(step)
        # Those without an answer are the last, as a request that still waits is.
        for _, steps in sorted(alike.items()):
            steps[0].update(moment=self._moments, times=len(steps))
            self.add(steps[0])
        for part in parts:
            for step in part[1:]:
                self.add(step)

    def decide(self, step: dict[str, Any]) -> None:
        """Mark the step that decides the test, and put it in where there was no room for it, or another stands for it."""
        if not any(each is step for each in self.steps):
            self.steps.insert(MAX_EXCHANGES // 3, step)
        step["is_deciding"] = True

    def receive(self, size: int) -> None:
        """Count what was received.

        Raises:
            Wrong: the answers of this test are too large together.
        """
        with self._lock:
            self._received_bytes += size
            if self._received_bytes <= MAX_RECEIVED_BYTES:
                return
        raise Wrong("too-large", f"the answers are larger than {MAX_RECEIVED_BYTES // 1024 // 1024} MiB together")


class _Part(Transcript):
    """What one of several says who send at the same moment; what they receive counts for the test as a whole."""

    def __init__(self, whole: Transcript) -> None:
        super().__init__()
        self._whole = whole

    def receive(self, size: int) -> None:
        self._whole.receive(size)


def _outcome(step: Mapping[str, Any]) -> tuple[bool, int, str, str, str]:
    """Say what a request came to, so that equal ones are alike, and those without an answer sorted behind the others."""
    request, response = step["request"], step.get("response")
    status = 0 if response is None else response["status"]
    return response is None, status, step.get("note", ""), request["method"], request["path"]


class Client:
    """One visitor. Requests go to the learner's app over real HTTP; each visitor keeps cookies of its own."""

    def __init__(
        self, port: Callable[[], int], transcript: Transcript, timeout_s: float, *, number: int | None = None
    ) -> None:
        """`number`: the transcript says by it whose a request is; `None` is the next one."""
        self._number = transcript.new_visitor() if number is None else number
        self._port = port
        self._transcript = transcript
        self._timeout_s = timeout_s
        self._cookies: Cookies | None = None

    def another(self) -> Client:
        """Give a second visitor, without cookies."""
        return Client(self._port, self._transcript, self._timeout_s)

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies that this visitor holds now."""
        return {} if self._cookies is None else self._cookies.values

    def set_cookie(self, name: str, value: str) -> None:
        """Make this visitor hold a cookie, in place of one of that name."""
        self._held().put(name, value)

    def _held(self) -> Cookies:
        if self._cookies is None:
            from .cookies import Cookies

            self._cookies = Cookies()
        return self._cookies

    def get(self, path: str, **options: Any) -> Reply:
        """Send a GET request; the options are those of `request`."""
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> Reply:
        """Send a POST request; the options are those of `request`."""
        return self.request("POST", path, **options)

    def put(self, path: str, **options: Any) -> Reply:
        """Send a PUT request; the options are those of `request`."""
        return self.request("PUT", path, **options)

    def patch(self, path: str, **options: Any) -> Reply:
        """Send a PATCH request; the options are those of `request`."""
        return self.request("PATCH", path, **options)

    def delete(self, path: str, **options: Any) -> Reply:
        """Send a DELETE request; the options are those of `request`."""
        return self.request("DELETE", path, **options)

    def head(self, path: str, **options: Any) -> Reply:
        """Send a HEAD request; the options are those of `request`."""
        return self.request("HEAD", path, **options)

    def options(self, path: str, **options: Any) -> Reply:
        """Send an OPTIONS request; the options are those of `request`."""
        return self.request("OPTIONS", path, **options)

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | Sequence[tuple[str, Any]] | None = None,
        json: Any = _UNSET,
        data: Mapping[str, Any] | None = None,
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        follow: bool = False,
        timeout: float | None = None,
    ) -> Reply:
        """Send a request and give the answer.

        `path` may be a whole URL, of which the path and the query are used. `json`, `data` (a form) and `body` are three ways
        to give a body. `follow` follows up to five redirects, within the app only.

        Raises:
            Wrong: no whole answer came, it was too large, or the app isn't there.
        """
        sent, content = _content(json, data, body)
        sent.update(headers or {})
        reply = self._send(method, _target(path, params), sent, content, timeout)
        turns = 0
        while follow and reply.status_code in (301, 302, 303, 307, 308) and "Location" in reply.headers and turns < 5:
            turns += 1
            target = _target(urllib.parse.urljoin(reply.path, reply.headers["Location"]), None)
            if reply.status_code in (307, 308):
                reply = self._send(method, target, sent, content, timeout)
            else:
                reply = self._send("HEAD" if method == "HEAD" else "GET", target, dict(headers or {}), None, timeout)
        return reply

    def together(self, requests: Sequence[tuple[str, str, Mapping[str, Any]]]) -> Replies:
        """Send requests at the same moment, each by a visitor with this one's cookies; a list of answers in the order given.

        Raises:
            Wrong: one of them got no answer.
        """
        barrier = threading.Barrier(len(requests))
        replies: list[Reply | None] = [None] * len(requests)
        faults: list[BaseException] = []
        parts = [_Part(self._transcript) for _ in requests]
        self._port()

        def send(place: int, method: str, path: str, options: Mapping[str, Any]) -> None:
            # The same one as this, who has several windows open.
            visitor = Client(self._port, parts[place], self._timeout_s, number=self._number)
            for name, value in self.cookies.items():
                visitor.set_cookie(name, value)
            barrier.wait()
            try:
                replies[place] = visitor.request(method, path, **options)
            except BaseException as fault:  # noqa: BLE001  raised again below, in the test's own thread
                faults.append(fault)

        threads = [
            threading.Thread(target=send, args=(place, *request), daemon=True) for place, request in enumerate(requests)
        ]
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:  # the test's time may end here, and then the transcript says what still waits
            self._transcript.add_together([part.steps for part in parts])
        if faults:
            raise faults[0]
        return Replies(reply for reply in replies if reply is not None)

    def _send(
        self, method: str, target: str, headers: dict[str, str], content: bytes | None, timeout: float | None
    ) -> Reply:
        port = self._port()
        url = f"http://127.0.0.1:{port}{target}"
        cookie = None if self._cookies is None else self._cookies.header(url)
        if cookie is not None and not any(name.lower() == "cookie" for name in headers):
            headers = {**headers, "Cookie": cookie}
        shown = _shown_request(method, target, url, headers, content)
        step: dict[str, Any] = {"kind": "http", "request": {**shown, "visitor": self._number}}
        self._transcript.add(step)
        limit_s = min(timeout or self._timeout_s, self._timeout_s)
        started = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=limit_s)
        try:
            connection.sock = _connect(port, limit_s)
            is_named = any(name.lower() == "host" for name in headers)
            connection.putrequest(method, target, skip_host=is_named, skip_accept_encoding=True)
            if content is not None:
                connection.putheader("Content-Length", str(len(content)))
            elif method in ("POST", "PUT", "PATCH"):
                connection.putheader("Content-Length", "0")
            connection.putheader("Connection", "close")
            if not any(name.lower() == "accept" for name in headers):
                connection.putheader("Accept", "*/*")
            for name, value in headers.items():
                connection.putheader(name, value.encode("utf-8"))
            connection.endheaders(content)
            response = connection.getresponse()
            headers_bytes = sum(len(name) + len(value) for name, value in response.getheaders())
            self._transcript.receive(headers_bytes)
            received = _read_body(response, started + limit_s, self._transcript)
        except (OSError, http.client.HTTPException, ValueError) as error:
            wrong = _translate(error, limit_s, port)
            step["note"] = wrong.symptom
            raise wrong from None
        finally:
            connection.close()
        elapsed_s = time.monotonic() - started
        reply = Reply(response.status, response.reason, Headers(response.getheaders()), received, elapsed_s, target)
        if reply.cookies_set:
            self._held().take(url, response.msg)
        step["response"] = _shown_response(reply)
        reply.step = step
        return reply


def _connect(port: int, limit_s: float) -> socket.socket:
    # By `socket` alone: what looks up names imports the tables of international ones first.
    connected = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        connected.settimeout(limit_s)
        connected.connect(("127.0.0.1", port))
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        connected.close()
        raise
    return connected


def _content(
    json_value: Any, data: Mapping[str, Any] | None, body: bytes | str | None
) -> tuple[dict[str, str], bytes | None]:
    if json_value is not _UNSET:
        return {"Content-Type": "application/json"}, json.dumps(json_value).encode()
    if data is not None:
        return {"Content-Type": "application/x-www-form-urlencoded"}, urllib.parse.urlencode(data, doseq=True).encode()
    if body is not None:
        return {}, body.encode() if isinstance(body, str) else body
    return {}, None


def _target(path: str, params: Mapping[str, Any] | Sequence[tuple[str, Any]] | None) -> str:
    parts = urllib.parse.urlsplit(path)
    target = urllib.parse.quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = urllib.parse.quote(parts.query, safe="=&%:@!$'()*+,;/?~-._")
    if params:
        query += ("&" if query else "") + urllib.parse.urlencode(params, doseq=True)
    return target + (f"?{query}" if query else "")


def _read_body(response: http.client.HTTPResponse, deadline: float, transcript: Transcript) -> bytes:
    body = bytearray()
    while True:
        if time.monotonic() > deadline:
            raise TimeoutError
        piece = response.read1(65536)
        if not piece:
            break
        body += piece
        transcript.receive(len(piece))
        if len(body) > MAX_BODY_BYTES:
            raise Wrong("too-large", f"the answer was larger than {MAX_BODY_BYTES // 1024 // 1024} MiB")
    expected = response.getheader("Content-Length")
    if expected is not None and response.length:
        raise http.client.IncompleteRead(bytes(body))
    return bytes(body)


def _translate(error: Exception, limit_s: float, port: int) -> Wrong:
    if isinstance(error, Wrong):
        return error
    if isinstance(error, TimeoutError):
        return Wrong("timeout", f"no whole answer came within {limit_s:g} s")
    if isinstance(error, ConnectionRefusedError):
        return Wrong("refused", f"your app isn't listening on port {port}")
    if isinstance(
        error, (ConnectionResetError, BrokenPipeError, http.client.RemoteDisconnected, http.client.IncompleteRead)
    ):
        return Wrong("reset", "your app closed the connection before the answer was whole")
    return Wrong("not-http", f"what came back is not an HTTP answer ({type(error).__name__})")


def _shown(content: bytes | None) -> tuple[str | None, int, bool]:
    """Give a body as it is shown: text or `None` for what is no text, its length, and whether it was cut."""
    if content is None:
        return None, 0, False
    cut = content[:SHOWN_BODY_BYTES]
    text = cut.decode("utf-8", "replace")
    return text, len(content), len(content) > len(cut)


def _shorten(name: str, value: str) -> str:
    if name.lower() == "set-cookie":
        # Only its value is a secret; the attributes are what a test may judge.
        pair, separator, attributes = value.partition(";")
        key, equals, secret = pair.partition("=")
        shown = secret if len(secret) <= 24 else secret[:16] + "…"
        return (key[:100] + equals + shown + separator + attributes)[:SHOWN_HEADER_CHARACTERS]
    value = value[:SHOWN_HEADER_CHARACTERS]
    if name.lower() in SECRET_HEADERS and len(value) > 32:
        return value[:24] + "…"
    return value


def _shown_request(
    method: str, target: str, url: str, headers: Mapping[str, str], content: bytes | None
) -> dict[str, Any]:
    body, size, is_cut = _shown(content)
    words = ["curl", "-i"]
    if method == "HEAD":
        words.append("-I")
    elif method != "GET" or content is not None:
        words += ["-X", method]
    words.append(url)
    for name, value in headers.items():
        words += ["-H", f"{name}: {value[:SHOWN_HEADER_CHARACTERS]}"]
    if body is not None:
        words += ["--data-binary", body]
    return {
        "method": method,
        "path": target[:2000],
        "headers": [[name, _shorten(name, value)] for name, value in headers.items()],
        "body": body,
        "body_bytes": size,
        "truncated": is_cut,
        "curl": shlex.join(words),
    }


def _shown_response(reply: Reply) -> dict[str, Any]:
    body, size, is_cut = _shown(reply.body)
    return {
        "status": reply.status_code,
        "reason": reply.reason[:200],
        "headers": [[name[:100], _shorten(name, value)] for name, value in reply.headers.pairs[:40]],
        "body": body,
        "body_bytes": size,
        "truncated": is_cut,
        "elapsed_ms": round(reply.elapsed_s * 1000, 1),
    }
