"""`grade`, `grade list` and `grade next`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from grader.render.plain import width_of
from grader.report import Report
from tests.cli.conftest import FIRST, SECOND, THIRD, Invoke

Record = Callable[..., Report]


def test_a_new_course_welcomes_and_says_the_first_command(invoke: Invoke, course: Path) -> None:
    """Nothing was graded yet: a few lines, and what to type."""
    ended = invoke()

    assert ended.code == 0
    assert ended.out.startswith("Welcome.\nThis course has 3 exercises, about 1 hour of practice in all.")
    assert "grade show exercise-01 " in ended.out
    assert len(ended.out.splitlines()) < 15
    assert not (course / ".grade").exists()


def test_the_overview_counts_the_course_and_each_track(invoke: Invoke, record: Record) -> None:
    """Exercises passed, points, days, tracks, and what to go on with."""
    record(FIRST, "4.5", day=1)
    record(SECOND, "3", day=2)

    lines = invoke("overview").out.splitlines()

    assert lines[0].endswith("  1 of 3 exercises")
    assert lines[1] == "7.5 of 13.5 points, practised on 2 days"
    assert [line.split()[0] for line in lines[3:5]] == ["routing/APIs", "databases/queries"]
    assert lines[3].endswith("1 of 2  7.5/9 points")
    assert "Continue with: exercise-03, “Find one dish”" in lines
    assert "difficulty 1 of 10, 10 minutes; 3 of 4.5 points after 1 try" in lines
    assert "  grade hint exercise-03   a hint; hints are free" in lines
    assert invoke().out.splitlines() == lines


def test_a_finished_course_says_so(invoke: Invoke, record: Record) -> None:
    """Everything passed: what can still be done is named."""
    for exercise in (FIRST, SECOND, THIRD):
        record(exercise, "4.5")

    assert "You have passed every exercise of the course." in invoke().out
    assert "You have passed every exercise of the course." in invoke("next").out


def test_next_names_the_exercise_to_go_on_with(invoke: Invoke, record: Record) -> None:
    """The first one at first; after a pass the one that it unlocks."""
    assert invoke("next").out.startswith("Next: exercise-01, “Say hello”\ndifficulty 1 of 10, 5 minutes\n")
    record(FIRST, "4.5")
    assert invoke("next").out.startswith("Next: exercise-03, “Find one dish”\n")


def test_the_list_shows_state_points_level_and_minutes(invoke: Invoke, record: Record) -> None:
    """A line for each exercise, in the order of the course."""
    record(FIRST, "4.5")
    record(SECOND, "1")

    lines = invoke("list").out.splitlines()

    assert [line.split()[:6] for line in lines[1:4]] == [
        ["✓", "01-hello", "passed", "4.5/4.5", "1", "5"],
        ["…", "03-one-dish", "started", "1/4.5", "1", "10"],
        ["-", "07-cabinet", "locked", "0/4.5", "1", "45"],
    ]
    assert lines[5] == "3 exercises: 1 passed, 1 started and 1 locked; 5.5 of 13.5 points"
    assert "Locked ones wait for `path-parameters`" in lines[6]


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["--track", "rout"], ["01-hello", "03-one-dish"]),
        (["--track", "DATABASES/QUERIES"], ["07-cabinet"]),
        (["--concept", "path-parameters"], ["03-one-dish", "07-cabinet"]),
        (["--concept", "orm"], ["07-cabinet"]),
        (["--state", "locked"], ["03-one-dish", "07-cabinet"]),
        (["--state", "open", "--all"], ["01-hello", "03-one-dish", "07-cabinet"]),
        (["--state", "open", "--track", "routing"], ["01-hello"]),
    ],
)
def test_the_list_can_be_narrowed(invoke: Invoke, arguments: list[str], names: list[str]) -> None:
    """By track, concept and state, one or several."""
    lines = invoke("list", *arguments).out.splitlines()[1:]
    listed = [line[2:].split()[0] for line in lines[: lines.index("")]]

    assert listed == names


def test_a_setting_unlocks_everything(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    """GRADE_UNLOCK_ALL does what `--all` does; 0 leaves the locks."""
    monkeypatch.setenv("GRADE_UNLOCK_ALL", "1")
    assert "locked" not in invoke("list").out
    monkeypatch.setenv("GRADE_UNLOCK_ALL", "0")
    assert "locked" in invoke("list").out


def test_a_track_concept_or_state_that_is_not_there_is_suggested(invoke: Invoke) -> None:
    """What was meant is named, and nothing is listed."""
    for arguments, hint in [
        (("--track", "rooting/APIs"), "hint: did you mean `routing/APIs`?"),
        (("--track", "x"), "hint: there are `routing/APIs` and `databases/queries`"),
        (("--concept", "json-respond"), "hint: did you mean `json-response`?"),
        (("--state", "pased"), "hint: did you mean `passed`?"),
    ]:
        ended = invoke("list", *arguments)
        assert (ended.code, ended.out) == (2, "")
        assert hint in ended.err


def test_an_exercise_that_is_broken_is_named_and_the_others_are_shown(invoke: Invoke, course: Path) -> None:
    """A list never fails because of one exercise."""
    (course / "exercises" / SECOND / "exercise.toml").write_text("format = 1\ntitle =\n")

    ended = invoke("list")

    assert ended.code == 0
    assert "01-hello" in ended.out
    assert "03-one-dish" not in ended.out
    assert f"note: {SECOND} is left out: its `exercise.toml` isn't sound; `grade exercise-03` says" in ended.err


@pytest.mark.parametrize("columns", [60, 100])
def test_the_overview_fits_the_terminal(
    invoke: Invoke, record: Record, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    """No line is longer than the terminal is wide, on a new course and later."""
    monkeypatch.setenv("COLUMNS", str(columns))
    outputs = [invoke().out]
    for day in range(1, 20):
        record(SECOND, "4.5" if day % 2 else "1", day=day)
    outputs += [invoke(*each).out for each in ([], ["list"], ["next"], ["history"], ["history", "3"])]

    for output in outputs:
        assert max(width_of(line) for line in output.splitlines()) <= columns


def test_colour_is_there_only_where_it_is_wanted(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    """None in a pipe; FORCE_COLOR brings it, and NO_COLOR is stronger."""
    assert "\x1b" not in invoke("list").out
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[2m" in invoke("list").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in invoke("list").out


def test_what_was_read_of_the_exercises_is_remembered_and_seen_to_change(
    invoke: Invoke, record: Record, course: Path
) -> None:
    """A second list reads no exercise; one that was edited is read again; a damaged memory is made anew."""
    record(FIRST, "1")
    before = invoke("list").out
    memory = course / ".grade" / "outlines.json"
    assert memory.exists()
    assert invoke("list").out == before
    toml = course / "exercises" / THIRD / "exercise.toml"
    toml.write_text(toml.read_text().replace("minutes = 45", "minutes = 145"))
    assert "145 min" in invoke("list").out
    memory.write_bytes(b"{}\xff")
    assert "145 min" in invoke("list").out


def test_a_command_outside_of_a_course_says_where_to_go(invoke: Invoke, tmp_path: Path, course: Path) -> None:
    """Exit code 2; `--course` names it from anywhere."""
    ended = invoke("--course", str(tmp_path / "home"), "list")

    assert ended.code == 2
    assert "is no course" in ended.err
    assert invoke(f"--course={course}", "list").code == 0
