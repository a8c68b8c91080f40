"""Hidden tests: the learner's tests tell a right counter from a wrong one."""

import pytest


def counter(first):
    """A counter that begins with a number, as a WSGI app."""
    state = [first - 1]

    def app(_environ, start_response):
        state[0] += 1
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [str(state[0]).encode()]

    return app


@pytest.mark.task("tests", points=1)
def test_right(suite):
    """The tests pass on a right counter, in any order."""
    orders = []
    for order in ("file", "backward"):
        run = suite.run(counter(1), order=order)
        assert [test.status for test in run.tests] == ["passed", "passed"]
        orders.append([test.name for test in run.tests])
    assert orders[0] == orders[1][::-1]


@pytest.mark.task("tests", points=1)
def test_wrong(suite, rng):
    """The tests fail on a counter that begins with 0, and pass on a right one."""
    for first in rng.sample([0, 1], 2):
        run = suite.run(counter(first), order="backward", env={"MORE": "more"})
        assert run.passed == (first == 1)
        assert [test.message != "" for test in run.failed] == ([True] if first == 0 else [])


@pytest.mark.task("tests", points=1)
def test_nothing_left(suite):
    """The tests leave no files behind."""
    run = suite.run(counter(1))
    assert run.passed
    assert run.left == []


@pytest.mark.task("tests", points=1)
def test_the_app_still_answers(suite, client):
    """The app of the learner still answers after a run of the tests."""
    assert client.get("/").text == "here"
    assert suite.run(counter(1)).passed
    assert client.get("/").text == "here"
