"""Scores over time as a few lines of text."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from grader.render.plain import figure

_EIGHTHS = " ▁▂▃▄▅▆▇█"


def plot(scores: Sequence[Decimal], top: Decimal, *, width: int, height: int = 5, is_unicode: bool = True) -> list[str]:
    """Draw a bar for each score, the newest that fit in `width`, on a scale from 0 to `top`.

    Nearly all never looks like all, and a little never like nothing.
    """
    labels = [figure(top), "0"]
    label_width = max(map(len, labels))
    room = max(width - label_width - 2, 4)
    bar, gap = (2, 1) if len(scores) * 3 <= room else (1, 0)
    shown = list(scores)[-(room // (bar + gap)) :]
    steps = [_steps(score, top, height * 8) for score in shown]
    wall, foot, corner = ("│", "─", "└") if is_unicode else ("|", "-", "+")
    lines = []
    for row in range(height - 1, -1, -1):
        cells = [min(max(step - row * 8, 0), 8) for step in steps]
        marks = [_EIGHTHS[cell] if is_unicode else "#" if cell >= 4 or (cell and not row) else " " for cell in cells]
        label = labels[0] if row == height - 1 else ""
        lines.append(f"{label:>{label_width}} {wall}{(' ' * gap).join(mark * bar for mark in marks)}".rstrip())
    lines.append(f"{labels[1]:>{label_width}} {corner}{foot * max(len(shown) * (bar + gap) - gap, 1)}")
    return lines


def _steps(score: Decimal, top: Decimal, most: int) -> int:
    if top <= 0 or score <= 0:
        return 0
    if score >= top:
        return most
    return max(min(round(float(score / top) * most), most - 1), 1)
