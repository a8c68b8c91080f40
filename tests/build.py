"""Tiny exercises for tests: sound as they come, and broken in exactly the way that a test asks for."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

ID = "exercise-03-one-dish"

EXERCISE_TOML = """\
format = 1
title = "Find one dish"
kind = "http"
track = "routing/APIs"
difficulty = 1
minutes = 10
teaches = "path-parameters"
needs = ["json-response"]

[[tasks]]
id = "known-dish"
title = "Answer a known dish"
points = 3
hints = ["Where does the number arrive?", "A dictionary finds a value by its key.", "Return `____[dish_id]`."]

[[tasks]]
id = "missing-dish"
title = "Say that a dish is missing"
points = "1.5"
hints = ["What happens now?", "A view may return a status.", "Return `____, 404`."]

[[mutants]]
id = "always-soup"
about = "answers soup for every number"
fails = ["test_every_dish_has_its_name", "test_an_unknown_dish_is_missing"]
help = "look the dish up by its number"

[[alternatives]]
id = "ask-first"
when = "when a missing key is nothing unusual"
"""

README = """\
# Find one dish

A guest asks for a dish by its number.

## 1. Answer a known dish

`GET /dishes/9` answers `{"name": "tea"}`.

## 2. Say that a dish is missing

## How it will be tested

- A known dish is answered 200.
- Every dish has its name.
- An unknown dish is answered 404.
"""

TESTS = '''\
import pytest


@pytest.mark.task("known-dish", points=1)
def test_a_known_dish_is_answered(client):
    """A known dish is answered 200."""
    assert client.get("/dishes/1").status_code == 200


@pytest.mark.task("known-dish", points=2)
@pytest.mark.needs("test_a_known_dish_is_answered")
def test_every_dish_has_its_name(client):
    """Every dish has its name."""
    assert client.get("/dishes/1").json() == {"name": "soup"}
    assert client.get("/dishes/2").json() == {"name": "rice"}


@pytest.mark.task("missing-dish", points=1.5)
def test_an_unknown_dish_is_missing(client):
    """An unknown dish is answered 404."""
    assert client.get("/dishes/7").status_code == 404
'''

APP = """\
from flask import Flask

DISHES = {{1: {{"name": "soup"}}, 2: {{"name": "rice"}}}}


def create_app():
    app = Flask(__name__)

    @app.get("/dishes/<int:dish_id>")
    def dish(dish_id):
        {body}

    return app
"""

FILES: Mapping[str, str] = {
    "README.md": README,
    "starter/app.py": APP.format(body='return "TODO", 500'),
    "reference/app.py": APP.format(
        body='return DISHES[dish_id] if dish_id in DISHES else ({"error": "no such dish"}, 404)'
    ),
    "mutants/always-soup/app.py": APP.format(body="return DISHES[1]"),
    "alternatives/ask-first/app.py": APP.format(body="return DISHES.get(dish_id) or ({}, 404)"),
    "tests/test_one_dish.py": TESTS,
}


def make_exercise(
    course: Path,
    *,
    id: str = ID,
    toml: str = EXERCISE_TOML,
    edits: Mapping[str, str] | None = None,
    files: Mapping[str, str | bytes | None] | None = None,
) -> Path:
    """Make `<course>/exercises/<id>/`, a sound `http` exercise of 4.5 points, and give its folder.

    `edits` replaces texts in `toml`, each of which must be there. `files` adds or replaces files of the folder, by path
    relative to it; None removes the file or folder.
    """
    for old, new in (edits or {}).items():
        assert old in toml, old
        toml = toml.replace(old, new)
    folder = course / "exercises" / id
    for name, content in {"exercise.toml": toml, **FILES, **(files or {})}.items():
        if content is not None:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    for name in [name for name, content in (files or {}).items() if content is None]:
        shutil.rmtree(folder / name, ignore_errors=True)
    return folder
