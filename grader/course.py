"""A course: the folder that holds `exercises/`, and the names by which a learner calls them."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from grader.error import BrokenExercise, NoCourse, UnknownExercise, UsageError
from grader.file_name import is_left_out, shown
from grader.folder import TOML, is_pack, name_parts

if TYPE_CHECKING:
    from grader.exercise import Exercise

_HALF_MADE = ".solution-"
_HALF_MADE_S = 300


@dataclass(frozen=True, kw_only=True)
class ExerciseEntry:
    """One exercise as its folder's name tells: `exercise-03-one-dish` is number 3 with the slug `one-dish`."""

    id: str
    number: int | None
    slug: str
    folder: Path


@dataclass(frozen=True, kw_only=True)
class Course:
    """A folder with `exercises/`. Nothing is read until it is asked for.

    `kept_at` is where its state lies if not in the folder, which of an archive is gone at the end of a run.
    """

    root: Path
    kept_at: Path | None = None

    @property
    def state(self) -> Path:
        """Where the learner's history lies, and what else is kept between runs. It may not be there yet."""
        return self.kept_at or self.root / ".grade"

    def exercises(self) -> list[ExerciseEntry]:
        """List the folders that hold an `exercise.toml`, by name; none is opened."""
        entries = []
        for name in _exercise_names(self.root):
            number, slug = name_parts(name)
            folder = self.root / "exercises" / name
            entries.append(ExerciseEntry(id=name, number=number, slug=slug, folder=folder))
        return entries

    def resolve(self, name: str) -> Path:
        """Find the folder of an exercise.

        `name` is the folder's name or the path to it, its number, its slug, or a beginning that only one has; case
        doesn't count.

        Raises:
            UnknownExercise: none has the name, or more than one.
            BrokenExercise: a folder of just this name is there, and isn't described.
        """
        entries = self.exercises()
        by_path = self._by_path(name, entries)
        if by_path is not None:
            return by_path.folder
        wanted = _plain(name)
        found = _matching(wanted, entries) if wanted else []
        if len(found) == 1:
            return found[0].folder
        if found:
            raise _ambiguous(name, found)
        self._check_described(wanted)
        raise UnknownExercise(
            f"no exercise named {shown(name.strip())} in `exercises/`", hint=_suggestion(wanted, entries)
        )

    def load(self, name: str) -> Exercise:
        """Read the exercise of that name.

        Raises:
            UnknownExercise: none has the name, or more than one.
            BrokenExercise: it isn't sound.
        """
        from grader.exercise import load_exercise  # half of what this module would take to import

        return load_exercise(self.resolve(name))

    def _check_described(self, wanted: str) -> None:
        try:
            with os.scandir(self.root / "exercises") as found:
                names = [each.name for each in found if each.is_dir() and each.name.casefold() == wanted]
        except OSError:
            return
        for name in names:
            is_there = os.path.lexists(self.root / "exercises" / name / TOML)
            text = f"{name}/{TOML}: is no file" if is_there else f"{name}/: has no `{TOML}`"
            raise BrokenExercise([f"{text}; an exercise is described in it"], exercise=name)

    def _by_path(self, name: str, entries: Sequence[ExerciseEntry]) -> ExerciseEntry | None:
        if not name.strip() or "\0" in name or not os.path.exists(name):
            return None
        given = os.path.realpath(name)
        for entry in entries:
            if os.path.realpath(entry.folder) == given:
                return entry
        return None


def find_course(start: Path, *, explicit: Path | None = None) -> Course:
    """Find the course at `explicit`, else at `start` or in the nearest folder above it.

    Raises:
        NoCourse: there is none.
    """
    if explicit is not None:
        root = Path(os.path.abspath(explicit))
        if _exercise_names(root):
            return Course(root=root)
        if root.name == "exercises" and _exercise_names(root.parent):
            raise NoCourse(f"{shown(str(explicit))} is no course", hint=f"give the folder above it: `{root.parent}`")
        problem = f"it has no `exercises/*/{TOML}`" if root.is_dir() else "there is no such folder"
        raise NoCourse(
            f"{shown(str(explicit))} is no course: {problem}", hint="give the folder that holds `exercises/`"
        )
    try:
        here = Path(os.path.abspath(start))
    except FileNotFoundError:
        raise NoCourse("the current folder was removed", hint="change to another folder") from None
    for folder in (here, *here.parents):
        if _exercise_names(folder):
            return Course(root=folder)
    raise NoCourse(
        f"no course in {shown(str(here))} or above it",
        hint="change to the folder that holds `exercises/`, or name it with `--course FOLDER`",
    )


def home_of(course: Course, start: Path) -> Course:
    """Give the course in which the learner works: the learners' pack around `start`, else `course` itself.

    The two differ where a solution in a pack is graded against the course that has the hidden tests.
    """
    if is_pack(course.root):
        return course
    try:
        near = find_course(start)
    except NoCourse:
        return course
    return near if near.root.resolve() != course.root.resolve() and is_pack(near.root) else course


