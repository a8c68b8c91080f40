"""The account of what went wrong, as labelled blocks of lines; each format only lays them out.

All text in a block is safe to show (see `plain`). A hidden test's source is never in a report, so never in here.
"""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from grader.render import shape
from grader.render.plain import counted, cut, of_points, one_line, pasteable, tail, visible

if TYPE_CHECKING:
    from grader.report import Exchange, Frame, Report, Statement, TestResult

LineKind = Literal["prose", "code", "paste", "minus", "plus", "same", "gap"]

GRADER_FAILED = "the grader failed, not your code"
NOT_RUN = "not run"
USUALLY = "usually means"

_NOISE_SENT = frozenset({"host", "user-agent", "accept-encoding", "connection", "content-length"})
_NOISE_CAME = frozenset({"date", "server", "connection", "content-length", "keep-alive", "transfer-encoding", "via"})
_SECRET = frozenset(
    {"authorization", "cookie", "set-cookie", "proxy-authorization", "x-api-key", "x-auth-token", "x-csrf-token"}
)
_SECRET_CHARACTERS = 48
_NO_ANSWER = {
    "refused": "nothing: your app isn't listening",
    "timeout": "nothing within the time limit",
    "reset": "nothing whole: your app closed the connection",
    "not-http": "something that isn't HTTP",
    "too-large": "more than is read",
}


class Line(NamedTuple):
    """One line. `prose` wraps between words, `code` anywhere, `paste` not at all; the rest belong to a diff.

    `is_start`: a step of a transcript begins with it, or the answer of one, and what stands before is something else.
    """

    text: str
    kind: LineKind = "code"
    is_start: bool = False


class Block(NamedTuple):
    """Some lines under a label such as `sent`; an empty label is the account's opening."""

    label: str
    lines: list[Line]


class Bounds(NamedTuple):
    """How much of each part is told."""

    body_lines: int = 16
    value_lines: int = 12
    earlier_steps: int = 4
    statements: int = 8
    output_lines: int = 10
    line_characters: int = 600
    is_full: bool = False


SHORT = Bounds()
MEDIUM = Bounds(
    body_lines=60,
    value_lines=60,
    earlier_steps=12,
    statements=20,
    output_lines=60,
    line_characters=1000,
    is_full=True,
)
FULL = Bounds(
    body_lines=120,
    value_lines=120,
    earlier_steps=60,
    statements=60,
    output_lines=200,
    line_characters=4000,
    is_full=True,
)


def of_test(test: TestResult, bounds: Bounds = SHORT) -> list[Block]:
    """Tell why a test did not pass: what was sent, expected and came back, then what helps to see why."""
    blocks: list[Block] = []
    if test.status == "error":
        blocks.append(Block("", [Line(GRADER_FAILED, "prose")]))
    if test.message.strip():
        blocks.append(Block("", _prose(test.message, bounds)))
    turns = _turns(test.transcript)
    deciding = _deciding(turns)
    earlier = turns if deciding is None else turns[:deciding]
    has_visitors = len({_visitor(step) for step in test.transcript} - {""}) > 1
    blocks += _earlier(earlier, bounds, has_visitors=has_visitors)
    step = None
    if deciding is not None:
        first = turns[deciding][0]
        label = {"call": "called", "sql": "asked of the database"}.get(first.kind, "sent")
        if has_visitors and _visitor(first):
            label += f" by {_visitor(first)}"
        if bounds.is_full and len(turns) > 1:
            label += f" (step {deciding + 1} of {len(turns)}, which decided)"
        if first.moment:
            blocks.append(Block(label, _at_once("", turns[deciding], bounds, is_whole=True)))
        else:
            blocks.append(Block(label, _sent(first, bounds)))
            # What came of a statement stands in its line.
            step = None if first.kind == "sql" else first
    blocks += _comparison(test, step, bounds)
    if deciding is not None and bounds.is_full:
        blocks += [
            Block("after that", _turn(place, later, bounds, has_visitors=has_visitors))
            for place, later in enumerate(turns[deciding + 1 :], deciding + 2)
        ]
    blocks += _statements(test.statements, bounds)
    blocks += _frames(test.frames, bounds)
    blocks += _usually(test.usually)
    blocks += _output(test.output, bounds)
    return blocks


