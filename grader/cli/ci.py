"""`grade ci`: grade what a change touches, where CI runs."""

from __future__ import annotations

import os
import re
from pathlib import Path

import click

from grader.cli.common import course_of, course_option, sandbox_option, say


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
@click.option("--report-only", is_flag=True, help="Exit with 0, whatever the result.")
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

    Exit code: 0 every solution reaches the pass mark, 1 one doesn't, 2 usage, 3 the grader or an exercise is at fault.
    """
    from grader.ci import (
        Target,
        base_of,
        changed_exercises,
        deleted_solutions,
        exit_code,
        folder_of_submissions,
        grade_subjects,
        named_subject,
        pass_mark,
        refuse_to_sign,
        signed,
        signing_key,
        subjects_of,
        target,
        targets_of_place,
        tell_github,
        write,
    )
    from grader.sandbox.choose import choose

    wanted = pass_mark(mark)
    targets = [*targets_of_place(os.environ), *(target(text) for text in formats)]
    private = signing_key(key, targets) if key else None
    course = course_of(ctx)
    folder = folder_of_submissions(submissions) if submissions is not None else course.root
    noted: list[str] = []
    if named:
        subjects = [named_subject(text, folder) for text in named]
    else:
        since = base or base_of(os.environ)
        names = None if is_all else changed_exercises(folder, since)
        deleted = [] if names is None else deleted_solutions(folder, since)
        subjects = subjects_of(course, folder, names, noted.append, deleted=deleted)
    for note in noted:
        _tell(note)
    if not subjects:
        found = "found" if is_all else "changed"
        _tell("nothing to grade" if noted else f"nothing to grade: no solution was {found}")
        return 0
    choice = choose(sandbox, is_own=False, say=_tell)
    if choice.notice:
        _tell(f"notice: {choice.notice}")
    if private is not None:
        refuse_to_sign(choice.name)
    results, broken = grade_subjects(course, subjects, choice, _tell)
    root = Path(os.environ.get("GITHUB_WORKSPACE") or folder)
    if private is not None:
        results = signed(results, private)
    if results:
        for each in targets or [Target(format="text", file=None)]:
            write(results, each, root=root, environ=os.environ)
        tell_github(results, os.environ)
    for error in broken:
        for line in error.problems:
            _tell(f"error: {line}")
    if report_only:
        return 0
    return 3 if broken else exit_code(results, wanted)


def _tell(text: str) -> None:
    """Say it on stderr, without power over the log of GitHub Actions: a name in it may be a learner's."""
    say(re.sub(r"^(\s*)::|##\[", r"\1: ", text, flags=re.MULTILINE))
