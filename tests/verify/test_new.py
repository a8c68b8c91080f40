"""`grade new`: what it makes is sound as it stands, but for what only the author can write."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from grader.error import UsageError
from grader.sandbox.choose import Choice
from grader.verify.attempt import Runner
from grader.verify.new import KINDS, Kind, new_exercise
from grader.verify.proof import Settings, prove
from grader.verify.structure import MARK, examine
from tests.verify.conftest import make, write


def written(folder: Path) -> None:
    """Do what the author does last: take every mark away."""
    for path in folder.rglob("*"):
        if path.is_file():
            text = path.read_text("utf-8")
            if MARK in text:
                path.write_text(text.replace(f"{MARK} ", ""), "utf-8")


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_exercise_lacks_nothing_but_what_is_marked(kind: Kind, tmp_path: Path) -> None:
    """Every finding is a mark, with file and line; without the marks there is none."""
    (tmp_path / "exercises").mkdir()

    folder = new_exercise(tmp_path, "one-dish", kind)

    examined = examine(folder)
    assert examined.exercise is not None
    assert {finding.point for finding in examined.findings} == {"written"}
    assert all(re.search(r":[0-9]+\Z", finding.where) for finding in examined.findings)
    written(folder)
    assert examine(folder).findings == ()


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_exercise_is_sound_when_it_is_run(kind: Kind, tmp_path: Path, quick: Choice) -> None:
    """Its tests, its reference and its mutant are a working example."""
    (tmp_path / "exercises").mkdir()
    folder = new_exercise(tmp_path, "one-dish", kind)
    written(folder)

    with Runner(quick, 2) as runner:
        found = prove(examine(folder), runner, Settings(seeds=2, is_quick=True, has_hostile=False))

    assert [finding.text for finding in found.findings if finding.point != "time"] == []
    assert found.machine.percent == 100


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_exercise_speaks_of_what_its_kind_is(kind: Kind, tmp_path: Path) -> None:
    """A function gets no request, and each kind says which file is the learner's and how hard it is."""
    folder = new_exercise(tmp_path, "one-dish", kind)
    readme = (folder / "README.md").read_text("utf-8")
    toml = (folder / "exercise.toml").read_text("utf-8")

    assert ("request" in readme) == (kind == "http")
    assert f"`{next((folder / 'starter').iterdir()).name}`" in readme
    assert ('track = "databases/queries"' in toml) == (kind == "query")
    for key in ("track", "difficulty", "minutes", "teaches", "needs"):
        assert re.search(rf"^{key} = ", toml, re.MULTILINE)


def test_the_number_is_the_next_one_and_what_can_be_known_is_taken_from_the_last(tmp_path: Path) -> None:
    """Gaps are left: a number that was used once means something to somebody."""
    make(tmp_path)
    (tmp_path / "exercises" / "exercise-11-begun").mkdir()

    exercise = examine(new_exercise(tmp_path, "two-dishes", "http", "Answer with two dishes.")).exercise

    assert exercise is not None
    assert exercise.id == "exercise-12-two-dishes"
    assert exercise.title == "Answer with two dishes"
    assert exercise.track == "teamwork/contracts"
    assert exercise.needs == ("rules",)


@pytest.mark.parametrize(
    ("slug", "hint"), [("One Dish", "write `one-dish`"), ("late-fee", "give another slug"), ("../out", "write `out`")]
)
def test_a_slug_that_is_none_or_taken_is_refused(slug: str, hint: str, tmp_path: Path) -> None:
    """With what to write instead, and nothing is made."""
    make(tmp_path)
    before = sorted(tmp_path.rglob("*"))

    with pytest.raises(UsageError) as raised:
        new_exercise(tmp_path, slug, "http")

    assert raised.value.hint == hint
    assert sorted(tmp_path.rglob("*")) == before


def test_titles_with_quotes_are_written_as_toml(tmp_path: Path) -> None:
    """Whatever the title holds."""
    write(tmp_path / "exercises" / "readme.txt", "")
    exercise = examine(new_exercise(tmp_path, "quotes", "function", 'Say "hé\\llo"')).exercise

    assert exercise is not None
    assert exercise.title == 'Say "hé\\llo"'
