"""`grade check-receipt` and `grade replay`: whether a report can be trusted after the fact."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.common import course_of, course_option, exercise_of, sandbox_option, say
from grader.error import DamagedReport, NoSandbox, UsageError
from grader.render.plain import of_points, one_line
from grader.report import Report, Signed, TaskResult, TestResult, from_json

if TYPE_CHECKING:
    from grader.receipt import Checked
    from grader.replay import Comparison, Part
    from grader.sandbox.choose import Choice

MOST_BYTES = 64 << 20
MOST_DIGITS = 100
SHOWN_TESTS = 20
CHECK_CODES = {"valid": 0, "altered": 1, "unknown-key": 4}


@click.command("check-receipt", short_help="Say whether a signed report is as it was signed.")
@click.argument("report", metavar="REPORT", type=click.Path())
@click.option(
    "--key", "keys", multiple=True, metavar="PUBLIC",
    help="Trust this public key: a file in PEM. May be repeated. Also: the variable GRADE_PUBLIC_KEY, which holds keys.",
)  # fmt: skip
def check_receipt(report: str, keys: tuple[str, ...]) -> int:
    """Say whether a report that `grade ci --sign` wrote is as it was signed: valid, altered, or by an unknown key.

    REPORT is the JSON report. What was altered is named. Without a key no signer is known, and only a report that was
    altered after it was signed is found out.

    Exit code: 0 valid, 1 altered, 2 usage, or no receipt; 4 it is as it was signed, and no key that is trusted did it.
    """
    from grader.receipt import check, read_public_keys

    given = [_bytes(name, "the key") for name in keys]
    held = os.environ.get("GRADE_PUBLIC_KEY", "")
    trusted = [key for text in (*given, *([held.encode()] if held else [])) for key in read_public_keys(text)]
    try:
        data = _bytes(report, "the report")
        _checked_numbers(from_json(data))
        checked = check(data, trusted)
    except DamagedReport as error:
        raise _no_report(report, error) from error
    for line in _receipt_lines(checked):
        click.echo(line)
    if checked.state == "unknown-key" and not trusted:
        say("\nhint: name the signer's public key: `grade check-receipt REPORT --key PUBLIC`")
    return CHECK_CODES[checked.state]


@click.command("replay", short_help="Grade again as a report says, and compare.")
@click.argument("report", metavar="REPORT", type=click.Path())
@click.argument("path", required=False, type=click.Path())
@course_option
@sandbox_option
@click.pass_context
def replay(ctx: click.Context, report: str, path: str | None, sandbox: str | None) -> int:
    """Grade again with the seed of a report, and say whether the score agrees; if not, what differs.

    REPORT is a JSON report. PATH is the submission; by default `solution/` or the files that were kept when it was graded,
    whichever are those of the report. The sandbox is that of the report, where it works here.

    Exit code: 0 the score agrees, test by test; 1 it doesn't; 2 usage; 3 the grader or the exercise is at fault.
    """
    from grader.course import home_of
    from grader.replay import compare, files_of
    from grader.replay import replay as graded_again

    try:
        data = _bytes(report, "the report")
        then = _checked_numbers(from_json(data))
        altered = _altered(data) if then.receipt is not None else []
    except DamagedReport as error:
        raise _no_report(report, error) from error
    if then.status == "grader-error":
        raise UsageError(
            "the report has no score to compare: the grader had failed", hint="grade again: `grade EXERCISE PATH`"
        )
    course = course_of(ctx)
    exercise = exercise_of(course, then.exercise.id)
    source = files_of(then, exercise, home_of(course, Path.cwd()), Path(path) if path is not None else None)
    choice = _choose(sandbox, then, is_own=source.is_own)
    if choice.notice:
        say(f"notice: {choice.notice}")
    say(f"grading {one_line(source.where)} with the seed {then.seed}")
    found = compare(then, graded_again(then, exercise, source, choice))
    for line in _comparison_lines(found, altered):
        click.echo(line)
    if found.now.status == "grader-error":
        return 3
    return 0 if found.agrees else 1


def _altered(data: bytes) -> list[str]:
    """Name what in a report isn't as it was signed, whoever signed it."""
    from grader.receipt import check

    return [each.key for each in check(data, []).differences]


def _choose(wanted: str | None, then: Report, *, is_own: bool) -> Choice:
    from grader.sandbox.choose import choose

    if wanted is None and then.sandbox.name in ("docker", "bubblewrap"):
        try:
            return choose(then.sandbox.name, is_own=is_own, say=say)
        except NoSandbox as error:
            say(f"note: {error.message}; another one may give another score")
    return choose(wanted, is_own=is_own, say=say)


