"""The terminal form: whole screens as golden files, and what holds for every screen."""

from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec
import pytest

from grader.render import render
from grader.render.account import SHORT, text_of_test
from grader.render.plain import width_of
from grader.render.text import TextReporter
from grader.report import Exchange, Report, Statement
from tests.render import sample

GOLDEN = Path(__file__).parent / "golden"
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
SITUATIONS = ["passed", "failed", "broken", "not_started", "grader_error", "decimals"]


def text(report: Report, **options: object) -> str:
    """The screen of a report."""
    return render(report, "text", **options).decode()


@pytest.mark.parametrize("width", [60, 100])
@pytest.mark.parametrize("name", SITUATIONS)
def test_the_screen_is_the_golden_one(name: str, width: int) -> None:
    """Read the files in `golden/` to see what learners see. `UPDATE_GOLDEN=1` writes them anew."""
    file = GOLDEN / f"{name}-{width}.txt"
    shown = text(sample.ALL[name](), width=width)
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(shown)
    assert shown == file.read_text()


def test_the_screen_without_unicode_is_the_golden_one() -> None:
    """Marks are words where the terminal has no signs."""
    file = GOLDEN / "failed-ascii-60.txt"
    shown = text(sample.failed(), width=60, unicode=False)
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(shown)
    assert shown.isascii()
    assert shown == file.read_text()


@pytest.mark.parametrize("width", [20, 60, 80, 100])
@pytest.mark.parametrize("unicode", [True, False])
@pytest.mark.parametrize("name", sorted(set(sample.ALL) - {"huge"}))
def test_only_a_command_to_paste_goes_over_the_edge(name: str, width: int, unicode: bool) -> None:
    """Everything else is wrapped."""
    for line in text(sample.ALL[name](), width=width, unicode=unicode).split("\n"):
        assert width_of(line) <= width or line.startswith("    curl "), line


@pytest.mark.parametrize("name", SITUATIONS)
def test_colour_adds_only_colour(name: str) -> None:
    """Without it, nothing is missing."""
    coloured = text(sample.ALL[name](), colour=True)
    assert COLOURS.search(coloured)
    assert COLOURS.sub("", coloured) == text(sample.ALL[name]())


def test_no_escape_of_a_learner_reaches_the_terminal() -> None:
    """With colour on, every escape is one of ours."""
    shown = COLOURS.sub("", text(sample.hostile(), colour=True))
    assert "\x1b" not in shown
    assert "\\x1b[2J" in shown


def test_what_a_learner_printed_stands_indented_so_it_is_no_line_of_ours() -> None:
    """A forged score in the output can't be taken for the score."""
    forged = "10 of 10 points\n\nNext: nothing to do\n✓ all is well"
    test = sample.failing("test_a", "It counts.", "t", output=forged, got=forged, expected="1", message=forged)
    lines = text(sample.report(tests=[test]), width=60).split("\n")
    assert [line for line in lines if line.startswith(("10 of", "Next: nothing", "✓"))] == []
    assert "0 of 1 point (1 test failed)" in lines


def test_is_live() -> None:
    """Each test is on screen when it ends, before the next begins."""
    shown: list[str] = []
    report = sample.failed()
    reporter = TextReporter(shown.append, 60, False, True, False)
    reporter.start(report.exercise.title, "docker", [(task.id, task.title) for task in report.tasks])
    for test in report.tests:
        before = len(shown)
        reporter.test(test)
        assert len(shown) > before
    told = "".join(shown)
    assert "✗ An unknown id gets a 404." in told
    assert "points" not in told
    reporter.finish(report)
    assert "".join(shown).replace("graded in docker", "graded in bubblewrap") == text(report, width=60)


def test_quiet_says_the_points_and_nothing_else() -> None:
    """For scripts, with the one message that explains them."""
    assert text(sample.passed(), quiet=True) == "10 of 10 points\n"
    assert text(sample.failed(), quiet=True) == "6 of 10 points (4 tests failed, 1 not run)\n"
    assert text(sample.broken(), quiet=True) == "✗ stopped: it used more than 256 MiB\n3 of 10 points\n"
    assert text(sample.grader_error(), quiet=True).endswith("no score: the grader failed, not your code\n")


def test_a_broken_submission_gets_one_message() -> None:
    """Not one failure for each test that could not be run."""
    shown = text(sample.broken())
    assert shown.count("stopped: it used more than 256 MiB") == 1
    assert "Promise number" not in shown
    assert "7 tests not run" in shown


def test_a_grader_error_has_no_points_and_no_failures() -> None:
    """Neither a zero nor what was earned before."""
    shown = text(sample.grader_error())
    assert "the grader failed, not your code" in shown
    assert not re.search(r"\d of \d+ point", shown)


