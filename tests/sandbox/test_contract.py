"""What every sandbox must do: one suite over all of them."""

from __future__ import annotations

import time
from decimal import Decimal
from pathlib import Path

import pytest

from grader.diagnosis import diagnose
from grader.exercise import load_exercise
from grader.grading import grade
from grader.sandbox.choose import Choice
from grader.submission import submission_of
from tests.build import EXERCISE_TOML, TESTS, make_exercise
from tests.sandbox.test_image import locked
from tests.situation import graded, of, reference, shop, shop_of_any_language, situation, told


def test_a_right_answer_earns_every_point(choice: Choice) -> None:
    """The reference passes every test, in every sandbox alike."""
    report = grade(shop(), reference(), choice)

    assert report.status == "passed", report.message
    assert report.points == report.points_max == Decimal("3.5")
    assert [test.status for test in report.tests] == ["pass"] * 4
    assert report.sandbox.name == choice.name


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost"])
def test_an_app_that_a_command_starts(choice: Choice, address: str) -> None:
    """`python` is the box's own, whatever the machine calls it: Debian has `python3` only. The name `localhost` is known."""
    report = grade(shop_of_any_language(address), situation("own_server"), choice)

    assert report.status == "failed"
    assert of(report, "test_it_greets").status == "pass", told(report)


def test_the_same_files_get_the_same_seed(quick: Choice) -> None:
    """Exercise and submission decide the hidden data, so a regrade agrees."""
    first, second = (grade(shop(), reference(), quick) for _ in range(2))

    assert first.seed == second.seed
    assert first.tests[2].points == second.tests[2].points


def test_part_of_the_points_for_part_of_the_tasks(choice: Choice) -> None:
    """What works is paid, what doesn't is shown with what was sent and what came back."""
    report = graded(choice, "greets_only")

    assert report.status == "failed"
    assert report.points == 2
    failing = of(report, "test_items_are_listed")
    assert failing.status == "fail"
    assert (failing.expected, failing.got) == ("201", "404")
    deciding = [step for step in failing.transcript if step.is_deciding]
    assert deciding[0].request["method"] == "POST"
    assert deciding[0].request["curl"].startswith("curl -i -X POST http://127.0.0.1:")


_TABLE = """matrix.check(
        "nobody\\n" + "\\n".join(f"GET /missing/{n} {200 if n == 25 else 404}" for n in range(70)),
        {"nobody": client.request},
    )
    assert"""
_READS_THE_FIRST = """first = client.get("/")
    client.get("/missing")
    first.json()
    assert"""


def test_the_answer_that_decides_is_marked_wherever_it_stands(quick: Choice, tmp_path: Path) -> None:
    """A table's first wrong cell, though so many follow that it had no room; an answer that is read after another came."""
    tests = TESTS.replace("(client):", "(client, matrix):").replace("assert", _TABLE, 1)
    tests = _READS_THE_FIRST.join(tests.rsplit("assert", 1))
    exercise = load_exercise(make_exercise(tmp_path, files={"tests/test_one_dish.py": tests}))
    report = grade(exercise, situation("greets_only"), quick)

    for name, path in (("test_a_known_dish_is_answered", "/missing/25"), ("test_an_unknown_dish_is_missing", "/")):
        test = of(report, name)
        assert [step.request["path"] for step in test.transcript if step.is_deciding] == [path], told(report)
    paths = [int(step.request["path"].rpartition("/")[2]) for step in report.tests[0].transcript]
    assert paths == sorted(paths)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("crashes_at_import", "ZeroDivisionError"),
        ("syntax_error", "app.py, line 1 can't be read as Python"),
        ("no_factory", "`create_app` was not found in `app.py`"),
        ("no_function", "`create_app` in `app.py` is no function, but an `int`"),
        ("no_app", "what `create_app` returned in `app.py` is no app, but an `int`"),
        ("runs_itself", "your file starts the server itself"),
        ("hangs_at_import", "did not listen on port"),
    ],
)
def test_a_submission_that_does_not_start_is_one_message(choice: Choice, name: str, words: str) -> None:
    """An app that doesn't start is broken, not a row of failed tests, and the reason is in the learner's words."""
    report = graded(choice, name)

    assert report.status == "broken"
    assert words in report.message
    assert report.points == 0
    assert {test.status for test in report.tests} == {"skip"}


