"""`grade ci`: grade what a change touches, where CI runs."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.common import course_of, course_option, sandbox_option, say
from grader.course import Course
from grader.error import GraderError, UnknownExercise, UsageError
from grader.render.account import short_name

if TYPE_CHECKING:
    from grader.ci import Change, Subject, Target
    from grader.receipt import Ed25519PrivateKey


@click.command("ci", short_help="Grade what a change touches, in CI.")
@click.option("--base", metavar="COMMIT", help="What the change is against; default: as the place tells, else HEAD~1.")
@click.option("--all", "is_all", is_flag=True, help="Grade every solution that is there.")
@click.option(
    "--exercise", "named", multiple=True, metavar="NAME[=FOLDER]",
    help="Grade this one, whatever has changed. May be repeated.",
)  # fmt: skip
@click.option("--submissions", metavar="FOLDER", help="Where the solutions are; default: the course.")
@course_option
@click.option("--pass", "mark", default="100%", show_default=True, metavar="PERCENT", help="The pass mark.")
@click.option("--report-only", is_flag=True, help="Exit with 0, whatever is met while grading.")
@click.option(
    "--format", "formats", multiple=True, metavar="NAME[=FILE]",
    help="One more output, on stdout without FILE. May be repeated.",
)  # fmt: skip
@click.option(
    "--sign", "key", metavar="KEY", envvar="GRADE_SIGN_KEY",
    help="Sign the JSON reports with this Ed25519 key: a file in PEM.",
)  # fmt: skip
@sandbox_option
@click.pass_context
def ci(
    ctx: click.Context,
    base: str | None,
    is_all: bool,
    named: tuple[str, ...],
    submissions: str | None,
    mark: str,
    report_only: bool,
    formats: tuple[str, ...],
    key: str | None,
    sandbox: str | None,
) -> int:
    """Grade what a change touches, and write what the place understands.

    In GitHub Actions these are annotations, the step's summary and GitHub Classroom's result; in GitLab the JUnit file
    `kata-junit.xml`. The hidden tests are those of the course, the solutions those of `--submissions`.

    With `--sign` each JSON report has a receipt, which `grade check-receipt` checks. The variable may hold the key itself,
    as the secrets of CI do. What was graded in the sandbox `local` is not signed.

    Exit code: 0 every solution reaches the pass mark, 1 one doesn't, 2 usage, 3 the grader or an exercise is at fault. With
    `--report-only` it is 0 also where git doesn't know the base or the grader fails, and 2 for a wrong command line only.
    """
    from grader import ci

    targets = [*ci.targets_of_place(os.environ), *(ci.target(text) for text in formats)]
    course = course_of(ctx)
    folder = ci.folder_of_submissions(submissions) if submissions is not None else course.root
    asked = _Asked(
        course=course,
        submissions=folder,
        named=[ci.named_subject(text, folder) for text in named],
        base=base,
        is_all=is_all,
        mark=ci.pass_mark(mark),
        targets=targets or [ci.Target(format="text", file=None)],
        key=ci.signing_key(key, targets) if key else None,
        sandbox=sandbox,
    )
    if not report_only:
        return _grade(asked)
    try:
        _grade(asked)
    except UnknownExercise:
        raise  # named on the command line
    except Exception as error:  # noqa: BLE001  a fault of the grader's must not be the learner's red cross
        from grader.cli.main import own_fault, tell

        told = error if isinstance(error, GraderError) else own_fault()
        tell(told)
        _annotate(told)
    return 0


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """The command line, read."""

    course: Course
    submissions: Path
    named: Sequence[Subject]
    base: str | None
    is_all: bool
    mark: Decimal
    targets: Sequence[Target]
    key: Ed25519PrivateKey | None
    sandbox: str | None


def _grade(asked: _Asked) -> int:
    """Grade, and write what came of it. Give the exit code."""
    from grader import ci
    from grader.sandbox.choose import choose

    noted: list[str] = []
    subjects, missing = asked.named, list[str]()
    if not subjects:
        change = _change(asked)
        names = None if asked.is_all or change is None else change.exercises
        deleted = () if change is None else change.deleted
        subjects = ci.subjects_of(asked.course, asked.submissions, names, noted.append, deleted=deleted)
        missing = ci.without_solution(asked.course, subjects) if names is None else []
    if subjects and missing:
        noted.append(f"note: no solution, not graded: {', '.join(short_name(name) for name in missing)}")
    for note in noted:
        _tell(note)
    if not subjects:
        found = "found" if asked.is_all else "changed"
        _tell("nothing to grade" if noted else f"nothing to grade: no solution was {found}")
        return 0
    choice = choose(asked.sandbox, is_own=False, say=_tell)
    if choice.notice:
        _tell(f"notice: {choice.notice}")
    if asked.key is not None:
        ci.refuse_to_sign(choice.name)
    results, broken = ci.grade_subjects(asked.course, subjects, choice, _tell)
    if asked.key is not None:
        results = ci.signed(results, asked.key)
    root = Path(os.environ.get("GITHUB_WORKSPACE") or asked.submissions)
    for each in asked.targets:
        ci.write(results, each, root=root, environ=os.environ)
    ci.tell_github(results, os.environ, missing=missing)
    for error in broken:
        for line in error.problems:
            _tell(f"error: {line}")
    return 3 if broken else ci.exit_code(results, asked.mark)


def _change(asked: _Asked) -> Change | None:
    """Give what was changed. `--all` needs no history: without one, nothing is known to be deleted."""
    from grader import ci

    try:
        return ci.change_since(asked.submissions, asked.base or ci.base_of(os.environ))
    except UsageError:
        if asked.is_all and asked.base is None:
            return None
        raise


def _annotate(error: GraderError) -> None:
    """Show an error in GitHub Actions where the results would be."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        from grader.render.github import render_error

        sys.stdout.buffer.write(render_error(error.message, hint=error.hint))
        sys.stdout.buffer.flush()


def _tell(text: str) -> None:
    """Say it on stderr, without power over the log of GitHub Actions: a name in it may be a learner's."""
    say(re.sub(r"^(\s*)::|##\[", r"\1: ", text, flags=re.MULTILINE))
