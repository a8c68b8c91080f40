"""A file is there whole or not at all, whoever else writes it."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from grader.store.place import home_place
from grader.whole_file import unshared, whole_file


def test_threads_that_write_one_file_never_mix(tmp_path: Path) -> None:
    """They have one process number, and so have the first processes of two containers that share a folder."""
    path = tmp_path / "report.json"
    together = threading.Barrier(2)

    def write(letter: bytes) -> None:
        for _ in range(50):
            together.wait(30)
            with whole_file(path) as file:
                file.write(letter * 10_000)
                file.flush()
                file.write(letter * 10_000)

    with ThreadPoolExecutor(2) as pool:
        for written in [pool.submit(write, letter) for letter in (b"a", b"b")]:
            written.result()
    assert path.read_bytes() in (b"a" * 20_000, b"b" * 20_000)
    assert os.listdir(tmp_path) == ["report.json"]


def test_a_failure_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    """The content may come from what fails half-way."""
    path = tmp_path / "report.json"
    path.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), whole_file(path) as file:
        file.write(b"half")
        raise ZeroDivisionError
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["report.json"]


def test_a_long_name_fits(tmp_path: Path) -> None:
    """A name may have 255 bytes; ours beside it too."""
    path = tmp_path / ("é" * 125 + ".json")
    with whole_file(path) as file:
        file.write(b"{}")
    assert path.read_bytes() == b"{}"
    assert len(os.fsencode(unshared(tmp_path / ("\U0001f963" * 63)).name)) <= 255


def test_who_looks_for_a_place_at_once_finds_the_same(tmp_path: Path) -> None:
    """One who takes away the other's probe would send it to the home folder, and the history would be split."""
    state = tmp_path / "course" / ".grade"
    together = threading.Barrier(2)

    def look() -> set[Path | None]:
        together.wait(30)
        return {home_place(state) for _ in range(300)}

    with ThreadPoolExecutor(2) as pool:
        for found in [pool.submit(look) for _ in range(2)]:
            assert found.result() == {state}
