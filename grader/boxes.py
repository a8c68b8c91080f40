"""The boxes of a grading, as the exercise and the submission want them."""

from __future__ import annotations

import re
from dataclasses import replace

from grader.exercise import Exercise
from grader.sandbox.pod import Box, Pod, Shape
from grader.submission import Submission

_RUNS_TESTS = re.compile(rb"\bdef \w+\([^)]*\bsuite\b")
"""A hidden test, or a fixture of it, that asks for the learner's own tests."""

_FIRST_TEST = re.compile(rb"^def test_.*?(?=^\S|\Z)", re.MULTILINE | re.DOTALL)
_STARTS_ITSELF = b"app.start("


def make_pod(exercise: Exercise, submission: Submission, *, seed: int, wall_s: float | None = None) -> Pod:
    """Give the two boxes of a grading. Hidden files are in the examiner's only."""
    shape = shape_of(exercise, wall_s=wall_s)
    common = {"kind": exercise.kind, "database": exercise.database, "fresh": exercise.fresh}
    solution = Box(
        files=submission.files,
        settings={
            **common,
            "module": exercise.module,
            "env": dict(exercise.app.env),
            "command": None if exercise.app.command is None else list(exercise.app.command),
            "preload": list(shape.preload),
            "ahead": not _first_starts_itself(exercise),
        },
        limits=shape.limits,
    )
    examiner = Box(files=exercise.test_files(), settings={**common, "seed": seed})
    return Pod(solution=solution, examiner=examiner, wall_s=shape.limits.wall_s)


def shape_of(exercise: Exercise, *, wall_s: float | None = None) -> Shape:
    """Give what is known of the boxes before there is a submission."""
    limits = exercise.limits if wall_s is None else replace(exercise.limits, wall_s=wall_s)
    return Shape(limits=limits, preload=_preload(exercise), needs_names=exercise.app.command is not None)


def _first_starts_itself(exercise: Exercise) -> bool:
    """Say whether the first test starts the app in a way of its own, so that it need not run before it is asked for."""
    files = exercise.test_files()
    for name in sorted(name for name in files if name.startswith("test_")):
        first = _FIRST_TEST.search(files[name])
        if first is not None:
            return _STARTS_ITSELF in first[0]
    return False


def _preload(exercise: Exercise) -> tuple[str, ...]:
    """Give the modules to import before there is a submission: a learner's code mostly imports what the starter does."""
    names: list[str] = []
    if exercise.app.command is None:
        if exercise.kind == "http":
            names += ["flask", "waitress.server"]
        if exercise.database != "none":
            names += ["sqlalchemy", "sqlalchemy.orm", "sqlalchemy.dialects.sqlite"]
        names += exercise.imports
    if any(_RUNS_TESTS.search(content) for content in exercise.contents.values()):
        names.append("pytest")
    return tuple(dict.fromkeys(names))
