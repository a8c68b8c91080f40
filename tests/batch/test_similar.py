"""`--similar`: copies are found whatever their names, and what many or the starter wrote is no copy."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grader.batch import similar
from grader.batch.gradebook import write_gradebook
from grader.batch.likeness import SHOWN
from grader.batch.similar import Similar, find_similar, require_similar
from grader.batch.summary import summarize, to_lines
from grader.error import FaultError, UsageError
from tests.batch.test_command import Teacher, teacher  # noqa: F401  a fixture
from tests.render import browser

Send = Callable[..., Path]
GradeClass = Callable[..., Any]

ONE = '''\
def cheapest(menu, limit):
    """Give the dishes that a guest can pay, the cheapest first."""
    found = []
    for dish in menu.values():
        price = dish.get("price", 0)
        if price <= limit and not dish.get("sold_out"):
            found.append((price, dish["name"]))
    found.sort(reverse=False)
    return [name for _, name in found][: limit // 10 + 1]


def total(order, menu):
    amount = sum(menu[number]["price"] * count for number, count in order.items() if number in menu)
    return amount * 0.9 if amount > 100 else amount + 2.5
'''
RENAMED = (
    ONE.replace("found", "treffer").replace("dish", "gericht").replace("amount", "summe").replace("limit", "geld")
    .replace('"""Give the gerichtes that a guest can pay, the cheapest first."""', "# all my own work")
)  # fmt: skip
OTHER = """\
import heapq


class Menu:
    def __init__(self, dishes):
        self._dishes = list(dishes)

    def cheapest(self, limit):
        affordable = filter(lambda each: each["price"] <= limit, self._dishes)
        yield from heapq.nsmallest(3, affordable, key=lambda each: (each["price"], each["name"]))

    def total(self, *numbers, discount=None):
        result = 0
        while numbers:
            number, *numbers = numbers
            result += self._dishes[number]["price"]
        return round(result * (1 - (discount or 0)), 2)
