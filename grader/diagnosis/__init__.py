"""Prove what a sandbox enforces, by hitting every limit from inside of it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from grader.hidden_test import read_tests
from grader.sandbox.pod import Box, Limits, Pod, Sandbox, WarmSandbox
from grader.sandbox.reused import SameExaminer

LIMITS = Limits(
    memory_mib=96, processes=24, disk_mib=8, open_files=64, output_kib=256, cpus=1.0, start_s=10, test_s=10, wall_s=60
)
WALL_S = 2.0
AROUND_S = 20.0
"""What the boxes' start and end may take beside that, on a slow machine."""

_BY_LIMIT = {"test_memory": "memory", "test_output": "output"}
"""Tests whose function must not return: the limit that must have ended it."""
_LIMITED = {"test_processor": "cpus", "test_processes": "processes"}
"""Tests that a busy machine, or another limit, passes by itself: the limit that must have been in force."""

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Finding:
    """One thing that must be enforced, whether it was, and what was seen instead."""

    title: str
    is_enforced: bool
    seen: str = ""


def diagnose(sandbox: Sandbox) -> list[Finding]:
    """Hit every limit in this sandbox; takes some seconds.

    Raises:
        SandboxError: the sandbox doesn't work at all.
    """
    files = {"test_limits.py": (_HERE / "tests" / "test_limits.py").read_bytes()}
    titles = {test.name: test.title for test in read_tests(files, ["limits", "isolation"]).tests}
    result = sandbox.run(_pod(files, LIMITS.wall_s))
    events = {event["name"]: event for event in result.events if event["event"] == "test"}
    findings = []
    for name, title in titles.items():
        event = events.get(name)
        if event is None:
            findings.append(Finding(title, False, f"not seen: {result.ending} {result.detail}".strip()))
        elif name in _BY_LIMIT:
            reached = event.get("limits") or []
            seen = f"ended by: {', '.join(reached) or event.get('message') or 'nothing'}"
            findings.append(Finding(title, _BY_LIMIT[name] in reached, seen))
        elif _LIMITED.get(name) in result.unlimited:
            findings.append(Finding(title, False, "this machine can't limit it"))
        else:
            is_enforced = event["status"] == "pass"
            findings.append(
                Finding(title, is_enforced, "" if is_enforced else str(event.get("got") or event.get("message")))
            )
    return [*findings, _wall(sandbox)]


def diagnose_class(sandbox: WarmSandbox) -> Finding:
    """Hit every limit once more as it is in force where one examiner serves a class, whose boxes are made in another way.

    Raises:
        SandboxError: see `diagnose`.
    """
    with SameExaminer(sandbox) as same:
        findings = diagnose(same)
        problem = same.fork_problem
    lacking = [finding.title for finding in findings if not finding.is_enforced]
    way = f"each is started: {problem}" if problem else "they are forked of one that has everything imported"
    return Finding(f"All of this in the boxes of a class, too ({way}).", not lacking, " ".join(lacking))


def _wall(sandbox: Sandbox) -> Finding:
    waiting = b'def test_wait(call):\n    """Wait."""\n    call("wait", 60)\n'
    started = time.monotonic()
    result = sandbox.run(_pod({"test_wait.py": waiting}, WALL_S))
    took_s = time.monotonic() - started
    return Finding(
        "The time for all of it.",
        result.ending == "wall" and took_s < WALL_S + AROUND_S,
        f"{result.ending} after {took_s:.1f} s",
    )


def _pod(tests: dict[str, bytes], wall_s: float) -> Pod:
    common = {"kind": "function", "database": "none", "fresh": "test"}
    probe = (_HERE / "solution" / "probe.py").read_bytes()
    return Pod(
        solution=Box(
            files={"probe.py": probe},
            settings={**common, "module": "probe", "env": {}, "command": None, "preload": [], "ahead": True},
            limits=LIMITS,
        ),
        examiner=Box(files=tests, settings={**common, "seed": 1}),
        wall_s=wall_s,
    )
