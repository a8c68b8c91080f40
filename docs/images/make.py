"""Renew `report.svg`, the picture in the README: a real report, as a terminal shows it.

    .venv/bin/python docs/images/make.py

The submission is a wrong answer that exercise 03 knows. Its report has no traceback, so no path of the machine it was
made on. The picture brings no font and asks for none from the web: a reader sees a font of their own.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

ROOT = Path(__file__).resolve().parents[2]
PICTURE = Path(__file__).with_name("report.svg")
SUBMISSION = ROOT / "exercises/exercise-03-one-dish/mutants/html-404"
SANDBOX = "bubblewrap"
COLUMNS = 84

# Rich's own frame with less of it: no web font, no buttons of a window, no names that change from one run to the next.
FRAME = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {terminal_height}" role="img" aria-label="A report in a terminal">
<style>
.{unique_id}-matrix {{ font: {char_height}px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; }}
{styles}
</style>
<rect width="{width}" height="{terminal_height}" rx="8" fill="#0c0c0c"/>
<g transform="translate({terminal_x}, 8)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def main() -> None:
    """Grade the submission, and draw what was printed."""
    command = [sys.executable, "-m", "grader", "3", str(SUBMISSION), "--sandbox", SANDBOX, "--no-keep"]
    environment = {**os.environ, "FORCE_COLOR": "1", "COLUMNS": str(COLUMNS), "LANG": "C.UTF-8"}
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if ended.returncode != 1:
        sys.exit(f"not the report that was wanted:\n{ended.stdout}{ended.stderr}")
    console = Console(record=True, width=COLUMNS, file=open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
    console.print(Text.from_ansi("$ ./grade exercise-03\n" + ended.stdout.rstrip() + "\n"))
    drawn = console.export_svg(title="", theme=MONOKAI, code_format=FRAME, unique_id="r")
    PICTURE.write_text(smaller(drawn), "utf-8")
    print(f"made {PICTURE.relative_to(ROOT)}, {PICTURE.stat().st_size:,} bytes")


def smaller(drawn: str) -> str:
    """Take away what changes nothing that is seen: clips around lines, the lines' ends, digits of a pixel's fraction."""
    drawn = re.sub(r' clip-path="[^"]*"', "", drawn)
    drawn = re.sub(r"<text[^>]*>\n</text>", "\n", drawn)
    drawn = re.sub(r"(\d+\.\d)\d+", r"\1", drawn)
    return "\n".join(line.rstrip() for line in drawn.splitlines() if line.strip()) + "\n"


if __name__ == "__main__":
    main()
