"""A digest over what decides a result beside exercise and submission: code of the grader's, and what the boxes hold."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib import metadata

from grader.sandbox.interpreter import PACKAGE

BOX = ("flask", "openapi-spec-validator", "pyjwt", "pytest", "sqlalchemy", "waitress")
"""What boxes hold, as far as a result may follow from it: counts where there is no lock to read, too."""


def code_digest(parts: Sequence[str]) -> str:
    """Give the digest over modules and packages of the grader's, by their paths in it, and over what the boxes hold."""
    whole = hashlib.sha256()
    for name in BOX:
        try:
            whole.update(f"{name} {metadata.version(name)}\n".encode())
        except metadata.PackageNotFoundError:
            continue
    for part in parts:
        path = PACKAGE / part
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            whole.update(hashlib.sha256(file.read_bytes()).digest())
    lock = PACKAGE.parent / "requirements" / "box.txt"
    if lock.is_file():
        whole.update(lock.read_bytes())
    return whole.hexdigest()
