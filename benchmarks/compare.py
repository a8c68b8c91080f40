"""Measure one grading side by side with the common way, in one run: `python benchmarks/compare.py [--rounds 9]`.

The ways take turns, so that whatever else the machine does meets all of them alike; medians are compared as ratios.
Needs a container engine and bubblewrap.

    common      docker run --rm --network none, pytest in the same process as the submission, the same image
    docker      grade EXERCISE, as a whole process; no boxes wait for it
    bubblewrap  the same in bubblewrap
    second      grade EXERCISE on docker once more, in the boxes that the grading before left waiting
    bare        pytest on this machine, in the same process as the submission, without any isolation
    start       grade --help

Afterwards `grade watch` is measured on both sandboxes, from the write of a file to the last line on a terminal.
"""

from __future__ import annotations

import argparse
import json
import os
import pty
import select
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXERCISE = "exercise-03-one-dish"
REST_S = 2.0


def main() -> None:
    """Measure and print a table, medians in seconds and as ratios to the common way."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=9, help="how often each way is measured (at least 7)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ways = _ways(Path(folder))
        for way in ways.values():
            way()  # images, bytecode and file caches are warm for everybody
        taken: dict[str, list[float]] = {name: [] for name in ways}
        rounds = max(options.rounds, 7)
        for _ in range(rounds):
            for name, way in ways.items():
                # As a learner edits. What the way before left behind is gone then, and boxes for a second grading are ready.
                time.sleep(REST_S)
                started = time.perf_counter()
                way()
                taken[name].append(time.perf_counter() - started)
        for sandbox in ("docker", "bubblewrap"):
            taken[f"watch, {sandbox}"] = _watched(_course(Path(folder)), sandbox, rounds)
    medians = {name: statistics.median(each) for name, each in taken.items()}
    if options.json:
        print(json.dumps({"medians_s": medians, "all_s": taken, "phases_ms": _phases()}, indent=2))
        return
    print(f"{'way':<18} {'median':>8} {'fastest':>8} {'ratio':>6}")
    for name, median in medians.items():
        print(f"{name:<18} {median:>7.3f}s {min(taken[name]):>7.3f}s {median / medians['common']:>6.2f}")
    for sandbox, phases in _phases().items():
        print(f"\nphases of {sandbox} (ms, one grading)")
        for phase, duration in phases.items():
            print(f"  {phase:<14} {duration:>8.1f}")


def _ways(folder: Path) -> dict[str, Callable[[], None]]:
    exercise = ROOT / "exercises" / EXERCISE
    work = folder / "work"
    shutil.copytree(exercise / "tests", work)
    shutil.copy(exercise / "reference" / "app.py", work)
    shutil.copy(ROOT / "benchmarks" / "in_process" / "conftest.py", work)
    os.chmod(folder, 0o755)
    bare = folder / "bare"
    shutil.copytree(work, bare)
    conftest = bare / "conftest.py"
    conftest.write_text(conftest.read_text().replace("/opt/box", str(ROOT / "grader")))
    pytest = ["-m", "pytest", "-q", "-p", "no:cacheprovider"]
    common = ["docker", "run", "--rm", "--network", "none", "-v", f"{work}:/work:ro", "-w", "/work", grader_image()]
    common += ["/opt/grade/bin/python", "-B", *pytest]
    grade = [sys.executable, "-m", "grader"]
    graded = [*grade, EXERCISE, str(exercise / "reference")]
    own = [*grade, EXERCISE, "--course", str(_course(folder)), "--sandbox", "docker"]
    return {
        "common": lambda: _run(common),
        "docker": lambda: _run([*graded, "--sandbox", "docker"]),
        "bubblewrap": lambda: _run([*graded, "--sandbox", "bubblewrap"]),
        "second": lambda: _run(own),
        "bare": lambda: _run([sys.executable, "-B", *pytest], cwd=bare),
        "start": lambda: _run([*grade, "--help"]),
    }


def _course(folder: Path) -> Path:
    """Make a course of the one exercise, with the reference as the learner's solution."""
    course = folder / "course"
    exercise = course / "exercises" / EXERCISE
    if not course.exists():
        shutil.copytree(ROOT / "exercises" / EXERCISE, exercise, ignore=shutil.ignore_patterns("solution"))
        shutil.copytree(exercise / "reference", exercise / "solution")
    return course


def _watched(course: Path, sandbox: str, rounds: int) -> list[float]:
    """Save the solution again and again under `grade watch`; give the seconds from each write to the last line shown."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "grader", "--course", str(course), "watch", EXERCISE, "--sandbox", sandbox]
    solution = course / "exercises" / EXERCISE / "solution" / "app.py"
    code = solution.read_text()
    taken = []
    with subprocess.Popen(
        command, cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    ) as watch:
        _read_until(ours, b" ms")  # of the first grading, which comes after no save
        for number in range(rounds):
            time.sleep(REST_S)
            started = time.perf_counter()
            solution.write_text(f"{code}# {number}\n")
            _read_until(ours, b"after the save")
            taken.append(time.perf_counter() - started)
        os.write(ours, b"q")
        watch.wait(timeout=30)
    solution.write_text(code)
    os.close(ours)
    os.close(theirs)
    return taken


def _read_until(terminal: int, end: bytes) -> None:
    text = b""
    while end not in text:
        if not select.select([terminal], [], [], 60)[0]:
            raise SystemExit(f"`grade watch` showed no result:\n{text.decode(errors='replace')}")
        text += os.read(terminal, 65536)


def _run(command: list[str], cwd: Path = ROOT) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout.decode()}\n{done.stderr.decode()}")


def grader_image() -> str:
    sys.path.insert(0, str(ROOT))
    from grader.sandbox.engine import connect
    from grader.sandbox.image import ensure_image

    with connect() as api:
        return ensure_image(api, say=print)


def _phases() -> dict[str, dict[str, float]]:
    found = {}
    for sandbox in ("docker", "bubblewrap"):
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "grader",
                EXERCISE,
                f"exercises/{EXERCISE}/reference",
                "--sandbox",
                sandbox,
                "--format",
                "json",
            ],
            cwd=ROOT,
            capture_output=True,
            check=True,
        )
        found[sandbox] = json.loads(done.stdout)["durations_ms"]
    return found


if __name__ == "__main__":
    main()