def test_a_file_that_is_no_text_is_named(quick: Choice) -> None:
    """Python itself tells neither the file nor the line."""
    report = grade(shop(), submission_of({"app.py": b"import flask\n\0\n"}), quick)

    assert report.status == "broken"
    assert report.message.startswith("app.py, line 2 can't be read as Python: it holds null bytes")


def test_what_can_not_be_read_as_python_is_the_innermost_place(quick: Choice) -> None:
    """In a file of the learner's, whichever imports it; a text that their code gives to Python is in none."""
    read = grade(shop(), submission_of({"app.py": b"import menu\n", "menu.py": b"x = 1\ndef (\n"}), quick)
    made = grade(shop(), submission_of({"app.py": b"x = 1\neval('(')\n"}), quick)

    assert read.message.startswith("menu.py, line 2 can't be read as Python")
    assert [(each.file, each.line, each.function) for each in read.frames] == [
        ("app.py", 1, "<module>"), ("menu.py", 2, ""),
    ]  # fmt: skip
    assert made.message.startswith("SyntaxError: ")
    assert [(each.file, each.line) for each in made.frames] == [("app.py", 2)]


def test_a_submission_sees_the_same_packages_everywhere(choice: Choice) -> None:
    """Those that are locked for boxes and no others, whatever else the grader needs on this machine."""
    report = graded(choice, "names_packages")

    assert (of(report, "test_it_greets").got or told(report)).split() == sorted(locked())


def test_statements_are_told_with_how_they_fared(quick: Choice) -> None:
    """The rows that came or were changed, and what the database said of one that can't be compiled."""
    code = reference().files["app.py"].replace(b"SELECT name", b"SELECT nmae")
    test = of(grade(shop(), submission_of({"app.py": code}), quick), "test_items_are_listed")

    insert, *_, select = test.statements
    assert (insert.sql[:16], insert.rows) == ("INSERT INTO item", 1)
    assert select.sql == "SELECT nmae FROM item ORDER BY rowid"
    assert select.error == "no such column: nmae"


@pytest.mark.parametrize(
    ("claim", "expected", "got"),
    [
        ("db.refuses(ADD, ['tea'])", "the database refuses it", "it took it"),
        (
            "not db.refuses(ADD, [None])",
            "the database takes it",
            "it refused it: NOT NULL constraint failed: item.name",
        ),
        ("db.refuses('DELETE FROM lost')", "the database refuses it", "another error: no such table: lost"),
    ],
)
def test_what_the_database_refuses_decides(quick: Choice, tmp_path: Path, claim: str, expected: str, got: str) -> None:
    """Not the request before it, which was answered as it should be."""
    asked = TESTS.replace("(client):", "(client, db):", 1).replace(
        'assert client.get("/dishes/1").status_code == 200', f"client.get('/items')\n    assert {claim}", 1
    )
    files = {"tests/test_one_dish.py": f'ADD = "INSERT INTO item VALUES (?)"\n{asked}'}
    toml = EXERCISE_TOML.replace('kind = "http"', 'kind = "http"\ndatabase = "sqlite"')
    exercise = load_exercise(make_exercise(tmp_path, toml=toml, files=files))
    test = of(grade(exercise, reference(), quick), "test_a_known_dish_is_answered")

    assert (test.expected, test.got) == (expected, got)
    assert [step.kind for step in test.transcript if step.is_deciding] == ["sql"]


@pytest.mark.parametrize(
    ("claim", "expected", "got"),
    [
        ("status_code == 201", "201", "200"),
        ("status_code in (302, 303)", "one of 302, 303", "200"),
        ("status_code not in (200, 500)", "none of 200, 500", "200"),
        ("status_code in range(300, 400)", "a number from 300 to 399", "200"),
        ("text.startswith('Good')", None, None),
        ("text in ['Hello!']", 'something that contains "Welcome!"', '["Hello!"]'),
    ],
)
def test_what_was_expected_is_taken_from_the_assertion(
    quick: Choice, tmp_path: Path, claim: str, expected: str | None, got: str | None
) -> None:
    """Where values are compared, whatever the comparison."""
    asked = TESTS.replace('"/dishes/1").status_code == 200', f'"/").{claim}')
    exercise = load_exercise(make_exercise(tmp_path, files={"tests/test_one_dish.py": asked}))
    test = of(grade(exercise, situation("greets_only"), quick), "test_a_known_dish_is_answered")

    assert (test.expected, test.got) == (expected, got)