def of_report(report: Report, bounds: Bounds = SHORT) -> list[Block]:
    """Tell why a submission was not graded as a whole: for a broken submission, or when the grader failed."""
    blocks: list[Block] = []
    if report.status == "grader-error":
        blocks.append(Block("", [Line(GRADER_FAILED, "prose")]))
        if report.message.strip():
            blocks.append(Block("", _prose(report.message, bounds)))
        blocks.append(Block("", [Line("nothing was scored and no attempt was counted: run it again", "prose")]))
        return blocks
    if report.message.strip():
        blocks.append(Block("", _prose(report.message, bounds)))
    # The message has what could not be read as Python.
    blocks += _frames([frame for frame in report.frames if frame.function], bounds)
    blocks += _usually(report.usually)
    blocks += _output(report.output, bounds)
    return blocks


def as_text(blocks: Sequence[Block], *, has_signs: bool = True) -> str:
    """Write an account as plain text, for formats that have one field for it."""
    signs = {"minus": "- ", "plus": "+ ", "same": "  ", "gap": "… "} if has_signs else {}
    parts: list[str] = []
    for block in blocks:
        lines = [signs.get(line.kind, "") + line.text for line in block.lines]
        if not block.label:
            parts += lines
        elif len(lines) == 1 and block.lines[0].kind == "prose":
            parts.append(f"{block.label}: {lines[0]}")
        else:
            parts.append(f"{block.label}:")
            parts += [f"  {line}" for line in lines]
    return "\n".join(parts)


def text_of_test(test: TestResult, bounds: Bounds = MEDIUM) -> str:
    """Write the account of one test as plain text; empty for a test that passed."""
    if test.status == "pass":
        return ""
    return skip_text(test) if test.status == "skip" else as_text(of_test(test, bounds))


def text_of_report(report: Report, bounds: Bounds = MEDIUM) -> str:
    """Write the account of a broken submission or a grader's failure as plain text; empty for any other."""
    return as_text(of_report(report, bounds)) if report.status in ("broken", "grader-error") else ""


def brief(test: TestResult) -> str:
    """Say in one line why a test did not pass."""
    if test.status == "skip":
        return skip_text(test)
    if test.status == "error":
        return GRADER_FAILED
    if test.message.strip():
        return one_line(test.message, 300)
    if test.expected is not None and test.got is not None:
        return f"expected {one_line(test.expected, 140)}, got {one_line(test.got, 140)}"
    return "what came back is not what was expected"


def text_of_sent(test: TestResult, limit: int) -> str | None:
    """Write what was sent at the deciding step, as a command or a call; `None` where nothing is known."""
    turns = _turns(test.transcript)
    deciding = _deciding(turns)
    if deciding is None:
        return None
    step = turns[deciding][0]
    return cut(_call(step.request) if step.kind == "call" else pasteable(_text(step.request, "curl")), limit) or None


def skip_text(test: TestResult) -> str:
    """Say that a test was not run, and why where that is known."""
    reason = one_line(test.message, 300)
    return f"{NOT_RUN}: {reason}" if reason else NOT_RUN


def headline(report: Report) -> str:
    """Say the result in one line: the points, or that there are none because the grader failed."""
    if report.status == "grader-error":
        return f"no score: {GRADER_FAILED}"
    return of_points(report.points, report.points_max)


def tally(report: Report) -> str:
    """Say how many tests failed and how many were not run; empty when all passed."""
    failed = sum(test.status == "fail" for test in report.tests)
    not_run = sum(test.status in ("skip", "error") for test in report.tests)
    parts = [f"{counted(failed, 'test')} failed"] if failed else []
    if not_run:
        parts.append(f"{not_run} {NOT_RUN}" if failed else f"{counted(not_run, 'test')} {NOT_RUN}")
    return ", ".join(parts)


