"""Grade once more where the grader failed, and have a report even where nothing could be graded."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import msgspec

from grader import __version__
from grader.batch.image import with_image
from grader.error import BrokenExercise, RefusedSubmission, SandboxError
from grader.exercise import Exercise
from grader.grading import derive_seed, grade, judge, new_id, now
from grader.report import ExerciseRef, Report, SandboxRef, SubmissionRef
from grader.resemblance import with_help
from grader.sandbox.choose import Choice
from grader.sandbox.pod import PodResult
from grader.submission import Submission

RETRIES = 2
"""So many times more where the grader failed: an engine under load does. A third time is a finding."""
TOLD_PROBLEMS = 3
PROBLEM_CHARACTERS = 300


def graded(
    exercise: Exercise, submission: Submission, choice: Choice, *, is_stopped: Callable[[], bool] = lambda: False
) -> Report:
    """Grade, and again where the grader failed. A failure that stays is a report of status `grader-error`."""
    for turn in range(RETRIES + 1):
        try:
            report = with_help(grade(exercise, submission, choice), exercise, choice)
        except SandboxError as error:
            report = failed(exercise, submission, choice, error)
        if report.status != "grader-error" or turn == RETRIES or is_stopped():
            break
    return with_image(report)


def failed(exercise: Exercise, submission: Submission, choice: Choice, error: SandboxError) -> Report:
    """Give the report of a grading that the sandbox didn't carry out: nobody's score."""
    report = judge(
        exercise,
        submission,
        choice,
        seed=derive_seed(exercise, submission),
        limits=exercise.limits,
        result=PodResult(events=(), ending="examiner-lost"),
    )
    return msgspec.structs.replace(report, message=error.message)


def refused(exercise: Exercise, error: RefusedSubmission, choice: Choice) -> Report:
    """Give the report of files that can't be taken: broken, for a reason that its learner can put right."""
    nothing = Submission(files={}, digest="none")
    report = judge(
        exercise,
        nothing,
        choice,
        seed=derive_seed(exercise, nothing),
        limits=exercise.limits,
        result=PodResult(events=(), ending="wall"),
    )
    message = "the files can't be taken: " + "\n".join([*error.problems, *([error.hint] if error.hint else [])])
    return with_image(msgspec.structs.replace(report, message=message, limit=None))


def unsound(id: str, error: BrokenExercise, choice: Choice) -> Report:
    """Give the report of an exercise that isn't sound: nobody's score, and nothing that could be counted."""
    told = [problem[:PROBLEM_CHARACTERS] for problem in error.problems[:TOLD_PROBLEMS]]
    if len(error.problems) > TOLD_PROBLEMS:
        told.append(f"and {len(error.problems) - TOLD_PROBLEMS} more")
    report = Report(
        id=new_id(),
        created=now(),
        exercise=ExerciseRef(id=id, title=id, digest="none"),
        submission=SubmissionRef(digest="none", files=[]),
        seed=0,
        sandbox=SandboxRef(name=choice.name, reason=choice.reason),
        status="grader-error",
        message="the exercise is at fault, not the solution:\n" + "\n".join(told),
        points=Decimal(0),
        points_max=Decimal(0),
        tasks=[],
        tests=[],
        grader_version=__version__,
    )
    return with_image(report)