def test_a_value_of_another_kind_is_told(quick: Choice, tmp_path: Path) -> None:
    """An assertion about the kind of a value compares nothing, and still says what it wants."""
    asked = TESTS.replace('client.get("/dishes/1").status_code == 200', 'isinstance(client.get("/").text, dict)')
    exercise = load_exercise(make_exercise(tmp_path, files={"tests/test_one_dish.py": asked}))
    test = of(grade(exercise, situation("greets_only"), quick), "test_a_known_dish_is_answered")

    assert (test.expected, test.got) == ("an object", "'Welcome!'")


@pytest.mark.parametrize("start", ["", "config={}", "env={'NAME': 'Ada'}"])
def test_an_app_that_never_listens_takes_the_limit_once(quick: Choice, tmp_path: Path, start: str) -> None:
    """However the first test starts it: no second start gets all of that time again."""
    asked = TESTS.replace("(client):", "(app, client):").replace(
        '    assert client.get("/dishes/1").status',
        f'    app.start({start})\n    assert client.get("/dishes/1").status',
    )
    toml = f"{EXERCISE_TOML}\n[limits]\nstart_s = 4\n"
    exercise = load_exercise(make_exercise(tmp_path, toml=toml, files={"tests/test_one_dish.py": asked}))
    started = time.monotonic()
    report = grade(exercise, situation("hangs_at_import"), quick)

    assert report.message == "your app did not listen on port 8000 within 4 s"
    assert report.status == "broken"
    assert 4 < time.monotonic() - started < 7.5


def test_a_slow_start_of_one_kind_is_not_the_end_of_all(quick: Choice, tmp_path: Path) -> None:
    """What a test asks for in a start may be what hangs; an app that starts as usual is tested on."""
    asked = TESTS.replace("(client):", "(app, client):", 1).replace(
        '    assert client.get("/dishes/1").status',
        '    app.start(config={})\n    assert client.get("/dishes/1").status',
        1,
    )
    toml = f"{EXERCISE_TOML}\n[limits]\nstart_s = 4\n"
    exercise = load_exercise(make_exercise(tmp_path, toml=toml, files={"tests/test_one_dish.py": asked}))
    report = grade(exercise, situation("hangs_when_configured"), quick)

    assert report.status == "failed"
    assert of(report, "test_a_known_dish_is_answered").message == "your app did not listen on port 8000 within 4 s"
    assert of(report, "test_an_unknown_dish_is_missing").status == "pass"


def test_a_failure_that_pytest_can_not_describe_is_a_failed_test(quick: Choice, tmp_path: Path) -> None:
    """Such as one at an instruction that belongs to no line, where the end of a test's time may fall."""
    hidden = "    __tracebackhide__ = lambda error: 1 / 0\n    assert"
    files = {"tests/test_one_dish.py": TESTS.replace("    assert", hidden)}
    report = grade(load_exercise(make_exercise(tmp_path, files=files)), situation("greets_only"), quick)

    assert report.status == "failed", report.message
    assert of(report, "test_a_known_dish_is_answered").got == "404"


def test_a_crash_shows_the_learners_own_frames(choice: Choice) -> None:
    """The traceback has the learner's lines and values, none of the grader's or a library's."""
    report = graded(choice, "crashes_at_import")

    assert [(frame.file, frame.line) for frame in report.frames] == [("app.py", 5), ("app.py", 2)]
    assert report.frames[1].code == "return value / 0"
    assert report.frames[1].values == {"value": "3"}
    assert "inside" not in report.output


