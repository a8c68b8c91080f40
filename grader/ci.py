"""Grade what a change touches, and write what the place that runs it understands.

The hidden tests come from the course, which is trusted; from the submissions nothing is taken but the files of each
`solution/`. Their workflow, configuration and tests are never read, and no link in them is followed.
"""

from __future__ import annotations

import base64
import os
import re
import secrets
import stat
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from grader import receipt
from grader.batch.attempt import graded, refused, unsound
from grader.course import Course
from grader.error import BrokenExercise, RefusedSubmission, UsageError
from grader.exercise import Exercise
from grader.file_name import shown
from grader.git import ask_git
from grader.render import FORMATS, render
from grader.render.account import headline, short_name
from grader.render.plain import number, one_line, to_json
from grader.report import Report
from grader.sandbox.choose import Choice
from grader.store.place import reason
from grader.submission import kind_problem, read_submission
from grader.whole_file import is_stream, own_descriptor, write_whole

if TYPE_CHECKING:
    from grader.receipt import Ed25519PrivateKey

JUNIT_FILE = "kata-junit.xml"
SUMMARY_BYTES = 900_000
"""GitHub drops a step's summary of more than 1 MiB."""

_SUITES = re.compile(rb"<testsuites name=\"[^\"]*\" tests=\"(\d+)\" failures=\"(\d+)\" errors=\"(\d+)\"")
_PASS = re.compile(r"([0-9]{1,3}(?:\.[0-9]+)?)\s*%?")

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One solution to grade. `folder` may be an archive; `within` is the submissions' folder, or `None` for a path that
    whoever called gave, and trusts.
    """

    name: str
    folder: Path
    within: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Result:
    """A report, and where its files lie."""

    report: Report
    folder: Path


@dataclass(frozen=True, kw_only=True)
class Target:
    """An output: a format, and its file; `None` is stdout."""

    format: str
    file: Path | None


@dataclass(frozen=True, kw_only=True)
class Change:
    """The folders below `exercises/` in which something differs, and those in whose `solution/` something was deleted.

    A renaming deletes, too.
    """

    exercises: Sequence[str]
    deleted: Sequence[str]


def pass_mark(text: str) -> Decimal:
    """Read a mark in percent.

    Raises:
        UsageError: it is none from 0 to 100.
    """
    found = _PASS.fullmatch(text.strip())
    if found is None or Decimal(found[1]) > 100:
        raise UsageError(f"{shown(text)} is no pass mark", hint="a number from 0 to 100, such as `--pass 60%`")
    return Decimal(found[1])


def target(text: str) -> Target:
    """Read `NAME` or `NAME=FILE`.

    Raises:
        UsageError: no format has the name.
    """
    name, _, file = text.partition("=")
    if name not in FORMATS:
        raise UsageError(f"no format named {shown(name)}", hint="the formats are " + ", ".join(FORMATS))
    return Target(format=name, file=Path(file) if file not in ("", "-") else None)


def targets_of_place(environ: Mapping[str, str]) -> list[Target]:
    """Give the outputs that the place reads by itself, beside GitHub's own files (see `tell_github`)."""
    if environ.get("GITHUB_ACTIONS") == "true":
        return [Target(format="github", file=None)]
    if environ.get("GITLAB_CI") == "true":
        return [Target(format="text", file=None), Target(format="junit", file=Path(JUNIT_FILE))]
    return []


def base_of(environ: Mapping[str, str]) -> str:
    """Name the commit that the change is against, as the place tells it."""
    branch = environ.get("GITHUB_BASE_REF", "")
    return f"origin/{branch}" if branch else environ.get("CI_MERGE_REQUEST_DIFF_BASE_SHA", "") or "HEAD~1"


