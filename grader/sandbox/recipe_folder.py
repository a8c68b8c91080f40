"""Where what the boxes consist of is written down: the Dockerfile, and the lock of the packages."""

from __future__ import annotations

from pathlib import Path


def recipe_folder() -> Path:
    """Give the folder that holds `Dockerfile` and `requirements/box.txt`: the installed one, or the checkout's."""
    installed = Path(__file__).parent / "recipe"
    return installed if installed.is_dir() else Path(__file__).parents[2]
