"""Begin an exercise: a folder whose parts agree with one another from the start.

What it holds is sound as it stands; `AUTHOR:` marks what the author writes anew, and `grade verify` names each mark until
it is gone.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from grader.error import UsageError
from grader.exercise import load_exercise
from grader.folder import TOML, name_parts
from grader.verify.structure import exercise_folders
from grader.verify.toml import to_toml

Kind = Literal["http", "function", "query"]
KINDS: tuple[Kind, ...] = ("http", "function", "query")
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def new_exercise(course_root: Path, slug: str, kind: Kind, title: str | None = None) -> Path:
    """Make `exercises/exercise-<next number>-<slug>/` and give its folder.

    Raises:
        UsageError: the slug is none, or is taken, or the folder can't be made.
    """
    if _SLUG.fullmatch(slug) is None or len(slug) > 60:
        near = re.sub(r"[^a-z0-9]+", "-", slug.lower()).strip("-")
        raise UsageError(
            f"`{slug}` is no slug: lower-case letters, digits and single hyphens",
            hint=f"write `{near}`" if near else "such as `one-dish`",
        )
    folders = exercise_folders(course_root)
    for folder in folders:
        if name_parts(folder.name)[1] == slug:
            raise UsageError(f"there is `{folder.name}` already", hint="give another slug")
    number = max((n for n in (name_parts(folder.name)[0] for folder in folders) if n is not None), default=0) + 1
    target = course_root / "exercises" / f"exercise-{number:02}-{slug}"
    title = " ".join((title or slug.replace("-", " ").capitalize()).split()).rstrip(".")
    try:
        target.mkdir(parents=True)
        for name, content in _files(slug, title, kind, _before(folders)).items():
            path = target / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, "utf-8")
    except OSError as error:
        shutil.rmtree(target, ignore_errors=True)
        raise UsageError(f"`{target}` can't be made: {(error.strerror or str(error)).lower()}") from error
    return target


def _before(folders: Sequence[Path]) -> Mapping[str, object]:
    """Take from the exercise before what the next one mostly has in common with it."""
    from grader.error import BrokenExercise

    for folder in reversed(folders):
        try:
            last = load_exercise(folder)
        except BrokenExercise:
            continue
        return {"track": last.track, "difficulty": last.difficulty, "needs": [last.teaches]}
    return {"track": "routing/APIs", "difficulty": 1, "needs": []}


def _files(slug: str, title: str, kind: Kind, before: Mapping[str, object]) -> dict[str, str]:
    sample = _SAMPLES[kind]
    document: dict[str, object] = {
        "format": 1,
        "title": title,
        "kind": "http" if kind == "http" else "function",
        "track": before["track"],
        "difficulty": before["difficulty"],
        "minutes": 20,
        "teaches": slug if slug not in before["needs"] else f"more-{slug}",  # type: ignore[operator]
        "needs": before["needs"],
    }
    if kind == "query":
        document["track"] = "databases/queries"
        document["database"] = "sqlite"
    if kind != "http":
        document["function"] = {"module": sample.module}
    document["tasks"] = [
        {
            "id": "first",
            "title": sample.task,
            "points": 3,
            "hints": [
                "AUTHOR: where to look, best as a question",
                "AUTHOR: which idea, with a link to its real documentation",
                "AUTHOR: the shape, with ____ for what is to be found",
            ],
        }
    ]
    document["mutants"] = [
        {
            "id": sample.mutant,
            "about": f"AUTHOR: a mistake that learners make; here: {sample.mutant_about}",
            "fails": sample.fails,
            "help": "AUTHOR: what this mistake usually means",
        }
    ]
    document["alternatives"] = [{"id": "another-way", "when": "AUTHOR: when to prefer this way"}]
    file = f"{sample.module}.py"
    tests = f"tests/test_{slug.replace('-', '_')}.py"
    head = "# AUTHOR: read every line here: track, difficulty, minutes, what it teaches and what it needs\n"
    return {
        TOML: head + to_toml(document),
        "README.md": _README.format(title=title, sample=sample)
        + "".join(f"- {sentence}\n" for sentence in sample.sentences),
        "notes.md": "# Notes for authors\n\nAUTHOR: what it teaches, and what is out of scope so that it does not grow.\n",
        f"starter/{file}": sample.code.format(body=sample.starter, word="AUTHOR: what is given"),
        f"reference/{file}": sample.code.format(body=sample.reference, word="What is given."),
        f"alternatives/another-way/{file}": sample.code.format(body=sample.alternative, word="What is given."),
        f"mutants/{sample.mutant}/{file}": sample.code.format(body=sample.wrong, word="What is given."),
        tests: sample.tests,
    }


_README = """\
# {title}

