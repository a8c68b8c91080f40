"""Boxes that are begun before there is a pod: they grade as others do, and are gone however far they came."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import cast

import pytest

from grader.error import SandboxError
from grader.grading import grade, make_pod
from grader.sandbox import cgroup
from grader.sandbox.choose import Choice
from grader.sandbox.docker import HOST_LABEL, LABEL, connect
from grader.sandbox.early import EarlySandbox
from grader.sandbox.pod import WarmSandbox
from tests.situation import reference, shop

GONE_S = 5.0


def _left(choice: Choice) -> list[object]:
    """List what boxes of this process are still there: containers, control groups, processes below this one."""
    left: list[object] = [int(pid) for pid in _children().split()]
    if choice.name == "docker":
        with connect() as api:
            filters = {"label": [f"{LABEL}={cgroup.owner_mark()}", f"{HOST_LABEL}={socket.gethostname()}"]}
            left += [each["Names"] for each in api.containers(all=True, filters=filters)]
    left += [group.name for group in cgroup.MOUNT.glob(f"*/{cgroup.PARENT}/{cgroup.owner_mark()}-*")]
    return left


def _children() -> str:
    return "".join(path.read_text() for path in Path("/proc/self/task").glob("*/children"))


@pytest.fixture(autouse=True)
def _leaves_nothing(choice: Choice) -> object:
    before = _left(choice)
    yield
    until = time.monotonic() + GONE_S
    while _left(choice) != before and time.monotonic() < until:
        time.sleep(0.01)
    assert _left(choice) == before


def test_a_pod_has_the_same_result(choice: Choice) -> None:
    """What was begun early is made like what is begun late."""
    with EarlySandbox(cast(WarmSandbox, choice.sandbox)) as early:
        report = grade(shop(), reference(), Choice(early, "a test asked for it"))
    late = grade(shop(), reference(), choice)
    assert (report.status, report.points, report.sandbox.notes) == (late.status, late.points, late.sandbox.notes)
    assert report.status == "passed", report.message


def test_it_is_for_one_pod(choice: Choice) -> None:
    """A box that has run learner's code is never used again."""
    pod = make_pod(shop(), reference(), seed=1)
    with EarlySandbox(cast(WarmSandbox, choice.sandbox)) as early:
        early.run(pod)
        with pytest.raises(SandboxError, match="have run a pod"):
            early.run(pod)


def test_what_fails_before_there_is_a_pod_leaves_nothing(choice: Choice) -> None:
    """Such as an exercise that isn't sound, at any moment of the start."""
    for wait_s in (0, 0.005, 0.05):
        with pytest.raises(ZeroDivisionError), EarlySandbox(cast(WarmSandbox, choice.sandbox)):
            time.sleep(wait_s)
            raise ZeroDivisionError
