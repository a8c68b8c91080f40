"""What the folders of a course are told by, without reading an exercise."""

from __future__ import annotations

import json
import re
from pathlib import Path

TOML = "exercise.toml"
MANIFEST = "manifest.json"
PACK = "learners-pack"
"""The `kind` in the manifest of a course that was released without its hidden tests."""

_FOLDER_NAME = re.compile(r"(?:exercise-)?(?P<number>[0-9]{1,6})-(?P<slug>.+)")


def is_pack(root: Path) -> bool:
    """Say whether a course was released for learners, without what is hidden."""
    try:
        manifest = json.loads((root / MANIFEST).read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(manifest, dict) and manifest.get("kind") == PACK


def name_parts(folder_name: str) -> tuple[int | None, str]:
    """Split a folder's name into number and slug: `exercise-03-one-dish` is 3 and `one-dish`."""
    found = _FOLDER_NAME.fullmatch(folder_name)
    if found is None:
        return None, folder_name.removeprefix("exercise-") or folder_name
    return int(found["number"]), found["slug"]
