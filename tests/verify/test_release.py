"""`grade release`: what learners get, and the search for what they must not get."""

from __future__ import annotations

import json
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from grader.course import Course, default_submission, find_course, home_of
from grader.error import BrokenExercise, NoCourse, NoHiddenTests, UsageError
from grader.exercise import load_exercise
from grader.verify.release import HiddenInPack, release
from grader.verify.structure import examine
from grader.verify.unpack import unpacked_course
from tests.verify.conftest import ID, REFERENCE, TESTS, make, swap, write


def contents(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text("utf-8") for path in folder.rglob("*") if path.is_file()}


def test_a_pack_holds_what_learners_work_with_and_nothing_hidden(tmp_path: Path) -> None:
    """README, starter and a description without tests' names, mutants and alternatives."""
    make(tmp_path / "course")

    pack = release(tmp_path / "course", tmp_path / "pack", hints=1)

    files = contents(tmp_path / "pack")
    assert set(files) == {
        "README.md", "manifest.json",
        f"exercises/{ID}/README.md", f"exercises/{ID}/exercise.toml", f"exercises/{ID}/starter/fees.py",
    }  # fmt: skip
    assert pack.files == len(files)
    together = "\n".join(files.values())
    for hidden in ("test_grace", "no-grace", "one-line", "days <= GRACE", "Which idea", "A condition chooses"):
        assert hidden not in together
    document = tomllib.loads(files[f"exercises/{ID}/exercise.toml"])
    assert document["tasks"][0]["hints"] == ["Which days count?"]
    assert document["title"] == "Work out the late fee"


def test_the_manifest_has_digests_and_not_the_one_that_seeds_are_drawn_from(tmp_path: Path) -> None:
    """Who knows an exercise's digest could work out the hidden data of a grading."""
    folder = make(tmp_path / "course")
    release(tmp_path / "course", tmp_path / "pack")

    text = (tmp_path / "pack" / "manifest.json").read_text()
    manifest = json.loads(text)
    assert manifest["kind"] == "learners-pack"
    assert set(manifest["exercises"][0]["files"]) == {
        f"exercises/{ID}/{name}" for name in ("README.md", "exercise.toml", "starter/fees.py")
    }
    assert load_exercise(folder).digest not in text


@pytest.mark.parametrize(
    ("place", "content"),
    [
        ("starter/old_tests.py", TESTS),
        ("exercise.toml", "reference"),
        ("README.md", TESTS),
    ],
)
def test_hidden_lines_are_found_by_content_wherever_they_are(place: str, content: str, tmp_path: Path) -> None:
    """A copied test under another name, a hint that is the solution; nothing is written then."""
    folder = make(tmp_path / "course", mutants_flat_fees_py=swap("return 990", "return 990 if days > GRACE else -7"))
    if place == "exercise.toml":
        toml = (folder / place).read_text().replace('"Which days count?"', '"return 990 if days > GRACE else -7"')
        write(folder / place, toml)
    else:
        existing = (folder / place).read_text() if (folder / place).exists() else ""
        write(folder / place, existing + "\n" + content)

    with pytest.raises(HiddenInPack) as raised:
        release(tmp_path / "course", tmp_path / "pack")

    assert f"exercises/{ID}/{place}:" in raised.value.message
    assert not (tmp_path / "pack").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["course"]


@pytest.mark.parametrize(
    ("place", "added"),
    [
        ("starter/fees.py", "".join(f"# {line}\n" for line in REFERENCE.splitlines())),
        ("starter/fees.py", '"""\n    return f"Hello, {name}"\n"""\n'),
        ("starter/fees.py", REFERENCE),
        ("starter/old.py", REFERENCE),
        ("README.md", f"```\n{REFERENCE}```\n"),
        ("README.md", "Out of scope: holidays and lost books.\n"),
    ],
)
def test_a_solution_in_what_learners_see_does_not_excuse_itself(place: str, added: str, tmp_path: Path) -> None:
    """Commented out, in a text, as a file of its own; and what authors tell one another. `verify` names it, too."""
    folder = make(tmp_path / "course")
    path = folder / place
    before = path.read_text() if path.exists() else ""
    write(path, before + added)

    with pytest.raises(HiddenInPack) as raised:
        release(tmp_path / "course", tmp_path / "pack")

    assert f"exercises/{ID}/{place}:" in raised.value.message
    assert any(finding.where.startswith(f"{ID}/{place}:") for finding in examine(folder).findings)