def test_an_exception_in_a_view_shows_where(choice: Choice) -> None:
    """A 500 comes with the learner's frame and the values there."""
    test = of(graded(choice, "raises_in_view"), "test_it_greets")

    assert test.got == "500"
    assert test.frames[-1].code == 'return str(stock["pears"])'
    assert test.frames[-1].values["stock"] == "{'apples': 3}"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("raises_without_flask", 'return [str(stock["pears"]).encode()]'),
        ("raises_while_sending", 'yield str(stock["pears"])'),
    ],
)
def test_an_exception_that_flask_does_not_see_shows_where(choice: Choice, name: str, code: str) -> None:
    """In an app without Flask, or once the answer is on its way: the learner's frames, and no other."""
    test = of(graded(choice, name), "test_it_greets")

    assert test.frames[-1].code == code
    assert "KeyError: 'pears'" in test.output
    assert code in test.output
    assert "waitress" not in test.output
    assert "/solution/" not in test.output


def test_a_view_without_return_is_explained(choice: Choice) -> None:
    """A known symptom is translated into what it usually means, and what was printed is shown."""
    test = of(graded(choice, "returns_nothing"), "test_it_greets")

    assert (
        test.usually == "the view returned `None`: it came to its end without `return`, or what it returned was `None`"
    )
    assert "Welcome!" in test.output


def test_a_name_can_not_be_looked_up(isolating: Choice) -> None:
    """A box has no network, which the learner may not think of."""
    test = of(graded(isolating, "asks_for_a_name"), "test_it_greets")

    assert test.frames[-1].code == 'with socket.create_connection(("stock.example", 80)) as connection:'
    assert test.usually == "a name was looked up where there is no network; for `localhost`, write `127.0.0.1`"


def test_an_answer_that_never_comes_fails_its_test_only(choice: Choice) -> None:
    """A test has its own time; the next one starts with a fresh app."""
    report = graded(choice, "never_answers")

    assert report.status == "failed"
    assert of(report, "test_it_greets").message == "no whole answer came within 3 s"
    assert of(report, "test_it_greets_again").status == "skip"
    assert of(report, "test_items_are_listed").got == "404"


def test_an_app_that_ends_is_said_and_started_again(choice: Choice) -> None:
    """The process that ended took its own test with it and no other."""
    report = graded(choice, "ends_while_answering")

    assert report.status == "failed"
    assert "closed the connection" in of(report, "test_it_greets").message
    assert "about to end" in of(report, "test_it_greets").output
    assert of(report, "test_items_are_listed").got == "404"


def test_a_limit_is_named(isolating: Choice) -> None:
    """Memory that a view takes ends its process, and the message has the limit."""
    test = of(graded(isolating, "eats_memory"), "test_it_greets")

    assert test.status == "fail"
    assert "it used more than 128 MiB of memory" in test.message


def test_endless_output_is_stopped(choice: Choice) -> None:
    """Output is bounded, in the box and in the report."""
    test = of(graded(choice, "floods_output"), "test_it_greets")

    assert "it printed more than 256 KiB" in test.message
    assert len(test.output) <= 8000


def test_what_no_backend_needs_is_refused_by_the_kernel(choice: Choice) -> None:
    """New namespaces, kernel keys, io_uring, AF_VSOCK and the like; threads, programs and the usual sockets are there."""
    report = graded(choice, "asks_the_kernel")

    assert of(report, "test_it_greets").status == "pass", told(report)


def test_a_survivor_does_not_hold_the_port(choice: Choice) -> None:
    """What an app leaves behind is gone before the next start."""
    report = graded(choice, "survives")

    assert of(report, "test_it_greets_again").status == "pass"
    assert report.points == 2


def test_the_time_for_all_ends_the_grading(choice: Choice) -> None:
    """The grading ends within its limit, with a report that says so."""
    started = time.monotonic()
    report = graded(choice, "hangs_at_import", wall_s=1.5)

    assert (report.status, report.limit) == ("broken", "wall")
    assert time.monotonic() - started < 1.5 + 20  # the boxes' start and end are beside it, on a machine however slow


def test_every_limit_holds(isolating: Choice) -> None:
    """Memory, processes, disk, files, output, processor, network and files: each is hit, and each holds."""
    findings = diagnose(isolating.sandbox)

    assert [finding for finding in findings if not finding.is_enforced] == []
    assert len(findings) == 13
