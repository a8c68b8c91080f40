"""`grade EXERCISE`, as a user starts it: exit codes, outputs, interruptions, and code that doesn't start."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from grader.render.plain import width_of
from grader.report import Report, schema
from grader.sandbox.cgroup import CONTROLLERS, MOUNT, PARENT
from grader.store.glance import glance
from tests.build import APP, EXERCISE_TOML, FILES, make_exercise
from tests.cli.conftest import ALWAYS_SOUP, FIRST, RIGHT, SECOND, THIRD, Ended, Invoke, finished, start
from tests.conftest import ROOT

Record = Callable[..., Report]
Submit = Callable[..., Path]
HANGS = "import time\ntime.sleep(60)\n"


def recorded(course: Path) -> list[str]:
    return [summary.status for summary in glance(course / ".grade").summaries]


def descendants(pid: int) -> set[int]:
    """Give the processes that a process started, and those that these started."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int(entry.joinpath("stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, IndexError):
                continue  # it has just ended
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return False


def groups_of(pid: int) -> list[Path]:
    """List the control groups that a grader made."""
    bases = [MOUNT / PARENT, *(MOUNT / controller / PARENT for controller in CONTROLLERS)]
    return [group for base in bases if base.is_dir() for group in base.glob(f"{pid}-*")]


def until(condition: Callable[[], Any], within_s: float = 20) -> None:
    end = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.02)


# Results and exit codes


def test_a_pass_is_0_and_names_the_next_exercise_and_the_other_ways(
    grade: Invoke, submit: Submit, record: Record
) -> None:
    """By the learner's progress, not by the number."""
    record(FIRST, "4.5")
    submit(RIGHT)

    ended = grade("3", "-v")

    assert ended.code == 0
    assert "  ✓ A known dish is answered 200.\n" in ended.out
    assert "4.5 of 4.5 points\nNext: exercise-07, “Keep records”: `grade show exercise-07`." in ended.out
    assert "`grade reveal exercise-03`" in ended.out.replace("\n", " ")
    assert "\x1b" not in ended.out
    assert re.search(r"sandbox: bubblewrap \(it was asked for\)\n(.*\n)*seed \d+\n.* ms\n", ended.err)


def test_a_fail_is_1_and_fits_60_columns(grade: Invoke, submit: Submit) -> None:
    """Only a command to copy may be longer than the terminal is wide."""
    submit(ALWAYS_SOUP)

    ended = grade("3", environ={"COLUMNS": "60"})

    assert ended.code == 1
    assert "1 of 4.5 points (2 tests failed)" in ended.out
    assert "curl -i http://127.0.0.1:8000/dishes/2" in ended.out
    for line in (ended.out + ended.err).splitlines():
        assert width_of(line) <= 60 or line.lstrip().startswith("curl "), line


def test_verbose_shows_every_failed_test_in_full(grade: Invoke, course: Path, submit: Submit) -> None:
    """Without it three, and one line says how to see the rest."""
    more = "".join(
        f'''

@pytest.mark.task("missing-dish", points=1)
def test_dish_{number}_is_missing(client):
    """Dish {number} is answered 404."""
    assert client.get("/dishes/{number}").status_code == 404
'''
        for number in (11, 12, 13)
    )
    make_exercise(
        course,
        toml=EXERCISE_TOML.replace('points = "1.5"', "points = 4.5"),
        id="exercise-08-five",
        files={"tests/test_one_dish.py": FILES["tests/test_one_dish.py"] + more},
    )
    submit(ALWAYS_SOUP, "exercise-08-five")

    assert "2 more tests fail; `grade exercise-08 -v` shows them.\n" in grade("8").out
    assert len(re.findall("^✗", grade("8", "-v").out, re.MULTILINE)) == 5


def test_the_first_run_makes_the_solution_says_so_and_what_a_locked_exercise_builds_on(
    grade: Invoke, course: Path
) -> None:
    """A locked exercise is graded all the same."""
    ended = grade("7")

    assert ended.code == 1
    assert (course / "exercises" / THIRD / "solution" / "app.py").read_text() == FILES["starter/app.py"]
    assert ended.err.splitlines() == [
        f"made exercises/{THIRD}/solution from the starter: your code goes there",
        "note: this exercise builds on `path-parameters` (`grade exercise-03`), which you haven't passed yet",
    ]
    assert "0 of 4.5 points" in ended.out


