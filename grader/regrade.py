"""Say which stored submissions would change score under the hidden tests as they are now, before these are released."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from grader.batch.attempt import graded
from grader.course import Course
from grader.error import BrokenExercise, UsageError
from grader.exercise import Exercise, load_exercise
from grader.git import ask_git
from grader.render.plain import one_line
from grader.report import Report
from grader.sandbox.choose import Choice
from grader.store.submissions import kept_submission
from grader.store.summary import Summary, in_order
from grader.verify.unpack import unpacked_course

A_CLASS = "from a class"
"""Stands for the name of who sent what `grade batch` graded: its journal has none."""

Turn = Literal["up", "down", "other", "same", "unknown"]
"""`other`: the same points for other tests. `unknown`: the files were not kept, or the grader failed."""


@dataclass(frozen=True, kw_only=True)
class Preview:
    """One content that was graded, who sent it, and both results.

    `learners` are the paths under which it was graded, an empty one for one's own, or `A_CLASS`.

    `tests` are those whose status differs, by name, with the status before and now. `why` is said where there is no result.
    """

    digest: str
    learners: Sequence[str]
    before: Report | None
    now: Report | None
    tests: Mapping[str, tuple[str, str]]
    why: str = ""

    @property
    def turn(self) -> Turn:
        """Which way the points go."""
        if self.before is None or self.now is None:
            return "unknown"
        if self.before.points != self.now.points:
            return "up" if self.now.points > self.before.points else "down"
        return "other" if self.tests or self.before.status != self.now.status else "same"


@contextmanager
def exercise_at(course: Course, exercise: Exercise, revision: str) -> Iterator[Exercise]:
    """Give an exercise as it is in a revision of the course's git repository.

    Raises:
        UsageError: git doesn't know the revision, or it has no such exercise.
        BrokenExercise: the exercise isn't sound there.
    """
    where = exercise.folder.relative_to(course.root).as_posix()
    commit = _commit(course.root, revision)
    with tempfile.TemporaryDirectory(prefix="kata-regrade-", ignore_cleanup_errors=True) as folder:
        archive = Path(folder) / "course.tar"
        archive.write_bytes(_git(course.root, "archive", "--format=tar", commit, "--", where))
        with unpacked_course(archive) as root:
            try:
                yield load_exercise(root / where)
            except BrokenExercise as error:
                raise BrokenExercise(error.problems, hint=f"so it stands in `{revision}`: name another one") from error


def preview(
    summaries: Iterable[Summary],
    before: Exercise,
    now: Exercise,
    choice: Choice,
    state_dir: Path,
    tell: Callable[[int, int], None] = lambda _done, _all: None,
    *,
    batched: Iterable[str] = (),
) -> list[Preview]:
    """Grade each stored content of an exercise under both; `tell` gets how many are done, of how many.

    `batched` are digests of what `grade batch` graded.

    Each under the seed that a grading of today would take. What changes in points comes first.
    """
    sent: dict[str, list[str]] = {}
    for summary in in_order(summaries):
        if summary.exercise == now.id and summary.is_attempt:
            learners = sent.setdefault(summary.submission, [])
            if summary.learner not in learners:
                learners.append(summary.learner)
    for digest in sorted(batched):
        sent.setdefault(digest, []).append(A_CLASS)
    found = []
    for done, (digest, learners) in enumerate(sent.items()):
        tell(done, len(sent))
        found.append(_one(digest, learners, before, now, choice, state_dir))
    tell(len(sent), len(sent))
    order: Sequence[Turn] = ("down", "up", "other", "unknown", "same")
    return sorted(found, key=lambda each: order.index(each.turn))


def _one(
    digest: str, learners: Sequence[str], before: Exercise, now: Exercise, choice: Choice, state_dir: Path
) -> Preview:
    def without(why: str) -> Preview:
        return Preview(digest=digest, learners=learners, before=None, now=None, tests={}, why=why)

    submission = kept_submission(digest, state_dir)
    if submission is None:
        return without("its files were not kept")
    reports = [graded(exercise, submission, choice) for exercise in (before, now)]
    for report in reports:
        if report.status == "grader-error":
            return without(report.message)
    statuses = [{test.name: test.status for test in report.tests} for report in reports]
    changed = {
        name: (statuses[0].get(name, "not there"), statuses[1].get(name, "not there"))
        for name in dict.fromkeys([*statuses[0], *statuses[1]])
        if statuses[0].get(name) != statuses[1].get(name)
    }
    return Preview(digest=digest, learners=learners, before=reports[0], now=reports[1], tests=changed)


def _commit(root: Path, revision: str) -> str:
    if revision.startswith("-"):
        raise UsageError(f"`{one_line(revision, 100)}` is no revision")
    return _git(root, "rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}").decode("ascii").strip()


def _git(root: Path, *arguments: str) -> bytes:
    return ask_git(
        root,
        *arguments,
        unasked="git can't be asked for the earlier tests",
        failed="git has no such exercise there",
        hint="`--since` takes a commit, a branch or a tag in which the exercise already was",
    )
