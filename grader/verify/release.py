"""The learners' pack: a course without what is hidden. Made from what may be seen, then searched for what may not.

The search goes by content, not by name: a line of a hidden file that stands anywhere in the pack is a leak, wherever it
came from. Lines that a starter or a README shows anyway are no secret, but for those that `given_away` finds there: a
starter that holds the solution excuses nothing. A run of hidden tests in them is a leak too, because somebody copied a
test there.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from grader import __version__
from grader.error import BrokenExercise, FaultError, UsageError
from grader.exercise import Exercise, load_exercise
from grader.file_name import is_left_out
from grader.folder import MANIFEST, PACK, TOML
from grader.submission import read_regular, read_submission
from grader.verify.leak import COPIED_LINES, Leak, given_away
from grader.verify.structure import exercise_folders
from grader.verify.toml import to_toml

FORMAT = 1
LEAK_LENGTH = 25

_HIDDEN_PARTS = ("tests", "reference", "mutants", "alternatives")
_HIDDEN_TABLES = ("mutants", "alternatives", "equivalents")


class HiddenInPack(FaultError):
    """The pack would show what is hidden. Nothing was written."""


@dataclass(frozen=True, kw_only=True)
class Pack:
    """What was written: the folder, the exercises in it, and how many files."""

    folder: Path
    exercises: tuple[str, ...]
    files: int


def release(course_root: Path, target: Path, *, hints: int = 3) -> Pack:
    """Write the learners' pack of a whole course into a folder that is new or empty.

    `hints` is how many hints of each task are released, 0 to 3.

    Raises:
        BrokenExercise: an exercise isn't sound; all problems of all of them are in it.
        HiddenInPack: something hidden would be in it.
        UsageError: the folder can't be written.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"`{target}` is not empty", hint="give a folder that is not there yet")
    if target.resolve().is_relative_to(course_root.resolve() / "exercises"):
        raise UsageError("the pack can't lie among the exercises", hint="give a folder outside of `exercises/`")
    exercises = _load_all(course_root)
    files: dict[str, bytes] = {}
    for exercise in exercises:
        for name, content in released_files(exercise, hints=hints).items():
            files[f"exercises/{exercise.id}/{name}"] = content
    files["README.md"] = _readme(exercises).encode()
    files[MANIFEST] = _manifest(exercises, files, hints)
    given = {exercise.id: given_away(exercise) for exercise in exercises}
    public = public_text(exercises, given)
    found = [replace(leak, file=f"exercises/{id}/{leak.file}") for id, each in given.items() for leak in each]
    found += [leak for exercise in exercises for leak in find_hidden(exercise, files, public, hints=hints)]
    leaks = list({(leak.file, leak.line): leak for leak in reversed(found)}.values())[::-1]
    if leaks:
        told = [f"{leak.file}:{leak.line}: a line of {leak.source}: `{leak.text[:70]}`" for leak in leaks[:20]]
        more = [f"and {len(leaks) - 20} more"] if len(leaks) > 20 else []
        raise HiddenInPack(
            "\n".join([*told, *more]), hint="take the lines out of what learners see; nothing was written"
        )
    _write(target, files, exercises)
    return Pack(folder=target, exercises=tuple(exercise.id for exercise in exercises), files=len(files))


def released_files(exercise: Exercise, *, hints: int) -> dict[str, bytes]:
    """Give what learners get of an exercise: its description, the README, the starter."""
    document = _document(exercise)
    released = {key: value for key, value in document.items() if key not in _HIDDEN_TABLES}
    tasks = [{**task, "hints": task["hints"][:hints]} for task in document["tasks"]]
    released["tasks"] = tasks
    files = {TOML: to_toml(released).encode(), "README.md": exercise.readme()}
    for name, content in exercise.files_of("starter").items():
        files[f"starter/{name}"] = content
    return files


def public_text(exercises: Sequence[Exercise], given: Mapping[str, Sequence[Leak]]) -> str:
    """Give what learners see by its nature: every README and starter. A later starter begins where an earlier one ends.

    `given` has what is given away there, by the exercise's id: that is left out.
    """
    shown: list[str] = []
    for exercise in exercises:
        files = {f"starter/{name}": content for name, content in exercise.files_of("starter").items()}
        hidden = {(leak.file, leak.line) for leak in given[exercise.id]}
        for name, content in {"README.md": exercise.readme(), **files}.items():
            lines = content.decode("utf-8", "replace").splitlines()
            shown += [line for number, line in enumerate(lines, 1) if (name, number) not in hidden]
    return "\n".join(shown)


