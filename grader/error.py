"""What can go wrong, as one tree. Each error names the thing and, where one is known, the remedy.

GraderError
├── UsageError              exit 2: the command was not understood
│   ├── NoCourse
│   ├── UnknownExercise
│   ├── NoHiddenTests       this is a learners' pack
│   └── RefusedSubmission   the learner's files can't be taken; says which and why
├── FaultError              exit 3: the grader or the exercise is at fault, never the learner
│   ├── BrokenExercise      all problems of the exercise's folder
│   ├── SandboxError        the engine failed half-way
│   └── NoSandbox           nothing here can run it
└── DamagedReport
"""

from __future__ import annotations

from collections.abc import Sequence


class GraderError(Exception):
    """A failure that is told in one sentence. `hint` is the remedy, or empty."""

    exit_code = 3

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(GraderError):
    """The request can't be carried out as it was made."""

    exit_code = 2


class NoCourse(UsageError):
    """No folder with `exercises/` was found."""


class UnknownExercise(UsageError):
    """No exercise, or more than one, has the name."""


class NoHiddenTests(UsageError):
    """The exercise is one of a learners' pack: its hidden tests are elsewhere."""


class RefusedSubmission(UsageError):
    """The learner's files can't be taken. `problems` names every file and reason."""

    def __init__(self, problems: Sequence[str], *, hint: str = "") -> None:
        super().__init__("\n".join(problems), hint=hint)
        self.problems = tuple(problems)


class FaultError(GraderError):
    """Ours or the exercise's: never a score, always worth another try."""


class BrokenExercise(FaultError):
    """The exercise's folder is not sound. `problems` has all of them, each with file and line where known.

    `exercise` is the one that somebody asked for, by its folder's name; empty where an author hears of a course.
    """

    def __init__(self, problems: Sequence[str], *, hint: str = "", exercise: str = "") -> None:
        super().__init__("\n".join(problems), hint=hint)
        self.problems = tuple(problems)
        self.exercise = exercise


class SandboxError(FaultError):
    """The sandbox failed, not what ran in it."""


class NoSandbox(FaultError):
    """Nothing on this machine can run the submission."""


class DamagedReport(GraderError):
    """A stored or given report can't be read."""
