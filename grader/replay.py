"""Grade again as a report says, and tell what differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from grader import __version__
from grader.batch.attempt import refused
from grader.batch.image import with_image
from grader.course import Course
from grader.error import RefusedSubmission, UsageError
from grader.exercise import Exercise
from grader.grading import Options, grade
from grader.render.plain import figure, of_points, one_line
from grader.report import Report, TestResult
from grader.sandbox.choose import Choice
from grader.store.submissions import kept_submission
from grader.submission import Submission, read_submission

NOT_THERE = "not there"
REFUSED = "none"
"""The digest that a report has instead of a submission's, where the files could not be taken."""

WALL_S = (1, 3600)


@dataclass(frozen=True, kw_only=True)
class Part:
    """Something that is not as it was: what it is, then and now."""

    name: str
    then: str
    now: str


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A report and its replay. `score` are differences of what was found; `conditions` those of what it was found with.

    `contradictions` are texts: what in the report itself doesn't follow from its own tests.
    """

    then: Report
    now: Report
    score: Sequence[Part]
    tests: Sequence[Part]
    conditions: Sequence[Part]
    contradictions: Sequence[str]

    @property
    def agrees(self) -> bool:
        """Whether the score is the same, test by test."""
        return not self.score and not self.tests


@dataclass(frozen=True, kw_only=True)
class Source:
    """The files to grade again. `submission` is `None` where they can't be taken, for the reason of `refusal`."""

    submission: Submission | None
    refusal: RefusedSubmission | None
    where: str
    is_own: bool


def files_of(report: Report, exercise: Exercise, home: Course, path: Path | None) -> Source:
    """Give the files that a report is about: those at `path`, else the solution or the kept ones, if they are the same.

    Raises:
        UsageError: they are not at hand.
        RefusedSubmission: those at `path` can't be taken, though those of the report could.
    """
    if path is not None:
        found = _read(path, is_own=False)
        if found.refusal is not None and report.submission.digest != REFUSED:
            raise found.refusal
        return found
    folder = home.root / "exercises" / exercise.id / "solution"
    if folder.is_dir():
        found = _read(folder, is_own=True)
        if found.submission is not None and found.submission.digest == report.submission.digest:
            return found
    kept = kept_submission(report.submission.digest, home.state)
    if kept is not None:
        return Source(submission=kept, refusal=None, where="the kept submission", is_own=False)
    raise UsageError(
        "the files that were graded are not here: neither is the solution as it was then, nor were they kept",
        hint="name them: `grade replay REPORT PATH`",
    )


def replay(report: Report, exercise: Exercise, source: Source, choice: Choice) -> Report:
    """Grade again, with the seed and the time of the report.

    Raises:
        SandboxError: the sandbox failed; nothing was judged.
    """
    if source.submission is None:
        assert source.refusal is not None
        return refused(exercise, source.refusal, choice)
    wall_s = report.limits.get("wall_s")
    if wall_s is not None and not WALL_S[0] <= wall_s <= WALL_S[1]:
        wall_s = None
    return with_image(grade(exercise, source.submission, choice, Options(seed=report.seed, wall_s=wall_s)))


def compare(then: Report, now: Report) -> Comparison:
    """Say what differs."""
    score = _parts(
        {
            "result": (then.status, now.status),
            "points": (of_points(then.points, then.points_max), of_points(now.points, now.points_max)),
        }
    )
    conditions = {
        "exercise": (then.exercise.digest, now.exercise.digest),
        "submission": (then.submission.digest, now.submission.digest),
        "sandbox": (then.sandbox.name, now.sandbox.name),
        "grader version": (then.grader_version, __version__),
    }
    if then.sandbox.image and now.sandbox.image and then.sandbox.name == now.sandbox.name:
        conditions["image"] = (then.sandbox.image, now.sandbox.image)
    for name in sorted({*then.limits, *now.limits}):
        conditions[f"limit {name}"] = (_limit(then, name), _limit(now, name))
    return Comparison(
        then=then,
        now=now,
        score=score,
        tests=_tests(then, now),
        conditions=_parts(conditions),
        contradictions=contradictions(then),
    )


def contradictions(report: Report) -> list[str]:
    """Say what in a report doesn't follow from its own tests: no grading gives such a one, so somebody changed it."""
    found = []
    unpassed = sum(test.status != "pass" for test in report.tests)
    if report.status == "passed" and unpassed:
        found.append(f"it says passed, and {unpassed} of its {len(report.tests)} tests did not pass")
    if report.status == "failed" and report.tests and not unpassed:
        found.append("it says failed, and all of its tests passed")
    earned = sum((test.points for test in report.tests), Decimal(0))
    if report.points != earned:
        found.append(f"it says {of_points(report.points, report.points_max)}, and its tests have {figure(earned)}")
    for task in report.tasks:
        earned = sum((test.points for test in report.tests if test.task == task.id), Decimal(0))
        if task.points != earned:
            told = of_points(task.points, task.points_max)
            found.append(f"its task {one_line(task.id, 100)} says {told}, and the tests of it have {figure(earned)}")
    for test in report.tests:
        if test.points != (test.points_max if test.status == "pass" else 0):
            told = of_points(test.points, test.points_max)
            found.append(f"its test {one_line(test.name, 100)} says {test.status}, with {told}")
    return found


def _tests(then: Report, now: Report) -> list[Part]:
    before, after = ({test.name: test for test in report.tests} for report in (then, now))
    return [
        Part(name=test.title, then=_told(before.get(name)), now=_told(after.get(name)))
        for name, test in {**after, **before}.items()
        if _told(before.get(name)) != _told(after.get(name))
    ]


def _told(test: TestResult | None) -> str:
    if test is None:
        return NOT_THERE
    return test.status if test.status != "pass" else f"pass ({of_points(test.points, test.points_max)})"


def _limit(report: Report, name: str) -> str:
    value = report.limits.get(name)
    return "none" if value is None else f"{value:g}"


def _parts(pairs: Mapping[str, tuple[str, str]]) -> list[Part]:
    return [Part(name=name, then=then, now=now) for name, (then, now) in pairs.items() if then != now]


def _read(folder: Path, *, is_own: bool) -> Source:
    try:
        return Source(submission=read_submission(folder), refusal=None, where=str(folder), is_own=is_own)
    except RefusedSubmission as error:
        return Source(submission=None, refusal=error, where=str(folder), is_own=is_own)
