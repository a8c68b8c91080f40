"""The number of gradings at a time comes from the machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from grader.batch.machine import jobs_for, keep_to_share
from grader.sandbox.pod import Limits


def jobs(tmp_path: Path, *, free_mib: int, **files: str) -> int:
    """Give the number on a machine with this much free memory, and these files of its control groups."""
    (tmp_path / "meminfo").write_text(f"MemTotal: 1 kB\nMemAvailable: {free_mib * 1024} kB\n")
    for name, text in files.items():
        path = tmp_path / name.replace("__", "/").replace("_DOT_", ".")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return jobs_for(Limits(memory_mib=256), cgroup=tmp_path, meminfo=tmp_path / "meminfo")


@pytest.fixture(autouse=True)
def _eight_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(8)), raising=False)


def test_each_grading_has_a_processor(tmp_path: Path) -> None:
    """More at a time would only make each slower, and time limits unfair."""
    assert jobs(tmp_path, free_mib=64_000) == 8


def test_each_grading_has_its_memory(tmp_path: Path) -> None:
    """What all may use together must be there, with a fifth to spare; one always runs."""
    assert jobs(tmp_path, free_mib=1000) == 2
    assert jobs(tmp_path, free_mib=100) == 1


def test_a_containers_share_is_respected(tmp_path: Path) -> None:
    """In a container the machine's own figures are not ours."""
    assert jobs(tmp_path, free_mib=64_000, cpu_DOT_max="300000 100000") == 3
    assert jobs(tmp_path, free_mib=64_000, cpu_DOT_max="max 100000", memory_DOT_max=str(1 << 30)) == 2


@pytest.mark.parametrize(
    ("workers", "shares"),
    [
        (8, [{0}, {1}, {2}, {3}, {4}, {5}, {6}, {7}]),
        (3, [{0, 3, 6}, {1, 4, 7}, {2, 5}]),
        (1, [None]),
        (9, [None] * 9),
    ],
)
def test_each_worker_keeps_to_its_processors(
    workers: int, shares: list[set[int] | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No two have the same one; one that is alone has them all, and so has each where there are too few."""
    kept: list[set[int] | None] = []
    monkeypatch.setattr(os, "sched_setaffinity", lambda _pid, share: kept.append(set(share)), raising=False)
    for worker in range(workers):
        before = len(kept)
        keep_to_share(worker, workers)
        kept += [None] * (len(kept) == before)

    assert kept == shares


def test_where_nobody_can_choose_processors_all_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on macOS."""
    monkeypatch.delattr(os, "sched_setaffinity", raising=False)

    keep_to_share(0, 2)