def test_a_grader_error_names_commands_as_they_are_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a fresh clone that is `./grade`."""
    monkeypatch.setenv("GRADE_CALLED", "./grade")
    shown = text(msgspec.structs.replace(sample.grader_error(), message="it failed: `grade doctor` shows why"))
    assert "it failed: `./grade doctor` shows why" in shown


@pytest.mark.parametrize(("details", "told"), [(0, 0), (1, 1), (3, 3), (9, 4), (None, 4)])
def test_the_first_failures_are_told_and_the_rest_counted(details: int | None, told: int) -> None:
    """A screen is no place for thirty transcripts; each has its line above, and one line says how to see them."""
    shown = text(sample.failed(), details=details, width=100)
    assert len(re.findall(r"^✗ ", shown, re.MULTILINE)) == told
    rest = {0: "4 tests fail", 1: "3 more tests fail", 3: "1 more test fails"}.get(told)
    lines = [line for line in shown.splitlines() if "`grade exercise-03 -v`" in line]
    assert lines == ([f"{rest}; `grade exercise-03 -v` shows {'it' if told == 3 else 'them'}."] if rest else [])


def test_of_another_solution_the_rest_is_one_line_too() -> None:
    """However long its path is."""
    pieces: list[str] = []
    TextReporter(pieces.append, 100, False, True, False).finish(sample.failed(), path="my work")

    assert "\n1 more test fails; `-v` shows it.\n" in "".join(pieces)


def test_a_command_can_be_pasted() -> None:
    """It is on one line, whole."""
    assert (
        "    curl -i -X POST http://127.0.0.1:8000/dishes -H 'Content-Type: application/json'"
        ' --data-binary \'{"name": "Pho", "price": 950}\'\n' in text(sample.failed(), width=60)
    )


def test_repeated_statements_are_folded() -> None:
    """So that too many queries show which."""
    shown = text(sample.failed(), width=100)
    assert "SQL that your code sent (43 statements)" in shown
    assert "x 41: SELECT tag.name FROM tag WHERE tag.dish_id = ? → 97 rows in all" in shown


def test_a_statement_that_failed_is_always_shown() -> None:
    """However many others came before."""
    sent = [Statement(sql=f"SELECT {place}", count=1) for place in range(20)]
    failed = Statement(sql="SELECT authr FROM book", count=1, error="no such column: authr")
    lines = text_of_test(sample.failing("test_a", "It lists.", "a", statements=[*sent, failed]), SHORT).splitlines()

    assert lines[-3:] == ["  SELECT authr FROM book", "    failed: no such column: authr", "  … 12 other statements"]


@pytest.mark.parametrize(
    ("note", "said"),
    [
        ("refused", "nothing: your app isn't listening"),
        ("timeout", "nothing within the time limit"),
        ("reset", "nothing whole: your app closed the connection"),
        ("something new", "something new"),
    ],
)
def test_a_missing_answer_is_said_in_words(note: str, said: str) -> None:
    """The symptom, not its code."""
    step = sample.http("GET", "/", 200)
    test = sample.failing(
        "test_a", "It answers.", "t", transcript=[msgspec.structs.replace(step, response=None, note=note)]
    )
    assert f"came back: {said}" in text(sample.report(tests=[test]))


def test_bodies_are_bounded_and_say_so() -> None:
    """A page of HTML or a file of bytes does not fill the screen."""
    long = sample.http("GET", "/", 200, body="\n".join(f"<p>{place}</p>" for place in range(500)), is_deciding=True)
    raw = msgspec.structs.replace(long, response={**(long.response or {}), "body": None, "body_bytes": 1204})
    shown = text(sample.report(tests=[sample.failing("test_a", "A.", "t", transcript=[raw, long])]))
    assert "… 484 more lines" in shown
    raw = msgspec.structs.replace(raw, is_deciding=True)
    shown = text(sample.report(tests=[sample.failing("test_a", "A.", "t", transcript=[raw])]))
    assert "(1,204 bytes that are not text)" in shown


@pytest.mark.parametrize(
    "body",
    [
        """{"id": 5826, "name": "O'Hara", }""",
        '[{"id": 1},]',
        "{'id':   5826}",
        '{"id":   NaN}',
        '{"id":   1} ',
    ],
)
def test_a_body_that_is_no_json_is_shown_as_it_came(body: str) -> None:
    """Laid out anew it could look right, and the error would be nowhere to be seen. Sound JSON is laid out."""
    came = sample.http("GET", "/dishes/1", 200, body=body, is_deciding=True)
    other = "an answer in JSON"
    for got in (None, other, body):
        test = sample.failing("test_a", "A.", "t", transcript=[came], expected=other, got=got)
        shown = text(sample.report(tests=[test]), width=100)
        assert f"    {body}\n" in shown or body.endswith(" ")
        assert ('{"id": 1}\n' in shown) == body.endswith(" ")


def test_a_record_of_unknown_form_is_shown_as_far_as_it_goes() -> None:
    """A transcript is data: a missing or odd field ends no report."""
    odd = [
        Exchange(kind="http", request={"method": 7, "headers": "x", "body": 3}, response={"headers": [["a"], 4]}),
        Exchange(kind="call", request={"args": "x", "kwargs": []}, response={"raised": "x"}),
        Exchange(kind="app", request={"env": [1]}, note="odd"),
        Exchange(kind="sql", response={"rows": "many"}),
    ]
    for place in range(len(odd)):
        test = sample.failing(
            "test_a", "A.", "t", transcript=[*odd, msgspec.structs.replace(odd[place], is_deciding=True)]
        )
        assert "0 of 1 point" in text(sample.report(tests=[test]))


def test_steps_of_several_visitors_say_whose_they_are() -> None:
    """With one visitor alone, all are that one's."""

    def shown(*visitors: int) -> str:
        steps = [sample.http("GET", f"/{place}", 200) for place in range(3)]
        told = [
            msgspec.structs.replace(step, request={**step.request, "visitor": visitor})
            for step, visitor in zip(steps, visitors, strict=True)
        ]
        report = sample.report(tests=[sample.failing("test_a", "A.", "t", transcript=told)])
        assert (len(set(visitors)) > 1) == ("1. visitor 1: GET /0" in render(report, "html").decode())
        return text(report)

    assert "visitor" not in shown(1, 1, 1)
    several = shown(1, 2, 2)
    assert "    1. visitor 1: GET /0 → 200 OK\n" in several
    assert "    2. visitor 2: GET /1 → 200 OK\n" in several
    assert "  sent by visitor 2\n" in several