def _receipt_lines(checked: Checked) -> list[str]:
    key = f"the key {one_line(checked.key, 64)}"
    if checked.state == "altered":
        lines = ["altered: the report is not as it was signed"]
        for each in checked.differences:
            if each.key == "receipt":
                lines.append("  receipt: the signature is not one of what it says")
            elif each.signed is None or each.found is None:
                lines.append(f"  {one_line(each.key, 100)}: changed")
            else:
                lines.append(
                    f"  {one_line(each.key, 100)}: {one_line(each.found, 100)}; signed was {one_line(each.signed, 100)}"
                )
        return lines
    if checked.state == "valid":
        lines = [f"valid: signed by {key}"]
    else:
        lines = [f"unknown key: it is as it was signed, but nobody said that {key} is to be trusted"]
    signed = checked.signed
    told = {
        "result": f"{signed.status}, {of_points(signed.points, signed.points_max)}",
        "exercise": signed.exercise,
        "submission": signed.submission,
        "image": " ".join(each for each in (signed.image, signed.image_id) if each),
        "seed": str(signed.seed),
        "limits": ", ".join(f"{name} {value:g}" for name, value in signed.limits.items()),
        "grader version": signed.grader_version,
    }
    return [*lines, *(f"  {name}: {one_line(value, 400)}" for name, value in told.items() if value)]


def _comparison_lines(found: Comparison, altered: Sequence[str]) -> list[str]:
    then, now = (of_points(each.points, each.points_max) for each in (found.then, found.now))
    if found.now.status == "grader-error":
        lines = [f"there is no score to compare: {one_line(found.now.message)}"]
    elif found.agrees:
        lines = [f"the score agrees: {now}, {found.now.status}"]
    elif found.score:
        lines = [f"the score differs: {then}, {found.then.status} in the report; {now}, {found.now.status} now"]
    else:
        lines = [f"the score differs: {now} both times, but not for the same tests"]
    if found.tests and found.now.status != "grader-error":
        lines += ["", "tests", *_part_lines(found.tests)]
    if found.conditions:
        lines += ["", "what else differs", *_part_lines(found.conditions)]
    if found.contradictions:
        told = [*found.contradictions[:SHOWN_TESTS]]
        told += (
            [f"and {len(found.contradictions) - SHOWN_TESTS} more"] if len(found.contradictions) > SHOWN_TESTS else []
        )
        lines += ["", "the report contradicts itself", *(f"  {each}" for each in told)]
    if altered:
        named = ", ".join(one_line(each, 100) for each in altered[:SHOWN_TESTS])
        lines += ["", f"the report is altered: it is not as its receipt says that it was signed ({named})"]
    if not (found.agrees or found.conditions or found.contradictions or altered):
        lines += [
            "",
            "nothing else differs that a report tells: the submission, or a test, does not do the same every time",
        ]
    return lines


def _part_lines(parts: Sequence[Part]) -> list[str]:
    lines = [
        f"  {one_line(each.name, 200)}: {one_line(each.then, 100)} in the report, {one_line(each.now, 100)} now"
        for each in parts[:SHOWN_TESTS]
    ]
    return [*lines, *([f"  and {len(parts) - SHOWN_TESTS} more"] if len(parts) > SHOWN_TESTS else [])]


def _bytes(name: str, what: str) -> bytes:
    from grader.store.place import reason

    try:
        with open(name, "rb") as file:
            data = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        told = reason(error) if isinstance(error, OSError) else str(error)
        raise UsageError(f"{what} can't be read from `{one_line(name, 200)}`: {told}") from error
    if len(data) > MOST_BYTES:
        raise UsageError(f"`{one_line(name, 200)}` is larger than a report can be")
    return data


def _checked_numbers(report: Report) -> Report:
    """Refuse points that nobody could write down: a file that was tampered with may say 1e999999999.

    Raises:
        DamagedReport: there are such.
    """
    told: list[Report | TaskResult | TestResult | Signed] = [report, *report.tasks, *report.tests]
    told += [report.receipt.signed] if report.receipt is not None else []
    for each in told:
        for points in (each.points, each.points_max):
            if not points.is_finite() or abs(points.adjusted()) > MOST_DIGITS:
                raise DamagedReport("not a report: it tells of points without bounds")
    return report


def _no_report(name: str, error: DamagedReport) -> UsageError:
    return UsageError(
        f"`{one_line(name, 200)}` is {one_line(error.message, 300)}", hint="it takes what `--format json` writes"
    )
