"""Measure gradings a second side by side with the common way: `python benchmarks/throughput.py [--submissions 200]`.

    common      docker run --rm --network none, pytest in the same process as the submission; 1, 2, 3 and 4 at once, the best counts
    docker      grade batch --sandbox docker, nothing known before
    bubblewrap  grade batch --sandbox bubblewrap, nothing known before

All submissions are right and no two have the same content. Needs a container engine and bubblewrap.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from compare import EXERCISE, ROOT, grader_image

AT_ONCE = (1, 2, 3, 4)


def main() -> None:
    """Measure and print a table: gradings a second, and as ratios to the common way."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--submissions", type=int, default=200, help="how many are graded by each way")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        _write_class(folder / "class", options.submissions)
        best, at_once = max((_common(folder, each, max(options.submissions // 5, 10)), each) for each in AT_ONCE)
        rates = {f"common, {at_once} at once": best}
        seconds = {}
        for sandbox in ("docker", "bubblewrap"):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            rates[sandbox] = _batch(folder, sandbox, options.submissions)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            seconds[sandbox] = (
                after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            ) / options.submissions
    print(f"{'way':<20} {'gradings/s':>10} {'ratio':>6}")
    for way, rate in rates.items():
        print(f"{way:<20} {rate:>10.2f} {rate / best:>6.2f}")
    print(f"\nprocessor seconds a grading, of the grader and its boxes: bubblewrap {seconds['bubblewrap']:.2f}")
    print(f"of the grader alone (the engine's processes are not its own): docker {seconds['docker']:.2f}")


def _write_class(folder: Path, count: int) -> None:
    code = (ROOT / "exercises" / EXERCISE / "reference" / "app.py").read_text()
    for number in range(count):
        learner = folder / f"learner-{number:04}"
        learner.mkdir(parents=True)
        (learner / "app.py").write_text(f"{code}# {number}\n")


def _common(folder: Path, at_once: int, count: int) -> float:
    work = folder / f"work-{at_once}"
    image = grader_image()

    def one(number: int) -> None:
        here = work / str(number)
        shutil.copytree(ROOT / "exercises" / EXERCISE / "tests", here)
        shutil.copy(folder / "class" / f"learner-{number:04}" / "app.py", here)
        shutil.copy(ROOT / "benchmarks" / "in_process" / "conftest.py", here)
        command = ["docker", "run", "--rm", "--network", "none", "-v", f"{here}:/work:ro", "-w", "/work", image]
        command += ["/opt/grade/bin/python", "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        subprocess.run(command, capture_output=True, check=True)

    one(0)
    started = time.perf_counter()
    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(one, range(1, count)))
    return (count - 1) / (time.perf_counter() - started)


def _batch(folder: Path, sandbox: str, count: int) -> float:
    out = folder / f"{sandbox}.json"
    command = [sys.executable, "-m", "grader", "batch", EXERCISE, str(folder / "class"), "--sandbox", sandbox]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    started = time.perf_counter()
    done = subprocess.run(
        [*command, "--no-cache", "--out", str(out)], cwd=ROOT, env=environment, capture_output=True, check=False
    )
    taken = time.perf_counter() - started
    passed = out.read_text().count('"passed"') if out.exists() else 0
    if done.returncode or passed < count:
        raise SystemExit(f"`grade batch` on {sandbox}: code {done.returncode}\n{done.stderr.decode()[-2000:]}")
    return count / taken


if __name__ == "__main__":
    main()
