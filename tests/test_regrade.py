"""`grade preview-regrade`: which scores edited tests would change, before anyone is told."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.regrade import Preview
from tests.cli.conftest import SECOND, Invoke, course, grade, home, invoke, isolated, submit  # noqa: F401


def _git(folder: Path, *arguments: str) -> None:
    name = ("-c", "user.name=Amara", "-c", "user.email=amara@example.org")
    subprocess.run(["git", *name, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def kept(course: Path) -> Path:  # noqa: F811
    """The course, its tests committed as they are."""
    _git(course, "init", "-q")
    _git(course, "add", "exercises")
    _git(course, "commit", "-q", "-m", "as it was")
    return course


def _edit(course: Path, old: str, new: str) -> None:  # noqa: F811
    path = next((course / "exercises" / SECOND / "tests").glob("test_*.py"))
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_stricter_test_takes_points_and_says_from_whom(
    grade: Invoke,  # noqa: F811
    submit: Callable[..., Path],  # noqa: F811
    kept: Path,
) -> None:
    """Both results are of a real grading; what is stored stays as it is."""
    submit()
    assert grade(SECOND).code == 0
    _edit(kept, "status_code == 404", "status_code == 410")

    ended = grade("preview-regrade", SECOND, "--since", "HEAD")

    assert ended.code == 1, ended.err
    lines = ended.out.splitlines()
    assert lines[0].startswith("your own (")
    assert lines[1] == "  down: 4.5 -> 3 of 4.5 points"
    assert any(line.endswith(": pass -> fail") for line in lines)
    assert lines[-1] == "1 submission: 0 up, 1 down, 0 for other tests, 0 unchanged, 0 not compared"
    assert "4.5" in grade("history", SECOND).out


def test_what_was_graded_for_others_is_looked_at_and_named(
    grade: Invoke,  # noqa: F811
    submit: Callable[..., Path],  # noqa: F811
    kept: Path,
) -> None:
    """A path names who sent it; of a class whose files were not kept it is said how many are lost, and the remedy."""
    solution = submit()
    ana = kept / "handed-in" / "ana"
    ana.mkdir(parents=True)
    (ana / "app.py").write_bytes(solution.read_bytes() + b"# ana\n")
    noor = kept / "handed-in" / "noor"
    noor.mkdir()
    (noor / "app.py").write_bytes(solution.read_bytes() + b"# noor\n")
    assert grade(SECOND, "handed-in/ana").code == 0
    assert grade("batch", SECOND, "handed-in").code == 0
    _edit(kept, "status_code == 404", "status_code == 410")

    ended = grade("preview-regrade", SECOND, "--since", "HEAD")

    assert ended.code == 1, ended.err
    assert ended.out.startswith("handed-in/ana (")
    assert "1 submission of `grade batch` can't be looked at: it keeps no files, `--submissions DIR`" in ended.err
    assert ended.out.splitlines()[-1].startswith("1 submission: 0 up, 1 down")


def test_a_class_is_looked_at_by_the_folder_that_it_sent(
    grade: Invoke,  # noqa: F811
    submit: Callable[..., Path],  # noqa: F811
    kept: Path,
) -> None:
    """Each learner whose score changes is named, whether or not a batch was ever graded; equal files once."""
    right = submit().read_bytes()
    assert grade(SECOND, "--quiet").code == 0
    wrong = right.replace(b", 404", b", 410")
    for name, content in {"ana": right + b"# ana", "bo": right, "noor": wrong, "omar": wrong, "pia": b""}.items():
        folder = kept / "handed-in" / name
        folder.mkdir(parents=True)
        if content:
            (folder / "app.py").write_bytes(content)
    _edit(kept, "status_code == 404", "status_code == 410")

    ended = grade("preview-regrade", SECOND, "--since", "HEAD", "--submissions", "handed-in")

    assert ended.code == 1, ended.err
    who = [line.partition(" (")[0] for line in ended.out.splitlines() if line.endswith(")")]
    assert who == ["ana", "bo, your own", "noor, omar"]
    assert "  up: 3 -> 4.5 of 4.5 points" in ended.out
    assert ended.out.splitlines()[-1].startswith("3 submissions: 1 up, 2 down")
    assert "left out: `pia`" in ended.err
    assert grade("preview-regrade", SECOND, "--since", "HEAD", "--submissions", "nowhere").code == 2


def test_what_changes_no_score_is_said_without_grading(
    grade: Invoke,  # noqa: F811
    submit: Callable[..., Path],  # noqa: F811
    kept: Path,
) -> None:
    """A README is nothing that a score depends on."""
    submit()
    assert grade(SECOND).code == 0
    readme = kept / "exercises" / SECOND / "README.md"
    readme.write_text(readme.read_text().replace("A guest asks", "A hungry guest asks"))

    ended = grade("preview-regrade", SECOND, "--since", "HEAD")

    assert (ended.code, ended.out) == (0, "")
    assert "nothing that can change a score differs" in ended.err


@pytest.mark.parametrize("revision", ["no-such-branch", "--output=x", "HEAD:exercises"])
def test_what_is_no_revision_is_refused(invoke: Invoke, kept: Path, revision: str) -> None:  # noqa: F811
    """Nothing that git would take for an option reaches it."""
    ended = invoke("preview-regrade", SECOND, f"--since={revision}")

    assert ended.code == 2
    assert "git has no such exercise there" in ended.err or "is no revision" in ended.err
    assert not (kept / "x").exists()


def test_a_course_that_is_no_repository_is_said(invoke: Invoke) -> None:  # noqa: F811
    """What git says of it is told."""
    ended = invoke("preview-regrade", SECOND, "--since", "HEAD")

    assert ended.code == 2
    assert "not a git repository" in ended.err


def test_without_files_nothing_is_said_of_a_score() -> None:
    """A submission whose files were dropped is neither up nor down."""
    lost = Preview(digest="sha256:0", learners=[""], before=None, now=None, tests={}, why="its files were not kept")

    assert lost.turn == "unknown"
