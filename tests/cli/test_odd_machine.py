"""Odd machines: whatever is wrong with disk, home, terminal, clock, engine or history, the grade itself is shown."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.report import Report
from grader.sandbox.image import read_recipe
from grader.store.glance import REVISION, glance
from tests.build import make_exercise
from tests.cli.conftest import FIRST, RIGHT, SECOND, THIRD, Ended, Invoke, finished, start
from tests.conftest import ROOT, make_sandbox

Record = Callable[..., Report]
Submit = Callable[..., Path]
ALL = "4.5 of 4.5 points"


def in_mounts(script: str) -> tuple[str, ...]:
    """Give what starts a command with mounts of its own, made by a shell script; they end with it."""
    own = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--map-root-user"]
    return (*own, "/bin/sh", "-e", "-c", f'{script}\nexec "$@"', "sh")


@pytest.fixture
def mounts() -> None:
    """Skip where this user may not mount."""
    if shutil.which("unshare") is None:
        pytest.skip("`unshare` is not installed")
    probe = subprocess.run(
        [*in_mounts("mount -t tmpfs none /mnt"), "true"], capture_output=True, text=True, check=False
    )
    if probe.returncode != 0:
        pytest.skip(f"mounts can't be made here: {probe.stderr.strip()}")


@pytest.mark.parametrize(
    "environ", [{"PYTHONIOENCODING": "ascii"}, {"LANG": "C"}, {"LC_ALL": "POSIX", "LANG": "x.UTF-8"}]
)
def test_a_terminal_that_cannot_show_unicode_gets_ascii(
    invoke: Invoke, course: Path, record: Record, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]
) -> None:
    """Marks, bars, plots, and what the course's own texts hold."""
    toml = course / "exercises" / SECOND / "exercise.toml"
    toml.write_text(toml.read_text().replace("Find one dish", "Find the crème").replace("Where does", "Où → does"))
    (course / "exercises" / SECOND / "README.md").write_text("# Crème\n\n- “one”\n")
    record(FIRST, "4.5")
    for points in ("1", "4.5"):
        record(SECOND, points)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    for arguments in (["list"], ["overview"], ["next"], ["history"], ["history", "3"], ["show", "3"], ["reveal", "3"]):
        ended = invoke(*arguments)
        assert ended.code == 0
        assert ended.out.isascii(), arguments
    assert invoke("hint", "3", "--task", "1").out.isascii()
    assert "* 01-hello" in invoke("list").out


@pytest.mark.parametrize("environ", [{"PYTHONIOENCODING": "ascii"}, {"LANG": "C", "LC_ALL": "C"}])
def test_a_grading_in_ascii_reads_well(grade: Invoke, submit: Submit, environ: dict[str, str]) -> None:
    """What the learner's code printed too."""
    submit('raise ValueError("crème 世界")\n')

    ended = grade("3", environ=environ)

    assert ended.code == 1
    assert (ended.out + ended.err).isascii()
    assert "ValueError: cr\\xe8me" in ended.out


@pytest.mark.parametrize("home", [None, "/nonexistent/home", "relative", "/dev/null"])
def test_a_home_that_is_missing_or_of_no_use_changes_nothing(
    grade: Invoke, submit: Submit, course: Path, home: str | None
) -> None:
    """The history is in the course."""
    submit(RIGHT)

    assert grade("3", "-q", environ={"HOME": home}) == Ended(0, f"{ALL}\n", "")
    assert len(glance(course / ".grade").summaries) == 1


