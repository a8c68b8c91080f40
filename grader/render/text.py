"""The terminal form: tests as they end, then why the first of them failed, the points, and the next step.

Written without Rich, whose import costs more than a warm grading (measured: 0.1 s against 0.08 s).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from grader.render import account
from grader.render.account import Block, Line
from grader.render.called import as_called
from grader.render.plain import (
    counted,
    fold,
    of_points,
    one_line,
    pasteable,
    to_ascii,
    width_of,
    wrap,
    wrap_whole,
)

if TYPE_CHECKING:
    from grader.report import Report, TestResult

DETAILS = 3
"""So many failures are told in full, unless more are asked for: a screen is no place for thirty transcripts."""

_NARROWEST = 20
_NARROWEST_TITLE = 14
_MARKS = {"pass": "✓", "fail": "✗", "skip": "-", "error": "!"}
_ASCII_MARKS = {"pass": "ok  ", "fail": "FAIL", "skip": "skip", "error": "ERR "}
_COLOURS = {"pass": "32", "fail": "31", "skip": "33", "error": "35"}
_SIGNS = {"minus": "- ", "plus": "+ ", "same": "  ", "gap": "… "}
_BOLD, _DIM, _GREEN, _RED, _YELLOW = "1", "2", "32", "31", "33"


class _Style(NamedTuple):
    width: int
    has_colour: bool
    has_unicode: bool


class TextReporter:
    """Writes one grading to a terminal or a pipe, live.

    `start`, then `test` for each test as it ends, then `finish`. `write` gets whole lines, each with its newline.
    The caller decides on colour (`NO_COLOR`, a pipe) and on what the terminal can show. With `quiet`, only `finish`
    writes: the one message that matters, and the points. `details` is how many failures are told in full: `None`, all.
    """

    def __init__(
        self,
        write: Callable[[str], None],
        width: int,
        colour: bool,
        unicode: bool,
        quiet: bool,
        *,
        details: int | None = DETAILS,
    ) -> None:
        self._write = write
        self._style = _Style(max(width, _NARROWEST), colour, unicode)
        self._is_quiet = quiet
        self._details = details
        self._tasks: dict[str, str] = {}
        self._task = ""
        self._seen: set[str] = set()

    def start(self, exercise_title: str, sandbox_name: str, tasks: Sequence[tuple[str, str]] = ()) -> None:
        """Write the heading. With `tasks` (id and title), tests stand under their task's title."""
        self._tasks = dict(tasks)
        if self._is_quiet:
            return
        self._lines(wrap(one_line(exercise_title), self._style.width), _BOLD)
        if sandbox_name:
            self._lines(wrap(f"graded in {one_line(sandbox_name)}", self._style.width), _DIM)
        if not self._tasks:
            self._blank()

    def test(self, test: TestResult) -> None:
        """Write one test as a sentence with its mark."""
        self._seen.add(test.name)
        if self._is_quiet:
            return
        if test.task != self._task and test.task in self._tasks:
            self._task = test.task
            self._blank()
            self._lines(wrap(one_line(self._tasks[test.task]), self._style.width), _BOLD)
        marks = _MARKS if self._style.has_unicode else _ASCII_MARKS
        mark = marks[test.status]
        sentence = one_line(test.title)
        if test.status == "skip":
            sentence += f" ({account.skip_text(test)})"
        lead = f"  {mark} "
        first, *rest = wrap(self._plain(sentence), self._style.width - len(lead))
        self._out(f"  {self._paint(mark, _COLOURS[test.status])} {first}")
        for line in rest:
            self._out(" " * len(lead) + line)

    def finish(self, report: Report, *, path: str = "", next_step: str | None = None) -> None:
        """Write why tests failed, the tasks with their points, the result, and the next step in one line.

        `path` is what was graded, where that isn't the exercise's own solution.
        """
        if report.status in ("broken", "grader-error"):
            self._trouble(report)
        elif not self._is_quiet:
            for test in report.tests:
                if test.name not in self._seen:
                    self.test(test)
            self._failures(report, path)
        if not self._is_quiet:
            self._task_table(report)
        self._result(report)
        if not self._is_quiet:
            for note in report.sandbox.notes:
                self._lines(wrap(f"not enforced on this machine: {one_line(note)}", self._style.width), _DIM)
            next_line = self._plain(as_called(next_step or account.next_step(report, path=path)))
            self._lines(wrap_whole(next_line, self._style.width))

    def _trouble(self, report: Report) -> None:
        if not self._is_quiet:
            self._blank()
        blocks = account.of_report(report)
        if self._is_quiet:
            blocks = [block for block in blocks if not block.label]
        marks = _MARKS if self._style.has_unicode else _ASCII_MARKS
        mark = marks["error" if report.status == "grader-error" else "fail"].strip()
        sign = self._paint(mark, _RED, _BOLD)
        lines = [line for block in blocks if not block.label for line in block.lines]
        if report.status == "grader-error":
            # The words are the grader's own, and may tell what to type.
            lines = [line._replace(text=as_called(line.text)) for line in lines]
        lead = len(mark) + 1
        for place, line in enumerate(lines):
            for part, text in enumerate(self._broken_up(line, self._style.width - lead)):
                self._out(f"{sign} {text}" if place == part == 0 else " " * lead + text)
        self._blocks([block for block in blocks if block.label])
        not_run = sum(test.name not in self._seen for test in report.tests)
        if not_run and report.status == "broken" and not self._is_quiet:
            note = f"{counted(not_run, 'test')} not run"
            self._lines(_indented(wrap(note, self._style.width - 2), "  "), _DIM)

    def _failures(self, report: Report, path: str) -> None:
        failures = [test for test in report.tests if test.status in ("fail", "error")]
        for test in failures[: self._details]:
            self._blank()
            marks = _MARKS if self._style.has_unicode else _ASCII_MARKS
            mark = marks[test.status].strip()
            first, *rest = wrap(self._plain(one_line(test.title)), self._style.width - len(mark) - 1)
            self._out(self._paint(f"{mark} {first}", _COLOURS[test.status], _BOLD))
            for line in rest:
                self._out(self._paint(" " * (len(mark) + 1) + line, _COLOURS[test.status], _BOLD))
            self._blocks(account.of_test(test))
        left = 0 if self._details is None else len(failures[self._details :])
        if left:
            self._blank()
            more = counted(left, "more test" if self._details else "test")
            fails, them = ("fails", "it") if left == 1 else ("fail", "them")
            # A path may be long, and stands in the last line anyway.
            command = "-v" if path else f"grade {account.short_name(report.exercise.id)} -v"
            self._lines(wrap_whole(as_called(f"{more} {fails}; `{command}` shows {them}."), self._style.width))

    def _blocks(self, blocks: Sequence[Block]) -> None:
        for block in blocks:
            if not block.label:
                for line in block.lines:
                    self._lines(_indented(self._broken_up(line, self._style.width - 2), "  "))
                continue
            if len(block.lines) == 1 and self._is_short(block):
                label = self._paint(f"{block.label}:", _BOLD)
                text = self._plain(block.lines[0].text)
                first, *rest = wrap(text, self._style.width - 4, taken=len(block.label))
                self._out(f"  {label} {first}")
                self._lines(_indented(rest, "    "))
                continue
            self._lines(_indented(wrap(block.label, self._style.width - 2), "  "), _BOLD)
            for line in block.lines:
                self._line(line)

    def _is_short(self, block: Block) -> bool:
        line = block.lines[0]
        if line.kind == "prose":
            return True
        return line.kind == "code" and width_of(line.text) + len(block.label) + 4 <= self._style.width

    def _line(self, line: Line) -> None:
        room = self._style.width - 4
        text = self._plain(line.text)
        if line.kind == "paste":
            # Never broken: it must stay pasteable.
            self._out("    " + pasteable(line.text, is_ascii=not self._style.has_unicode))
            return
        if line.kind == "prose":
            self._lines(_indented(wrap(text, room), "    "))
            return
        sign = self._plain(_SIGNS.get(line.kind, ""))
        colour = {"minus": _RED, "plus": _GREEN, "gap": _DIM}.get(line.kind, "")
        first, *rest = fold(text, room - len(sign))
        self._lines([f"    {sign}{first}"], colour)
        for piece in rest:
            self._lines(_indented(fold(piece, room - len(sign)), "    " + " " * len(sign)), colour)

    def _task_table(self, report: Report) -> None:
        if report.status == "grader-error" or not report.tasks:
            return
        self._blank()
        rows = [(self._plain(one_line(task.title)), of_points(task.points, task.points_max)) for task in report.tasks]
        points_width = max(len(points) for _, points in rows)
        room = self._style.width - points_width - 3
        titles_width = min(max(width_of(title) for title, _ in rows), room)
        for (title, points), task in zip(rows, report.tasks, strict=True):
            colour = _GREEN if task.points == task.points_max else _RED if not task.points else _YELLOW
            if room < _NARROWEST_TITLE:
                self._lines(wrap(title, self._style.width))
                self._out(f"  {self._paint(points, colour)}")
                continue
            *over, last = wrap(title, titles_width)
            self._lines(over)
            gap = " " * (titles_width - width_of(last) + 3 + points_width - len(points))
            self._out(f"{last}{gap}{self._paint(points, colour)}")

    def _result(self, report: Report) -> None:
        if not self._is_quiet:
            self._blank()
        line = account.headline(report)
        counts = account.tally(report) if report.status == "failed" else ""
        colour = {"passed": _GREEN, "failed": _RED, "broken": _RED}.get(report.status, _YELLOW)
        lines = wrap(f"{line} ({counts})" if counts else line, self._style.width)
        self._lines(lines, colour, _BOLD)

    def _broken_up(self, line: Line, width: int) -> list[str]:
        text = self._plain(line.text)
        return wrap(text, width) if line.kind == "prose" else fold(text, width)

    def _plain(self, text: str) -> str:
        return text if self._style.has_unicode else to_ascii(text)

    def _paint(self, text: str, *codes: str) -> str:
        used = ";".join(code for code in codes if code)
        return f"\x1b[{used}m{text}\x1b[0m" if self._style.has_colour and used and text.strip() else text

    def _lines(self, lines: Sequence[str], *codes: str) -> None:
        for line in lines:
            self._out(self._paint(self._plain(line).rstrip(), *codes))

    def _blank(self) -> None:
        self._out("")

    def _out(self, line: str) -> None:
        self._write(line.rstrip(" ") + "\n")


def _indented(lines: Sequence[str], indent: str) -> list[str]:
    return [indent + line for line in lines]


def render(
    report: Report,
    *,
    width: int = 80,
    colour: bool = False,
    unicode: bool = True,
    quiet: bool = False,
    details: int | None = DETAILS,
    next_step: str | None = None,
) -> bytes:
    """Write the report as it stands at the end of a live grading, as UTF-8 text."""
    pieces: list[str] = []
    reporter = TextReporter(pieces.append, width, colour, unicode, quiet, details=details)
    reporter.start(report.exercise.title, report.sandbox.name, [(task.id, task.title) for task in report.tasks])
    for test in report.tests:
        # A submission that broke gets one message, not a line for each test that could not be run because of it.
        if report.status in ("passed", "failed") or test.status == "pass":
            reporter.test(test)
    reporter.finish(report, next_step=next_step)
    return "".join(pieces).encode("utf-8", "backslashreplace")
