"""How a course is found, and what an exercise may be called."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from grader import course as module
from grader.course import Course, default_submission, find_course
from grader.error import BrokenExercise, NoCourse, UnknownExercise, UsageError
from grader.exercise import load_exercise
from grader.submission import read_submission
from tests.build import FILES, make_exercise

IDS = ["exercise-01-hello-kitchen", "exercise-03-one-dish", "exercise-10-one-page", "exercise-31-Crème", "warm-up"]


@pytest.fixture
def course(tmp_path: Path) -> Course:
    for id in IDS:
        (tmp_path / "exercises" / id).mkdir(parents=True)
        (tmp_path / "exercises" / id / "exercise.toml").write_text("not even read")
    (tmp_path / "exercises" / "exercise-04-no-toml").mkdir()
    (tmp_path / "exercises" / ".hidden").mkdir()
    (tmp_path / "exercises" / ".hidden" / "exercise.toml").write_text("")
    (tmp_path / "exercises" / "notes.md").write_text("")
    return Course(root=tmp_path)


def refusal(course: Course, name: str) -> UnknownExercise:
    with pytest.raises(UnknownExercise) as caught:
        course.resolve(name)
    return caught.value


def test_a_course_is_found_from_any_folder_in_it(tmp_path: Path, course: Course) -> None:
    """The nearest folder above that has exercises is the course."""
    inside = tmp_path / "exercises" / IDS[0] / "solution"
    inside.mkdir()

    for start in (tmp_path, tmp_path / "exercises", inside, tmp_path / "not" / "there"):
        assert find_course(start) == course
    assert course.state == tmp_path / ".grade"
    assert not course.state.exists()


def test_a_course_may_have_spaces_and_other_letters_in_its_path(tmp_path: Path) -> None:
    """A path is only a path."""
    root = tmp_path / "Küche der Welt 世界"
    make_exercise(root)

    assert find_course(root).load("3").id == "exercise-03-one-dish"


def test_a_folder_named_exercises_alone_makes_no_course(tmp_path: Path) -> None:
    """Without an `exercise.toml` in it, a folder of that name is passed by; the remedy is told."""
    (tmp_path / "exercises" / "mine").mkdir(parents=True)

    with pytest.raises(NoCourse, match="no course in ") as caught:
        find_course(tmp_path)
    assert "--course" in caught.value.hint


def test_a_course_that_was_named_is_taken_or_refused(tmp_path: Path, course: Course) -> None:
    """What was named explicitly is never replaced by what lies above it."""
    assert find_course(Path("/"), explicit=tmp_path) == course
    for path, words in [
        (tmp_path / "exercises", "is no course"),
        (tmp_path / "exercises" / IDS[0], "it has no `exercises/*/exercise.toml`"),
        (tmp_path / "gone", "there is no such folder"),
    ]:
        with pytest.raises(NoCourse) as caught:
            find_course(tmp_path, explicit=path)
        assert words in caught.value.message
        assert caught.value.hint
    assert caught.value.exit_code == 2


def test_a_removed_current_folder_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell can stand in a folder that is gone."""
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()

    with pytest.raises(NoCourse, match="was removed"):
        find_course(Path("."))


def test_exercises_are_listed_by_name_without_being_read(course: Course) -> None:
    """The list tells number and slug from the folder's name alone; what isn't an exercise isn't in it."""
    listed = course.exercises()

    assert [entry.id for entry in listed] == IDS
    assert [(entry.number, entry.slug) for entry in listed] == [
        (1, "hello-kitchen"),
        (3, "one-dish"),
        (10, "one-page"),
        (31, "Crème"),
        (None, "warm-up"),
    ]


@pytest.mark.parametrize(
    "name",
    [
        "exercise-03-one-dish",
        "exercise-03",
        "exercise-3",
        "03",
        "3",
        "003",
        "one-dish",
        "one-d",
        "03-one",
        "EXERCISE-03",
        "One-Dish",
        "exercise-03-one-dish/",
        " 03 ",
        "exercises/exercise-03-one-dish/",
        "./exercises/03",
    ],
)
def test_an_exercise_has_many_names(course: Course, name: str) -> None:
    """The folder's name, its number, its slug and the beginnings that only it has, in any case."""
    assert course.resolve(name) == course.root / "exercises" / "exercise-03-one-dish"


def test_a_path_to_the_folder_is_a_name(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """Absolute, relative from anywhere, and the current folder itself."""
    folder = course.root / "exercises" / "exercise-03-one-dish"
    assert course.resolve(str(folder)) == folder
    monkeypatch.chdir(folder)
    assert course.resolve(".") == folder
    assert course.resolve("../exercise-10-one-page").name == "exercise-10-one-page"


def test_a_number_goes_before_a_beginning(course: Course) -> None:
    """`1` is number 1, though 10 begins with it; a whole slug goes before the beginning of another."""
    assert course.resolve("1").name == "exercise-01-hello-kitchen"
    assert course.resolve("exercise-1").name == "exercise-01-hello-kitchen"
    assert course.resolve("warm-up").name == "warm-up"
    make_exercise(course.root, id="exercise-40-one")
    assert course.resolve("one").name == "exercise-40-one"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("exercise-30", "exercise-03-one-dish"),
        ("30", "exercise-03-one-dish"),
        ("one-dihs", "exercise-03-one-dish"),
        ("exercise-03-one-dihs", "exercise-03-one-dish"),
        ("kitchen", "exercise-01-hello-kitchen"),
        ("warmup", "warm-up"),
        ("creme", "exercise-31-Crème"),
    ],
)
def test_what_was_meant_is_suggested(course: Course, name: str, meant: str) -> None:
    """A mistyped name is answered with the one that is close to it."""
    refused = refusal(course, name)

    assert refused.message == f"no exercise named `{name}` in `exercises/`"
    assert refused.hint == f"did you mean `{meant}`?"