def change_since(submissions: Path, base: str) -> Change | None:
    """Give what differs between the base and now; `None` where nothing is before it, as for a first commit.

    Raises:
        UsageError: git can't tell.
    """
    if not _is_commit(submissions, base):
        if base == "HEAD~1" and _git(submissions, "rev-parse", "--is-shallow-repository").strip() == b"false":
            return None
        raise UsageError(
            f"git doesn't know the commit {shown(base)} in {shown(str(submissions))}",
            hint="fetch the history (GitHub: `fetch-depth: 0`; GitLab: `GIT_DEPTH: 0`), or grade everything with `--all`",
        )
    options = ("diff", "--name-status", "-z", "--no-renames", "--no-ext-diff", "--relative")
    try:
        # Since the two parted: what went into the base meanwhile is not of this change.
        told = _git(submissions, *options, f"{base}...HEAD", "--", ".")
    except UsageError:
        told = _git(submissions, *options, base, "HEAD", "--", ".")  # a shallow clone doesn't know where they parted
    fields = os.fsdecode(told).split("\0")
    differing = [
        (letter, parts)
        for letter, path in zip(fields[::2], fields[1::2], strict=False)
        if (parts := path.split("/"))[0] == "exercises" and len(parts) > 2
    ]
    return Change(
        exercises=sorted({parts[1] for _, parts in differing}),
        deleted=sorted({parts[1] for letter, parts in differing if letter == "D" and parts[2] == "solution"}),
    )


def folder_of_submissions(given: str) -> Path:
    """Give the folder that `--submissions` names.

    Raises:
        UsageError: it is none.
    """
    folder = Path(given)
    if not folder.is_dir():
        problem = "is no folder" if os.path.lexists(folder) else "isn't there"
        raise UsageError(
            f"{shown(given)} {problem}", hint="`--submissions` takes the folder that holds the learner's `exercises/`"
        )
    return folder


def subjects_of(
    course: Course, submissions: Path, names: Sequence[str] | None, say: Say, *, deleted: Sequence[str] = ()
) -> list[Subject]:
    """Give the solutions of these exercises, of all where `names` is `None`; says what can't be graded.

    A solution that is among the `deleted` and isn't there is given all the same: nobody gets round a grading like that.
    """
    known = [entry.id for entry in course.exercises()]
    if names is not None:
        for name in names:
            if name not in known:
                say(f"note: {shown(name)} is no exercise of the course: not graded")
    subjects = []
    for name in known:
        if names is not None and name not in names:
            continue
        folder = submissions / "exercises" / name / "solution"
        if os.path.lexists(folder) or name in deleted:
            subjects.append(Subject(name=name, folder=folder, within=submissions))
        elif names is not None:
            say(f"note: `{name}` was changed and has no `solution/`: not graded")
    return subjects


def without_solution(course: Course, subjects: Iterable[Subject]) -> list[str]:
    """Name the exercises of the course that none of these is about."""
    have = {subject.name for subject in subjects}
    return [entry.id for entry in course.exercises() if entry.id not in have]


def named_subject(text: str, submissions: Path) -> Subject:
    """Read `NAME` or `NAME=FOLDER`: a solution to grade whatever has changed.

    Raises:
        UsageError: the folder isn't there: whoever called gave a wrong one, and no learner did.
    """
    name, _, folder = text.partition("=")
    if folder and not os.path.exists(folder):
        raise UsageError(
            f"there is no folder or archive {shown(folder)}",
            hint=f"`--exercise {name}=FOLDER` takes a solution's folder",
        )
    if folder:
        return Subject(name=name, folder=Path(folder))
    return Subject(name=name, folder=submissions, within=submissions)


def grade_subjects(
    course: Course, subjects: Iterable[Subject], choice: Choice, say: Say
) -> tuple[list[Result], list[BrokenExercise]]:
    """Grade each. What a learner did wrong is in the reports; an exercise that isn't sound has one too, and its error is
    given beside them.

    Raises:
        UnknownExercise: a subject's name means none.
        NoHiddenTests: the course is a learners' pack.
    """
    results: list[Result] = []
    broken: list[BrokenExercise] = []
    for subject in subjects:
        try:
            exercise = course.load(subject.name)
        except BrokenExercise as error:
            broken.append(error)
            id = course.resolve(subject.name).name
            report, folder = unsound(id, error, choice), _folder_of(id, subject)
        else:
            report, folder = _graded(exercise, subject, choice)
        say(f"{report.exercise.id}: {headline(report)}")
        results.append(Result(report=report, folder=folder))
    return results, broken