def duration_s(report: Report) -> float:
    """Give how long the grading took, in seconds."""
    durations = report.durations_ms
    return round(durations.get("total", sum(durations.values())) / 1000, 3)


def short_name(exercise_id: str) -> str:
    """Give the shortest usual name of an exercise: `exercise-03` for `exercise-03-one-dish`."""
    found = re.match(r"exercise-\d+", exercise_id)
    return found.group() if found else one_line(exercise_id, 80)


def next_step(report: Report, *, path: str = "") -> str:
    """Say in one sentence what to do next. `path` is what was graded, where that isn't the exercise's own solution."""
    name = short_name(report.exercise.id)
    again = f"`grade {name} {shlex.quote(one_line(path))}`" if path else f"`grade {name}`"
    if report.status == "grader-error" and report.message.startswith("the hidden test"):
        return "Next: tell whoever keeps the course; there is nothing to mend in your code."
    if report.status == "grader-error":
        return f"Next: run {again} again; `grade doctor` shows what is wrong with this machine."
    if report.status == "passed":
        return "Next: take another exercise from `exercises/`."
    if report.status == "broken" and report.limit == "wall":
        return f"Next: make your code answer within its time, then run {again} again."
    if report.status == "broken":
        return f"Next: make your code start and keep running, then run {again} again."
    failed = next((test for test in report.tests if test.status == "fail"), None)
    if failed is None:
        return f"Next: run {again} again; `grade hint {name}` gives a hint."
    title = one_line(failed.title, 120).rstrip(".")
    return f"Next: make “{title}” true, then run {again} again; `grade hint {name}` gives a hint."


def _prose(text: str, bounds: Bounds) -> list[Line]:
    # An indented line is a piece of code, such as the line and the caret of a syntax error.
    lines = _bounded(text.strip("\n"), bounds.value_lines, bounds)
    return [Line(line, "code" if line.startswith(" ") else "prose") for line in lines]


def _bounded(text: str, limit: int, bounds: Bounds) -> list[str]:
    """Give the first lines of a text, with a note of how many more there are."""
    lines = visible(text[: bounds.line_characters * (limit + 1)]).rstrip("\n").split("\n")
    shown = [cut(line.rstrip(), bounds.line_characters) for line in lines[:limit]]
    more = text.rstrip("\n").count("\n") + 1 - len(shown)
    if more > 0:
        shown.append(f"… {counted(more, 'more line')}")
    return shown


def _turns(steps: Sequence[Exchange]) -> list[list[Exchange]]:
    """Put together what was sent at the same moment; any other step is a turn of its own."""
    turns: list[list[Exchange]] = []
    for step in steps:
        if step.moment and turns and turns[-1][0].moment == step.moment:
            turns[-1].append(step)
        else:
            turns.append([step])
    return turns


def _deciding(turns: Sequence[Sequence[Exchange]]) -> int | None:
    flagged = [place for place, turn in enumerate(turns) if any(step.is_deciding for step in turn)]
    talks = [place for place, turn in enumerate(turns) if turn[0].kind in ("http", "call")]
    candidates = flagged or talks
    return candidates[-1] if candidates else None


def _visitor(step: Exchange) -> str:
    """Say whose request it was: `visitor 2`; empty where nothing is known."""
    number = step.request.get("visitor")
    return f"visitor {number}" if isinstance(number, int) else ""


def _earlier(turns: Sequence[Sequence[Exchange]], bounds: Bounds, *, has_visitors: bool) -> list[Block]:
    if not turns:
        return []
    lines: list[Line] = []
    first = max(len(turns) - bounds.earlier_steps, 0)
    if first:
        lines.append(Line(f"… {counted(first, 'earlier step')}", "prose"))
    for place, turn in enumerate(turns[first:], first + 1):
        lines += _turn(place, turn, bounds, has_visitors=has_visitors)
    return [Block("before that", lines)]


