"""Control groups made by hand, version 1 or 2, for sandboxes without an engine. Source: the kernel's admin-guide on both."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grader.inside.cgroup import refusals
from grader.sandbox.owner import is_left
from grader.sandbox.pod import Limits

MOUNT = Path("/sys/fs/cgroup")
PARENT = "kata-grader"
PERIOD_US = 100_000
# All boxes together are one group beside everything else of the machine: many of them must not get the share of one process.
PARENT_CPU_SHARES = "4096"
PARENT_CPU_WEIGHT = "400"
CONTROLLERS = ("memory", "pids", "cpu")


@dataclass(frozen=True)
class Cgroup:
    """One box's group: its folders (one in version 2, one a controller in version 1), and where the box may see them."""

    folders: tuple[Path, ...]
    shown_at: tuple[tuple[Path, str], ...]
    limits_swap: bool

    @property
    def entrances(self) -> list[Path]:
        """Give the files that move whoever writes a `0` to each of them here, with all that it starts from then on."""
        return [folder / "cgroup.procs" for folder in self.folders]

    def processes(self) -> list[int]:
        """Give the processes that are in it now."""
        try:
            return [int(line) for line in (self.folders[0] / "cgroup.procs").read_text().split()]
        except OSError:
            return []

    def ended_by(self) -> str | None:
        """Name the limit for which the kernel has ended a process in it: that of memory, or none."""
        for file in (folder / name for folder in self.folders for name in ("memory.events", "memory.oom_control")):
            try:
                if refusals(str(file), "oom_kill"):
                    return "memory"
            except OSError:
                continue
        return None

    def remove(self, *, within_s: float = 5.0) -> None:
        """End whatever is still in it and take it away."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            for pid in self.processes():
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            left = [folder for folder in self.folders if not _remove_folder(folder)]
            if not left:
                return
            time.sleep(0.002)


def _remove_folder(folder: Path) -> bool:
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def make(name: str, limits: Limits, *, extra_processes: int) -> Cgroup | None:
    """Make a group with these limits, or give `None` where this user or machine can't.

    `extra_processes` is how many of our own processes count beside the box's.
    """
    if (MOUNT / "cgroup.controllers").exists():
        return _make_v2(name, limits, extra_processes)
    return _make_v1(name, limits, extra_processes)


def _make_v1(name: str, limits: Limits, extra_processes: int) -> Cgroup | None:
    folders = [MOUNT / controller / PARENT / name for controller in CONTROLLERS]
    memory, pids, cpu = folders
    limits_swap = True
    try:
        for folder in folders:
            folder.mkdir(parents=True)
        _write_once(cpu.parent / "cpu.shares", PARENT_CPU_SHARES)
        size = str(limits.memory_mib * 1024 * 1024)
        (memory / "memory.limit_in_bytes").write_text(size)
        try:
            (memory / "memory.memsw.limit_in_bytes").write_text(size)
        except OSError:  # a kernel without swap accounting: then swap counts as nothing
            limits_swap = not _has_swap()
        (pids / "pids.max").write_text(str(limits.processes + extra_processes))
        (cpu / "cpu.cfs_period_us").write_text(str(PERIOD_US))
        (cpu / "cpu.cfs_quota_us").write_text(str(int(limits.cpus * PERIOD_US)))
    except OSError:
        for folder in folders:
            _remove_folder(folder)
        return None
    shown = ((memory, "/sys/fs/cgroup/memory"), (pids, "/sys/fs/cgroup/pids"))
    return Cgroup(folders=tuple(folders), shown_at=shown, limits_swap=limits_swap)


def _make_v2(name: str, limits: Limits, extra_processes: int) -> Cgroup | None:
    folder = MOUNT / PARENT / name
    try:
        wanted = " ".join(f"+{controller}" for controller in CONTROLLERS)
        (MOUNT / PARENT).mkdir(exist_ok=True)
        for above in (MOUNT, MOUNT / PARENT):
            missing = [c for c in CONTROLLERS if c not in (above / "cgroup.subtree_control").read_text().split()]
            if missing:
                (above / "cgroup.subtree_control").write_text(wanted)
        folder.mkdir()
        _write_once(folder.parent / "cpu.weight", PARENT_CPU_WEIGHT)
        (folder / "memory.max").write_text(str(limits.memory_mib * 1024 * 1024))
        limits_swap = True
        try:
            (folder / "memory.swap.max").write_text("0")
        except OSError:
            limits_swap = not _has_swap()
        (folder / "pids.max").write_text(str(limits.processes + extra_processes))
        (folder / "cpu.max").write_text(f"{int(limits.cpus * PERIOD_US)} {PERIOD_US}")
    except OSError:
        _remove_folder(folder)
        return None
    return Cgroup(folders=(folder,), shown_at=((folder, "/sys/fs/cgroup"),), limits_swap=limits_swap)


def _write_once(file: Path, value: str) -> None:
    if file.read_text().strip() != value:
        file.write_text(value)


def _has_swap() -> bool:
    try:
        return len(Path("/proc/swaps").read_text().splitlines()) > 1
    except OSError:
        return True


def sweep() -> int:
    """Take away groups whose grader is gone; give how many. A group's name begins with its mark."""
    count = 0
    seen: set[str] = set()
    for folder in _all_groups():
        if is_left(folder.name):
            Cgroup(folders=(folder,), shown_at=(), limits_swap=True).remove(within_s=1.0)
            if folder.name not in seen:
                seen.add(folder.name)
                count += 1
    return count


def _all_groups() -> Iterator[Path]:
    bases = [MOUNT / PARENT] + [MOUNT / controller / PARENT for controller in CONTROLLERS]
    for base in bases:
        if base.is_dir():
            yield from (entry for entry in base.iterdir() if entry.is_dir())
