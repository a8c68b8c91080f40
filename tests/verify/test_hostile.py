"""Submissions that cheat, in a real sandbox: they earn nothing of a sound exercise, and what they earn of a weak one is told."""

from __future__ import annotations

from pathlib import Path

from grader.exercise import load_exercise
from grader.sandbox.choose import Choice
from grader.verify.attempt import Attempt, Plan, Runner
from grader.verify.hostile import earned_too_much, hidden_lines, hostile_submissions, leaked, texts_of
from grader.verify.recording import Recording
from tests.build import make_exercise

TESTS = '''\
import pytest


@pytest.mark.task("known-dish", points=3)
def test_a_dish_is_answered(client, app, rng):
    """Every dish has its name."""
    secret_menu_of_the_test = {n: {"name": f"dish {rng.randrange(10**6)}"} for n in rng.sample(range(100, 900), 3)}
    app.start(config={"DISHES": secret_menu_of_the_test})
    for number, dish in secret_menu_of_the_test.items():
        assert client.get(f"/dishes/{number}").json() == dish


@pytest.mark.task("missing-dish", points=1)
def test_weak(client, app, rng):
    """A dish is answered 200."""
    menu = {number: {"name": f"dish {number} {rng.random()}"} for number in rng.sample(range(100, 900), 2)}
    app.start(config={"DISHES": menu})
    assert client.get(f"/dishes/{list(menu)[0]}").status_code == 200


@pytest.mark.task("missing-dish", points=0.5)
def test_constant(client):
    """An unknown dish is answered 404."""
    assert client.get("/dishes/7").status_code == 404
'''

APP = """\
from flask import Flask


def create_app(config=None):
    app = Flask(__name__)
    app.config["DISHES"] = {}
    app.config.update(config or {})

    @app.get("/dishes/<int:dish_id>")
    def dish(dish_id):
        BODY

    return app
"""


def test_cheats_earn_nothing_but_from_tests_that_are_weak(tmp_path: Path, quick: Choice) -> None:
    """Forging, patching, leaving and reading earn what the starter earns, and no hidden line is seen; a test of the
    status alone is passed by answers of another seed; a constant is right where every seed asks the same."""
    folder = make_exercise(
        tmp_path,
        edits={"test_every_dish_has_its_name": "test_weak", "test_an_unknown_dish_is_missing": "test_constant"},
        files={
            "tests/test_one_dish.py": TESTS,
            "reference/app.py": APP.replace(
                "BODY", 'return app.config["DISHES"].get(dish_id) or ({"error": "none"}, 404)'
            ),
            "starter/app.py": APP.replace("BODY", "return 'TODO', 500"),
        },
    )
    exercise = load_exercise(folder)
    reference, starter_files = exercise.files_of("reference"), exercise.files_of("starter")
    with Runner(quick, 2) as runner:

        def graded(files: dict[str, bytes], seed: int) -> Attempt:
            return runner.submit(exercise, Plan(files=files, seed=seed, is_recorded=True)).result()

        plans = [Plan(files=reference, seed=seed, is_recorded=True) for seed in (1, 1, 2)]
        first, again, other = (each.result() for each in [runner.submit(exercise, plan) for plan in plans])
        recording = Recording(first=first, again=again, other=other)
        starter = graded(starter_files, 1)
        made = hostile_submissions(exercise, starter_files, recording)
        runs = [(each, runner.submit(exercise, Plan(files=each.files, seed=1, is_recorded=True))) for each in made]
        won = {each.name: earned_too_much(each, run.result(), starter, recording) for each, run in runs}

        assert first.is_whole
        assert [recording.has_other_data(test.name) for test in exercise.tests] == [True, True, False]
        assert [recording.has_other_answers(test.name) for test in exercise.tests] == [True, True, False]
        assert {each.name for each in made} == {
            "leaves", "patches", "reads", "forges", "echoes", "constant", "replays",
        }  # fmt: skip
        for name in ("leaves", "patches", "forges"):
            assert won[name] == [], name
        assert won["echoes"] == won["constant"] == won["replays"] == ["test_weak"]

        lines = hidden_lines(exercise, [text for attempt in (first, again, other) for text in texts_of(attempt)])
        assert any("secret_menu_of_the_test" in line for line in lines)
        for each, run in runs:
            assert leaked(lines, [run.result().report and run.result().report.output, texts_of(run.result())]) == [], (
                each.name
            )  # type: ignore[union-attr]


def test_a_line_of_the_tests_in_an_answer_is_seen() -> None:
    """By content, wherever it stands."""
    line = 'assert client.get("/dishes/7").status_code == 404'

    assert leaked({line}, {"tests": [{"got": f"I found: {line}"}]}) == [line]
    assert leaked({line}, {"tests": [{"got": "nothing"}]}) == []