def _turn(place: int, turn: Sequence[Exchange], bounds: Bounds, *, has_visitors: bool) -> list[Line]:
    """Tell what did not decide: a line, and how to repeat it; the bodies where all is told."""
    lead = f"{place}. "
    if has_visitors and _visitor(turn[0]):
        lead += f"{_visitor(turn[0])}: "
    if turn[0].moment:
        return _at_once(lead, turn, bounds, is_whole=bounds.is_full)
    return _step(lead, turn[0], bounds, is_whole=bounds.is_full)


def _at_once(lead: str, turn: Sequence[Exchange], bounds: Bounds, *, is_whole: bool) -> list[Line]:
    """Tell what was sent at the same moment: how often it came to what, then one request for each of that."""
    outcomes: Counter[str] = Counter()
    for step in turn:
        outcomes["no answer" if step.response is None else _text(step.response, "status")] += step.times
    told = ", ".join(f"{one_line(outcome, 80)} x {count:,}" for outcome, count in outcomes.items())
    lines = [Line(f"{lead}{counted(outcomes.total(), 'request')} at once: {told}", is_start=True)]
    for step in turn[: bounds.earlier_steps]:
        lines += _step(f"x {step.times:,}: ", step, bounds, is_whole=is_whole)
    if len(turn) > bounds.earlier_steps:
        lines.append(Line(f"… {counted(len(turn) - bounds.earlier_steps, 'other request')}", "prose"))
    return lines


def _step(lead: str, step: Exchange, bounds: Bounds, *, is_whole: bool) -> list[Line]:
    if is_whole and step.kind == "http":
        sent, came = _sent(step, bounds), _came(step, bounds)
        return [
            Line(lead + sent[0].text, is_start=True),
            *sent[1:],
            Line(f"→ {came[0].text}", is_start=True),
            *came[1:],
        ]
    lines = [Line(lead + _brief(step), is_start=True)]
    curl = pasteable(_text(step.request, "curl"))
    if step.kind == "http" and curl:
        lines.append(Line(curl, "paste"))
    return lines


def _brief(step: Exchange) -> str:
    request, response = step.request, step.response or {}
    if step.kind == "http":
        return f"{_text(request, 'method')} {one_line(_text(request, 'path'), 300)} → {_status(step)}"
    if step.kind == "call":
        return f"{_call(request)} → {_result(response)}" if response else _call(request)
    if step.kind == "app":
        return _app(request, step.note)
    sql = f"SQL: {one_line(' '.join(_text(request, 'sql').split()), 300)}"
    params = one_line(_text(request, "params"), 200)
    sql += f" with {params}" if params and params not in ("()", "[]", "{}", "None") else ""
    rows, error = response.get("rows"), response.get("error")
    if isinstance(error, str):
        return f"{sql} → {one_line(error, 300)}"
    return f"{sql} → {counted(rows, 'row')}" if isinstance(rows, int) else sql


def _app(request: dict[str, Any], note: str) -> str:
    did = {"start": "started", "stop": "stopped", "restart": "restarted"}.get(_text(request, "action"), "changed")
    told = f"the app was {did}"
    env = request.get("env")
    if isinstance(env, dict) and env:
        given = [
            f"{one_line(str(key), 80)}={one_line(str(value), 80)}" for key, value in env.items() if value is not None
        ]
        gone = [one_line(str(key), 80) for key, value in env.items() if value is None]
        told += f", with {', '.join(given)}" if given else ""
        told += f", without {', '.join(gone)}" if gone else ""
    if request.get("config"):
        told += ", with a configuration"
    return f"{told} ({one_line(note, 200)})" if note else told


def _call(request: dict[str, Any]) -> str:
    args = request.get("args")
    kwargs = request.get("kwargs")
    given = [one_line(str(value), 400) for value in args] if isinstance(args, list) else []
    if isinstance(kwargs, dict):
        given += [f"{one_line(str(key), 80)}={one_line(str(value), 400)}" for key, value in kwargs.items()]
    return f"{one_line(_text(request, 'function'), 120)}({', '.join(given)})"


