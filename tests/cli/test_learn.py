"""`grade show`, `hint`, `reset`, `redo` and `reveal`."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.report import Report
from grader.store.hint import all_hints
from grader.store.round import round_of
from tests.build import FILES, README
from tests.cli.conftest import FIRST, SECOND, Invoke
from tests.conftest import ROOT

Record = Callable[..., Report]
Submit = Callable[..., Path]


def in_a_terminal(*arguments: str, course: Path, columns: int = 60, answer: bytes = b"", **environ: str) -> str:
    """Use a command in a terminal of its own; give what stands on its screen."""
    keyboard, screen = pty.openpty()
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": str(columns), "TERM": "xterm", **environ}
    process = subprocess.Popen(
        [sys.executable, "-m", "grader", *arguments],
        cwd=course,
        env=variables,
        stdin=screen,
        stdout=screen,
        stderr=screen,
        start_new_session=True,
    )
    os.close(screen)
    if answer:
        os.write(keyboard, answer)
    shown = b""
    try:
        while chunk := os.read(keyboard, 65536):
            shown += chunk
    except OSError:
        pass  # Linux ends the reading so, once nobody has the terminal open
    finally:
        os.close(keyboard)
        process.wait(timeout=30)
    return shown.decode().replace("\r\n", "\n")


def test_show_in_a_pipe_gives_the_readme_as_it_is(invoke: Invoke) -> None:
    """What another program reads is the file itself."""
    assert invoke("show", "3").out == README


def test_show_without_a_name_takes_the_exercise_to_go_on_with(invoke: Invoke, course: Path) -> None:
    """The one that `grade next` names."""
    (course / "exercises" / FIRST / "README.md").write_text("# The first\n")

    assert invoke("show").out == "# The first\n"


def test_show_in_a_terminal_lays_the_readme_out(course: Path) -> None:
    """Headings without their signs, code without its fences, and below it what to do next."""
    shown = in_a_terminal("show", "3", course=course)

    assert "##" not in shown
    assert "\x1b[1m" in shown
    assert "Locked: this exercise builds on `json-response`" in shown
    assert f"Your code: exercises/{SECOND}/solution/" in shown.replace("\n", " ")


def test_show_in_a_terminal_without_colour_has_none(course: Path) -> None:
    """NO_COLOR is honoured here too."""
    assert "\x1b" not in in_a_terminal("show", "3", course=course, NO_COLOR="1")


def test_a_missing_readme_is_said(invoke: Invoke, course: Path) -> None:
    """With the name of the file."""
    (course / "exercises" / SECOND / "README.md").unlink()

    ended = invoke("show", "3")

    assert ended.code == 2
    assert f"error: `exercises/{SECOND}/README.md` can't be read: no such file or directory" in ended.err


def test_hints_go_one_level_further_each_time(invoke: Invoke, course: Path) -> None:
    """Each is recorded; how many are left is said; after the last one all are there to read again."""
    texts = [invoke("hint", "3").out for _ in range(4)]

    assert "Task 1 of 2: Answer a known dish" in texts[0]
    assert "hint 1 of 3\n  Where does the number arrive?" in texts[0]
    assert "2 more hints for this task: `grade hint exercise-03`" in texts[0]
    assert "hint 2 of 3" in texts[1]
    assert "1 more hint for this task" in texts[1]
    assert "hint 3 of 3\n  Return `____[dish_id]`." in texts[2]
    assert "That was the last hint of this task." in texts[2]
    assert all(f"hint {level} of 3" in texts[3] for level in (1, 2, 3))
    assert [(hint.task, hint.level) for hint in all_hints(course / ".grade")] == [
        ("known-dish", level) for level in (1, 2, 3)
    ]


def test_a_hint_is_for_the_first_task_that_the_last_report_did_not_earn(invoke: Invoke, record: Record) -> None:
    """Not for what was earned before and was lost since, nor for a fault of the grader."""
    record(SECOND, "3")
    assert "Task 2 of 2: Say that a dish is missing" in invoke("hint", "3").out
    record(SECOND, "0")
    assert "Task 1 of 2" in invoke("hint", "3").out
    record(SECOND, "3")
    record(SECOND, "0", status="grader-error")
    assert "hint 2 of 3" in invoke("hint", "3").out


def test_a_hint_can_be_for_a_task_that_is_named(invoke: Invoke) -> None:
    """By its id or its number; a name that is none is suggested."""
    assert "What happens now?" in invoke("hint", "3", "--task", "missing-dish").out
    second = invoke("hint", "3", "--task", "2").out
    assert "A view may return a status." in second
    assert "`grade hint exercise-03 --task missing-dish`" in second
    ended = invoke("hint", "3", "--task", "mising-dish")
    assert ended.code == 2
    assert "hint: did you mean `--task missing-dish`?" in ended.err


def test_who_earned_every_task_is_told_how_to_get_a_hint_all_the_same(invoke: Invoke, record: Record) -> None:
    """Nothing is recorded."""
    record(SECOND, "4.5")

    ended = invoke("hint", "3")

    assert ended.code == 0
    assert "You have earned every task of exercise-03." in ended.out
    assert "known-dish " in ended.out


def test_a_hint_is_shown_where_it_cannot_be_recorded(
    invoke: Invoke, course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file in the way of the state folder, and no home: the hint comes, with a note."""
    (course / ".grade").write_text("")
    monkeypatch.delenv("HOME")

    ended = invoke("hint", "3")

    assert ended.code == 0
    assert "Where does the number arrive?" in ended.out
    assert "note: this hint was not recorded" in ended.err