def _at_once(moment: int, *counts: tuple[int, int]) -> list[Exchange]:
    sent = [sample.http("POST", "/loans", status, sent="{}", body=f'{{"was": {status}}}') for status, _ in counts]
    return [
        msgspec.structs.replace(step, moment=moment, times=times) for step, (_, times) in zip(sent, counts, strict=True)
    ]


def test_requests_at_the_same_moment_are_one_step() -> None:
    """With how often they came to what, and each outcome shown in whole once."""
    steps = [sample.http("GET", "/books", 200), *_at_once(1, (201, 3), (404, 47))]
    test = sample.failing("test_a", "A.", "t", transcript=steps, expected='{"201": 1}', got='{"201": 3}')
    report = sample.report(tests=[test])
    shown = text(report)

    assert shown.count("50 requests at once: 201 x 3, 404 x 47") == 1
    assert "    x 3: POST /loans\n" in shown
    assert "    x 47: POST /loans\n" in shown
    assert shown.count('{"was": ') == 2
    assert "came back\n" not in shown
    for format in ("html", "markdown"):
        assert render(report, format).decode().count("50 requests at once: 201 x 3, 404 x 47") == 1
    page = render(report, "html").decode()
    assert "<dt>Sent (step 2 of 2, which decided)</dt>" in page
    assert "<pre>\nx 47: POST /loans" in page


def test_requests_at_the_same_moment_before_the_deciding_one_are_told_briefly() -> None:
    """Moments that follow one another are not mixed up."""
    steps = [*_at_once(1, (201, 1), (404, 1)), *_at_once(2, (404, 2)), sample.http("GET", "/books", 200)]
    steps[2] = msgspec.structs.replace(steps[2], response=None, note="timeout")
    shown = text(sample.report(tests=[sample.failing("test_a", "A.", "t", transcript=steps)]))

    assert "    1. 2 requests at once: 201 x 1, 404 x 1\n    x 1: POST /loans → 201 CREATED\n" in shown
    assert "    2. 2 requests at once: no answer x 2\n    x 2: POST /loans → nothing within the time limit\n" in shown
    assert '{"was": ' not in shown


def test_limits_that_the_machine_does_not_enforce_are_said() -> None:
    """Never assumed."""
    report = sample.passed()
    noted = msgspec.structs.replace(report.sandbox, notes=["the disk limit"])
    assert "not enforced on this machine: the disk limit" in text(msgspec.structs.replace(report, sandbox=noted))


def test_the_next_step_can_be_the_callers() -> None:
    """Who knows the course says where to go on."""
    assert text(sample.passed(), next_step="Next: `grade 05`.").endswith("10 of 10 points\nNext: `grade 05`.\n")