def _result(response: dict[str, Any]) -> str:
    raised = response.get("raised")
    if isinstance(raised, dict):
        kind, message = one_line(_text(raised, "type"), 120), one_line(_text(raised, "message"), 300)
        return f"raised {kind}: {message}" if message else f"raised {kind}"
    return f"returned {one_line(_text(response, 'value'), 400)}"


def _status(step: Exchange) -> str:
    if step.response is None:
        return _NO_ANSWER.get(step.note, one_line(step.note, 300) or "nothing")
    return f"{_text(step.response, 'status')} {one_line(_text(step.response, 'reason'), 80)}".rstrip()


def _sent(step: Exchange, bounds: Bounds) -> list[Line]:
    if step.kind != "http":
        return [Line(_brief(step) if step.kind != "call" else _call(step.request))]
    request = step.request
    lines = [Line(f"{_text(request, 'method')} {one_line(_text(request, 'path'), bounds.line_characters)}")]
    lines += _headers(request, _NOISE_SENT)
    lines += _body(request, bounds)
    curl = pasteable(_text(request, "curl"))
    if curl:
        lines.append(Line(curl, "paste"))
    return lines


def _came(step: Exchange, bounds: Bounds, *, has_body: bool = True) -> list[Line]:
    if step.kind == "call":
        response = step.response or {}
        if isinstance(response.get("raised"), dict):
            return [Line(_result(response))]
        return _value(_text(response, "value"), bounds)
    if step.kind != "http" or step.response is None:
        return [Line(_status(step), "prose")]
    lines = [Line(_status(step))]
    lines += _headers(step.response, _NOISE_CAME)
    if has_body:
        lines += _body(step.response, bounds)
    return lines


def _headers(holder: dict[str, Any], noise: frozenset[str]) -> list[Line]:
    pairs = holder.get("headers")
    lines: list[Line] = []
    for pair in pairs[:60] if isinstance(pairs, list) else []:
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            continue
        name, value = one_line(str(pair[0]), 100), one_line(str(pair[1]), 400)
        if name.lower() in noise or (name.lower() == "accept" and value == "*/*"):
            continue
        if name.lower() in _SECRET:
            # The attributes of a cookie are no secret, and a test may judge them.
            secret, separator, open_part = value.partition(";") if name.lower() == "set-cookie" else (value, "", "")
            value = cut(secret, _SECRET_CHARACTERS) + separator + open_part
        lines.append(Line(f"{name}: {value}"))
    return lines


def _body(holder: dict[str, Any], bounds: Bounds) -> list[Line]:
    body = holder.get("body")
    size = holder.get("body_bytes")
    if not isinstance(body, str):
        return [Line(f"({counted(size, 'byte')} that are not text)", "prose")] if isinstance(size, int) and size else []
    if not body:
        return []
    # Only JSON is laid out anew. What is nearly JSON stands as it came, for how it is written is the error.
    is_sound = shape.is_json(body)
    lines = _value(body, bounds, limit=bounds.body_lines) if is_sound else _as_it_came(body, bounds.body_lines, bounds)
    if holder.get("truncated") and isinstance(size, int):
        lines.append(Line(f"(the first part of {counted(size, 'byte')})", "prose"))
    return lines


def _value(text: str, bounds: Bounds, *, limit: int = 0) -> list[Line]:
    limit = limit or bounds.value_lines
    found = shape.read(text)
    if found is not None:
        text = "\n".join(shape.lines_of(found))
    return _as_it_came(text, limit, bounds)


def _as_it_came(text: str, limit: int, bounds: Bounds) -> list[Line]:
    return [Line(line) for line in _bounded(text, limit, bounds)]