@pytest.mark.parametrize("name", ["99", "zzz", "", "/", "..", "a\0b", "elsewhere/exercise-03-one-dish", "x" * 5000])
def test_a_name_close_to_none_leads_to_the_list(course: Course, name: str) -> None:
    """Where nothing is close, the hint is the list."""
    refused = refusal(course, name)

    assert refused.message.startswith("no exercise named `")
    assert refused.hint == "`grade list` shows all exercises"
    assert len(refused.message) < 200


def test_an_ambiguous_name_lists_those_meant(course: Course) -> None:
    """A beginning that several have names them."""
    refused = refusal(course, "one-")

    assert refused.message == (
        "`one-` is the beginning of more than one exercise: `exercise-03-one-dish` and `exercise-10-one-page`"
    )
    assert refused.exit_code == 2


def test_two_folders_with_one_number_are_both_named(course: Course) -> None:
    """By number, neither is chosen; by name, each is found."""
    make_exercise(course.root, id="exercise-3-two")

    for name in ("3", "03", "exercise-03"):
        refused = refusal(course, name)
        assert refused.message == (
            f"`{name}` is more than one exercise: `exercise-03-one-dish` and `exercise-3-two` have the same number"
        )
        assert "another number" in refused.hint
    assert course.resolve("two").name == "exercise-3-two"


def test_an_exercise_is_loaded_by_its_name(tmp_path: Path) -> None:
    """`load` is finding and reading in one."""
    make_exercise(tmp_path)

    assert Course(root=tmp_path).load("one-dish").title == "Find one dish"


def test_the_first_time_a_solution_is_made_from_the_starter(tmp_path: Path) -> None:
    """The copy has the starter's files, what may be run stays so, and it is said that it was made now."""
    script = {"starter/run.sh": "#!/bin/sh\n", "starter/pages/a.html": "<p>"}
    exercise = load_exercise(make_exercise(tmp_path, files=script))
    (exercise.folder / "starter/run.sh").chmod(0o755)

    path, is_new = default_submission(exercise)

    assert (path, is_new) == (exercise.folder / "solution", True)
    assert read_submission(path).files == exercise.files_of("starter")
    assert os.access(path / "run.sh", os.X_OK)
    assert os.stat(path / "pages/a.html").st_mode & 0o111 == 0
    assert not list(exercise.folder.glob(".*"))


def test_a_solution_that_is_there_is_never_touched(tmp_path: Path) -> None:
    """The learner's work is the learner's, even an empty folder or a link that leads nowhere."""
    exercise = load_exercise(make_exercise(tmp_path))
    path, _ = default_submission(exercise)
    (path / "app.py").write_text("mine")

    assert default_submission(exercise) == (path, False)
    assert (path / "app.py").read_text() == "mine"

    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "nowhere")
    assert default_submission(exercise) == (path, False)


def test_two_at_once_make_one_solution(tmp_path: Path) -> None:
    """Whoever comes second takes what the first made; nobody sees half of it."""
    exercise = load_exercise(make_exercise(tmp_path, files={f"starter/{n}.py": "x" for n in range(50)}))
    results: list[tuple[bool, int]] = []
    start = threading.Barrier(6)

    def make() -> None:
        start.wait()
        path, is_new = default_submission(exercise)
        results.append((is_new, len(list(path.iterdir()))))

    threads = [threading.Thread(target=make) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(results) == [(False, 51)] * 5 + [(True, 51)]
    assert not list(exercise.folder.glob(".solution-*"))


def test_what_a_killed_run_left_is_swept(tmp_path: Path) -> None:
    """A half-made copy that is old goes; a young one may be another run's."""
    exercise = load_exercise(make_exercise(tmp_path))
    for name, age_s in (("old", 3600), ("young", 1)):
        half = exercise.folder / f".solution-{name}"
        half.mkdir()
        (half / "app.py").write_text("")
        os.utime(half, (time.time() - age_s,) * 2)

    default_submission(exercise)

    assert [each.name for each in exercise.folder.glob(".solution-*")] == [".solution-young"]


def test_a_course_that_can_not_be_written_gives_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a read-only course, the learner is told how to grade a folder elsewhere; nothing is left behind."""
    exercise = load_exercise(make_exercise(tmp_path))

    def read_only(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(module, "_write", read_only)  # the tests may run as root, whom permissions don't stop

    with pytest.raises(UsageError, match="from the starter: read-only file system") as caught:
        default_submission(exercise)
    assert caught.value.hint == "copy `starter/` to a folder of yours and give it: `grade exercise-03-one-dish FOLDER`"
    assert {each.name.split("/")[0] for each in exercise.folder.iterdir()} == {
        "exercise.toml",
        *(name.split("/")[0] for name in FILES),
    }


def test_a_starter_that_would_be_refused_is_the_exercises_fault(tmp_path: Path) -> None:
    """A link in the starter is told as the exercise's problem, not as the learner's."""
    exercise = load_exercise(make_exercise(tmp_path))
    (exercise.folder / "starter/link").symlink_to("/etc")

    with pytest.raises(BrokenExercise, match="exercise-03-one-dish/starter: `link` is a symbolic link"):
        default_submission(exercise)
