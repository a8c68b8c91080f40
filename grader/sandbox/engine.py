"""What boxes need of an engine that speaks the Docker API: containers made, attached to, started, listed and removed.

The engine's SDK does what it is for: whatever isn't plain, and all that goes wrong, for it knows how to tell of it. But importing
it takes longer than an engine takes to start a container. So where the engine listens on a socket of this machine, the few calls of
a grading that goes well are plain HTTP; one that comes to anything else than it should is made again by the SDK. API:
docs.docker.com/reference/api/engine, "Containers".
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import sys
import threading
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from grader.error import SandboxError

if TYPE_CHECKING:
    from docker import APIClient

ENGINE_S = 30
REMOVE_S = 5.0
AGAIN_S = 0.05
HINT = "`grade doctor` shows whether the engine answers"


class Engine:
    """The engine that the environment names. May be used by several threads; what it raises, `judged` translates."""

    def __init__(self) -> None:
        found = engine_socket()
        self._socket = found if found is not None and found.startswith("/") else None
        self._sdk: APIClient | None = None
        self._lock = threading.Lock()

    def create(self, name: str, config: Mapping[str, Any]) -> None:
        """Make a container."""
        if self._ask("POST", f"/containers/create?name={name}", config)[0] != http.client.CREATED:
            self.sdk.create_container_from_config(config, name)

    def attach(self, name: str) -> Any:
        """Give the stream to and from a container that has not been started yet."""
        return self._attach(name) or self.sdk.attach_socket(name, params={"stdin": 1, "stdout": 1, "stream": 1})

    def start(self, name: str) -> None:
        """Start a container."""
        if self._ask("POST", f"/containers/{name}/start")[0] != http.client.NO_CONTENT:
            self.sdk.start(name)

    def remove(self, name: str) -> None:
        """Remove a container, which may be going already, or be held for a moment by the one that joined its network."""
        deadline = time.monotonic() + REMOVE_S
        while time.monotonic() < deadline:
            status, _ = self._ask("DELETE", f"/containers/{name}?force=1&v=1")
            if status in (http.client.NO_CONTENT, http.client.NOT_FOUND):
                return
            if status != http.client.CONFLICT:
                break
            time.sleep(AGAIN_S)
        self._remove_by_sdk(name, deadline)

    def containers(self, label: str) -> list[Mapping[str, Any]]:
        """List the containers that have a label, those too that don't run."""
        filters = urllib.parse.quote(json.dumps({"label": [label]}))
        status, found = self._ask("GET", f"/containers/json?all=1&filters={filters}")
        if status != http.client.OK:
            found = self.sdk.containers(all=True, filters={"label": label})
        return cast(list[Mapping[str, Any]], found)

    def inspect(self, name: str) -> Mapping[str, Any]:
        """Tell of a container."""
        status, found = self._ask("GET", f"/containers/{name}/json")
        return cast(Mapping[str, Any], found if status == http.client.OK else self.sdk.inspect_container(name))

    def ping(self) -> None:
        """See that the engine answers."""
        if self._ask("GET", "/_ping")[0] != http.client.OK:
            self.sdk.ping()

    @property
    def sdk(self) -> APIClient:
        """The SDK's client, made when it is first wanted.

        Raises:
            SandboxError: no engine answers.
        """
        with self._lock:
            if self._sdk is None:
                self._sdk = _client()
            return self._sdk

    def close(self) -> None:
        """Close the SDK's client, where there is one."""
        if self._sdk is not None:
            self._sdk.close()

    def _remove_by_sdk(self, name: str, deadline: float) -> None:
        api = self.sdk
        from docker import errors

        while True:
            try:
                api.remove_container(name, force=True, v=True)
            except errors.NotFound:
                return
            except errors.APIError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(AGAIN_S)
                continue
            return

    def _ask(self, method: str, target: str, body: Mapping[str, Any] | None = None) -> tuple[int, Any]:
        """Send a request over the socket; give status and answer, status 0 where it came to nothing."""
        if self._socket is None:
            return 0, None
        connection = _Connection(self._socket)
        try:
            content = None if body is None else json.dumps(body)
            connection.request(method, target, content, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
            is_json = answer.getheader("Content-Type", "").startswith("application/json")
            return answer.status, json.loads(text) if is_json and text else None
        except TimeoutError as error:
            raise _silent() from error  # the SDK would wait as long
        except (OSError, http.client.HTTPException, ValueError):
            return 0, None
        finally:
            connection.close()

    def _attach(self, name: str) -> socket.socket | None:
        if self._socket is None:
            return None
        connection = _Connection(self._socket)
        try:
            connection.request(
                "POST",
                f"/containers/{name}/attach?stdin=1&stdout=1&stream=1",
                headers={"Connection": "Upgrade", "Upgrade": "tcp"},
            )
            with connection.getresponse() as answer:
                if answer.status in (http.client.SWITCHING_PROTOCOLS, http.client.OK):
                    # Nothing has come with the answer's head, for the container has not begun.
                    return connection.sock.dup()
        except TimeoutError as error:
            raise _silent() from error
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        return None


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=ENGINE_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


@contextmanager
def judged() -> Iterator[None]:
    """Raise what the engine fails in as a fault of the sandbox."""
    try:
        yield
    except Exception as error:
        found = _judge(error)
        if found is None:
            raise
        raise found from error


def _judge(error: Exception) -> SandboxError | None:
    if "docker" not in sys.modules:
        return None  # the SDK has raised nothing
    import requests
    from docker import errors

    if not isinstance(error, (errors.DockerException, requests.RequestException)):
        return None
    if isinstance(error, (requests.ConnectionError, requests.Timeout)):
        return _silent()
    return SandboxError(f"the container engine failed: {error}", hint=HINT)


def _silent() -> SandboxError:
    return SandboxError("the container engine stopped answering", hint=HINT)


def is_missing(error: Exception) -> bool:
    """Say whether an engine's failure is that it doesn't have what was named."""
    if "docker" not in sys.modules:
        return False
    from docker import errors

    return isinstance(error, errors.NotFound)


@contextmanager
def connect() -> Iterator[APIClient]:
    """Give the SDK's client of the engine that the environment names, closed afterwards.

    Raises:
        SandboxError: no engine answers.
    """
    api = _client()
    try:
        yield api
    finally:
        api.close()


def _client() -> APIClient:
    import docker

    try:
        return docker.APIClient(version="auto", timeout=ENGINE_S, **docker.utils.kwargs_from_env())
    except docker.errors.DockerException as error:
        raise SandboxError(f"no container engine answers: {_reason(error)}") from error


def _reason(error: BaseException) -> str:
    """Give what the system said, which libraries wrap again and again; else what the error itself says."""
    wrapped: list[object] = [error]
    while wrapped:
        found = wrapped.pop()
        if isinstance(found, OSError) and found.strerror:
            return found.strerror.lower()
        if isinstance(found, BaseException):
            wrapped += [*found.args, found.__cause__]
    return str(error)


def engine_socket() -> str | None:
    """Give the path of an engine's socket on this machine that takes connections, or the address that DOCKER_HOST names."""
    named = os.environ.get("DOCKER_HOST", "")
    if named and not named.startswith("unix://"):
        return named
    path = named.removeprefix("unix://") or "/var/run/docker.sock"
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(2)
        try:
            probe.connect(path)
        except OSError:
            return None
    return path
