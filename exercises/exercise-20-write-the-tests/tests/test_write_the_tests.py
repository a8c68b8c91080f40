"""Hidden tests: the learner's tests pass on right apps, however they are written, and fail on broken ones."""

import re

import pytest
from dishes import FLAWS, Dishes

TOLD = re.compile(r"assert (?!(False|not True|None)\b)|AssertionError: .|Failed: .")


def passes(run):
    """Hold a run on a right app to what is asked for; which tests fail and why, the run tells by itself."""
    assert not run.failed, "your tests fail on a right app"
    assert run.passed, "no test was found, or one was skipped"


@pytest.fixture
def other(fake, rng):
    """Make a right app that isn't written like the learner's copy, with dishes in it; or a broken one like it."""

    def make(*flaws):
        app = Dishes(*flaws, ids=(rng.randrange(1000, 9000), -7), is_plain=False)
        for _ in range(rng.randrange(2, 5)):
            app.add(fake.dish(), fake.price_cents(), fake.sentence())
        return app

    return make


@pytest.fixture
def tells(suite, other, rng):
    """Run the tests on a right app and on one with a flaw, in an order that is drawn, and look whether they tell."""

    def look(flaw):
        for flaws in rng.sample([(), (flaw,)], 2):
            run = suite.run(rng.choice([Dishes, other])(*flaws))
            if flaws:
                assert not run.passed, "your tests pass on the broken app"
            else:
                passes(run)

    return look


@pytest.mark.task("right", points=2)
def test_three_times(suite, rng):
    """Your tests pass on a right app, three times, each time in another order."""
    for order in ("file", "backward", rng.randrange(1000)):
        passes(suite.run(Dishes(), order=order))


@pytest.mark.task("right", points=2)
def test_written_differently(suite, other):
    """They pass on a right app that was written by somebody else, with dishes in it already."""
    passes(suite.run(other()))


@pytest.mark.task("broken", points=2)
@pytest.mark.needs("test_three_times", "test_written_differently")
def test_a_wrong_status(tells):
    """They fail on an app that answers a new dish with 200."""
    tells("status")


@pytest.mark.task("broken", points=2)
@pytest.mark.needs("test_three_times", "test_written_differently")
def test_a_shifted_boundary(tells):
    """They fail on an app that leaves out a dish whose price is max_price."""
    tells("boundary")


@pytest.mark.task("broken", points=2)
@pytest.mark.needs("test_three_times", "test_written_differently")
def test_a_wiped_field(tells):
    """They fail on an app whose PATCH wipes a field that was not sent."""
    tells("wipes")


@pytest.mark.task("broken", points=2)
@pytest.mark.needs("test_three_times", "test_written_differently")
def test_a_dish_that_stays(tells):
    """They fail on an app that keeps a dish after DELETE."""
    tells("keeps")


@pytest.mark.task("broken", points=2)
@pytest.mark.needs("test_three_times", "test_written_differently")
def test_no_validation(tells):
    """They fail on an app that takes anything for a dish."""
    tells("accepts")


@pytest.mark.task("broken", points=1)
@pytest.mark.needs("test_three_times", "test_written_differently")
def test_quick_and_clean(suite, other):
    """They end within 20 seconds and leave no files behind."""
    run = suite.run(other())
    passes(run)
    assert run.left == []


@pytest.mark.task("broken", points=1)
def test_messages(suite):
    """On an app with all five mistakes, each test that fails says what came or what was expected."""
    run = suite.run(Dishes(*FLAWS))
    assert run.failed, "no test of yours fails on the broken app"
    assert [test.name for test in run.failed if not TOLD.match(test.message)] == []
