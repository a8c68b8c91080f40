"""What is found in an exercise's folder without running anything."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.verify.cache import digest_of_folder
from grader.verify.structure import clashes, examine, exercise_folders
from tests.verify.conftest import REFERENCE, Edit, make, swap, write

FOLDER = "exercise-04-late-fee"


def found_in(folder: Path) -> list[tuple[str, str, str]]:
    return [(finding.where, finding.text, finding.remedy) for finding in examine(folder).findings]


def test_a_sound_folder_has_nothing_to_say(tmp_path: Path) -> None:
    """Neither caches nor the learner's own solution are a part of it."""
    folder = make(tmp_path)
    write(folder / "solution/fees.py", "AUTHOR: not the author's")
    write(folder / "tests/__pycache__/test_fees.pyc", "")

    assert found_in(folder) == []
    assert examine(folder).exercise is not None


CASES: dict[str, tuple[dict[str, Edit], str, str, str]] = {
    "no exercise.toml": ({"exercise_toml": None}, f"{FOLDER}/exercise.toml", "is missing", "doesn't belong in"),
    "bad TOML": ({"exercise_toml": swap("points = 1", "points = ")}, f"{FOLDER}/exercise.toml:21", "TOML", "toml.io"),
    "a misspelled key": (
        {"exercise_toml": swap("minutes", "minuets")},
        f"{FOLDER}/exercise.toml:6",
        "unknown key `minuets`",
        "write `minutes`",
    ),
    "a misspelled key beside the right one": (
        {"exercise_toml": swap("minutes = 10", "minutes = 10\nminuets = 20")},
        f"{FOLDER}/exercise.toml:7",
        "unknown key `minuets`; did you mean `minutes`, which is there already?",
        "take one of the two out",
    ),
    "a mutant that names no test": (
        {"exercise_toml": swap('fails = ["test_grace"]', 'fails = ["test_graces"]')},
        f"{FOLDER}/exercise.toml:27",
        "names an unknown test",
        "write `test_grace`",
    ),
    "two hints": (
        {"exercise_toml": swap('"Where is the name?", ', "")},
        f"{FOLDER}/exercise.toml:22",
        "three hints",
        "write all three: where to look",
    ),
    "points that don't add up": (
        {"exercise_toml": swap("points = 3", "points = 4")},
        f"{FOLDER}/exercise.toml:15",
        "its tests together have 3",
        "write `points = 3`, or change the points of its tests",
    ),
    "a task without a test": (
        {"tests_test_fees_py": swap('"names", points=1', '"fee", points=1')},
        f"{FOLDER}/exercise.toml:18",
        "task `names` has no test",
        "mark a test as one of `names`",
    ),
    "limits that contradict": (
        {"exercise_toml": swap("[function]", "[limits]\ntest_s = 90\nwall_s = 20\n\n[function]")},
        f"{FOLDER}/exercise.toml:10",
        "`test_s` is 90, more than `wall_s`",
        "raise `wall_s`, or lower `test_s`",
    ),
    "a mutant without its folder": (
        {"mutants/flat": None},
        f"{FOLDER}/exercise.toml:31",
        "has no folder `mutants/flat/`",
        "make `mutants/flat/` with the files that differ",
    ),
    "a mutant that nothing catches": (
        {"exercise_toml": swap('fails = ["test_fee"]', "fails = []")},
        f"{FOLDER}/exercise.toml:33",
        "must catch it",
        "name at least one test that fails with this mutant",
    ),
    "a need of an unknown test": (
        {"tests_test_fees_py": swap("def test_grace", '@pytest.mark.needs("test_nothing_like_it")\ndef test_grace')},
        f"{FOLDER}/tests/test_fees.py:13",
        "needs an unknown test",
        "name a test above it",
    ),
    "a test with parameters": (
        {"tests_test_fees_py": swap("def test_grace", '@pytest.mark.parametrize("x", [1])\ndef test_grace')},
        f"{FOLDER}/tests/test_fees.py:13",
        "can't be parametrized",
        "loop inside the test",
    ),
    "a test without a docstring": (
        {"tests_test_fees_py": swap('    """A member is greeted by name."""\n', "")},
        f"{FOLDER}/tests/test_fees.py:21",
        "has no docstring",
        "the sentence that the learner reads",
    ),
    "no tests": ({"tests": None}, f"{FOLDER}/tests/", "is missing", "a hidden test is"),
    "a test that is no Python": (
        {"tests_test_fees_py": swap("def test_grace(call):", "def test_grace(call)")},
        f"{FOLDER}/tests/test_fees.py:13",
        "isn't valid Python",
        "that Python can read",
    ),
    "no starter": ({"starter": None}, f"{FOLDER}/starter/", "is missing", "put what the learner begins with there"),
    "no reference": ({"reference": None}, f"{FOLDER}/reference/", "is missing", "earns every point"),
    "no README": ({"README_md": None}, f"{FOLDER}/README.md", "is missing", "write it"),
    "no notes": ({"notes_md": None}, f"{FOLDER}/notes.md", "is missing", "out of scope"),
    "another title": (
        {"README_md": swap("# Work out the late fee", "# The late fee")},
        f"{FOLDER}/README.md:1",
        "its title isn't the one in exercise.toml",
        "its first line is `# Work out the late fee`",
    ),
    "code before the story": (
        {"README_md": swap("The library lends", "```\nfee(3)\n```\n\nThe library lends")},
        f"{FOLDER}/README.md:3",
        "has code before the story is told",
        "tell the story first",
    ),
    "no story": (
        {"README_md": lambda text: text[: text.index("The library")] + text[text.index("## 1.") :]},
        f"{FOLDER}/README.md:3",
        "has no story",
        "who needs what",
    ),
    "a heading in other words": (
        {"README_md": swap("## 2. Greet the member", "## 2. Greeting")},
        f"{FOLDER}/README.md:9",
        "the heading isn't that of task 2",
        "write `## 2. Greet the member`",
    ),
    "a task without a heading": (
        {"README_md": swap("## 2. Greet the member\n", "")},
        f"{FOLDER}/README.md",
        "task 2 has no heading",
        "write `## 2. Greet the member`",
    ),
    "a heading without a task": (
        {"README_md": swap("## How", "## 3. Rest\n\n## How")},
        f"{FOLDER}/README.md:13",
        "`## 3. Rest` belongs to no task",
        "remove it",
    ),
    "no word on the tests": (
        {"README_md": swap("## How it will be tested", "## Tests")},
        f"{FOLDER}/README.md",
        "has no `## How it will be tested`",
        "one bullet a test",
    ),
    "a test without a bullet": (
        {"README_md": swap("- A member is greeted by name.\n", "")},
        f"{FOLDER}/tests/test_fees.py:21",
        "`test_greeting` promises what no bullet of the README says",
        "add `- A member is greeted by name.`",
    ),
    "a bullet that is not word for word": (
        {"README_md": swap("greeted by name.", "greeted by their name.")},
        f"{FOLDER}/README.md:17",
        "no test has this sentence",
        "word for word it is `- A member is greeted by name.`",
    ),
    "a title that is no sentence": (
        {
            "tests_test_fees_py": swap("A member is greeted by name.", "greets the member"),
            "README_md": swap("A member is greeted by name.", "greets the member"),
        },
        f"{FOLDER}/tests/test_fees.py:21",
        "the title of `test_greeting` is no sentence",
        "end it with a full stop",
    ),
    "a sentence twice": (
        {
            "tests_test_fees_py": swap("A member is greeted by name.", "A late return costs ten cents for every day."),
            "README_md": swap("- A member is greeted by name.\n", ""),
        },
        f"{FOLDER}/tests/test_fees.py:21",
        "`test_greeting` has the sentence that `test_fee` has",
        "say what this test adds",
    ),
    "a stray file": ({"todo.txt": "later"}, f"{FOLDER}/todo.txt", "is no part of an exercise", "remove it"),
    "a backup": ({"tests/test_fees.py~": "x"}, f"{FOLDER}/tests/test_fees.py~", "left behind by a tool", "remove it"),
    "a mutant that is the reference": (
        {"mutants_flat_fees_py": REFERENCE},
        f"{FOLDER}/mutants/flat/",
        "is the reference itself",
        "change what makes it another answer",
    ),
    "a mutant that is no Python": (
        {"mutants_flat_fees_py": swap("def fee(days):", "def fee(days)")},
        f"{FOLDER}/mutants/flat/fees.py:6",
        "it never runs, so it proves nothing",
        "wrong in what it answers only",
    ),
    "an alternative that is no Python": (
        {"alternatives_one_line_fees_py": swap("def fee(days):", "def fee(days)")},
        f"{FOLDER}/alternatives/one-line/fees.py:6",
        "isn't valid Python",
        "correct it",
    ),
    "a mutant with a file too many": (
        {"mutants/flat/notes.txt": "n", "reference/notes.txt": "n", "starter/notes.txt": "n"},
        f"{FOLDER}/mutants/flat/notes.txt",
        "is equal to the reference's",
        "remove it",
    ),
    "a starter without TODO": (
        {"starter_fees_py": lambda text: text.replace("TODO", "later")},
        f"{FOLDER}/starter/",
        "has no TODO",
        "write `TODO`",
    ),
    "something left to write": (
        {"notes_md": "AUTHOR: say what is out of scope.\n"},
        f"{FOLDER}/notes.md:1",
        "is still to be written: say what is out of scope",
        "remove `AUTHOR:`",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_each_fault_is_named_with_folder_file_line_and_remedy(case: str, tmp_path: Path) -> None:
    """Every finding says where, what and what to do."""
    edits, where, text, remedy = CASES[case]

    found = found_in(make(tmp_path, **edits))

    assert any(w == where and text in t and remedy in r for w, t, r in found), found
    assert all(each[2] for each in found), found


def test_a_file_that_is_not_utf_8_is_to_be_saved_as_such(tmp_path: Path) -> None:
    """There is nothing to write anew in it."""
    folder = make(tmp_path)
    (folder / "README.md").write_bytes(b"# caf\xe9\n")

    assert (f"{FOLDER}/README.md:1", "isn't UTF-8: save it as UTF-8") in [each[:2] for each in found_in(folder)]
    assert all("UTF-8" in remedy for where, _, remedy in found_in(folder) if "README" in where)


def test_everything_is_told_at_once(tmp_path: Path) -> None:
    """A folder that can't be loaded still has its README held against what can be read of it."""
    folder = make(
        tmp_path,
        exercise_toml=swap("minutes = 10", "minutes = true"),
        README_md=swap("## 2. Greet the member", "## 2. Greeting"),
        notes_md=None,
    )

    places = {where for where, _, _ in found_in(folder)}

    assert places >= {f"{FOLDER}/exercise.toml:6", f"{FOLDER}/README.md:9", f"{FOLDER}/notes.md"}


def test_a_bullet_may_go_on_in_the_next_line(tmp_path: Path) -> None:
    """Long sentences are wrapped."""
    folder = make(tmp_path, README_md=swap("- A member is greeted by name.", "- A member is\n  greeted by name."))

    assert found_in(folder) == []


def test_exercises_with_one_number_slug_or_title_are_told_of_each_other(tmp_path: Path) -> None:
    """Each of the two is named, and a free number."""
    make(tmp_path)
    make(tmp_path, id="exercise-04-other-fee")
    make(tmp_path, id="exercise-05-late-fee", exercise_toml=swap("Work out the late fee", "Another"))
    (tmp_path / "exercises" / "exercise-06-empty").mkdir()

    found = clashes(exercise_folders(tmp_path))

    told = {name: [finding.text for finding in findings] for name, findings in found.items()}
    assert told["exercise-04-late-fee"] == [
        "has the number 4, as `exercise-04-other-fee` has",
        "has the slug `late-fee`, as `exercise-05-late-fee` has",
        "has the title that `exercise-04-other-fee` has",
        "teaches `rules`, as `exercise-04-other-fee` and `exercise-05-late-fee` do",
    ]
    assert "exercise-06-empty" not in told
    assert found["exercise-04-other-fee"][0].remedy == "give one of them another number; 07 is free"


def test_needs_that_nobody_teaches_or_that_go_in_a_circle_are_told(tmp_path: Path) -> None:
    """A learner could unlock none of these exercises."""

    def head(teaches: str, *needs: str) -> Edit:
        listed = ", ".join(f'"{need}"' for need in needs)
        return swap('teaches = "rules"', f'teaches = "{teaches}"\nneeds = [{listed}]')

    make(tmp_path, id="exercise-01-a", exercise_toml=head("a", "c"))
    make(tmp_path, id="exercise-02-b", exercise_toml=head("b", "a"))
    make(tmp_path, id="exercise-03-c", exercise_toml=head("c", "b", "magic"))
    make(tmp_path, id="exercise-04-d", exercise_toml=head("d", "c"))

    found = clashes(exercise_folders(tmp_path))

    told = {name: [(each.where, each.text) for each in findings] for name, findings in found.items()}
    circle = "`needs` goes in a circle, so nobody can unlock it: "
    way = "`exercise-03-c` -> `exercise-02-b` -> `exercise-01-a` -> `exercise-03-c`"
    assert ("exercise-03-c/exercise.toml:8", circle + way) in told["exercise-03-c"]
    unknown = ("exercise-03-c/exercise.toml:8", "`needs` names `magic`, which no exercise teaches")
    assert unknown in told["exercise-03-c"]
    assert any(circle in text for _, text in told["exercise-01-a"])
    assert not any("needs" in text for _, text in told["exercise-04-d"])


@pytest.fixture
def in_time() -> Iterator[None]:
    """Fail where a test waits for ever."""

    def fail(*_: object) -> None:
        raise AssertionError("it waits for somebody who writes")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(10)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("in_time")
@pytest.mark.parametrize(
    "place",
    [
        "exercise.toml",
        "README.md",
        "notes.md",
        "old",
        "tests/test_fees.py",
        "starter/pipe",
        "reference/pipe",
        "mutants/flat/pipe",
    ],
)
def test_a_pipe_in_the_folder_is_named_and_nobody_waits_for_it(place: str, tmp_path: Path) -> None:
    """Who opens one waits until somebody writes into it, which is for ever."""
    folder = make(tmp_path)
    (folder / place).unlink(missing_ok=True)
    os.mkfifo(folder / place)

    digest_of_folder(folder)
    clashes(exercise_folders(tmp_path))
    told = [f"{where} {text}" for where, text, _ in found_in(folder)]

    assert any("is a pipe" in each and place.rpartition("/")[2] in each for each in told), told
