"""What is told to be typed is what can be typed."""

from __future__ import annotations

import pytest

from grader.render.called import as_called, command_as_called


def test_a_command_stands_as_the_program_was_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a fresh clone `grade` is not on the PATH, so the texts say what is."""
    monkeypatch.setenv("GRADE_CALLED", "./grade")

    assert (
        as_called("run `grade 3` again; `grade` alone, grade it") == "run `./grade 3` again; `./grade` alone, grade it"
    )
    assert as_called("`graded` and `upgrade x` stay") == "`graded` and `upgrade x` stay"
    assert command_as_called("grade hint exercise-03") == "./grade hint exercise-03"


def test_a_place_with_spaces_can_be_pasted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A path that a shell would take apart is quoted."""
    monkeypatch.setenv("GRADE_CALLED", "/my katas/grade")

    assert command_as_called("grade list") == "'/my katas/grade' list"


def test_an_installed_program_is_called_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the script nothing is changed."""
    monkeypatch.delenv("GRADE_CALLED", raising=False)

    assert as_called("`grade next`") == "`grade next`"