def test_a_fault_of_the_exercise_is_3_and_no_try(grade: Invoke, course: Path, submit: Submit) -> None:
    """It is in the history as what it is."""
    make_exercise(
        course,
        id="exercise-08-broken",
        files={
            "tests/test_one_dish.py": FILES["tests/test_one_dish.py"].replace("client):", "client, no_fixture):", 1)
        },
    )
    submit(RIGHT, "exercise-08-broken")

    ended = grade("8")

    assert ended.code == 3
    assert "the grader failed, not your code" in ended.out
    assert recorded(course) == ["grader-error"]
    assert " point" not in ended.out


def test_an_exercise_that_is_not_sound_is_3(invoke: Invoke, course: Path) -> None:
    """With file and line, before anything is run."""
    (course / "exercises" / SECOND / "exercise.toml").write_text("format = 1\ntitle =\n")

    ended = invoke("3")

    assert ended.code == 3
    assert f"{SECOND}/exercise.toml:2" in ended.err


def test_a_broken_exercise_is_not_the_learners_fault(invoke: Invoke, course: Path) -> None:
    """So it is said before the problems, and who keeps the course is told the way."""
    (course / "exercises" / SECOND / "reference" / "app.py").unlink()

    ended = invoke(SECOND)

    first, second, *_ = ended.err.splitlines()
    assert ended.code == 3
    assert first == f"error: the exercise `{SECOND}` is not sound; this is not your code's fault:"
    assert second == f"       {SECOND}/reference/: holds no file"
    assert ended.err.rstrip().endswith("finds the remedies by `grade verify exercise-03`")


@pytest.mark.parametrize("is_folder", [False, True])
def test_a_folder_without_a_description_is_a_broken_exercise(invoke: Invoke, course: Path, is_folder: bool) -> None:
    """It has the name that was given, so nobody is told that no exercise has."""
    folder = course / "exercises" / "exercise-13-joins"
    (folder / "exercise.toml" if is_folder else folder).mkdir(parents=True)

    ended = invoke("exercise-13-joins")

    assert ended.code == 3
    assert ("exercise.toml: is no file" if is_folder else "has no `exercise.toml`") in ended.err
    assert "no exercise named" not in ended.err


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["99"], "no exercise named `99`", "`grade list` shows all exercises"),
        (["exercise-30"], "no exercise named `exercise-30`", f"did you mean `{SECOND}`?"),
        (["exercise"], "missing argument 'EXERCISE'", "`grade exercise --help` shows how it is used"),
        (["exercise-0"], "is the beginning of more than one exercise", "give more of the name"),
        (["lst"], "no exercise named `lst`", "did you mean the command `grade list`?"),
        (["import", "FILE"], "no exercise named `import`", "did you mean the command `grade history --import FILE`?"),
        (["3", "--sed", "4"], "no such option `--sed`", "did you mean `--seed`?"),
        (["3", "--format", "jsn"], "invalid value for '--format'", "did you mean `json`?"),
        (["3", "--seed", "x"], "invalid value for '--seed'", "`grade exercise --help` shows how it is used"),
        (["3", "--seed", "x"], "'x' is no whole number", "`grade exercise --help` shows how it is used"),
        (["3", "--wall-limit", "nan"], "nan is no number of seconds", "`grade exercise --help` shows how it is used"),
        (["3", "gone"], "there is no folder `gone`", "give the folder that holds your files"),
        (["--nothing"], "no such option `--nothing`", "`grade exercise --help` shows how it is used"),
    ],
)
def test_a_mistake_is_2_and_what_was_meant_is_suggested(
    invoke: Invoke, arguments: list[str], message: str, hint: str
) -> None:
    """One sentence and a hint on stderr, and nothing on stdout."""
    ended = invoke(*arguments)

    assert (ended.code, ended.out) == (2, "")
    assert message in ended.err
    assert f"\nhint: {hint}" in ended.err


def test_an_empty_solution_says_how_to_get_the_starter_back(invoke: Invoke, course: Path) -> None:
    """It isn't overwritten unasked."""
    (course / "exercises" / SECOND / "solution").mkdir()

    ended = invoke("3")

    assert ended.code == 2
    assert "hint: `grade reset exercise-03` puts the starter there again" in ended.err


# Forms


def test_json_is_valid_by_the_schema_and_alone_on_stdout(grade: Invoke, submit: Submit) -> None:
    """And the seed that it tells replays the grading."""
    submit(ALWAYS_SOUP)

    ended = grade("3", "--format", "json")

    assert ended.code == 1
    found = json.loads(ended.out)
    jsonschema.Draft202012Validator(schema()).validate(found)
    assert (found["status"], found["points"], found["points_max"]) == ("failed", 1, 4.5)


