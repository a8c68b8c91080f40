"""What a killed run left is told from what still runs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from grader.sandbox.owner import is_left, owner_mark
from tests.conftest import ROOT


def _mark_of_another() -> str:
    code = "from grader.sandbox.owner import owner_mark; print(owner_mark())"
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()


def test_what_runs_is_not_left() -> None:
    """This process's own, whatever follows its mark."""
    assert not is_left(f"{owner_mark()}-1-examiner")


def test_what_has_ended_is_left() -> None:
    """Also where another process has its number by now."""
    pid, start, namespace = owner_mark().split("-")

    assert is_left(f"{_mark_of_another()}-1-examiner")
    assert is_left(f"{pid}-{int(start) - 1}-{namespace}-1")


@pytest.mark.parametrize("name", ["", "notes", "12", "12-34", "12-34-56-examiner"])
def test_what_can_not_be_seen_is_not_left(name: str) -> None:
    """What another container of this machine has started, and what is none of ours."""
    assert not is_left(name)