"""


def words(number: int, code: str) -> str:
    """Give a file that the tests' sandbox grades, and that is nobody else's."""
    return f"ppp {number}\n{code}"


@pytest.fixture
def compare(grade_class: GradeClass) -> Callable[[], Similar]:
    """Grade the class and compare."""

    def call() -> Similar:
        with grade_class() as results:
            return find_similar(results)

    return call


def pairs(found: Similar) -> list[tuple[str, str]]:
    return [(pair.first.label, pair.second.label) for pair in found.pairs]


def test_a_copy_is_found_under_other_names(send: Send, compare: Callable[[], Similar]) -> None:
    """Names and comments are what a copy changes first."""
    send("amal", words(1, ONE))
    send("bo", words(2, RENAMED))
    send("chi", words(3, OTHER))
    found = compare()

    assert pairs(found) == [("amal", "bo")]
    (pair,) = found.pairs
    assert (found.found, found.skipped, found.cut) == (1, [], [])
    assert min(pair.first.share, pair.second.share) > 0.9
    for side, code in ((pair.first, ONE), (pair.second, RENAMED)):
        assert side.text.endswith(code)
        marked = "".join(side.text[begin:end] for begin, end in side.spans)
        assert len(marked) > 0.7 * len(code)
    assert "summe > 100" in "".join(pair.second.text[begin:end] for begin, end in pair.second.spans)


def test_a_copy_is_found_in_other_files_and_languages(send: Send, compare: Callable[[], Similar]) -> None:
    """A function that was moved into another file is the same function; SQL is compared with SQL."""
    sql = "SELECT name, price FROM dishes JOIN orders USING (number) WHERE price > 12 AND guest = ? ORDER BY price DESC;\n"
    first, second = ONE.split("\n\n\n")
    send("amal", words(1, ONE))
    send("bo", words(2, first))
    send("bo", second, name="totals.py")
    send("chi", words(3, "x = 1"))
    send("chi", sql * 2, name="q.sql")
    send("dee", words(4, "y = 2"))
    send("dee", sql.replace("name", "label") * 2, name="find.sql")
    found = compare()

    assert sorted(pairs(found)) == [("amal", "bo"), ("chi", "dee")]
    files = {pair.first.label: (pair.first.files, pair.second.files) for pair in found.pairs}
    assert files == {"amal": (["app.py"], ["app.py", "totals.py"]), "chi": (["q.sql"], ["find.sql"])}


def test_what_the_starter_has_is_nobodys(send: Send, compare: Callable[[], Similar], tmp_path: Path) -> None:
    """Two who each changed a line of it have copied nothing."""
    (starter,) = (tmp_path / "course").rglob("starter/app.py")
    starter.write_text(ONE)
    send("amal", words(1, f"{ONE}\n\nx = [each for each in range(17)]\n"))
    send("bo", words(2, f"{ONE}\n\nwhile True:\n    raise SystemExit('no')\n"))

    assert compare().found == 0


def test_what_many_wrote_is_how_one_writes_it(send: Send, compare: Callable[[], Similar]) -> None:
    """In a kata there is often one plain way."""
    for number in range(12):
        send(f"learner-{number:02}", words(number, f"{ONE}\n\nprint({number} + {number})\n"))

    assert compare().found == 0


def test_the_same_files_are_told_as_such_and_compared_once(send: Send, compare: Callable[[], Similar]) -> None:
    """The gradebook lists them already."""
    send("amal", words(1, ONE))
    send("bo", words(1, ONE))
    send("chi", words(2, RENAMED))

    assert pairs(compare()) == [("amal and 1 with the same files", "chi")]


def test_a_class_of_copies_is_bounded(send: Send, compare: Callable[[], Similar]) -> None:
    """So many pairs are shown, and the others counted."""
    for number in range(20):
        send(f"learner-{number:02}", words(number, f"{(ONE, OTHER)[number % 2]}\n\nprint({number} + {number})\n"))
    found = compare()

    assert (found.found, len(found.pairs)) == (90, SHOWN)


def test_hostile_texts_stop_nobody(send: Send, compare: Callable[[], Similar]) -> None:
    """Long lines, no text at all, half a file: whoever has them is named where they could not be compared."""
    send("amal", words(1, ONE))
    send("bo", words(2, RENAMED))
    send("chi", b"ppp 3\n" + bytes(range(256)) * 40)
    send("dee", words(4, "(" * 20_000))
    send("eve", words(5, f"{'x' * 100}\n" * 1000))
    send("fay", words(6, "\r\n\t\x00\ufeff\u202e" * 100))
    found = compare()

    assert pairs(found) == [("amal", "bo")]
    assert found.cut == ["eve"]


def test_what_went_away_since_is_left_out(send: Send, grade_class: GradeClass) -> None:
    """A teacher may tidy up meanwhile."""
    send("amal", words(1, ONE))
    path = send("bo", words(2, RENAMED))
    with grade_class() as results:
        path.write_text(words(3, RENAMED))
        assert find_similar(results).found == 0
        path.unlink()
        assert find_similar(results).found == 0


def test_the_gradebooks_show_the_pairs(send: Send, grade_class: GradeClass, tmp_path: Path) -> None:
    """Side by side in HTML, where nothing that a learner wrote is markup; by name in JSON and on the terminal."""
    send("<i>amal", words(1, f"{ONE}\n# </pre><script>alert(1)</script>\x1b[2J\n"))
    send("bo", words(2, RENAMED))
    with grade_class() as results:
        summary = summarize(results.exercise, results.rows(), results.copies())
        for name in ("without", "with"):
            for suffix in ("html", "json", "csv"):
                write_gradebook(tmp_path / f"{name}.{suffix}", results, summary)
            summary.similar = find_similar(results)

    page = (tmp_path / "with.html").read_text()
    assert page.count('<pre tabindex="0"') == 2
    assert "&lt;script&gt;alert(1)" in page
    assert "<script" not in page
    assert "\x1b" not in page
    assert re.search(r"<mark>[^<]*summe &gt; 100", page)
    assert "Too alike" not in (tmp_path / "without.html").read_text()
    told = json.loads((tmp_path / "with.json").read_bytes())["similar"]
    assert [each["learners"] for each in told] == [["<i>amal", "bo"]]
    assert json.loads((tmp_path / "without.json").read_bytes())["similar"] is None
    assert (tmp_path / "with.csv").read_bytes() == (tmp_path / "without.csv").read_bytes()
    assert "too alike (1)" in to_lines(summary)
    summary.similar = Similar(pairs=[], found=0, skipped=[], cut=[])
    assert "no two are too alike" in to_lines(summary)


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_wrong_with_a_gradebook(
    send: Send, grade_class: GradeClass, tmp_path: Path, is_dark: bool
) -> None:
    """Pairs and tables can be read by everyone."""
    browser.need_axe()
    send("amal", words(1, ONE))
    send("bo", words(2, RENAMED))
    send("chi", "pff")
    with grade_class() as results:
        summary = summarize(results.exercise, results.rows(), results.copies())
        summary.similar = find_similar(results)
        write_gradebook(tmp_path / "book.html", results, summary)
    found = browser.accessibility_of((tmp_path / "book.html").read_bytes(), tmp_path, is_dark=is_dark)

    assert found["wrong"] == []


def test_a_missing_library_is_said_before_anything_is_graded(monkeypatch: pytest.MonkeyPatch) -> None:
    """With how to get it."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(UsageError, match="copydetect") as caught:
        require_similar()
    assert "pip" in caught.value.hint


def test_a_comparison_that_ends_too_early_is_a_fault(
    send: Send, compare: Callable[[], Similar], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its last words are told."""
    monkeypatch.setattr(similar, "_CODE", "raise SystemExit('out of memory')")
    send("amal", words(1, ONE))
    with pytest.raises(FaultError, match="out of memory"):
        compare()


def test_the_command_shows_them_and_a_second_run_the_same(teacher: Callable[..., Teacher], send: Send) -> None:  # noqa: F811
    """A gradebook tells nothing of the run that made it."""
    send("amal", words(1, ONE))
    send("bo", words(2, RENAMED))
    one, again = teacher("one"), teacher("two")
    code, out, err = one.finish("--similar")

    assert code == 0, err
    assert "too alike (1)\n  amal and bo: " in out
    assert again.finish("--similar")[0] == 0
    assert one.books() == again.books()