def test_redo_draws_other_data_for_the_same_files_and_a_seed_replays_it(
    grade: Invoke, invoke: Invoke, submit: Submit
) -> None:
    """Without it the same files always meet the same data."""

    def seed(*arguments: str) -> int:
        found = json.loads(grade("3", "--format", "json", *arguments).out)["seed"]
        assert isinstance(found, int)
        return found

    submit(RIGHT)
    first = seed()
    assert invoke("redo", "3", "--yes").code == 0
    submit(RIGHT)
    second = seed()
    assert second != first
    assert seed("--seed", str(first)) == first


def test_output_writes_a_file_and_quiet_shows_the_points_alone(grade: Invoke, submit: Submit, course: Path) -> None:
    """Stdout stays free; a file that can't be written is 2, and the result is in the history."""
    submit(RIGHT)

    ended = grade("3", "--format", "markdown", "--output", "report.md")

    assert (ended.code, ended.out) == (0, "")
    assert ended.err == "4.5 of 4.5 points; the report is in report.md\n"
    assert "4.5 of 4.5 points" in (course / "report.md").read_text()
    ended = grade("3", "--format", "json", "--output", "gone/report.json")
    assert ended.code == 2
    assert "the report can't be written to `gone/report.json`: no such file or directory" in ended.err
    assert recorded(course) == ["passed", "passed"]
    assert grade("3", "--quiet") == Ended(0, "4.5 of 4.5 points\n", "")


def test_colour_comes_only_where_it_is_wanted(grade: Invoke, submit: Submit) -> None:
    """FORCE_COLOR brings it into a pipe; NO_COLOR is stronger."""
    submit(HANGS)
    quick = ("3", "--wall-limit", "1")

    assert "\x1b[" in grade(*quick, environ={"FORCE_COLOR": "1"}).out
    assert "\x1b" not in grade(*quick, environ={"FORCE_COLOR": "1", "NO_COLOR": "1"}).out


# Interruptions


def test_ctrl_c_is_130_and_leaves_nothing(course: Path, isolated: None, submit: Submit) -> None:
    """No process, no control group, no report."""
    submit(HANGS)
    process = start("3", course=course)
    until(lambda: len(descendants(process.pid)) >= 4)
    children = descendants(process.pid)

    process.send_signal(signal.SIGINT)
    ended = finished(process)

    assert ended.code == 130
    assert "interrupted: everything that was started has been cleaned up" in ended.err
    assert "Traceback" not in ended.err
    until(lambda: not any(map(is_running, children)), within_s=5)
    assert groups_of(process.pid) == []
    assert recorded(course) == []


def test_what_a_killed_run_left_is_swept_by_the_next(
    course: Path, isolated: None, submit: Submit, grade: Invoke
) -> None:
    """kill -9 in the middle: its boxes end with it, and earlier reports are there."""
    submit(RIGHT)
    assert grade("3", "-q").code == 0
    submit(HANGS)
    process = start("3", course=course)
    until(lambda: len(descendants(process.pid)) >= 4)
    children = descendants(process.pid)

    process.kill()
    finished(process)

    until(lambda: not any(map(is_running, children)), within_s=10)
    submit(RIGHT)
    assert grade("3", "-q") == Ended(0, "4.5 of 4.5 points\n", "")
    assert groups_of(process.pid) == []
    assert recorded(course) == ["passed", "passed"]


def test_two_runs_at_once_both_count(course: Path, isolated: None, submit: Submit) -> None:
    """Neither disturbs the other, and none makes `solution/` twice."""
    running = [start("3", "-q", course=course) for _ in range(2)]

    ended = [finished(process) for process in running]

    assert [each.code for each in ended] == [1, 1]
    assert recorded(course) == ["failed", "failed"]
    assert (course / "exercises" / SECOND / "solution" / "app.py").read_text() == FILES["starter/app.py"]


def test_a_reader_that_leaves_is_no_failure(course: Path, isolated: None, submit: Submit) -> None:
    """As `head` does: no traceback, the exit code is that of the result, and that is kept."""
    submit(RIGHT)
    process = start("3", course=course)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()

    assert process.stderr is not None
    errors = process.stderr.read().decode()

    assert process.wait(timeout=60) == 0
    assert "Traceback" not in errors
    process.stderr.close()
    assert recorded(course) == ["passed"]