def test_a_hint_is_not_excused_by_a_starter_that_gives_the_solution_away(tmp_path: Path) -> None:
    """Both are named at once."""
    line = "return days * 10 if days > GRACE else 0"
    folder = make(
        tmp_path / "course",
        exercise_toml=swap('"Where is the name?"', f"'{line}'"),
        starter_fees_py=lambda text: text + f"# {line}\n",
    )

    with pytest.raises(HiddenInPack) as raised:
        release(tmp_path / "course", tmp_path / "pack")

    assert f"exercises/{folder.name}/exercise.toml:" in raised.value.message
    assert f"exercises/{folder.name}/starter/fees.py:" in raised.value.message


def test_what_a_later_starter_begins_with_is_no_secret(tmp_path: Path) -> None:
    """Each kata can be done alone, so a starter may hold an earlier answer."""
    make(tmp_path / "course")
    later = swap("Work out", "Compute")
    make(
        tmp_path / "course",
        id="exercise-05-later",
        exercise_toml=later,
        README_md=later,
        starter_fees_py=REFERENCE + "# TODO\n",
        reference_fees_py=lambda text: text.replace('f"Hello, {name}"', '", ".join(["Hello", name])'),
    )

    assert len(release(tmp_path / "course", tmp_path / "pack").exercises) == 2


def test_a_pack_is_never_written_over_something(tmp_path: Path) -> None:
    """A learner may have worked there."""
    make(tmp_path / "course")
    write(tmp_path / "pack" / "solution.py", "mine")

    with pytest.raises(UsageError, match="is not empty"):
        release(tmp_path / "course", tmp_path / "pack")
    with pytest.raises(UsageError, match="among the exercises"):
        release(tmp_path / "course", tmp_path / "course" / "exercises" / "pack")


def test_a_course_that_is_not_sound_is_not_released(tmp_path: Path) -> None:
    """All of its problems are told."""
    make(tmp_path / "course", README_md=None)
    make(tmp_path / "course", id="exercise-05-b", starter=None)

    with pytest.raises(BrokenExercise) as raised:
        release(tmp_path / "course", tmp_path / "pack")

    assert len(raised.value.problems) == 2


def test_a_pack_alone_says_that_the_hidden_tests_are_elsewhere(tmp_path: Path) -> None:
    """And how to name the course that has them."""
    make(tmp_path / "course")
    release(tmp_path / "course", tmp_path / "pack")

    with pytest.raises(NoHiddenTests) as raised:
        find_course(tmp_path / "pack").load("4")

    assert "the hidden tests of `exercise-04-late-fee` are not here" in raised.value.message
    assert "--course FOLDER-OR-ARCHIVE" in raised.value.hint


def test_a_broken_exercise_of_a_course_is_no_pack(tmp_path: Path) -> None:
    """Without the manifest, missing tests are the exercise's fault."""
    folder = make(tmp_path / "course", tests=None)

    with pytest.raises(BrokenExercise):
        load_exercise(folder)


def test_a_solution_in_a_pack_is_found_and_made_there(tmp_path: Path) -> None:
    """Graded against the course, kept with the learner."""
    make(tmp_path / "course")
    release(tmp_path / "course", tmp_path / "pack")
    course = Course(root=tmp_path / "course")
    inner = tmp_path / "pack" / "exercises" / ID / "starter"

    assert home_of(course, inner).root == tmp_path / "pack"
    assert home_of(course, tmp_path / "course" / "exercises").root == tmp_path / "course"
    assert home_of(course, tmp_path).root == tmp_path / "course"
    assert default_submission(course.load("4"))[0].is_relative_to(tmp_path / "course")


@pytest.mark.parametrize("kind", ["course.tar.gz", "course.zip"])
def test_a_course_may_be_an_archive(kind: str, tmp_path: Path) -> None:
    """With or without a folder around it; it is gone afterwards."""
    make(tmp_path / "course")
    archive = tmp_path / kind
    if kind.endswith(".zip"):
        with zipfile.ZipFile(archive, "w") as zipped:
            for path in sorted((tmp_path / "course").rglob("*")):
                zipped.write(path, path.relative_to(tmp_path / "course"))
    else:
        with tarfile.open(archive, "w:gz") as tarred:
            tarred.add(tmp_path / "course", "course-2026")

    with unpacked_course(archive) as root:
        assert Course(root=root).load("late-fee").title == "Work out the late fee"
    assert not root.exists()


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x05\x06" + bytes(18)])
def test_what_holds_no_course_is_said(content: bytes, tmp_path: Path) -> None:
    """Broken, empty, or something else."""
    archive = tmp_path / "course.zip"
    archive.write_bytes(content)

    with pytest.raises(NoCourse), unpacked_course(archive):
        raise AssertionError("it held none")
