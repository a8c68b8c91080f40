"""Which hints were shown."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from grader.store.hint import all_hints, hints, record_hint


def test_hints_that_are_recorded_at_once_are_all_there(state_dir: Path) -> None:
    """One write a line: none is lost, none is mixed with another."""
    with ThreadPoolExecutor(8) as pool:
        kept = list(pool.map(lambda number: record_hint(state_dir, "a", f"task-{number}", 1 + number % 3), range(64)))
    assert all(one.path and not one.note for one in kept)
    assert hints(state_dir, "a") == {f"task-{number}": 1 + number % 3 for number in range(64)}


def test_lines_that_are_no_hints_are_passed_over(state_dir: Path) -> None:
    """Whatever a power cut or an editor left there."""
    record_hint(state_dir, "a", "x", 1)
    with (state_dir / "hints.jsonl").open("ab") as file:
        file.write(b"\xff\xfe\n\n[]\n{}\n" + b'{"exercise": "a", "task": "x", "level": "3"}\n')
    record_hint(state_dir, "a", "x", 2)
    assert hints(state_dir, "a") == {"x": 2}
    assert [hint.level for hint in all_hints(state_dir)] == [1, 2]
    assert hints(state_dir, "b") == {}


def test_no_place_at_all_is_told_and_not_raised(state_dir: Path, monkeypatch) -> None:
    """The hint is shown all the same."""
    monkeypatch.delenv("HOME")
    state_dir.write_text("a file is in the way")
    kept = record_hint(state_dir, "a", "x", 1)
    assert kept.path is None
    assert "not recorded" in kept.note.message
    assert hints(state_dir, "a") == {}
