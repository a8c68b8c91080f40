"""The commands that texts tell to type, under the name by which this program was called.

In a fresh clone `grade` is on no PATH: it is called as `./grade`, which says so by `GRADE_CALLED`.
"""

from __future__ import annotations

import os
import re
import shlex

_IN_BACKTICKS = re.compile(r"(?<=`)grade(?=[ `])")


def as_called(text: str) -> str:
    """Give a text with every `grade` in backticks as the user has to type it here."""
    called = os.environ.get("GRADE_CALLED", "")
    return _IN_BACKTICKS.sub(lambda _found: shlex.quote(called), text) if called else text


def command_as_called(command: str) -> str:
    """Give a command line that begins with `grade` as the user has to type it here."""
    return as_called(f"`{command}").removeprefix("`")