def find_hidden(exercise: Exercise, files: Mapping[str, bytes], public: str, *, hints: int) -> list[Leak]:
    """Find every line of what is hidden of an exercise in the files of a pack.

    `public` is what `public_text` gives for the course.
    """
    secret: dict[str, str] = {}
    tests: set[str] = set()
    for source, content in _hidden(exercise, hints):
        for line in content.decode("utf-8", "replace").splitlines():
            plain = line.strip()
            if len(plain) < LEAK_LENGTH:
                continue
            if plain not in public:
                secret.setdefault(plain, source)
            elif source.startswith("tests/") and _is_test_code(plain):
                tests.add(plain)
    leaks = []
    for file, content in sorted(files.items()):
        text = content.decode("utf-8", "replace")
        found = [plain for plain in secret if plain in text]
        leaks += [Leak(file=file, line=_line_of(text, plain), text=plain, source=secret[plain]) for plain in found]
        copied = sorted(plain for plain in tests if plain in text)
        if len(copied) >= COPIED_LINES:
            leaks += [Leak(file=file, line=_line_of(text, plain), text=plain, source="tests/") for plain in copied]
    return leaks


def _is_test_code(line: str) -> bool:
    return line.startswith(("assert ", "def test_", "@pytest.mark"))


def _line_of(text: str, plain: str) -> int:
    return text.count("\n", 0, text.index(plain)) + 1


def _hidden(exercise: Exercise, hints: int) -> Iterator[tuple[str, bytes]]:
    for part in _HIDDEN_PARTS:
        if (exercise.folder / part).is_dir():
            for name, content in _below(exercise.folder / part):
                yield f"{part}/{name}", content
    yield "notes.md", exercise.notes()
    document = _document(exercise)
    words: list[str] = []
    for table in _HIDDEN_TABLES:
        for item in document.get(table, ()):
            words += [value for key, value in item.items() if isinstance(value, str) and key != "id"]
    for task in document["tasks"]:
        words += task["hints"][hints:]
    yield TOML, "\n".join(words).encode()


def _below(folder: Path) -> Iterator[tuple[str, bytes]]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(each for each in folders if not is_left_out(each))
        for name in sorted(names):
            if not is_left_out(name):
                path = Path(parent) / name
                yield str(path.relative_to(folder)), read_regular(path)


def _document(exercise: Exercise) -> dict[str, Any]:
    return tomllib.loads(read_regular(exercise.folder / TOML).decode("utf-8-sig"))


def _load_all(course_root: Path) -> list[Exercise]:
    exercises: list[Exercise] = []
    problems: list[str] = []
    for folder in exercise_folders(course_root):
        try:
            exercise = load_exercise(folder)
            exercise.files_of("starter")
            exercises.append(exercise)
        except BrokenExercise as broken:
            problems += broken.problems
    if problems:
        raise BrokenExercise(problems, hint="`grade verify --all` tells the remedy of each")
    if not exercises:
        raise UsageError("there is no exercise to release", hint="`grade new SLUG` makes one")
    return exercises


def _manifest(exercises: Sequence[Exercise], files: Mapping[str, bytes], hints: int) -> bytes:
    entries = []
    for exercise in exercises:
        start = f"exercises/{exercise.id}/"
        own = {name: _sha256(content) for name, content in sorted(files.items()) if name.startswith(start)}
        # Not the exercise's own digest: the seed of a grading is drawn from that, and stays a secret.
        course = _sha256(f"released {exercise.digest}".encode())
        entries.append({"id": exercise.id, "title": exercise.title, "course_digest": course, "files": own})
    document = {
        "format": FORMAT,
        "kind": PACK,
        "grader_version": __version__,
        "hints": hints,
        "exercises": entries,
        "files": {"README.md": _sha256(files["README.md"])},
    }
    return json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _readme(exercises: Sequence[Exercise]) -> str:
    first = exercises[0]
    listed = "\n".join(f"- `exercises/{exercise.id}/`: {exercise.title}" for exercise in exercises)
    return f"""\
# Exercises

Each folder has a README.md, which says what is asked for, and a `starter/`. Copy the starter to `solution/` beside it, or
let the first grading do that, and work there.

To try your work by hand you need Python 3.11 or newer with some packages. Where a README says `.venv/bin/...`, it means these:

```
python3 -m venv .venv
.venv/bin/pip install flask sqlalchemy waitress pyjwt pytest
```

The hidden tests are not in this pack. Who gave it to you keeps them, and grades your solution; who has them grades it so:

```
grade {first.id} --course FOLDER-OR-ARCHIVE
```

{listed}
"""


def _write(target: Path, files: Mapping[str, bytes], exercises: Sequence[Exercise]) -> None:
    made = target.with_name(f".{target.name}.half-made")
    try:
        shutil.rmtree(made, ignore_errors=True)
        for name, content in files.items():
            path = made / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        for exercise in exercises:
            _keep_modes(exercise.folder / "starter", made / "exercises" / exercise.id / "starter")
        if target.exists():
            target.rmdir()
        target.parent.mkdir(parents=True, exist_ok=True)
        made.rename(target)
    except OSError as error:
        shutil.rmtree(made, ignore_errors=True)
        raise UsageError(f"`{target}` can't be written: {(error.strerror or str(error)).lower()}") from error


def _keep_modes(source: Path, target: Path) -> None:
    for name in read_submission(source).files:
        if (source / name).stat().st_mode & 0o100:
            path = target / name
            path.chmod(path.stat().st_mode | 0o111)
