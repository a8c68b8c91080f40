"""Find in what every learner sees of an exercise, starter and README, what is hidden of it: its solution and its notes.

A starter shares lines with its reference, which goes on from it. So a line is no leak by itself: the solution is where
code of the reference stands commented out or in a text, where a whole file of it stands in one of the starter's, and
where nearly all that the reference changes in a file stands in another one.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from grader.exercise import Exercise

COPIED_LINES = 3
"""So many hidden lines in one file that is shown are a copy, not chance."""

_LEAST_CODE = 12
_LEAST_PROSE = 25
_COPIED_PERCENT = 80

_COMMENT = re.compile(r"(?:#|//|--|;|%)+(?=\s|\w|[\"'@<({\[])")
_BLOCKS = re.compile(r"<!--.*?-->|/\*.*?\*/|\{#.*?#\}", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Leak:
    """A hidden line in a file that is shown: where it stands there, and whence it is."""

    file: str
    line: int
    text: str
    source: str


class _Line(NamedTuple):
    """A line without its indentation and its comment sign. `kind` is `code`, `text` (in a string of many lines) or
    `comment`.
    """

    number: int
    text: str
    kind: str


def given_away(exercise: Exercise) -> list[Leak]:
    """Find the solution in the starter and in the README, and the notes in both. Lines are of the files as they stand.

    Raises:
        BrokenExercise: starter, reference or an alternative can't be taken.
    """
    starter = {name: _lines(name, content) for name, content in exercise.files_of("starter").items()}
    reference = {name: _lines(name, content) for name, content in exercise.files_of("reference").items()}
    readme = _lines("README.md", exercise.readme())
    solutions = {f"reference/{name}": lines for name, lines in reference.items()}
    for each in exercise.alternatives:
        for name, content in exercise.variant("alternatives", each.id).items():
            solutions.setdefault(f"alternatives/{each.id}/{name}", _lines(name, content))
    live = {line.text for lines in starter.values() for line in lines if line.kind == "code"}
    leaks: dict[tuple[str, int], Leak] = {}

    def note(file: str, found: Sequence[_Line], source: str) -> None:
        for line in found:
            leaks.setdefault((file, line.number), Leak(file=file, line=line.number, text=line.text, source=source))

    for name, lines in starter.items():
        for source, answer in solutions.items():
            note(f"starter/{name}", _put_away(lines, answer, live), source)
        for other, answer in reference.items():
            given = starter.get(other, [])
            if _texts(given) != _texts(answer):
                note(f"starter/{name}", _whole(lines, answer), f"reference/{other}")
            if given and other != name:
                note(f"starter/{name}", _changed(lines, answer, given), f"reference/{other}")
    for source, answer in solutions.items():
        note("README.md", _run_of(readme, set(_texts(answer)), live), source)
    notes = {line.text for line in _lines("notes.md", exercise.notes())}
    for file, lines in {"README.md": readme, **{f"starter/{name}": each for name, each in starter.items()}}.items():
        found = [line for line in lines if line.text in notes and len(line.text) >= _LEAST_PROSE]
        note(file, found, "notes.md")
    return sorted(leaks.values(), key=lambda leak: (leak.file, leak.line))


def _put_away(lines: Sequence[_Line], answer: Sequence[_Line], live: set[str]) -> list[_Line]:
    """Find code of the answer that stands in comments or in texts, and nowhere in the starter's own code."""
    code = {line.text for line in answer if line.kind == "code"}
    inside = {line.text for line in answer if line.kind == "text"}
    wanted = {"comment": code | inside, "text": code - inside, "code": set[str]()}
    return [
        line
        for line in lines
        if len(line.text) >= _LEAST_CODE and line.text in wanted[line.kind] and line.text not in live
    ]


def _whole(lines: Sequence[_Line], answer: Sequence[_Line]) -> list[_Line]:
    """Find all lines of an answer in a row."""
    size = len(answer)
    texts, wanted = _texts(lines), _texts(answer)
    if size < COPIED_LINES:
        return []
    return next((list(lines[n : n + size]) for n in range(len(texts) - size + 1) if texts[n : n + size] == wanted), [])


def _changed(lines: Sequence[_Line], answer: Sequence[_Line], given: Sequence[_Line]) -> list[_Line]:
    """Find what an answer changes in the file that was given, where nearly all of it stands in another file."""
    known = set(_texts(given))
    wanted = {line.text for line in answer if line.text not in known and len(line.text) >= _LEAST_CODE}
    found = [line for line in lines if line.text in wanted]
    has_all = len({line.text for line in found}) * 100 >= len(wanted) * _COPIED_PERCENT
    return found if has_all and len(wanted) >= COPIED_LINES else []


def _run_of(lines: Sequence[_Line], answer: set[str], live: set[str]) -> list[_Line]:
    """Find lines of the answer in a row; those that are short, or that the starter shows, are no more than a link."""
    runs: list[list[_Line]] = [[]]
    for line in lines:
        if line.text not in answer:
            runs.append([])
        elif len(line.text) >= _LEAST_CODE and line.text not in live:
            runs[-1].append(line)
    return [line for run in runs if len(run) >= COPIED_LINES for line in run]


def _texts(lines: Sequence[_Line]) -> list[str]:
    return [line.text for line in lines]


def _lines(name: str, content: bytes) -> list[_Line]:
    """Give the lines that aren't empty, each with what it is."""
    source = content.decode("utf-8", "replace")
    kinds = dict(_kinds(name, source))
    lines = []
    for number, line in enumerate(source.splitlines(), 1):
        plain = " ".join(line.split())
        kind = kinds.get(number, "code")
        while kind != "text" and not name.endswith(".md") and (sign := _COMMENT.match(plain)):
            kind, plain = "comment", plain[sign.end() :].strip()
        if plain:
            lines.append(_Line(number, plain, kind))
    return lines


def _kinds(name: str, source: str) -> Iterator[tuple[int, str]]:
    """Yield the numbers of lines that stand in a comment or a text of several lines."""
    if not name.endswith(".py"):
        for match in _BLOCKS.finditer(source):
            first = source.count("\n", 0, match.start()) + 1
            yield from ((number, "comment") for number in range(first, first + match[0].count("\n") + 1))
        return
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.STRING:
                yield from ((number, "text") for number in range(token.start[0] + 1, token.end[0] + 1))
    except (tokenize.TokenError, SyntaxError):
        return  # what can be read of it counts