def signing_key(given: str, targets: Iterable[Target]) -> Ed25519PrivateKey:
    """Read the key to sign with: the name of a file in PEM, or such a file's text, as secrets of CI are.

    Raises:
        UsageError: there is no such key there, or no output would have the receipts.
    """
    if not any(each.format == "json" for each in targets):
        raise UsageError(
            "nothing would have the receipts: they stand in the JSON report", hint="add `--format json=report.json`"
        )
    if given.lstrip().startswith("-----BEGIN"):
        return receipt.read_private_key(given.encode())
    try:
        text = Path(given).read_bytes()
    except OSError as error:
        raise UsageError(
            f"the key to sign with can't be read from {shown(given)}: {reason(error)}", hint=receipt.HOW_TO_MAKE
        ) from error
    return receipt.read_private_key(text)


def refuse_to_sign(sandbox: str) -> None:
    """Refuse a sandbox that keeps a solution neither from the key nor from its own score.

    Raises:
        UsageError: it is such a one.
    """
    if sandbox == "local":
        raise UsageError(
            "what is graded in the sandbox `local` is not signed: a solution could read the key there",
            hint="use `--sandbox docker` or `--sandbox bubblewrap`",
        )


def signed(results: Iterable[Result], key: Ed25519PrivateKey) -> list[Result]:
    """Give the results with receipts.

    Raises:
        SandboxError: the engine can't name its image.
    """
    from grader.sandbox.image_id import engine_image_id

    results = list(results)
    is_engine_asked = any(each.report.sandbox.name == "docker" for each in results)
    engine_id = engine_image_id() if is_engine_asked else ""
    found = []
    for each in results:
        image_id = engine_id if each.report.sandbox.name == "docker" else ""
        found.append(replace(each, report=receipt.sign(each.report, key, image_id=image_id)))
    return found


def exit_code(results: Iterable[Result], mark: Decimal) -> int:
    """Give 0 where every solution reaches the mark, 1 where one doesn't, 3 where the grader failed."""
    reports = [result.report for result in results]
    if any(report.status == "grader-error" for report in reports):
        return 3
    return 0 if all(report.points * 100 >= mark * report.points_max for report in reports) else 1


def write(results: Sequence[Result], where: Target, *, root: Path, environ: Mapping[str, str]) -> None:
    """Write all reports in one format: into one file where the format can, else a file for each exercise.

    Raises:
        UsageError: a file can't be written.
    """
    together = _together(results, where.format, root)
    data = b"".join(together)
    # GitHub reads both as the log.
    is_log = where.file is None or own_descriptor(where.file) in (1, 2)
    if is_log and environ.get("GITHUB_ACTIONS") == "true" and where.format != "github":
        data = _without_commands(data)
    if where.file is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    path = where.file
    try:
        if is_stream(path):
            write_whole(path, data)
            return
        for place, part in enumerate(together):
            if len(together) > 1:
                path = where.file.with_name(f"{where.file.stem}-{results[place].report.exercise.id}{where.file.suffix}")
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, part)
    except OSError as error:
        raise UsageError(f"the report can't be written to `{path}`: {reason(error)}") from error


def tell_github(results: Sequence[Result], environ: Mapping[str, str], *, missing: Sequence[str] = ()) -> None:
    """Write GitHub's own files: the step's summary, and the step's output with Classroom's result.

    The summary names the exercises that are `missing`, which have no solution.

    Raises:
        UsageError: a file can't be written.
    """
    if environ.get("GITHUB_ACTIONS") != "true" or not results:
        return
    summary = b""
    for result in results:
        told = render(result.report, "markdown") + b"\n"
        if len(summary) + len(told) > SUMMARY_BYTES:
            told = f"{result.report.exercise.id}: {headline(result.report)}\n\n".encode()
        summary += told
    if missing:
        summary += f"No solution, not graded: {', '.join(short_name(name) for name in missing)}\n".encode()
    _append(environ.get("GITHUB_STEP_SUMMARY", ""), summary)
    _append(environ.get("GITHUB_OUTPUT", ""), b"result=" + base64.b64encode(_classroom(results).rstrip()) + b"\n")


def _graded(exercise: Exercise, subject: Subject, choice: Choice) -> tuple[Report, Path]:
    folder = _folder_of(exercise.id, subject)
    try:
        if subject.within is not None:
            _refuse_links(subject.within, folder)
            _refuse_nothing(subject.within, folder)
        return graded(exercise, read_submission(folder), choice), folder
    except RefusedSubmission as error:
        return refused(exercise, error, choice), folder


def _folder_of(id: str, subject: Subject) -> Path:
    if subject.within is not None and subject.folder == subject.within:
        return subject.within / "exercises" / id / "solution"
    return subject.folder