def test_a_list_that_nobody_reads_to_its_end_is_no_failure(course: Path) -> None:
    """The pipe's reader has left before anything was written."""
    ours, theirs = os.pipe()
    os.close(ours)
    command = [sys.executable, "-m", "grader", "list"]
    done = subprocess.run(
        command,
        cwd=course,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=theirs,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(theirs)

    assert (done.returncode, done.stderr) == (0, b"")


def test_ctrl_c_while_the_program_is_imported_is_130() -> None:
    """The first moments are spent on that."""
    code = """
import builtins
real = builtins.__import__
def interrupted(name, *arguments, **options):
    if name == "grader.cli.main":
        raise KeyboardInterrupt
    return real(name, *arguments, **options)
builtins.__import__ = interrupted
from grader.__main__ import start
start()
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False)

    assert (done.returncode, done.stdout) == (130, b"")
    assert done.stderr == b"\ninterrupted: nothing had been started\n"


# Code that doesn't start


def test_a_syntax_error_is_shown_with_file_line_and_caret(grade: Invoke, submit: Submit) -> None:
    """The caret stands below the place."""
    submit("import json\n\ndef create_app(:\n    pass\n")

    ended = grade("3")

    assert ended.code == 1
    lines = ended.out.splitlines()
    place = next(number for number, line in enumerate(lines) if "app.py, line 3 can't be read as Python" in line)
    code = next(number for number in range(place, len(lines)) if lines[number].strip() == "def create_app(:")
    assert lines[code + 1].rstrip() == " " * lines[code].index(":") + "^"
    assert "0 of 4.5 points" in ended.out


@pytest.mark.parametrize(
    ("content", "name", "shown"),
    [
        (RIGHT, "other.py", ["`app.py` was not found"]),
        ("x = 1\n", "app.py", ["`create_app` was not found in `app.py`"]),
        (
            "from flask import Flask\napp = Flask(__name__)\napp.run()\n",
            "app.py",
            ["your file starts the server itself: `app.run()` was called", "app.py, line 3", "put `app.run()` below"],
        ),
        (
            'MENU = {}\n\ndef load(name):\n    return MENU[name]\n\nload("soup")\n',
            "app.py",
            ["KeyError: 'soup'", "app.py, line 6", "app.py, line 4, in load", "name = 'soup'"],
        ),
        (b"x = '\xff'\n", "app.py", ["app.py, line 1 can't be read as Python"]),
    ],
    ids=["no app.py", "no create_app", "app.run at import", "crash at import", "not UTF-8"],
)
def test_code_that_does_not_start_is_one_message_with_the_learners_frames_only(
    grade: Invoke, submit: Submit, content: str | bytes, name: str, shown: list[str]
) -> None:
    """Nothing of the grader's own code, and no line for each test."""
    submit(content, name=name)

    ended = grade("3")

    assert ended.code == 1
    for text in shown:
        assert text in ended.out
    assert "A known dish is answered 200" not in ended.out
    assert "/opt/" not in ended.out
    assert "importlib" not in ended.out
    assert "Next: make your code start and keep running, then run `grade exercise-03` again." in " ".join(
        ended.out.split("\n")
    )


def test_a_passing_submission_elsewhere_is_graded_from_its_folder_or_archive(
    grade: Invoke, course: Path, tmp_path: Path
) -> None:
    """PATH is taken as it is, and no `solution/` is made."""
    folder = tmp_path / "their code"
    folder.mkdir()
    (folder / "app.py").write_text(APP.format(body="return DISHES.get(dish_id) or ({}, 404)"))
    subprocess.run(["tar", "-czf", tmp_path / "code.tgz", "-C", folder, "app.py"], check=True)

    assert grade("3", os.fspath(folder), "-q").code == 0
    assert grade("3", os.fspath(tmp_path / "code.tgz"), "-q").code == 0
    assert not (course / "exercises" / SECOND / "solution").exists()


def test_words_of_the_grader_stand_without_quotes(grade: Invoke, submit: Submit) -> None:
    """In quotes they would read as the answer that is expected; and what came stands as it came."""
    submit(APP.format(body='return \'{"name": "soup", }\''))

    ended = grade("3")

    assert "expected: a body in JSON\n" in ended.out
    assert '    {"name": "soup", }\n' in ended.out
    assert "got" not in ended.out  # it is what came back


def test_what_is_graded_again_is_what_was_given(grade: Invoke, course: Path) -> None:
    """And not the exercise's own solution."""
    folder = course / "of a friend"
    folder.mkdir()
    (folder / "app.py").write_text(ALWAYS_SOUP)

    ended = grade("3", "of a friend")

    assert ended.code == 1
    assert "then run `grade exercise-03 'of a friend'` again" in " ".join(ended.out.split())