def test_a_course_path_may_have_spaces_and_other_letters(
    tmp_path: Path, home: Path, isolated: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the terminal can't show them."""
    root = tmp_path / "Küche der Welt 世界 & co"
    make_exercise(root)

    first = finished(start("3", course=root))
    again = finished(start("one-dish", course=root, environ={"PYTHONIOENCODING": "ascii"}))

    assert (first.code, again.code) == (1, 1)
    assert "made exercises/exercise-03-one-dish/solution from the starter" in first.err
    assert "0 of 4.5 points" in first.out
    assert len(glance(root / ".grade").summaries) == 2


def test_results_keep_their_order_when_the_clock_was_set_back(
    grade: Invoke, invoke: Invoke, submit: Submit, record: Record, course: Path
) -> None:
    """A report from the future stays before the one that was made after it, and what is next follows the latter."""
    record(FIRST, "4.5")
    record(THIRD, "0")
    [*_, last] = sorted((course / ".grade" / "inbox").iterdir())
    last.rename(last.with_name("2099" + last.name[4:]))
    submit(RIGHT)

    ended = grade("3")

    assert ended.code == 0
    assert [each.exercise for each in glance(course / ".grade").summaries] == [FIRST, THIRD, SECOND]
    assert "Next: exercise-07" in ended.out
    assert invoke("history", "3").code == 0


def test_an_engine_that_was_stopped_between_two_runs(grade: Invoke, submit: Submit, tmp_path: Path) -> None:
    """Unasked, the next best sandbox takes over; who asked for docker is told what is wrong, and nothing is graded."""
    submit(RIGHT)
    dead = {"DOCKER_HOST": f"unix://{tmp_path}/dead.sock", "GRADE_SANDBOX": None}

    ended = grade("3", "-v", environ=dead)

    assert ended.code == 0
    assert ALL in ended.out
    assert "sandbox: bubblewrap (no container engine " in ended.err
    ended = grade("3", "--sandbox", "docker", environ=dead)
    assert ended.code == 3
    assert "error: the sandbox `docker` doesn't work here: no container engine answers" in ended.err
    assert "hint: to get a sandbox:" in ended.err
    assert "Traceback" not in ended.err


def test_a_corrupt_history_is_put_aside_and_the_grade_is_shown(
    grade: Invoke, invoke: Invoke, submit: Submit, record: Record, course: Path
) -> None:
    """No earlier report is lost: the database is made again from the files."""
    record(FIRST, "4.5")
    assert invoke("history", "--export", "csv").code == 0
    database = course / ".grade" / "history.db"
    database.write_bytes(b"not a database" * 100)
    submit(RIGHT)

    ended = grade("3")

    assert ended.code == 0
    assert f"{ALL}\nNext: exercise-07" in ended.out
    assert "note: the history's database was damaged" in ended.err
    assert "hint: nothing needs to be done" in ended.err
    database.write_bytes(b"not a database" * 100)
    both = grade("3", before=("sh", "-c", 'exec "$@" 2>&1', "sh"))
    assert both.out.index("Next: exercise-07") < both.out.index("note: the history's database was damaged")
    assert [each.exercise for each in glance(course / ".grade").summaries] == [FIRST, SECOND, SECOND]


def test_a_newer_history_is_left_alone_and_the_grade_is_shown(
    grade: Invoke, invoke: Invoke, submit: Submit, record: Record, course: Path
) -> None:
    """The report waits in a file; what needs the history says what to do."""
    record(FIRST, "4.5")
    assert invoke("history", "--export", "csv").code == 0
    with sqlite3.connect(course / ".grade" / "history.db") as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == (REVISION,)
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    submit(RIGHT)

    ended = grade("3")

    assert ended.code == 0
    assert ALL in ended.out
    assert "was made by a newer grader" in ended.err
    assert "hint: update the grader" in ended.err
    assert len(list((course / ".grade" / "inbox").iterdir())) == 1
    ended = invoke("list")
    assert ended.code == 3
    assert "hint: update the grader" in ended.err
    assert invoke("hint", "3").code == 0
    assert invoke("show", "3").code == 0


def test_a_read_only_course_is_graded_and_remembered_at_home(
    course: Path, isolated: None, mounts: None, submit: Submit, home: Path
) -> None:
    """`solution/` must be there already, or another folder is named."""
    submit(RIGHT)
    read_only = in_mounts(f"mount --bind '{course}' '{course}'\nmount -o remount,ro,bind '{course}'\ncd '{course}'")

    ended = finished(start("3", course=course, before=read_only))

    assert ended.code == 0
    assert ALL in ended.out
    assert "can't be written (the disk is read-only), so this result was kept in" in ended.err
    assert len(list(home.rglob("inbox/*.json"))) == 1
    without = finished(start("7", course=course, before=read_only))
    assert without.code == 2
    assert "can't make" in without.err
    assert "read-only file system" in without.err
    assert "hint: copy `starter/` to a folder of yours" in without.err


@pytest.mark.parametrize("has_home", [True, False])
def test_a_full_disk_loses_no_grade(
    course: Path, isolated: None, mounts: None, submit: Submit, home: Path, has_home: bool
) -> None:
    """The result is kept at home, or it is said that it is kept nowhere and what to do."""
    submit(RIGHT)
    state = course / ".grade"
    state.mkdir()
    full = in_mounts(
        f"mount -t tmpfs -o size=16k none '{state}'\ndd if=/dev/zero of='{state}/filler' bs=4k count=9 2>/dev/null || :"
    )

    ended = finished(start("3", course=course, before=full, environ={} if has_home else {"HOME": None}))

    assert ended.code == 0
    assert ALL in ended.out
    assert "(the disk is full)" in ended.err
    if has_home:
        assert len(list(home.rglob("inbox/*.json"))) == 1
    else:
        assert "note: this result was not recorded" in ended.err
        assert "hint: `grade exercise-03-one-dish --seed " in ended.err


@pytest.mark.docker
def test_an_image_that_was_removed_between_two_runs_is_made_again(tmp_path: Path, course: Path, submit: Submit) -> None:
    """It is said what is done, and the grade is shown."""
    make_sandbox("docker")
    from docker.errors import APIError

    from grader.sandbox.engine import connect

    # A clone and a base of their own: what others grade with stays in place.
    clone = tmp_path / "clone"
    for name in ("grader", "requirements"):
        shutil.copytree(ROOT / name, clone / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Dockerfile", clone)
    own = f"kata-test:{secrets.token_hex(6)}"
    with connect() as api:
        base = read_recipe(ROOT).base
        if not api.images(base):
            pytest.skip(f"the image `{base}` isn't here to build from")
        api.tag(base, *own.split(":"))
    # What a build needs to reach a registry is passed on.
    environ = {
        **os.environ,
        "GRADE_SANDBOX": "docker",
        "GRADE_KEEP": "0",
        "GRADE_BASE_IMAGE": own,
        "PYTHONPATH": os.fspath(clone),
    }
    asked = "from grader.sandbox.image import read_recipe; print(read_recipe().tag)"
    told = subprocess.run(
        [sys.executable, "-c", asked],
        cwd=clone,
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    image = told.stdout.strip()
    submit(RIGHT)
    try:
        first = finished(start("3", "-q", course=course, environ=environ))
        assert (first.code, first.out) == (0, f"{ALL}\n"), first.err
        with connect() as api:
            api.remove_image(image, force=True)
        again = finished(start("3", "-q", course=course, environ=environ))
    finally:
        with connect() as api:
            for name in (image, own):
                with contextlib.suppress(APIError):
                    api.remove_image(name, force=True)

    assert (again.code, again.out) == (0, f"{ALL}\n"), again.err
    assert "image" in again.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs `/dev/full`")
@pytest.mark.parametrize("arguments", [["list"], ["next"], ["--help"], ["history", "--export", "json"]])
def test_an_output_that_is_full_is_no_failed_grading(course: Path, arguments: list[str]) -> None:
    """Exit code 1 would say that a submission did not pass."""
    with open("/dev/full", "w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "grader", "--course", str(course), *arguments],
            stdout=full, stderr=subprocess.PIPE, text=True, cwd=ROOT, timeout=60, check=False,
        )  # fmt: skip

    assert (ended.returncode, ended.stderr.splitlines()[0]) == (
        3,
        "error: the output can't be written: No space left on device",
    )


def test_an_output_that_is_closed_is_none(course: Path) -> None:
    """Whoever closes it wants to see nothing; the work is done all the same."""
    command = [sys.executable, "-m", "grader", "--course", str(course), "list"]
    ended = subprocess.run(
        ["/bin/sh", "-c", '"$@" >&-', "sh", *command], capture_output=True, text=True, cwd=ROOT, timeout=60, check=False
    )

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_a_fault_of_the_grader_is_no_failed_grading(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    """It shows where it happened, and has the exit code of the grader's own faults."""

    def fail(*_arguments: object) -> None:
        raise RuntimeError("an inner fault")

    monkeypatch.setattr("grader.cli.overview.course_of", fail)

    ended = invoke("list")

    assert ended.code == 3
    assert "RuntimeError: an inner fault" in ended.err
    assert "error: the grader itself failed" in ended.err
