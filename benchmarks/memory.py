"""Measure the peak memory of `grade batch` for classes of growing size: `python benchmarks/memory.py`.

The sandbox is a fake that passes everything and remembers nothing, so that the batch alone is measured. Each class is graded by a
process of its own.
"""

from __future__ import annotations

import contextlib
import io
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CLASSES = (100, 1_000, 10_000)


def main() -> None:
    """Print a line for each class, or grade the one whose size is given."""
    if sys.argv[1:]:
        print(_peak_mib(int(sys.argv[1])))
        return
    print(f"{'submissions':>11} {'peak MiB':>9}")
    for count in CLASSES:
        done = subprocess.run([sys.executable, __file__, str(count)], capture_output=True, text=True, check=True)
        print(f"{count:>11,} {float(done.stdout):>9.1f}")


def _peak_mib(count: int) -> float:
    sys.path.insert(0, str(ROOT))
    from grader.cli import main as command
    from grader.sandbox import choose
    from grader.sandbox.choose import Choice
    from grader.sandbox.pod import Listener, Pod, PodResult
    from tests.build import make_exercise

    class Passing:
        name = "fake"

        def run(self, pod: Pod, listen: Listener | None = None) -> PodResult:
            names = ("test_a_known_dish_is_answered", "test_every_dish_has_its_name", "test_an_unknown_dish_is_missing")
            events = [{"event": "test", "name": name, "status": "pass", "duration_ms": 1.0} for name in names]
            return PodResult(events=tuple(events), ending="done")

    choose.choose = lambda *_, **__: Choice(Passing(), "it is measured")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_exercise(folder)
        for number in range(count):
            learner = folder / "class" / f"learner-{number:05}"
            learner.mkdir(parents=True)
            (learner / "app.py").write_text(f"# {number}\n")
        os.chdir(folder)
        sys.argv = ["grade", "batch", "3", str(folder / "class"), "--jobs", "2", "--out", str(folder / "gradebook.csv")]
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            if command.run() != 0:
                raise SystemExit("the batch failed")
        rows = (folder / "gradebook.csv").read_text().count("\n") - 1
        assert rows == count, f"{rows} rows"
        os.chdir("/")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