def _refuse_links(within: Path, folder: Path) -> None:
    """Refuse a solution that a link leads to: it would be graded as what somebody else wrote, or show a file of ours."""
    path = within
    for part in folder.relative_to(within).parts:
        path = path / part
        if path.is_symlink():
            name = shown(str(path.relative_to(within)))
            raise RefusedSubmission([f"{name} {kind_problem(stat.S_IFLNK)}"])


def _refuse_nothing(within: Path, folder: Path) -> None:
    if not os.path.lexists(folder):
        name = shown(str(folder.relative_to(within)))
        raise RefusedSubmission([f"{name} isn't there"], hint="put the files there, or back again")


def _together(results: Sequence[Result], format: str, root: Path) -> list[bytes]:
    """Give the contents: one where the format has room for several exercises, else one for each."""
    if format == "github":
        from grader.render.github import render_all

        return [render_all([(each.report, _relative(each.folder, root)) for each in results])]
    if format == "csv":
        return [b"".join(render(each.report, format, has_header=not place) for place, each in enumerate(results))]
    if format in ("text", "markdown"):
        return [b"\n".join(render(each.report, format) for each in results)]
    if format == "classroom" and len(results) > 1:
        return [_classroom(results)]
    if format == "junit" and len(results) > 1:
        return [_junit([render(each.report, format) for each in results])]
    return [render(each.report, format) for each in results]


def _classroom(results: Sequence[Result]) -> bytes:
    """Put the results of several exercises into one; where the grader failed in one, there is no total to tell."""
    found: list[dict[str, Any]] = [msgspec.json.decode(render(each.report, "classroom")) for each in results]
    failed = next((each for each in found if each["status"] == "error"), None)
    if failed is not None or len(found) == 1:
        return to_json(failed or found[0], indent=0) + b"\n"
    tests = []
    for result, each in zip(results, found, strict=True):
        title = re.sub(r"::|##\[", " ", one_line(result.report.exercise.title, 100))
        tests += [{**test, "name": f"{title}: {test['name']}"} for test in each["tests"]]
    is_passed = all(each["status"] == "pass" for each in found)
    top = number(sum((Decimal(str(each["max_score"])) for each in found), Decimal(0)))
    merged = {"version": 3, "status": "pass" if is_passed else "fail", "max_score": top, "tests": tests}
    return to_json(merged, indent=0) + b"\n"


def _junit(documents: Sequence[bytes]) -> bytes:
    """Put the suites of several documents into one."""
    counts = [0, 0, 0]
    suites = []
    for document in documents:
        found = _SUITES.search(document)
        assert found is not None
        counts = [before + int(more) for before, more in zip(counts, found.groups(), strict=True)]
        # What learners wrote is escaped, so these can only be the document's own.
        start, end = document.index(b"<testsuite "), document.rindex(b"</testsuites>")
        suites.append(document[start:end])
    tests, failures, errors = counts
    head = f'<testsuites name="katas" tests="{tests}" failures="{failures}" errors="{errors}">\n'
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + head.encode() + b"".join(suites) + b"</testsuites>\n"


def _without_commands(data: bytes) -> bytes:
    """Let GitHub take nothing in this for a workflow command, whatever learners print."""
    token = secrets.token_hex(16)
    return f"::stop-commands::{token}\n".encode() + data + f"\n::{token}::\n".encode()


def _relative(folder: Path, root: Path) -> str:
    path = os.path.relpath(folder.absolute(), root.absolute())
    return "" if path.startswith("..") else path.replace(os.sep, "/")


def _append(file: str, data: bytes) -> None:
    if not file:
        return
    try:
        with open(file, "ab") as opened:
            opened.write(data)
    except OSError as error:
        raise UsageError(f"`{file}` can't be written: {reason(error)}") from error


def _is_commit(folder: Path, name: str) -> bool:
    try:
        _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    except UsageError:
        _git(folder, "rev-parse", "--git-dir")  # tells the other reasons
        return False
    return not name.startswith("-")


def _git(folder: Path, *arguments: str) -> bytes:
    return ask_git(
        folder,
        *arguments,
        unasked="git can't be asked what has changed",
        failed="git can't tell what has changed",
        hint="name what to grade: `--exercise NAME`, or `--all`",
    )