def test_reset_keeps_the_old_code_and_says_where(invoke: Invoke, submit: Submit, course: Path) -> None:
    """The starter is there again; a second reset in the same second overwrites nothing."""
    path = submit("mine = 1\n")

    first = invoke("reset", "3")

    assert first.code == 0
    assert path.read_text() == FILES["starter/app.py"]
    [kept] = (course / ".grade" / "kept").iterdir()
    assert kept.name.startswith(f"{SECOND}-20")
    assert (kept / "app.py").read_text() == "mine = 1\n"
    assert f"your code was kept in .grade/kept/{kept.name}/" in first.err
    submit("mine = 2\n")
    invoke("reset", "3")
    texts = {(folder / "app.py").read_text() for folder in (course / ".grade" / "kept").iterdir()}
    assert texts == {"mine = 1\n", "mine = 2\n"}


def test_reset_of_the_starter_puts_nothing_away(invoke: Invoke, course: Path) -> None:
    """Nor does the first one, which makes `solution/`."""
    assert f"made exercises/{SECOND}/solution/ from the starter" in invoke("reset", "3").err
    assert "nothing to put away" in invoke("reset", "3").err
    assert not (course / ".grade" / "kept").exists()


@pytest.mark.parametrize(("answer", "text"), [(b"n\n", "mine"), (b"y\n", "TODO")])
def test_reset_asks_in_a_terminal(course: Path, submit: Submit, answer: bytes, text: str) -> None:
    """No leaves everything as it is."""
    path = submit("mine = 1\n")

    shown = in_a_terminal("reset", "3", course=course, answer=answer)

    assert "your code is moved aside, not deleted" in shown.replace("\n", " ")
    assert "go on? [Y/n]:" in shown
    assert text in path.read_text()


def test_reset_that_cannot_put_the_code_away_changes_nothing(
    invoke: Invoke, submit: Submit, course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The learner's code is never lost to a full or read-only disk."""
    path = submit("mine = 1\n")
    (course / ".grade").write_text("")
    monkeypatch.delenv("HOME")

    ended = invoke("reset", "3")

    assert ended.code == 2
    assert "nothing was changed" in ended.err
    assert path.read_text() == "mine = 1\n"


def test_redo_begins_another_round_with_an_empty_start(invoke: Invoke, submit: Submit, course: Path) -> None:
    """Other hidden data for the same files from now on, and the starter in place."""
    path = submit("mine = 1\n")

    ended = invoke("redo", "3")

    assert path.read_text() == FILES["starter/app.py"]
    assert "the hidden data is another one from now on; what you earned stays earned" in ended.err
    first = round_of(course / ".grade", SECOND)
    assert first != 0
    invoke("redo", "3")
    assert round_of(course / ".grade", SECOND) not in (0, first)
    assert round_of(course / ".grade", FIRST) == 0
    (course / ".grade" / "rounds" / f"{SECOND}.json").write_text("{")
    assert round_of(course / ".grade", SECOND) == 0


def test_reveal_waits_until_the_exercise_is_passed(invoke: Invoke, record: Record) -> None:
    """Before that it says what is missing, and shows nothing of the reference."""
    ended = invoke("reveal", "3")
    assert ended.code == 1
    assert "You have not graded it yet: `grade exercise-03`." in ended.out.replace("\n", " ")
    record(SECOND, "3")
    ended = invoke("reveal", "3")
    assert ended.code == 1
    assert "Your best so far: 3 of 4.5 points." in ended.out.replace("\n", " ")
    assert "- Say that a dish is missing (0 of 1.5)" in ended.out
    assert "known dish" not in ended.out
    assert "create_app" not in ended.out


def test_reveal_shows_the_reference_and_when_to_prefer_what(invoke: Invoke, record: Record) -> None:
    """Passed once is enough, whatever came after."""
    record(SECOND, "4.5")
    record(SECOND, "0")

    out = invoke("reveal", "3").out

    assert out.startswith("The reference for exercise-03, Find one dish\n\napp.py\n")
    assert FILES["reference/app.py"].strip() in out
    assert "Another way: ask-first\nPrefer it when a missing key is nothing unusual.\n" in out
    assert FILES["alternatives/ask-first/app.py"].strip() in out
    assert f"Yours: exercises/{SECOND}/solution/" in out


def test_revealed_code_is_coloured_in_a_terminal_and_stays_whole(course: Path, record: Record) -> None:
    """A long line of code is left to the terminal: what is broken can't be copied."""
    record(SECOND, "4.5")

    shown = in_a_terminal("reveal", "3", course=course, NO_COLOR="1")

    assert 'return DISHES[dish_id] if dish_id in DISHES else ({"error": "no such dish"}, 404)' in shown
    assert "\x1b" in in_a_terminal("reveal", "3", course=course)


@pytest.mark.parametrize("command", ["show", "hint", "reset", "redo", "reveal", "history"])
def test_every_command_suggests_the_exercise_that_was_meant(invoke: Invoke, command: str) -> None:
    """Exit code 2."""
    ended = invoke(command, "one-dsh")

    assert ended.code == 2
    assert "error: no exercise named `one-dsh` in `exercises/`" in ended.err
    assert f"hint: did you mean `{SECOND}`?" in ended.err
