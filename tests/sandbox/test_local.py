"""What is told of the sandbox `local` alone."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from grader.sandbox.choose import Choice
from grader.sandbox.local import LocalSandbox
from tests.situation import graded


def test_nothing_is_left_where_the_time_was_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The examiner is ended in the middle, and its copy of the hidden tests goes all the same."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # each box may run as a user of its own
        monkeypatch.setattr(tempfile, "tempdir", folder)

        report = graded(Choice(LocalSandbox(), "it was asked for"), "hangs_at_import", wall_s=1.5)

        assert report.limit == "wall"
        assert list(Path(folder).iterdir()) == []