AUTHOR: tell the story here, without code: who needs this, and why.

## What you are given

{sample.given}

## 1. {sample.task}

{sample.interface}

AUTHOR: say every rule that a test will check; what is not said is not tested.

## An example

AUTHOR: {sample.example}, with values that are never tested.

## How it will be tested

{sample.tested}

"""


class _Sample:
    """A small exercise that is sound. `code` has a place for what the learner writes."""

    def __init__(self, **texts: str) -> None:
        self.module = texts["module"]
        self.task = texts["task"]
        self.given = texts["given"]
        self.interface = texts["interface"]
        self.example = texts["example"]
        self.tested = texts["tested"]
        self.sentences = texts["sentences"].splitlines()
        self.code = texts["code"]
        self.starter = texts["starter"]
        self.reference = texts["reference"]
        self.alternative = texts["alternative"]
        self.mutant = texts["mutant"]
        self.mutant_about = texts["mutant_about"]
        self.wrong = texts["wrong"]
        self.fails = texts["fails"].split()
        self.tests = texts["tests"]


_SAMPLES: Mapping[Kind, _Sample] = {
    "http": _Sample(
        module="app",
        task="Answer with the double",
        given="`app.py` builds the app in `create_app()`. The route is declared; its body is yours to write.",
        interface='`GET /double/<number>` is answered 200 with JSON: `{"number": ...}`, twice the number.',
        example="one request and its reply",
        tested="Your app is started with `create_app()` and asked over HTTP.",
        sentences="A number is answered 200, with twice that number.\nEach of several numbers is answered with its own double.",
        code='''\
"""{word}"""

from flask import Flask


def create_app():
    """Build the app."""
    app = Flask(__name__)

    @app.get("/double/<int:number>")
    def double(number):
{body}

    return app
''',
        starter="        # TODO: AUTHOR: say in a few words what goes here\n        pass",
        reference='        return {"number": number * 2}',
        alternative='        return {"number": number + number}',
        mutant="adds-two",
        mutant_about="adds two in place of doubling",
        wrong='        return {"number": number + 2}',
        fails="test_a_number_is_doubled test_each_number_is_doubled",
        tests='''\
"""Hidden tests. AUTHOR: write those that the README promises; draw their data from `fake` and `rng`."""

import pytest


@pytest.mark.task("first", points=2)
def test_a_number_is_doubled(client, rng):
    """A number is answered 200, with twice that number."""
    number = rng.randrange(10, 1000)

    reply = client.get(f"/double/{number}")

    assert reply.status_code == 200
    assert reply.json() == {"number": number * 2}


@pytest.mark.task("first", points=1)
@pytest.mark.needs("test_a_number_is_doubled")
def test_each_number_is_doubled(client, rng):
    """Each of several numbers is answered with its own double."""
    for number in rng.sample(range(10, 1000), 3):
        assert client.get(f"/double/{number}").json() == {"number": number * 2}
''',
    ),
    "function": _Sample(
        module="answers",
        task="Give the double",
        given="`answers.py` has the function `double`. Its body is yours to write.",
        interface="`double(number)` gives twice the number.",
        example="one call and what it gives",
        tested="Your function is called with numbers that you haven't seen.",
        sentences="A number comes back doubled.\nEach of several numbers comes back doubled.",
        code='''\
"""{word}"""


def double(number):
    """Twice the number."""
{body}
''',
        starter="    # TODO: AUTHOR: say in a few words what goes here\n    return None",
        reference="    return number * 2",
        alternative="    return number + number",
        mutant="adds-two",
        mutant_about="adds two in place of doubling",
        wrong="    return number + 2",
        fails="test_a_number_is_doubled test_each_number_is_doubled",
        tests='''\
"""Hidden tests. AUTHOR: write those that the README promises; draw their data from `fake` and `rng`."""

import pytest


@pytest.mark.task("first", points=2)
def test_a_number_is_doubled(call, rng):
    """A number comes back doubled."""
    number = rng.randrange(10, 1000)

    assert call("double", number) == number * 2


@pytest.mark.task("first", points=1)
@pytest.mark.needs("test_a_number_is_doubled")
def test_each_number_is_doubled(call, rng):
    """Each of several numbers comes back doubled."""
    for number in rng.sample(range(10, 1000), 3):
        assert call("double", number) == number * 2
''',
    ),
    "query": _Sample(
        module="queries",
        task="List the old titles",
        given="`queries.py` has the function `titles_before`. Its body is yours to write.",
        interface=(
            "`titles_before(session, year)` takes a SQLAlchemy session on a database with a table `books` (`title`, `year`)\n"
            "and gives the titles of the books from before that year, in alphabetical order."
        ),
        example="a few rows, one call and what it gives for them",
        tested="Your function is called on libraries whose rows you haven't seen.",
        sentences="The titles from before the year are found, in order.\nA book of the year itself is left out.",
        code='''\
"""{word}"""

from sqlalchemy import text


def titles_before(session, year):
    """The titles of the books from before the year, in order."""
{body}
''',
        starter="    # TODO: AUTHOR: say in a few words what goes here\n    return []",
        reference=(
            '    query = text("SELECT title FROM books WHERE year < :year ORDER BY title")\n'
            '    return list(session.scalars(query, {"year": year}))'
        ),
        alternative=(
            '    query = text("SELECT title FROM books WHERE :year > year ORDER BY title")\n'
            '    return [row.title for row in session.execute(query, {"year": year})]'
        ),
        mutant="with-the-year",
        mutant_about="takes the year itself too",
        wrong=(
            '    query = text("SELECT title FROM books WHERE year <= :year ORDER BY title")\n'
            '    return list(session.scalars(query, {"year": year}))'
        ),
        fails="test_the_year_itself_is_left_out",
        tests='''\
"""Hidden tests. AUTHOR: write those that the README promises; draw their data from `fake` and `rng`."""

import pytest


@pytest.fixture
def books(db, fake, rng):
    """A library in no order: five books from before 1950, one of 1950, two later ones."""
    db.execute("CREATE TABLE books (title TEXT NOT NULL, year INTEGER NOT NULL)")
    years = [*rng.sample(range(1800, 1950), 5), 1950, *rng.sample(range(1951, 2020), 2)]
    titles = [f"{fake.title()} {number}" for number in rng.sample(range(100, 1000), len(years))]
    books = [{"title": title, "year": year} for title, year in zip(titles, years, strict=True)]
    while [book["title"] for book in books] == sorted(titles):
        rng.shuffle(books)
    db.insert("books", *books)
    return books


@pytest.mark.task("first", points=2)
def test_the_titles_are_found_in_order(books, call):
    """The titles from before the year are found, in order."""
    expected = sorted(book["title"] for book in books if book["year"] < 1945)

    assert call("titles_before", call.session, 1945) == expected


@pytest.mark.task("first", points=1)
def test_the_year_itself_is_left_out(books, call):
    """A book of the year itself is left out."""
    expected = sorted(book["title"] for book in books if book["year"] < 1950)

    assert call("titles_before", call.session, 1950) == expected
''',
    ),
}
