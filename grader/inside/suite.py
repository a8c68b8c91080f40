"""The learner's own tests: run by pytest in a process of the solution box, which tells what each of them said.

What it tells is data. Whoever forges it says no more than a test that decides by itself to pass or fail: whether the
hidden app of that run was a right or a broken one, only the examiner knows.
"""

from __future__ import annotations

import gc
import importlib
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from typing import Any

from .alone import alone

MAX_TESTS = 200
MAX_MESSAGE = 600
MAX_NAME = 200

# What a run has no use for. Whatever else pytest has, the learner's tests may use.
_LEFT_OUT = (
    "cacheprovider doctest faulthandler junitxml legacypath pastebin setuponly setupplan stepwise threadexception "
    "unraisableexception"
)
_ARGUMENTS = ["-q", "--tb=short", "--color=no"]
_NOT_LEFT = {"__pycache__", ".pytest_cache"}


class _Recorder:
    """A pytest plugin: the order of the tests, and what became of each."""

    def __init__(self, order: str | int) -> None:
        self._order = order
        self._seen: dict[str, tuple[str, str]] = {}
        self.problems: list[str] = []

    def pytest_collection_finish(self, session: Any) -> None:
        items = session.items
        if self._order == "backward":
            items.reverse()
        elif isinstance(self._order, int):
            random.Random(self._order).shuffle(items)

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            self.problems.append(str(report.longrepr)[-MAX_MESSAGE:])

    def pytest_runtest_logreport(self, report: Any) -> None:
        status = "passed"
        if report.failed:
            status = "failed" if report.when == "call" else "error"
        elif report.skipped:
            status = "skipped"
        if status != "passed" or (report.when == "call" and report.nodeid not in self._seen):
            crash = getattr(report.longrepr, "reprcrash", None)
            self._seen[report.nodeid] = (status, str(crash.message if crash else "")[:MAX_MESSAGE])

    def tests(self) -> list[list[str]]:
        found = list(self._seen.items())[:MAX_TESTS]
        return [[name[:MAX_NAME], status, message] for name, (status, message) in found]


def run(code: str, order: str | int) -> dict[str, Any]:
    """Run the tests in a folder, in the order of the files (`file`), backward, or shuffled by a number."""
    before = set(_files(code))
    recorder = _Recorder(order)
    exit_code = _pytest(code, [recorder])
    left = sorted(set(_files(code)) - before)
    return {
        "tests": recorder.tests(),
        "problems": recorder.problems[:5],
        "left": [name[:MAX_NAME] for name in left[:20]],
        "exit": exit_code,
    }


def warm() -> None:
    """Run pytest once on a test of ours, so that forks of this process find all of it loaded, and clients of HTTP too."""
    importlib.import_module("urllib.request")
    output = os.dup(1), os.dup(2)
    nothing = os.open(os.devnull, os.O_WRONLY)
    folder = tempfile.mkdtemp(prefix="warm-")
    try:
        for fd in (1, 2):
            os.dup2(nothing, fd)
        with open(os.path.join(folder, "test_warm.py"), "w", encoding="ascii") as file:
            file.write("def test_warm():\n    assert [1, 2] == [1, 3]\n")
        _pytest(folder, [_Recorder("backward")])
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for target, fd in enumerate(output, 1):
            os.dup2(fd, target)
            os.close(fd)
        os.close(nothing)
        sys.modules.pop("test_warm", None)
        if folder in sys.path:
            sys.path.remove(folder)
        shutil.rmtree(folder, ignore_errors=True)
        gc.collect()  # a session leaves much behind


def _pytest(folder: str, plugins: Sequence[Any]) -> int:
    import pytest

    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    sys.dont_write_bytecode = True
    return int(pytest.main([*_ARGUMENTS, *alone(folder, without=_LEFT_OUT)], plugins=list(plugins)))


def _files(folder: str) -> Iterator[str]:
    for root, folders, names in os.walk(folder):
        folders[:] = [each for each in folders if each not in _NOT_LEFT]
        for name in names:
            yield os.path.relpath(os.path.join(root, name), folder)
