"""Hidden tests: three functions in Python agree with the programs that they were translated from.

`recorded.json` holds what the three programs themselves answered.
"""

import json
from pathlib import Path

import pytest

RECORDED = json.loads(Path(__file__).with_name("recorded.json").read_text("utf-8"))
FEES = {days: fee for (days,), fee in RECORDED["late_fee"]}
SOME = 68


def letters(name):
    """Give a name without spaces and digits."""
    return "".join(each for each in name if each.isalpha())


@pytest.fixture
def some(rng):
    """Draw rows from those of a function that are of a kind."""

    def draw(function, count, is_wanted=lambda *arguments: True):
        return rng.sample([row for row in RECORDED[function] if is_wanted(*row[0])], count)

    return draw


@pytest.fixture
def agrees(call):
    """Hold the learner's function against recorded answers."""

    def compare(function, rows):
        for arguments, answer in rows:
            got = call(function, *arguments)
            assert (list(got) if isinstance(got, tuple) else got) == answer

    return compare


@pytest.mark.task("late-fee", points=2)
def test_the_late_fee(call, rng):
    """The late fee is right for 0, 1, 14, 15 and 400 days, and for days in between."""
    for days in (0, 1, 14, 15, 400, *rng.sample(range(2, 14), 2), *rng.sample(range(16, 31), 3)):
        assert call("late_fee", days) == FEES[days]


@pytest.mark.task("late-fee", points=2)
def test_early_days(call, rng):
    """A book that comes back before its day earns the credit that the original gives."""
    for days in (-1, -7, *rng.sample(range(-30, -7), 4), *rng.sample(range(-6, -1), 2)):
        assert call("late_fee", days) == FEES[days]


@pytest.mark.task("late-fee", points=1)
def test_a_fee_is_a_whole_number(call, some):
    """A late fee is a whole number, never a float."""
    for (days,), fee in some("late_fee", 6):
        got = call("late_fee", days)
        assert got == fee
        assert type(got).__name__ == "int"


@pytest.mark.task("late-fee", points=2)
def test_recorded_fees(agrees, some):
    """The late fee agrees with what the JavaScript program answered to many numbers of days."""
    agrees("late_fee", [row for row in RECORDED["late_fee"] if row[0] == [14]])
    agrees("late_fee", some("late_fee", SOME))


@pytest.mark.task("instalments", points=2)
def test_halves(call, rng):
    """Half a cent goes up to the next whole one, and below zero down to it."""
    for whole in (2, 3, *rng.sample(range(4, 5000), 3)):
        assert call("instalments", 2 * whole + 1, 50, 1)[0] == whole + 1
        assert call("instalments", -2 * whole - 1, 50, 1)[0] == -whole - 1


@pytest.mark.task("instalments", points=2)
def test_parts_are_cut_toward_zero(agrees, some):
    """Parts are cut toward zero, also those of money that is paid back, and what is left over keeps its sign."""
    agrees("instalments", some("instalments", 4, lambda cents, percent, parts: cents > 0 and parts > 4))
    agrees(
        "instalments", some("instalments", 8, lambda cents, percent, parts: cents < -40 and parts > 4 and percent < 60)
    )


@pytest.mark.task("instalments", points=1)
def test_cents_are_whole_numbers(call, some):
    """The three amounts are whole numbers of cents, never floats."""
    for arguments, answer in some("instalments", 6, lambda cents, percent, parts: percent > 4):
        got = list(call("instalments", *arguments))
        assert got == answer
        assert [type(each).__name__ for each in got] == ["int", "int", "int"]


@pytest.mark.task("instalments", points=2)
def test_recorded_instalments(agrees, some):
    """The instalments agree with what the Java program answered to many amounts."""
    agrees("instalments", some("instalments", SOME))


@pytest.mark.task("username", points=2)
def test_spaces(agrees, some):
    """Spaces around a name don't count, and each space inside it becomes a dot."""
    agrees("username", some("username", 4, lambda name: name.strip() != name and len(letters(name)) > 3))
    agrees("username", some("username", 4, lambda name: "  " in name.strip()))
    agrees("username", some("username", 2, lambda name: name.strip().count(" ") == 1))


@pytest.mark.task("username", points=2)
def test_capitals_and_length(agrees, some):
    """Capitals become small letters, and behind the first eight characters stands how many there are in all."""
    agrees("username", some("username", 4, lambda name: name.isupper()))
    agrees("username", some("username", 3, lambda name: len(name.strip()) > 10))
    agrees("username", some("username", 3, lambda name: 0 < len(name.strip()) < 8))


@pytest.mark.task("username", points=2)
def test_guests(agrees, call, fake):
    """Whoever has a name that PHP takes for empty is a guest, and nobody else is."""
    for name in ("", " ", "   ", "0", " 0 "):
        assert call("username", name) == "guest"
    word = fake.word()
    agrees("username", [row for row in RECORDED["username"] if row[0] in (["00"], ["0 0"])])
    assert call("username", word) == f"{word[:8]}{len(word)}"


@pytest.mark.task("username", points=2)
def test_recorded_usernames(agrees, some):
    """The usernames agree with what the PHP program answered to many names."""
    agrees("username", some("username", SOME))
