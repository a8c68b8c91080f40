"""Boxes that wait for the next grading."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from grader.grading import Options, grade
from grader.sandbox import kept
from grader.sandbox.choose import Choice
from grader.sandbox.kept import KeptSandbox, waiting
from grader.sandbox.runtime_folder import is_marked, mark, runtime_folder
from tests.conftest import make_sandbox
from tests.situation import graded, reference, shop


@pytest.fixture
def own_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A runtime folder of the test's own, with a short path as sockets need; what waits there is ended afterwards."""
    with tempfile.TemporaryDirectory(prefix="k") as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        monkeypatch.setenv("GRADE_KEEP", "60")
        yield Path(folder)
        for each in waiting():
            os.kill(each.pid, signal.SIGTERM)
        _until(lambda: not waiting())


@pytest.fixture(params=["docker", "bubblewrap"])
def keeping(request: pytest.FixtureRequest, own_folder: Path) -> Choice:
    """A choice whose sandbox leaves boxes waiting."""
    return Choice(KeptSandbox(make_sandbox(request.param)), "a test asked for it")


def _until(is_so: Callable[[], object], within_s: float = 30) -> None:
    deadline = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.02)


def test_the_second_grading_runs_in_boxes_that_waited(keeping: Choice) -> None:
    """The result is the same, the process stays for the one after, and the boxes are fresh each time."""
    first = grade(shop(), reference(), keeping)
    _until(waiting)
    second = grade(shop(), reference(), keeping, Options(seed=first.seed))
    third = grade(shop(), reference(), keeping, Options(seed=first.seed))

    assert first.status == second.status == third.status == "passed"
    assert len({each.pid for each in waiting()}) == 1
    assert "end" in first.durations_ms
    assert "end" not in second.durations_ms


def test_a_broken_submission_in_waiting_boxes_is_judged_alike(keeping: Choice) -> None:
    """Boxes that waited hold limits and tell faults as new ones do."""
    grade(shop(), reference(), keeping)
    _until(waiting)

    assert "ZeroDivisionError" in graded(keeping, "crashes_at_import").message
    assert grade(shop(), reference(), keeping).status == "passed"


def test_a_killed_keeper_costs_nothing_but_time(own_folder: Path) -> None:
    """When the process that waited is gone, the grading starts its own boxes."""
    choice = Choice(KeptSandbox(make_sandbox("bubblewrap")), "a test asked for it")
    grade(shop(), reference(), choice)
    _until(waiting)
    os.kill(waiting()[0].pid, signal.SIGKILL)
    _until(lambda: not waiting())

    assert grade(shop(), reference(), choice).status == "passed"
    _until(waiting)


def test_it_ends_by_itself(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Boxes that nobody wants are ended after their time, and nothing of them is left."""
    monkeypatch.setenv("GRADE_KEEP", "1")
    grade(shop(), reference(), Choice(KeptSandbox(make_sandbox("bubblewrap")), "a test asked for it"))
    _until(waiting)
    _until(lambda: not waiting())

    assert [path.name for path in own_folder.rglob("*.sock*") if not path.name.endswith(".lock")] == []


def test_another_shape_gets_other_boxes(own_folder: Path) -> None:
    """Boxes with other limits are never used."""
    one = kept._socket_path("docker", None, kept.Shape(limits=kept.Limits(), preload=()))
    other = kept._socket_path("docker", None, kept.Shape(limits=kept.Limits(memory_mib=64), preload=()))

    assert one != other


def test_a_folder_that_others_can_enter_is_not_used(own_folder: Path) -> None:
    """Nobody else can put a socket where ours is looked for."""
    mark("seen")
    assert is_marked("seen", within_s=60)
    (own_folder / "kata-grader").chmod(0o777)

    assert runtime_folder() is None
    assert not is_marked("seen", within_s=60)
