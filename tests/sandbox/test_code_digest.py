"""What a kept result or proof is known by: it changes with all that could change the result, and with nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from grader.sandbox import code_digest
from grader.sandbox.interpreter import PACKAGE

PARTS = ("inside", "boxes.py")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A grader of three files, and a lock beside it."""
    folder = tmp_path / "grader"
    for name in ("inside/keeper.py", "boxes.py", "ci.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "box.txt").write_text("flask==1\n")
    monkeypatch.setattr(code_digest, "PACKAGE", folder)
    return folder


@pytest.mark.parametrize(
    ("change", "is_another"),
    [
        (lambda package: (package / "inside" / "keeper.py").write_text("x"), True),
        (lambda package: (package / "inside" / "new.py").write_text("x"), True),
        (lambda package: (package / "boxes.py").write_text("x"), True),
        (lambda package: (package.parent / "requirements" / "box.txt").write_text("flask==2\n"), True),
        (lambda package: (package / "ci.py").write_text("x"), False),
    ],
    ids=["module", "new module", "file", "lock", "another part"],
)
def test_it_changes_with_what_counts(package: Path, change: Callable[[Path], object], is_another: bool) -> None:
    """Code of these parts and the lock do, other code does not."""
    before = code_digest.code_digest(PARTS)
    change(package)
    assert (code_digest.code_digest(PARTS) != before) is is_another


def test_it_changes_with_a_version_of_what_boxes_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a grader is installed without its lock."""
    before = code_digest.code_digest(PARTS)
    versions = code_digest.metadata.version
    for name in code_digest.BOX:
        monkeypatch.setattr(
            code_digest.metadata, "version", lambda asked, name=name: "x" if asked == name else versions(asked)
        )
        assert code_digest.code_digest(PARTS) != before, name


def test_the_parts_that_are_named_are_there() -> None:
    """A module that was renamed is not left out in silence."""
    from grader.batch import journal
    from grader.verify import cache

    assert [part for part in (*journal._CODE, *cache._CODE) if not (PACKAGE / part).exists()] == []
