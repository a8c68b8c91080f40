"""Measure the reference of every exercise in boxes that waited for it: `python benchmarks/waiting.py [--rounds 3]`.

It is what a learner waits for in `grade watch` and in a second grading, without the program's own start. Needs bubblewrap, or
an engine with `--sandbox docker`.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from grader.boxes import make_pod  # noqa: E402  found by the line above
from grader.course import find_course  # noqa: E402
from grader.exercise import load_exercise  # noqa: E402
from grader.grading import grade  # noqa: E402
from grader.sandbox.choose import Choice, named  # noqa: E402
from grader.sandbox.warm import WarmPods  # noqa: E402
from grader.submission import submission_of  # noqa: E402

REST_S = 1.5


def main() -> None:
    """Measure and print a line for each exercise (median seconds, its slowest test), and the median and the most of all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is graded")
    parser.add_argument("--sandbox", choices=("bubblewrap", "docker"), default="bubblewrap")
    options = parser.parse_args()
    medians = []
    for entry in find_course(ROOT, explicit=ROOT).exercises():
        taken, slowest = _graded(entry.folder, options.sandbox, options.rounds)
        medians.append(statistics.median(taken))
        print(f"{entry.id:<36} {medians[-1]:>6.2f}s   {slowest}", flush=True)
    print(f"\nmedian {statistics.median(medians):.2f}s, most {max(medians):.2f}s")


def _graded(folder: Path, sandbox: str, rounds: int) -> tuple[list[float], str]:
    exercise = load_exercise(folder)
    submission = submission_of(exercise.files_of("reference"))
    taken = []
    with WarmPods(named(sandbox), make_pod(exercise, submission, seed=0)) as pods:
        for _ in range(rounds):
            while not pods.is_ready:
                time.sleep(0.01)
            time.sleep(REST_S)  # as a learner edits; the boxes get ready meanwhile
            started = time.perf_counter()
            report = grade(exercise, submission, Choice(pods, "a benchmark asked for it"))
            taken.append(time.perf_counter() - started)
            if report.status != "passed":
                raise SystemExit(f"{exercise.id}: {report.message}")
    slowest = max(report.tests, key=lambda test: test.duration_ms)
    return taken, f"{slowest.duration_ms / 1000:.2f}s {slowest.name}"


if __name__ == "__main__":
    main()
