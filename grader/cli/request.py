"""What was asked for on the command line of `grade EXERCISE`."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from grader.render.text import DETAILS


class Request(NamedTuple):
    """The options of one grading, as they were given. `path`: None is the learner's own solution."""

    path: Path | None
    is_own: bool
    seed: int | None
    wall_s: float | None
    format: str
    output: str | None
    is_verbose: bool
    is_quiet: bool

    @property
    def details(self) -> int | None:
        """How many failures are told in full; None is all of them."""
        return None if self.is_verbose else DETAILS
