"""What the kernel counts of this box, as far as it lets the box see that (control groups of version 1 or 2)."""

from __future__ import annotations


class Cgroup:
    """How often the kernel refused something to this box since a mark, and how many processes and threads it has."""

    _COUNT = ("/sys/fs/cgroup/pids.current", "/sys/fs/cgroup/pids/pids.current")
    _SOURCES = (
        ("memory", ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control"), "oom_kill"),
        ("processes", ("/sys/fs/cgroup/pids.events", "/sys/fs/cgroup/pids/pids.events"), "max"),
    )

    def __init__(self) -> None:
        self._marks: dict[str, int] = {}

    def mark(self) -> None:
        """Count refusals from here on."""
        self._marks = self._counts()

    def reached(self) -> set[str]:
        """Give the limits at which something was refused since the mark."""
        return {name for name, count in self._counts().items() if count > self._marks.get(name, 0)}

    def processes(self) -> int | None:
        """Count the processes and threads of this box at one moment; `None` where the kernel doesn't say."""
        for path in self._COUNT:
            try:
                with open(path, encoding="ascii") as file:
                    return int(file.read())
            except (OSError, ValueError):
                continue
        return None

    def _counts(self) -> dict[str, int]:
        counts = {}
        for name, paths, key in self._SOURCES:
            for path in paths:
                try:
                    counts[name] = refusals(path, key)
                except OSError:
                    continue
                break
        return counts


def refusals(path: str, key: str) -> int:
    """Read one of the counts of a group's file, of a name and a number a line; 0 where it has none of that name.

    Raises:
        OSError: it can't be read.
    """
    with open(path, encoding="ascii") as file:
        lines = [line.split() for line in file]
    return sum(int(line[1]) for line in lines if len(line) == 2 and line[0] == key)
