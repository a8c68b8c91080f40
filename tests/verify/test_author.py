"""The authors' commands as they are typed: what they print, and their exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from grader.cli.main import cli
from grader.error import NoHiddenTests, UsageError
from grader.sandbox.choose import Choice
from grader.store import inbox
from tests.verify.conftest import ID, InProcess, make, swap


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A course around the current folder, whose gradings run in this process."""
    make(tmp_path)
    choice = Choice(InProcess(), "a test asked for it")
    monkeypatch.setattr("grader.sandbox.choose.choose", lambda *_, **__: choice)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    return tmp_path


def grade(*words: str, width: int = 80) -> Result:
    environment = {"COLUMNS": str(width)}
    return CliRunner().invoke(cli, list(words), env=environment, standalone_mode=False)


def test_a_sound_exercise_is_a_row_of_a_table_and_exit_code_0(course: Path) -> None:
    """On a wide terminal with figures, on a narrow one with marks and the kill rate."""
    wide = grade("verify", "4", "--quick", width=120)
    narrow = grade("verify", "4", "--quick")

    assert wide.return_value == 0
    row = wide.stdout.splitlines()[1].split()
    assert row[0] == "04-late-fee"
    assert "100%" in row
    assert "6/6" in row
    for each in (wide, narrow):
        assert each.stdout.splitlines()[0].split() == [
            "exercise", "form", "text", "start", "right", "wrong", "kills", "cheat", "time",
        ]  # fmt: skip
    assert all(len(line) <= 80 for line in narrow.stdout.splitlines())
    assert "1 of 1 exercises are sound" in narrow.stdout
    assert "exercise-04-late-fee: sound" in wide.stderr
    assert "proven before" in narrow.stderr


def test_what_is_wrong_stands_below_the_table_with_its_remedy_and_exit_code_1(course: Path) -> None:
    """Place, fact, remedy; survivors as a diff with an entry to paste."""
    make(course, tests_test_fees_py=swap('    assert call("fee", 3) == 0\n', ""))

    result = grade("verify", "--all", "--quick")

    assert result.return_value == 1
    assert f"{ID}/tests/" in result.stdout
    assert "remedy: write tests for the survivors below" in result.stdout
    assert "no test catches fees.py:8 <= -> <" in result.stdout
    assert "-    if days <= GRACE:" in result.stdout
    assert "write a test, or mark it as equivalent" in result.stdout
    assert "mutant = 'fees.py:8 <= -> <'" in result.stdout


def test_programs_read_json_or_junit(course: Path, tmp_path: Path) -> None:
    """On stdout or in a file; progress is on stderr."""
    make(course, id="exercise-05-worse", reference=None)

    found = json.loads(grade("verify", "--all", "--quick", "--format", "json").stdout)
    assert found["is_sound"] is False
    assert [each["exercise"] for each in found["exercises"]] == [ID, "exercise-05-worse"]
    assert found["exercises"][0]["machine"]["killed"] == found["exercises"][0]["machine"]["run"] > 0

    result = grade("verify", "--all", "--quick", "--format", "junit", "--output", "out.xml")
    suites = ElementTree.fromstring(Path("out.xml").read_bytes())
    assert result.return_value == 1
    assert [suite.get("name") for suite in suites] == [ID, "exercise-05-worse"]
    assert suites[0].get("failures") == "1"  # the title that both have
    assert suites[1].findall("testcase/failure")[0].get("type") == "structure"


def test_a_fault_of_the_grader_is_exit_code_3_and_the_table_is_there(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could be proven is told."""

    def failing(_folder: Path) -> None:
        raise RuntimeError("a hole")

    monkeypatch.setattr("grader.verify.verify.examine", failing)
    result = grade("verify", "--all", "--quick")
    suites = ElementTree.fromstring(grade("verify", "--all", "--quick", "--format", "junit").stdout.encode())

    assert result.return_value == 3
    assert "the grader itself failed: RuntimeError: a hole" in " ".join(result.stdout.split())
    assert "exercise-04-late-fee: not run" in result.stderr
    assert suites.get("errors") == "8"


@pytest.mark.parametrize("words", [["verify"], ["verify", "4", "--all"], ["verify", "--all", "--output", "x"]])
def test_what_can_not_be_meant_is_refused(words: list[str], course: Path) -> None:
    """Exit code 2, with what can be."""
    with pytest.raises(UsageError):
        result = grade(*words)
        assert result.exception is not None
        raise result.exception


def test_new_says_what_is_left_to_write(course: Path) -> None:
    """Its folder, each place, and the next command."""
    result = grade("new", "two-dishes", "--kind", "http")

    assert result.return_value == 0
    assert result.stdout.splitlines()[0] == "made exercises/exercise-05-two-dishes"
    assert "exercise-05-two-dishes/README.md:3: tell the story here" in result.stdout
    assert result.stdout.splitlines()[-1] == "then: grade verify exercise-05-two-dishes --quick"


def test_new_begins_a_course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder `exercises/` is enough."""
    (tmp_path / "exercises").mkdir()
    monkeypatch.chdir(tmp_path)

    assert grade("new", "first", "--kind", "function").return_value == 0
    assert (tmp_path / "exercises" / "exercise-01-first" / "exercise.toml").is_file()


def test_a_released_pack_points_to_the_course(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`grade EXERCISE` in it can't grade, and says why."""
    assert grade("release", "pack", "--hints", "0").return_value == 0
    monkeypatch.chdir(course / "pack")

    result = grade("4")

    assert isinstance(result.exception, NoHiddenTests)
    assert grade("list").exception is None


def test_a_pack_alone_gives_the_hints_that_were_released(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are in its `exercise.toml`; no hidden test is needed for them."""
    assert grade("release", "pack", "--hints", "1").return_value == 0
    assert grade("release", "bare", "--hints", "0").return_value == 0
    monkeypatch.chdir(course / "pack")

    first = grade("hint", "4", "--task", "names")
    again = grade("hint", "4")
    monkeypatch.chdir(course / "bare")
    none = grade("hint", "4")

    assert first.return_value == 0, first.exception
    assert "Where is the name?" in first.stdout
    assert "hint 1 of 1" in first.stdout
    assert "Which days count?" in again.stdout
    assert "No hint of this task was released" in none.stdout


def test_a_solution_in_a_pack_is_graded_against_the_course(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--course` behind the exercise; solution and history are the pack's, and the course is left as it was."""
    assert grade("release", "pack").return_value == 0
    monkeypatch.setattr("grader.cli.grade.choose", lambda *_, **__: Choice(InProcess(), "a test asked for it"))
    monkeypatch.chdir(course / "pack")

    result = grade("4", "--course", str(course), "--quiet", "--no-keep")

    assert result.return_value == 1, result.output
    assert (course / "pack" / "exercises" / ID / "solution" / "fees.py").is_file()
    (kept,) = inbox.pending(course / "pack" / ".grade")
    assert inbox.decode(kept.read_bytes()).learner == ""  # the learner's own, not somebody's
    assert not (course / "exercises" / ID / "solution").exists()
    assert not (course / ".grade").exists()
