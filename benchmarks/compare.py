"""Measure one grading side by side with the common way, in one run: `python benchmarks/compare.py [--rounds 9]`.

Five ways take turns, so that whatever else the machine does meets all of them alike; medians are compared as ratios.
Needs a container engine and bubblewrap.

    common      docker run --rm --network none, pytest in the same process as the submission, the same image
    docker      grade EXERCISE, as a whole process
    bubblewrap  the same in bubblewrap
    bare        pytest on this machine, in the same process as the submission, without any isolation
    start       grade --help
"""

from __future__ import annotations

import argparse
import json
import os
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
        for _ in range(max(options.rounds, 7)):
            for name, way in ways.items():
                started = time.perf_counter()
                way()
                taken[name].append(time.perf_counter() - started)
    medians = {name: statistics.median(each) for name, each in taken.items()}
    if options.json:
        print(json.dumps({"medians_s": medians, "all_s": taken, "phases_ms": _phases()}, indent=2))
        return
    print(f"{'way':<12} {'median':>8} {'fastest':>8} {'ratio':>6}")
    for name, median in medians.items():
        print(f"{name:<12} {median:>7.3f}s {min(taken[name]):>7.3f}s {median / medians['common']:>6.2f}")
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
    common = ["docker", "run", "--rm", "--network", "none", "-v", f"{work}:/work:ro", "-w", "/work", _image()]
    common += ["/opt/grade/bin/python", "-B", *pytest]
    grade = [sys.executable, "-m", "grader"]
    graded = [*grade, EXERCISE, str(exercise / "reference")]
    return {
        "common": lambda: _run(common),
        "docker": lambda: _run([*graded, "--sandbox", "docker"]),
        "bubblewrap": lambda: _run([*graded, "--sandbox", "bubblewrap"]),
        "bare": lambda: _run([sys.executable, "-B", *pytest], cwd=bare),
        "start": lambda: _run([*grade, "--help"]),
    }


def _run(command: list[str], cwd: Path = ROOT) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout.decode()}\n{done.stderr.decode()}")


def _image() -> str:
    sys.path.insert(0, str(ROOT))
    from grader.sandbox.docker import connect
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
