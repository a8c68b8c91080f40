"""The shell completes commands, options and exercise names."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import FIRST, SECOND, THIRD, Invoke
from tests.conftest import ROOT


@pytest.fixture
def program(course: Path) -> Path:
    """`./grade` in the course, as a clone has it."""
    path = course / "grade"
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ROOT}/grader/__main__.py" "$@"\n')
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("rev", ["reveal"]),
        ("exercise-0", [FIRST, SECOND, THIRD]),
        ("on", ["one-dish"]),
        ("show cab", ["cabinet"]),
        ("hint exercise-03", [SECOND]),
        ("list --sta", ["--state"]),
        ("list --state p", ["passed"]),
        ("exercise-03 --sandbox l", ["local"]),
        ("completion z", ["zsh"]),
        ("show nothing-like-it", []),
        ("one-", ["one-dish"]),
        ("list --track da", ["databases/queries"]),
        ("list --concept p", ["path-parameters"]),
        ("hint 3 --task m", ["missing-dish"]),
        ("hint nothing-like-it --task m", []),
    ],
)
def test_a_beginning_is_completed(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch, typed: str, words: list[str]
) -> None:
    """Commands, options, their values, and exercises by name and by slug."""
    monkeypatch.setenv("_GRADE_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", f"grade {typed}")
    monkeypatch.setenv("COMP_CWORD", str(len(typed.split())))

    assert invoke().out.split() == [f"plain,{word}" for word in words]


def test_every_command_and_exercise_is_offered_for_nothing(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    """And outside of a course the commands alone."""
    monkeypatch.setenv("_GRADE_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "grade ")
    monkeypatch.setenv("COMP_CWORD", "1")

    assert {"plain,list", "plain,hint", f"plain,{FIRST}"} <= set(invoke().out.split())
    monkeypatch.chdir("/")
    assert "plain,list" in invoke().out.split()


@pytest.mark.parametrize(
    ("shell", "script"),
    [
        (
            ["bash", "--norc", "-c"],
            "source <(./grade completion bash); COMP_WORDS=(./grade show on); COMP_CWORD=2; "
            "_grade_completion ./grade; echo ${COMPREPLY[@]}",
        ),
        (
            ["zsh", "-f", "-c"],
            "compdef() { :; }; compadd() { print -r -- ${(P)${@[-1]}}; }; _describe() { :; }; "
            "source <(./grade completion zsh); words=(./grade show on); CURRENT=3; _grade_completion",
        ),
        (["fish", "--no-config", "-c"], "./grade completion fish | source; complete --do-complete './grade show on'"),
    ],
    ids=["bash", "zsh", "fish"],
)
def test_the_script_works_in_the_shell_itself(program: Path, shell: list[str], script: str) -> None:
    """Called by a path too, as from a clone that is not on the PATH."""
    if shutil.which(shell[0]) is None:
        pytest.skip(f"{shell[0]} is not installed")

    ended = subprocess.run(
        [*shell, script], cwd=program.parent, capture_output=True, text=True, timeout=60, check=False
    )

    assert ended.stdout.split() == ["one-dish"], ended.stderr