def _comparison(test: TestResult, step: Exchange | None, bounds: Bounds) -> list[Block]:
    """Tell what was expected and what came; where both are nested values, only what differs."""
    answered = step is not None and step.response is not None
    blocks: list[Block] = []
    diff = shape.difference(test.expected, test.got) if test.expected and test.got else None
    came_text = ""
    if step is not None and step.response is not None:
        came_text = _text(step.response, "body" if step.kind == "http" else "value")
    if diff is not None and test.got is not None:
        kinds: dict[str, LineKind] = {"-": "minus", "+": "plus", " ": "same", "…": "gap"}
        limit = bounds.value_lines * 2
        lines = [Line(cut(visible(line.text), bounds.line_characters), kinds[line.sign]) for line in diff[:limit]]
        if len(diff) > limit:
            lines.append(Line(f"{counted(len(diff) - limit, 'more line')}", "gap"))
        blocks.append(Block("differs (- expected, + came back)", lines))
        is_told = _same(test.got, came_text)
        if step is not None and (step.kind == "http" or not is_told):
            blocks.append(Block("came back", _came(step, bounds, has_body=not is_told)))
        return blocks
    if test.expected is not None:
        blocks.append(Block("expected", _value(test.expected, bounds)))
    if test.got is not None and not (answered and step is not None and _is_told_by(test.got, step, came_text)):
        blocks.append(Block("got", _value(test.got, bounds)))
    if step is not None and (step.response is not None or step.note):
        blocks.append(Block("came back", _came(step, bounds)))
    return blocks


def _is_told_by(got: str, step: Exchange, came_text: str) -> bool:
    status = _text(step.response or {}, "status") if step.kind == "http" else ""
    return got.strip() == status or _same(got, came_text)


def _same(one: str, other: str) -> bool:
    if one.strip() == other.strip():
        return True
    if shape.is_json(one) != shape.is_json(other):
        return False
    first, second = shape.read(one), shape.read(other)
    return first is not None and first == second


def _statements(statements: Sequence[Statement], bounds: Bounds) -> list[Block]:
    if not statements:
        return []
    total = sum(statement.count for statement in statements)
    # One that failed is never among those that are left out.
    first, rest = statements[: bounds.statements], statements[bounds.statements :]
    shown = [*first, *[statement for statement in rest if statement.error][: bounds.statements]]
    lines: list[Line] = []
    for statement in shown:
        times = f"x {statement.count:,}: " if statement.count > 1 else ""
        rows = "" if statement.rows is None else f" → {counted(statement.rows, 'row')}"
        in_all = " in all" if rows and times else ""
        sql = one_line(" ".join(statement.sql.split()), bounds.line_characters)
        lines.append(Line(f"{times}{sql}{rows}{in_all}"))
        if statement.error:
            lines.append(Line(f"  failed: {one_line(statement.error, 300)}"))
    if len(statements) > len(shown):
        lines.append(Line(f"… {counted(len(statements) - len(shown), 'other statement')}", "prose"))
    return [Block(f"SQL that your code sent ({counted(total, 'statement')})", lines)]


def _frames(frames: Sequence[Frame], bounds: Bounds) -> list[Block]:
    lines: list[Line] = []
    for frame in frames[-8:]:
        where = f"{one_line(frame.file, 200)}, line {frame.line}"
        if frame.function and frame.function != "<module>":
            where += f", in {one_line(frame.function, 120)}"
        lines.append(Line(where))
        if frame.code.strip():
            lines.append(Line(f"  {one_line(frame.code.strip(), 300)}"))
        for name, value in list(frame.values.items())[: 40 if bounds.is_full else 6]:
            lines.append(Line(f"  {one_line(name, 80)} = {one_line(value, 400 if bounds.is_full else 120)}"))
    return [Block("in your code", lines)] if lines else []


def _usually(text: str | None) -> list[Block]:
    return [Block(USUALLY, [Line(one_line(text, 500), "prose")])] if text and text.strip() else []


def _output(text: str, bounds: Bounds) -> list[Block]:
    if not text.strip():
        return []
    wanted = tail(text.rstrip(), bounds.line_characters * bounds.output_lines)
    lines = visible(wanted).split("\n")
    shown = [Line(cut(line.rstrip(), bounds.line_characters)) for line in lines[-bounds.output_lines :]]
    label = "your code printed"
    if len(shown) < len(lines) or wanted.startswith("…"):
        label += " (the end of it)"
    return [Block(label, shown)]


def _text(holder: dict[str, Any], key: str) -> str:
    value = holder.get(key)
    return "" if value is None else str(value)
