"""What the tests share: the sandboxes of this machine, and whether what is absent is a skip or a failure."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.sandbox.choose import Choice, bubblewrap_problem, docker_problem, image_problem
from grader.sandbox.pod import Sandbox

ROOT = Path(__file__).parent.parent
REQUIRED = os.environ.get("GRADE_TEST_REQUIRE", "").split()


def pytest_configure() -> None:
    """Let Ctrl-C reach what the tests start, also where they run in the background of a shell, which ignores it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def need(name: str, problem: str | None) -> None:
    """Skip the test for this problem, or fail it where what is named is required."""
    if problem is None:
        return
    if name in REQUIRED:
        pytest.fail(f"{name} is required (GRADE_TEST_REQUIRE) but can't be used: {problem}")
    pytest.skip(f"{name}: {problem}")


def make_sandbox(name: str) -> Sandbox:
    """Give a sandbox of this machine, or skip the test where it can't be used and isn't required."""
    if name == "docker":
        need(name, docker_problem() or image_problem(print))
        from grader.sandbox.docker import DockerSandbox

        return DockerSandbox(say=print)
    if name == "bubblewrap":
        need(name, bubblewrap_problem())
        from grader.sandbox.bubblewrap import BubblewrapSandbox

        return BubblewrapSandbox()
    from grader.sandbox.local import LocalSandbox

    return LocalSandbox()


@pytest.fixture
def choose_named() -> Callable[[str], Choice]:
    """Give the sandbox of a name as a choice."""
    return lambda name: Choice(make_sandbox(name), "a test asked for it")


@pytest.fixture(params=["docker", "bubblewrap", "local"])
def choice(request: pytest.FixtureRequest) -> Choice:
    """Every real sandbox in turn."""
    return Choice(make_sandbox(request.param), "a test asked for it")


@pytest.fixture(params=["docker", "bubblewrap"])
def isolating(request: pytest.FixtureRequest) -> Choice:
    """Every sandbox that isolates, in turn."""
    return Choice(make_sandbox(request.param), "a test asked for it")


@pytest.fixture
def quick() -> Choice:
    """The sandbox that starts fastest: for tests of what is the same in all of them."""
    return Choice(make_sandbox("bubblewrap"), "a test asked for it")
