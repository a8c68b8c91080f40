"""What every test can use: `client`, a visitor of the app."""

import json
import os
import threading
import urllib.error
import urllib.request

import pytest


class Reply:
    """An answer of the app."""

    def __init__(self, status_code, headers, body):
        self.status_code = status_code
        self.headers = headers
        self.text = body.decode()

    def json(self):
        """Read the body as JSON."""
        return json.loads(self.text)


class Client:
    """A visitor of the app."""

    def __init__(self, address):
        self.address = address

    def get(self, path):
        """Send a GET request."""
        return self._send("GET", path, None)

    def post(self, path, payload):
        """Send a POST request with JSON."""
        return self._send("POST", path, payload)

    def patch(self, path, payload):
        """Send a PATCH request with JSON."""
        return self._send("PATCH", path, payload)

    def delete(self, path):
        """Send a DELETE request."""
        return self._send("DELETE", path, None)

    def _send(self, method, path, payload):
        body = None if payload is None else json.dumps(payload).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.address + path, body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=5) as reply:
                return Reply(reply.status, reply.headers, reply.read())
        except urllib.error.HTTPError as error:
            with error:
                return Reply(error.code, error.headers, error.read())


@pytest.fixture(scope="session")
def address():
    """Give the address of the app: the one in BASE_URL, or that of `app.py`, which is started here."""
    if "BASE_URL" in os.environ:
        yield os.environ["BASE_URL"]
        return
    from app import create_app
    from werkzeug.serving import make_server

    server = make_server("127.0.0.1", 0, create_app(), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture
def client(address):
    """Give a visitor of the app."""
    return Client(address)
