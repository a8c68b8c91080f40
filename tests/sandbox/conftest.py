"""What the tests of sandboxes share: what boxes may have left."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from grader.sandbox import cgroup
from grader.sandbox.docker import HOST_LABEL, LABEL
from grader.sandbox.engine import connect
from grader.sandbox.owner import owner_mark

GONE_S = 20.0


def _left(sandbox: str) -> list[object]:
    """List what boxes of this process are still there: containers, control groups, processes below this one."""
    left: list[object] = []
    for path in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError):  # a thread that has ended meanwhile, whose children are another's now
            left += [int(pid) for pid in path.read_text().split()]
    if sandbox == "docker":
        with connect() as api:
            filters = {"label": [f"{LABEL}={owner_mark()}", f"{HOST_LABEL}={socket.gethostname()}"]}
            left += [each["Names"] for each in api.containers(all=True, filters=filters)]
    return left + [group.name for group in cgroup.MOUNT.glob(f"*/{cgroup.PARENT}/{owner_mark()}-*")]


@pytest.fixture
def leaves_nothing(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves something behind; it takes its sandbox from `choice` or `isolating`."""
    name = "choice" if "choice" in request.fixturenames else "isolating"
    sandbox = request.getfixturevalue(name).name
    before = _left(sandbox)
    yield
    until = time.monotonic() + GONE_S
    # What there was before may have gone meanwhile: of a test that failed, and whose boxes took longer to end.
    while (left := [each for each in _left(sandbox) if each not in before]) and time.monotonic() < until:
        time.sleep(0.01)
    assert left == []
