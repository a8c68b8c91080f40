"""Say which submissions would change score under the hidden tests as they are now, before these are released."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Literal

from grader.batch.attempt import graded
from grader.batch.source import Sent, read_sent
from grader.course import Course
from grader.error import BrokenExercise, RefusedSubmission, UsageError
from grader.exercise import Exercise, load_exercise
from grader.git import ask_git
from grader.render.plain import one_line
from grader.report import Status
from grader.sandbox.choose import Choice
from grader.store.submissions import kept_submission
from grader.store.summary import Summary, in_order
from grader.submission import Submission
from grader.verify.unpack import unpacked_course

A_CLASS = "from a class"
"""Stands for the name of who sent what `grade batch` graded: its journal has none."""

Turn = Literal["up", "down", "other", "same", "unknown"]
"""`other`: the same points for other tests. `unknown`: the files were not kept, or the grader failed."""


@dataclass(frozen=True, kw_only=True)
class Content:
    """One content, and who sent it. `read` gives its files, or None where they are not at hand.

    `learners` are names, or the paths under which it was graded, an empty one for one's own, or `A_CLASS`.
    """

    digest: str
    learners: Sequence[str]
    read: Callable[[], Submission | None]


@dataclass(frozen=True, kw_only=True)
class Score:
    """What a report says in short: of a class, no whole reports are held."""

    status: Status
    points: Decimal
    points_max: Decimal


@dataclass(frozen=True, kw_only=True)
class Preview:
    """One content that was graded, who sent it (see `Content`), and both results.

    `tests` are those whose status differs, by name, with the status before and now. `why` is said where there is no result.
    """

    digest: str
    learners: Sequence[str]
    before: Score | None
    now: Score | None
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


def stored(summaries: Iterable[Summary], exercise_id: str, state_dir: Path, batched: Iterable[str]) -> list[Content]:
    """Give each content of an exercise that was graded here; `batched` are digests of what `grade batch` graded."""
    sent: dict[str, list[str]] = {}
    for summary in in_order(summaries):
        if summary.exercise == exercise_id and summary.is_attempt:
            learners = sent.setdefault(summary.submission, [])
            if summary.learner not in learners:
                learners.append(summary.learner)
    for digest in sorted(batched):
        sent.setdefault(digest, []).append(A_CLASS)
    return [
        Content(digest=digest, learners=learners, read=partial(kept_submission, digest, state_dir))
        for digest, learners in sent.items()
    ]


def handed_in(sent: Iterable[Sent], exercise_id: str) -> tuple[list[Content], list[str]]:
    """Give what each of a class sent, and who sent nothing that could be graded. No files are held."""
    found: list[Content] = []
    left_out: list[str] = []
    for each in sent:
        try:
            digest = read_sent(each, exercise_id).digest
        except RefusedSubmission:
            left_out.append(each.label)
            continue
        found.append(Content(digest=digest, learners=[each.label], read=partial(read_sent, each, exercise_id)))
    return found, left_out


def merged(contents: Iterable[Content]) -> list[Content]:
    """Give each content once, with all who sent it; the files are those of the first."""
    found: dict[str, Content] = {}
    for each in contents:
        first = found.get(each.digest, each)
        learners = dict.fromkeys([*first.learners, *each.learners])
        found[each.digest] = replace(first, learners=list(learners))
    return list(found.values())


def preview(
    contents: Sequence[Content],
    before: Exercise,
    now: Exercise,
    choice: Choice,
    tell: Callable[[int, int], None] = lambda _done, _all: None,
) -> list[Preview]:
    """Grade each content under both; `tell` gets how many are done, of how many.

    Each under the seed that a grading of today would take. What changes in points comes first.
    """
    found = []
    for done, content in enumerate(contents):
        tell(done, len(contents))
        found.append(_one(content, before, now, choice))
    tell(len(contents), len(contents))
    order: Sequence[Turn] = ("down", "up", "other", "unknown", "same")
    return sorted(found, key=lambda each: order.index(each.turn))


def _one(content: Content, before: Exercise, now: Exercise, choice: Choice) -> Preview:
    def without(why: str) -> Preview:
        return Preview(digest=content.digest, learners=content.learners, before=None, now=None, tests={}, why=why)

    try:
        submission = content.read()
    except RefusedSubmission as error:
        return without(error.message)
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
    scores = [Score(status=each.status, points=each.points, points_max=each.points_max) for each in reports]
    return Preview(digest=content.digest, learners=content.learners, before=scores[0], now=scores[1], tests=changed)


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
