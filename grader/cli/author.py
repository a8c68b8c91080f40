"""For those who write exercises: `grade verify`, `new`, `release` and `preview-regrade`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.common import course_of, course_option, put, sandbox_option, say
from grader.error import UsageError

if TYPE_CHECKING:
    from grader.cli.page import Page
    from grader.course import Course
    from grader.regrade import Preview
    from grader.verify.outcome import Point, Verified


@click.command("verify", short_help="Prove that exercises are sound.")
@click.argument("exercises", metavar="[EXERCISE]...", nargs=-1)
@click.option("--all", "is_all", is_flag=True, help="Every exercise of the course.")
@click.option("--jobs", type=click.IntRange(1, 256), metavar="N", help="Gradings at a time; default: the processors.")
@click.option("--quick", is_flag=True, help="Three seeds in place of twenty, and fewer mutants.")
@click.option("--fresh", is_flag=True, help="Prove again what is already proven.")
@sandbox_option
@click.option(
    "--format", "format_name", type=click.Choice(["text", "json", "junit"]), default="text", show_default=True,
    help="The form of the result.",
)  # fmt: skip
@click.option("--output", metavar="FILE", help="Write the result there; `-` is stdout.")
@course_option
@click.pass_context
def verify_exercises(
    ctx: click.Context,
    exercises: tuple[str, ...],
    is_all: bool,
    jobs: int | None,
    quick: bool,
    fresh: bool,
    sandbox: str | None,
    format_name: str,
    output: str | None,
) -> int:
    """Prove that exercises are sound, by running them: the starter fails, right answers earn every point, and wrong
    answers, mutants made by a machine and submissions that cheat don't.

    Exit code: 0 every exercise is sound, 1 something must be put right, 2 usage, 3 nothing could be run, or not all of it.
    """
    from grader.sandbox.choose import choose
    from grader.verify.proof import QUICK_SEEDS, SEEDS, Settings
    from grader.verify.show import to_json, to_junit
    from grader.verify.verify import Listener, chosen_folders, verify

    if format_name == "text" and output not in (None, "-"):
        raise UsageError("a table isn't written to a file", hint="give `--format json` or `--format junit`")
    course = _authors_course(ctx)
    if bool(exercises) == is_all:
        raise UsageError(
            "name exercises, or give `--all`, not both" if is_all else "no exercise is named",
            hint="`grade verify --all`, or such as `grade verify 3`",
        )
    folders = chosen_folders(course.root, exercises)
    choice = choose(sandbox, is_own=False, say=say)
    if choice.notice:
        say(f"notice: {choice.notice}")
    settings = Settings(seeds=QUICK_SEEDS if quick else SEEDS, is_quick=quick, has_hostile=choice.name != "local")
    progress = _Progress(len(folders))
    try:
        found = verify(
            folders,
            course,
            choice,
            settings,
            jobs=jobs or os.cpu_count() or 1,
            listener=Listener(begun=progress.begun, ticked=progress.ticked, ended=progress.ended),
            is_fresh=fresh,
        )
    finally:
        progress.close()
    if format_name == "text":
        _write(found)
    else:
        put(to_json(found) if format_name == "json" else to_junit(found), output, what="result")
    if any(each.fault for each in found):
        return 3
    return 0 if all(each.is_sound for each in found) else 1


def _authors_course(ctx: click.Context) -> Course:
    """Find the course, also one in which no folder is an exercise yet."""
    from grader.course import Course
    from grader.error import NoCourse

    try:
        return course_of(ctx)
    except NoCourse:
        explicit = ctx.find_root().obj.get("course")
        start = Path(os.path.abspath(explicit)) if explicit else Path.cwd()
        for folder in (start,) if explicit else (start, *start.parents):
            if (folder / "exercises").is_dir():
                return Course(root=folder)
        raise


class _Progress:
    """One line on stderr that is written over; without a terminal, one line an exercise."""

    def __init__(self, exercises: int) -> None:
        self._exercises = exercises
        self._ended = 0
        self._running: list[str] = []
        self._is_live = sys.stderr.isatty()
        self._is_open = False

    def begun(self, name: str) -> None:
        self._running.append(name)

    def ticked(self, done: int, known: int) -> None:
        if self._is_live:
            filled = 20 * done // max(known, 1)
            bar = "#" * filled + "." * (20 - filled)
            names = ", ".join(name.removeprefix("exercise-") for name in self._running[:2])
            text = f"[{bar}] {done}/{known} gradings, {self._ended}/{self._exercises} exercises: {names}"
            sys.stderr.write(f"\r\x1b[K{text[:78]}")
            sys.stderr.flush()
            self._is_open = True

    def ended(self, verified: Verified) -> None:
        self._ended += 1
        if verified.exercise in self._running:
            self._running.remove(verified.exercise)
        self.close()
        known = " (proven before)" if verified.is_remembered else f" in {verified.duration_s:.0f} s"
        state = "not run" if verified.fault else "sound" if verified.is_sound else "not sound"
        say(f"{self._ended}/{self._exercises} {verified.exercise}: {state}{known}")

    def close(self) -> None:
        if self._is_open:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._is_open = False


_HEADS = {
    "structure": "form", "written": "text", "starter": "start", "answers": "right", "mutants": "wrong",
    "machine": "kills", "hostile": "cheat", "time": "time",
}  # fmt: skip


def _write(found: list[Verified]) -> None:
    from grader.cli.page import BOLD, DIM, GREEN, RED, Page

    page = Page()
    _write_table(page, found)
    for each in found:
        _write_details(page, each)
    timed = [each for each in found if each.slowest]
    if timed:
        page.line()
        page.line("slowest tests, with the reference", BOLD)
    for each in timed:
        slow = ", ".join(f"{test.name} {test.least_ms:.0f} ms" for test in each.slowest)
        page.prose(f"{_short(each.exercise)}: {slow}", DIM, indent="  ")
    page.line()
    sound = sum(each.is_sound for each in found)
    page.line(f"{sound} of {len(found)} exercises are sound", GREEN if sound == len(found) else RED)
    if any(each.is_remembered for each in found):
        page.prose("what was proven before was looked up: `--fresh` proves it again", DIM)


def _write_table(page: Page, found: list[Verified]) -> None:
    """Write one row an exercise; on a narrow terminal with marks in place of most figures."""
    from grader.cli.page import BOLD, GREEN, RED, YELLOW, column, padded
    from grader.verify.outcome import NAMES

    names = [_short(each.exercise) for each in found]
    head = ["exercise", *(_HEADS[name] for name in NAMES)]
    rows = [[name, *(_cell(page, point) for point in each.points)] for name, each in zip(names, found, strict=True)]
    widths = [column(row[place] for row in [head, *rows]) for place in range(len(head))]
    if sum(widths) + 2 * (len(widths) - 1) > page.width:
        rows = [
            [row[0], *(_small(page, point) for point in each.points)] for row, each in zip(rows, found, strict=True)
        ]
        widths = [column(row[place] for row in [head, *rows]) for place in range(len(head))]
        widths[0] = min(widths[0], max(8, page.width - sum(widths[1:]) - 2 * (len(widths) - 1)))
    colours = {"proven": GREEN, "failed": RED, "not-run": YELLOW}
    page.line("  ".join(padded(text, widths[n]) for n, text in enumerate(head)), BOLD)
    for each, row in zip(found, rows, strict=True):
        cells = [(padded(row[0][: widths[0]], widths[0]), "")]
        for n, point in enumerate(each.points, 1):
            cells.append(("  " + padded(row[n], widths[n]), colours[point.state]))
        page.parts(*cells)


def _mark(page: Page, point: Point) -> str:
    marks = {"proven": "✓", "failed": "✗"} if page.has_unicode else {"proven": "ok", "failed": "NO"}
    return marks.get(point.state, "-")


def _cell(page: Page, point: Point) -> str:
    return _mark(page, point) if point.state == "not-run" else f"{_mark(page, point)} {point.seen}".rstrip()


def _small(page: Page, point: Point) -> str:
    figure = point.seen.rpartition(" ")[2] if point.name == "machine" else point.seen if point.name == "time" else ""
    return figure if figure and point.state == "proven" else _mark(page, point)


def _short(name: str) -> str:
    return name.removeprefix("exercise-")


def _write_details(page: Page, verified: Verified) -> None:
    from grader.cli.page import BOLD, DIM, GREEN, RED

    skipped = {point.seen for point in verified.points if point.state == "not-run"}
    if not (verified.findings or verified.survivors or verified.notes or skipped):
        return
    page.line()
    page.line(verified.exercise, BOLD)
    for finding in verified.findings:
        page.line(f"  {finding.where}", RED)
        page.prose(finding.text, indent="    ")
        if finding.remedy:
            page.prose(f"remedy: {finding.remedy}", DIM, indent="    ")
    for survivor in verified.survivors:
        page.line(f"  no test catches {survivor.id}")
        for line in survivor.diff.splitlines()[2:]:
            page.line(f"    {line}", GREEN if line.startswith("+") else RED if line.startswith("-") else "")
    if verified.survivors:
        page.prose(f"write a test, or mark it as equivalent in {verified.exercise}/exercise.toml:", indent="  ")
        page.line("    [[equivalents]]")
        page.line(f"    mutant = {_toml_text(verified.survivors[0].id)}")
        page.line('    because = "..."')
    for reason in sorted(skipped):
        names = [_HEADS[point.name] for point in verified.points if point.state == "not-run" and point.seen == reason]
        page.prose(f"not run: {', '.join(names)}, because {reason}", DIM, indent="  ")
    for note in verified.notes:
        page.prose(f"note: {note}", DIM, indent="  ")


def _toml_text(text: str) -> str:
    if "'" not in text:
        return f"'{text}'"
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


@click.command("new", short_help="Begin an exercise.")
@click.argument("slug")
@click.option(
    "--kind", type=click.Choice(["http", "function", "query"]), required=True, help="What the learner writes."
)
@click.option("--title", help="Default: made from the slug.")
@course_option
@click.pass_context
def new(ctx: click.Context, slug: str, kind: str, title: str | None) -> int:
    """Begin an exercise: a folder that `grade verify` finds sound, but for what only its author can write.

    SLUG is its short name, such as `one-dish`; its number is the next one that is free.
    """
    from typing import cast

    from grader.render.plain import counted
    from grader.verify.new import Kind, new_exercise
    from grader.verify.structure import examine

    folder = new_exercise(_authors_course(ctx).root, slug, cast(Kind, kind), title)
    click.echo(f"made {os.path.relpath(folder)}")
    left = [finding for finding in examine(folder).findings if finding.point == "written"]
    verb = "is" if len(left) == 1 else "are"
    click.echo(f"{counted(len(left), 'place')} marked `AUTHOR:` {verb} yours to write:")
    for finding in left:
        click.echo(f"  {finding.where}: {finding.text.partition(': ')[2]}")
    click.echo(f"then: grade verify {folder.name} --quick")
    return 0


@click.command("release", short_help="Write the learners' pack.")
@click.argument("folder", metavar="DIR")
@click.option("--hints", type=click.IntRange(0, 3), default=3, show_default=True, help="So many hints a task.")
@course_option
@click.pass_context
def release_pack(ctx: click.Context, folder: str, hints: int) -> int:
    """Write the learners' pack into DIR: every exercise without tests, reference, alternatives and mutants.

    What is written has been searched for every line of what is hidden. Learners work in it; whoever has the course
    grades their solutions: `grade EXERCISE --course FOLDER-OR-ARCHIVE`, called in the pack.
    """
    from grader.render.plain import counted
    from grader.verify.release import release

    pack = release(_authors_course(ctx).root, Path(folder), hints=hints)
    written = f"{counted(len(pack.exercises), 'exercise')} ({counted(pack.files, 'file')})"
    click.echo(f"wrote {written} to {folder}; nothing hidden is in the pack")
    return 0


@click.command("preview-regrade", short_help="Say which scores edited tests would change.")
@click.argument("exercise")
@click.option("--since", required=True, metavar="REV", help="The commit, branch or tag with the tests as they were.")
@click.option("--submissions", metavar="DIR", help="Look at what a class sent, too: the folder of `grade batch`.")
@sandbox_option
@course_option
@click.pass_context
def preview_regrade(ctx: click.Context, exercise: str, since: str, submissions: str | None, sandbox: str | None) -> int:
    """Say which stored submissions would change score under the tests as they are now, and which way.

    Every content that this course's history knows, whosever it is, is graded twice: under the tests of REV, and under
    those in the folder. `grade batch` keeps no files: `--submissions` names the folder that it was given. Nothing is stored.

    Exit code: 0 no score changes, 1 some do, 2 usage, 3 nothing could be graded.
    """
    from grader.batch.journal import graded_before
    from grader.batch.source import find_submissions
    from grader.cli.common import exercise_of
    from grader.cli.learner import database_url, say_note
    from grader.file_name import shown
    from grader.regrade import exercise_at, handed_in, merged, preview, stored
    from grader.render.plain import counted
    from grader.sandbox.choose import choose
    from grader.store.glance import glance
    from grader.store.submissions import kept_submission

    course = course_of(ctx)
    now = exercise_of(course, exercise)
    seen = glance(course.state, database_url())
    for note in seen.notes:
        say_note(note)
    contents, left_out = handed_in(find_submissions(Path(submissions)).sent if submissions else (), now.id)
    known = {each.submission for each in seen.summaries if each.exercise == now.id and each.is_attempt}
    batched = graded_before(course.state, now.id) - known - {content.digest for content in contents}
    kept = [digest for digest in batched if kept_submission(digest, course.state) is not None]
    contents = merged([*contents, *stored(seen.summaries, now.id, course.state, kept)])
    with exercise_at(course, now, since) as before:
        if before.digest == now.digest:
            say(f"nothing that can change a score differs between `{since}` and the folder")
            return 0
        choice = choose(sandbox, is_own=False, say=say)
        if choice.notice:
            say(f"notice: {choice.notice}")
        found = preview(contents, before, now, choice, _tell_regrade)
    if left_out:
        more = f" and {len(left_out) - 5} more" if len(left_out) > 5 else ""
        say(f"note: nothing that can be graded, so left out: {', '.join(shown(name) for name in left_out[:5])}{more}")
    if len(kept) < len(batched):
        lost = counted(len(batched) - len(kept), "submission")
        say(
            f"note: {lost} of `grade batch` can't be looked at: it keeps no files, `--submissions DIR` names their folder"
        )
    if not found and batched:
        return 3
    if not found:
        say(f"no submission of `{now.id}` was graded here yet")
        return 0
    _write_regrade(found)
    if all(each.turn == "unknown" for each in found):
        return 3
    return 0 if all(each.turn in ("same", "unknown") for each in found) else 1


def _tell_regrade(done: int, known: int) -> None:
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K" + (f"{done}/{known} submissions" if done < known else ""))
        sys.stderr.flush()


def _write_regrade(found: list[Preview]) -> None:
    from grader.cli.page import BOLD, DIM, GREEN, RED, YELLOW, Page
    from grader.render.plain import counted, figure, of_points, one_line

    page = Page()
    colours = {"up": GREEN, "down": RED, "other": YELLOW, "unknown": YELLOW, "same": ""}
    for each in found:
        if each.turn == "same":
            continue
        who = ", ".join(one_line(name, 60) or "your own" for name in each.learners)
        page.line(f"{who} ({each.digest.rpartition(':')[2][:12]})", BOLD)
        if each.before is None or each.now is None:
            page.prose(f"not compared: {one_line(each.why, 300)}", YELLOW, indent="  ")
            continue
        points = f"{figure(each.before.points)} -> {of_points(each.now.points, each.now.points_max)}"
        words = "for other tests" if each.turn == "other" else each.turn
        page.line(f"  {words}: {points}", colours[each.turn])
        for name, (then, today) in each.tests.items():
            page.line(f"    {name}: {then} -> {today}", DIM)
    counts = {turn: sum(each.turn == turn for each in found) for turn in colours}
    page.line()
    page.prose(
        f"{counted(len(found), 'submission')}: {counts['up']} up, {counts['down']} down, {counts['other']} for other tests, "
        f"{counts['same']} unchanged, {counts['unknown']} not compared"
    )
