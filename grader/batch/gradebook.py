"""The gradebook of a class as CSV, JSON or HTML, written row by row.

Nothing in it tells when or how fast something was graded, so a run that was killed and went on writes the same bytes as
one that was left alone. Where there is no score the points are empty, never 0.
"""

from __future__ import annotations

import csv
import errno
import io
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from html import escape
from pathlib import Path
from typing import Any

from grader import __version__
from grader.batch.batch import Results, Row
from grader.batch.journal import SEED_RULE
from grader.batch.similar import Pair, Side, Similar
from grader.batch.summary import Summary, pair_in_words
from grader.error import UsageError
from grader.exercise import Exercise
from grader.render.csv import cell
from grader.render.plain import figure, number, one_line, to_json, visible
from grader.store.place import reason
from grader.whole_file import check_writable, is_stream, whole_file

VERSION = 1


def check_gradebooks(paths: Sequence[Path]) -> None:
    """See that gradebooks can be written there, before a class is graded for them; their folders are made.

    Raises:
        UsageError: one can't be, or its form isn't known; all such are named.
    """
    problems = []
    for path in paths:
        form_of(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                raise IsADirectoryError(errno.EISDIR, "it is a folder")
            if not is_stream(path):
                check_writable(path.parent)
        except OSError as error:
            problems.append(_unwritten(path, error))
    if problems:
        raise UsageError("\n".join(problems), hint="nothing was graded; name a file in a folder that you can write")


def write_gradebooks(paths: Sequence[Path], results: Results, summary: Summary, say: Callable[[str], None]) -> None:
    """Write all gradebooks, and say which were written.

    Raises:
        UsageError: some can't be written; all such are named, and the others are there.
    """
    problems: list[UsageError] = []
    for path in paths:
        try:
            write_gradebook(path, results, summary)
        except UsageError as error:
            problems.append(error)
        else:
            say(f"wrote {path}")
    if problems:
        raise UsageError("\n".join(problem.message for problem in problems), hint=problems[0].hint)


def write_gradebook(path: Path, results: Results, summary: Summary) -> None:
    """Write the gradebook in the form that the file's name asks for; the whole file or none.

    Raises:
        UsageError: it is no such form, or the file can't be written.
    """
    form = form_of(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as file:
            for piece in form(results, summary):
                file.write(piece)
    except OSError as error:
        raise UsageError(
            _unwritten(path, error), hint="all results are kept; the same command writes it in seconds"
        ) from error


def _unwritten(path: Path, error: OSError) -> str:
    return f"the gradebook can't be written to `{path}`: {reason(error)}"


def form_of(path: Path) -> Callable[[Results, Summary], Iterator[bytes]]:
    """Give what writes a file of this name.

    Raises:
        UsageError: its end is not one of ours.
    """
    forms = {".csv": _csv, ".json": _json, ".html": _html}
    found = forms.get(path.suffix.lower())
    if found is None:
        raise UsageError(f"a gradebook's form isn't known from `{path.name}`", hint="end it in .csv, .json or .html")
    return found


def percent(points: Decimal, points_max: Decimal) -> Decimal:
    """Give the points in percent, to a tenth, never rounded up to 100."""
    if not points_max or points >= points_max:
        return Decimal(100)
    return min((points * 100 / points_max).quantize(Decimal("0.1")), Decimal("99.9"))


def _csv(results: Results, _summary: Summary) -> Iterator[bytes]:
    exercise = results.exercise
    tasks = [cell(f"task {task.id}") for task in exercise.tasks]
    head = ["learner", "id", "sent", "late", "result", "points", "points_max", "percent", *tasks]
    yield _csv_line([*head, "tests_passed", "tests", "same_files_as", "message", "exercise", "seed", "submission"])
    for row in results.rows():
        found = row.outcome
        top = exercise.points_max
        scored = (
            [figure(found.points), figure(top), figure(percent(found.points, top))] if found else ["", figure(top), ""]
        )
        yield _csv_line(
            [
                cell(row.sent.label),
                row.sent.id,
                cell(row.sent.source),
                "late" if row.sent.is_late else "",
                row.kind,
                *scored,
                *([figure(points) for points in found.tasks] if found else [""] * len(tasks)),
                str(found.tests.count("p")) if found else "",
                str(len(exercise.tests)),
                cell(", ".join(row.same_as)),
                cell(row.message),
                cell(exercise.id),
                str(found.seed) if found else "",
                row.digest,
            ]
        )


def _csv_line(cells: list[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue().encode()


def _json(results: Results, summary: Summary) -> Iterator[bytes]:
    exercise = results.exercise
    mean, median = summary.mean(), summary.median()
    head: dict[str, Any] = {
        "version": VERSION,
        "exercise": {
            "id": exercise.id,
            "title": exercise.title,
            "digest": exercise.digest,
            "points_max": number(exercise.points_max),
            "tasks": [{"id": task.id, "points_max": number(task.points)} for task in exercise.tasks],
        },
        "grader_version": __version__,
        "seed_rule": SEED_RULE,
        "summary": {
            "learners": summary.kinds.total(),
            "results": dict(sorted(summary.kinds.items())),
            "mean": None if mean is None else number(mean),
            "median": None if median is None else number(median),
            "tests": [{"name": test.name, "passed": summary.passed[test.name]} for test in exercise.tests],
        },
        "copies": summary.copies,
        "similar": None if summary.similar is None else [_json_pair(pair) for pair in summary.similar.pairs],
    }
    yield to_json(head)[:-2] + b',\n  "learners": [\n'
    separator = b"    "
    for row in results.rows():
        yield separator + to_json(_json_row(exercise, row), indent=0)
        separator = b",\n    "
    yield b"\n  ]\n}\n"


def _json_pair(pair: Pair) -> dict[str, Any]:
    sides = (pair.first, pair.second)
    return {"learners": [side.label for side in sides], "shares": [side.share for side in sides]}


def _json_row(exercise: Exercise, row: Row) -> dict[str, Any]:
    found = row.outcome
    letters = {status[0]: status for status in ("pass", "fail", "error", "skip")}
    told: dict[str, Any] = {
        "learner": row.sent.label,
        "id": row.sent.id,
        "sent": row.sent.source.encode("utf-8", "backslashreplace").decode(),
        "is_late": row.sent.is_late,
        "result": row.kind,
        "points": number(found.points) if found else None,
        "percent": number(percent(found.points, exercise.points_max)) if found else None,
        "tasks": [number(points) for points in found.tasks] if found else None,
        "tests": [letters[letter] for letter in found.tests] if found else None,
        "limit": found.limit if found else None,
        "same_files_as": list(row.same_as),
        "message": row.message,
        "seed": found.seed if found else None,
        "submission": row.digest or None,
    }
    return told


_STYLE = """
:root { background: Canvas; color: CanvasText; color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 80rem; padding: 1rem; }
table { border-collapse: collapse; }
th, td { border-bottom: 1px solid color-mix(in srgb, currentColor 25%, transparent); padding: .3rem .6rem; text-align: left;
  vertical-align: top; }
thead th { background: Canvas; position: sticky; top: 0; }
td.number { font-variant-numeric: tabular-nums; text-align: right; }
.scroll { overflow-x: auto; }
.bar { background: currentColor; display: inline-block; height: .8rem; opacity: .6; }
.passed { color: light-dark(#14692b, #6fd08c); }
.failed, .broken, .refused { color: light-dark(#a4161a, #ff8f8f); }
.missing, .grader-error { color: light-dark(#7a5200, #f0c060); }
.two { display: grid; gap: 1rem; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); }
.two pre { border: 1px solid color-mix(in srgb, currentColor 25%, transparent); margin: 0; max-height: 40rem; overflow: auto;
  padding: .5rem; }
mark { background: light-dark(#ffe9a8, #5a4700); color: inherit; }
"""


def _html(results: Results, summary: Summary) -> Iterator[bytes]:
    exercise = results.exercise
    title = _safe(exercise.title)
    lines = [
        "<!doctype html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline';"
        " base-uri 'none'; form-action 'none'\">",
        f"<title>Gradebook: {title}</title>",
        f"<style>{_STYLE}</style>",
        "</head>",
        "<body>",
        "<main>",
        f"<h1>{title}</h1>",
        *_html_summary(summary),
        *(_html_similar(summary.similar) if summary.similar is not None else []),
        '<h2 id="learners">Learners</h2>',
        '<div class="scroll"><table aria-labelledby="learners">',
        _head(
            "Learner", "Result", "Points", "Percent", *(_safe(task.title) for task in exercise.tasks), "Same files as",
            "What happened",
        ),
        "<tbody>",
    ]  # fmt: skip
    yield ("\n".join(lines) + "\n").encode()
    for row in results.rows():
        yield (_html_row(exercise, row) + "\n").encode()
    yield b"</tbody></table></div>\n</main>\n</body>\n</html>\n"


def _html_summary(summary: Summary) -> list[str]:
    lines = ["<h2>Summary</h2>", f"<p>{summary.kinds.total():,} learners, {summary.scored:,} with a score.</p>"]
    mean, median = summary.mean(), summary.median()
    if mean is not None and median is not None:
        top = figure(summary.exercise.points_max)
        lines.append(f"<p>Mean {figure(mean)}, median {figure(median)} of {top} points.</p>")
        most = max(count for _, count in summary.buckets()) or 1
        lines += ["<table>", _head("Points", "Learners"), "<tbody>"]
        for label, count in summary.buckets():
            bar = f'<span class="bar" style="width: {12 * count / most:.2f}rem"></span> ' if count else ""
            lines.append(f'<tr><th scope="row">{label}</th><td>{bar}{count}</td></tr>')
        lines.append("</tbody></table>")
    if hardest := summary.hardest():
        told = [f"<li>{_safe(name)}: {passed} of {summary.scored} passed</li>" for name, passed in hardest]
        lines += ["<h3>Hardest tests</h3>", "<ul>", *told, "</ul>"]
    if summary.none:
        lines += ["<h3>No points</h3>", f"<p>{_safe('; '.join(summary.none), 100_000)}</p>"]
    if summary.copies:
        told = [f"<li>{_safe('; '.join(group), 10_000)}</li>" for group in summary.copies]
        lines += ["<h3>The same files</h3>", "<ul>", *told, "</ul>"]
    return lines


def _html_similar(similar: Similar) -> list[str]:
    lines = [
        "<h2>Too alike</h2>",
        "<p>What the starter has, and what many wrote the same way, doesn't count. Two who worked alone may still come to the "
        "same: look before you judge.</p>",
    ]
    if not similar.pairs:
        lines.append("<p>No two.</p>")
    for pair in similar.pairs:
        lines.append(f"<details><summary>{_safe(pair_in_words(pair))}</summary>")
        lines.append(f'<div class="two">{_html_side(pair.first)}{_html_side(pair.second)}</div></details>')
    if similar.found > len(similar.pairs):
        lines.append(f"<p>And {similar.found - len(similar.pairs):,} more pairs, less alike than these.</p>")
    for names, why in (
        (similar.skipped, "could not be compared"),
        (similar.cut, "were compared in part, for their length"),
    ):
        if names:
            lines.append(f"<p>These {why}: {_safe('; '.join(names), 10_000)}</p>")
    return lines


def _html_side(side: Side) -> str:
    """Write one text, with what is in the other one marked."""
    text, place = [], 0
    for begin, end in side.spans:
        text += [escape(visible(side.text[place:begin])), f"<mark>{escape(visible(side.text[begin:end]))}</mark>"]
        place = end
    text.append(escape(visible(side.text[place:])))
    name = _safe(f"{side.label}: {', '.join(side.files)}")
    # The line feed behind `<pre>` is dropped by HTML, and the first of a text would be otherwise.
    return f'<div><h3>{name}</h3><pre tabindex="0" role="region" aria-label="{name}">\n{"".join(text)}</pre></div>'


def _html_row(exercise: Exercise, row: Row) -> str:
    found = row.outcome
    figures = [""] * (2 + len(exercise.tasks))
    if found is not None:
        share = figure(percent(found.points, exercise.points_max))
        figures = [figure(found.points), share, *(figure(points) for points in found.tasks)]
    cells = "".join(f'<td class="number">{text}</td>' for text in figures)
    late = " (late)" if row.sent.is_late else ""
    return (
        f'<tr><th scope="row">{_safe(row.sent.label)}{late}</th><td class="{row.kind}">{row.kind}</td>{cells}'
        f"<td>{_safe('; '.join(row.same_as))}</td><td>{_safe(row.message)}</td></tr>"
    )


def _head(*titles: str) -> str:
    cells = "".join(f'<th scope="col">{title}</th>' for title in titles)
    return f"<thead><tr>{cells}</tr></thead>"


def _safe(text: str, most: int = 500) -> str:
    return escape(one_line(text, most))