def default_submission(exercise: Exercise) -> tuple[Path, bool]:
    """Give the learner's own `solution/`, made from the starter the first time; True when it was made now.

    Raises:
        UsageError: it isn't there and can't be made.
        BrokenExercise: the starter can't be taken.
    """
    solution = exercise.folder / "solution"
    if os.path.lexists(solution):
        return solution, False
    import shutil  # needed once an exercise

    files = exercise.files_of("starter")
    _sweep(exercise.folder)
    # Made aside and renamed: whoever looks meanwhile, or is killed meanwhile, never sees half of it.
    made = exercise.folder / f"{_HALF_MADE}{os.urandom(8).hex()}"
    try:
        try:
            made.mkdir()
            for name, content in files.items():
                _write(exercise.folder / "starter" / name, made / name, content)
            made.rename(solution)
        except OSError:
            shutil.rmtree(made, ignore_errors=True)
            if os.path.lexists(solution):
                return solution, False  # another run was quicker
            raise
    except OSError as error:
        raise UsageError(
            f"can't make {shown(str(solution))} from the starter: {(error.strerror or str(error)).lower()}",
            hint=f"copy `starter/` to a folder of yours and give it: `grade {exercise.id} FOLDER`",
        ) from error
    return solution, True


def _write(source: Path, target: Path, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    if source.stat().st_mode & 0o100:
        target.chmod(target.stat().st_mode | 0o111)


def _sweep(folder: Path) -> None:
    """Remove what a run that was killed left half-made."""
    import shutil

    for path in folder.glob(f"{_HALF_MADE}*"):
        try:
            if time.time() - path.stat().st_mtime > _HALF_MADE_S:
                shutil.rmtree(path)
        except OSError:
            continue  # another run sweeps too, or it isn't ours to remove


def _exercise_names(root: Path) -> list[str]:
    folder = os.path.join(root, "exercises")
    try:
        with os.scandir(folder) as found:
            names = [each.name for each in found if not each.name.startswith(".") and not is_left_out(each.name)]
    except OSError:
        return []
    return sorted(name for name in names if os.path.isfile(f"{folder}/{name}/{TOML}"))


def _plain(name: str) -> str:
    """Give the name itself of what was typed: `./exercises/Exercise-03/` is `exercise-03`."""
    parts = [part for part in name.strip().casefold().split("/") if part not in ("", ".")]
    if len(parts) > 1 and parts[-2] != "exercises":
        return ""
    return parts[-1] if parts else ""


def _names(entry: ExerciseEntry) -> list[str]:
    """Give what an entry may be called, and the beginnings of it."""
    return [entry.id.casefold(), entry.id.casefold().removeprefix("exercise-"), entry.slug.casefold()]


def _matching(wanted: str, entries: Sequence[ExerciseEntry]) -> list[ExerciseEntry]:
    """Find what is meant: a whole name goes before a number, and a number before a beginning."""
    whole = [entry for entry in entries if wanted == entry.id.casefold()]
    if whole:
        return whole
    number = re.fullmatch(r"(?:exercise-)?([0-9]{1,6})", wanted)
    if number:
        numbered = [entry for entry in entries if entry.number == int(number[1])]
        if numbered:
            return numbered
    slugs = [entry for entry in entries if wanted in _names(entry)]
    if slugs:
        return slugs
    return [entry for entry in entries if any(name.startswith(wanted) for name in _names(entry))]


def _ambiguous(name: str, found: Sequence[ExerciseEntry]) -> UnknownExercise:
    ids = [f"`{entry.id}`" for entry in found[:6]] + (["others"] if len(found) > 6 else [])
    listed = f"{', '.join(ids[:-1])} and {ids[-1]}"
    if found[0].number is not None and len({entry.number for entry in found}) == 1:
        return UnknownExercise(
            f"{shown(name)} is more than one exercise: {listed} have the same number",
            hint="give the whole name; who keeps the course should give one of them another number",
        )
    return UnknownExercise(
        f"{shown(name)} is the beginning of more than one exercise: {listed}", hint="give more of the name"
    )


def _suggestion(wanted: str, entries: Sequence[ExerciseEntry]) -> str:
    import difflib  # only a mistake needs it

    number = re.fullmatch(r"(?:exercise-)?([0-9]+)", wanted)
    close: list[ExerciseEntry] = []
    if number:
        # Swapped digits, a digit more or less: `30` and `033` may be 03; `99` is close to nothing.
        close = [e for e in entries if e.number is not None and sorted(f"{e.number:02}") == sorted(number[1])]
        close = close or [e for e in entries if e.number is not None and str(e.number) == number[1].strip("0")]
    elif wanted:
        by_name = {name: entry for entry in reversed(entries) for name in _names(entry)}
        names = difflib.get_close_matches(wanted, by_name, n=1, cutoff=0.6)
        within = [name for name in by_name if len(wanted) > 2 and wanted in name]
        close = list(dict.fromkeys(by_name[name] for name in [*names, *within]))
    if close:
        listed = " or ".join(f"`{entry.id}`" for entry in close[:3])
        return f"did you mean {listed}?"
    return "`grade list` shows all exercises"
