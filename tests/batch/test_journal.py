"""The journal keeps what was graded through anything that can happen to a file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from grader.batch import journal as module
from grader.batch.journal import KEPT_FILES, Journal, graded_before, open_journal
from grader.error import DamagedReport, UsageError
from grader.exercise import Exercise
from grader.grading import grade
from grader.report import Report
from grader.sandbox.choose import Choice
from grader.submission import submission_of
from tests.batch.conftest import AtItsWord


def report_of(exercise: Exercise, words: str) -> Report:
    """Grade a submission that says these words."""
    return grade(exercise, submission_of({"app.py": words.encode()}), Choice(AtItsWord(), "a test asked for it"))


@contextmanager
def opened(exercise: Exercise, place: Path, sandbox: str = "fake") -> Iterator[Journal]:
    """Open the journal of a place."""
    with open_journal(place, exercise, sandbox) as journal:
        yield journal


def file_of(place: Path) -> Path:
    """Give the only journal."""
    (path,) = (place / "batch").glob("*.jsonl")
    return path


def test_a_report_comes_back_whole(exercise: Exercise, tmp_path: Path) -> None:
    """What another run finds is what this one had, to the last field."""
    first, second = report_of(exercise, "pff"), report_of(exercise, "ppp")
    with opened(exercise, tmp_path) as journal:
        journal.add(first)
        journal.add(second)

    with opened(exercise, tmp_path) as journal:
        assert len(journal) == 2
        assert journal.report(first.submission.digest) == first
        assert journal.outcome(second.submission.digest).tests == "ppp"
        assert not journal.knows("ab" * 32)


@pytest.mark.parametrize("cut", [1, 20, 400])
def test_a_line_that_was_cut_off_is_as_if_it_never_was(exercise: Exercise, tmp_path: Path, cut: int) -> None:
    """A kill in the middle of a write loses that result and nothing else; the next one is written whole."""
    first, second = report_of(exercise, "pff"), report_of(exercise, "ppp")
    with opened(exercise, tmp_path) as journal:
        journal.add(first)
        journal.add(second)
    path = file_of(tmp_path)
    path.write_bytes(path.read_bytes()[:-cut])

    with opened(exercise, tmp_path) as journal:
        assert not journal.knows(second.submission.digest)
        assert journal.report(first.submission.digest) == first
        journal.add(second)
    with opened(exercise, tmp_path) as journal:
        assert journal.report(second.submission.digest) == second


@pytest.mark.parametrize("key", ["submission", "seed_rule", "points", "tests", "report", "check"])
def test_a_damaged_line_is_graded_again(exercise: Exercise, tmp_path: Path, key: str) -> None:
    """A flipped bit must never become somebody's points, wherever it is."""
    first, second = report_of(exercise, "pff"), report_of(exercise, "ppp")
    with opened(exercise, tmp_path) as journal:
        journal.add(first)
        journal.add(second)
    path = file_of(tmp_path)
    data = bytearray(path.read_bytes())
    found = re.search(f'"{key}":"?'.encode(), data)
    assert found is not None
    data[found.end()] ^= 1
    path.write_bytes(data)

    with opened(exercise, tmp_path) as journal:
        assert not journal.knows(first.submission.digest)
        assert journal.knows(second.submission.digest)
    # `preview-regrade` counts the same.
    assert graded_before(tmp_path, exercise.id) == {second.submission.digest}


def test_a_line_that_is_altered_while_it_is_in_use_is_believed_no_more(exercise: Exercise, tmp_path: Path) -> None:
    """A gradebook is written from the file, long after it was read."""
    report = report_of(exercise, "pff")
    with opened(exercise, tmp_path) as journal:
        journal.add(report)
        path = file_of(tmp_path)
        path.write_bytes(path.read_bytes().replace(b'"tests":"pff"', b'"tests":"ppp"'))

        with pytest.raises(DamagedReport, match="was changed while it was in use"):
            journal.outcome(report.submission.digest)


def test_what_could_change_a_score_changes_the_key(
    exercise: Exercise, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another exercise, sandbox, rule, version or box content knows nothing of these results."""
    report = report_of(exercise, "ppp")
    digest = report.submission.digest
    with opened(exercise, tmp_path) as journal:
        journal.add(report)

    with opened(msgspec.structs.replace(exercise, digest="e" * 64), tmp_path) as journal:
        assert not journal.knows(digest)
    with opened(exercise, tmp_path, "docker") as journal:
        assert not journal.knows(digest)
    for name, value in {"SEED_RULE": "x", "LINE_RULE": "x", "__version__": "x", "inside_digest": lambda: "x"}.items():
        with monkeypatch.context() as changed:
            changed.setattr(module, name, value)
            with opened(exercise, tmp_path) as journal:
                assert not journal.knows(digest)
    with opened(exercise, tmp_path) as journal:
        assert journal.knows(digest)


def test_two_runs_dont_write_one_journal(exercise: Exercise, tmp_path: Path) -> None:
    """The second one is told, before it grades anything."""
    with (
        opened(exercise, tmp_path),
        pytest.raises(UsageError, match="another run grades"),
        opened(exercise, tmp_path),
    ):
        pass


def test_old_journals_go(exercise: Exercise, tmp_path: Path) -> None:
    """An exercise that is changed every day doesn't fill the disk."""
    for number in range(KEPT_FILES + 3):
        with opened(msgspec.structs.replace(exercise, digest=f"{number:064}"), tmp_path):
            pass

    assert len(list((tmp_path / "batch").glob("*.jsonl"))) == KEPT_FILES
