"""An exercise's folder: what is read from it, and every way in which it can be unsound, told at once."""

from __future__ import annotations

import datetime
import os
import re
import subprocess
import sys
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from grader.error import BrokenExercise
from grader.exercise import _Limits, known_keys, load_exercise, name_parts
from grader.hidden_test import exact_points
from grader.sandbox.pod import Limits
from grader.toml_lines import toml_lines
from tests.build import EXERCISE_TOML, FILES, ID, TESTS, make_exercise


def line_of(text: str, source: str = EXERCISE_TOML) -> int:
    return source[: source.index(text)].count("\n") + 1


def problems(folder: Path) -> list[str]:
    with pytest.raises(BrokenExercise) as caught:
        load_exercise(folder)
    return [problem.removeprefix(f"{folder.name}/") for problem in caught.value.problems]


def edited(tmp_path: Path, old: str, new: str) -> list[str]:
    return problems(make_exercise(tmp_path, edits={old: new}))


def with_tests(tmp_path: Path, tests: str, **more: str) -> list[str]:
    return problems(make_exercise(tmp_path, files={"tests/test_one_dish.py": tests, **more}))


def test_a_sound_exercise_is_read_whole(tmp_path: Path) -> None:
    """Every key arrives under its name, defaults included, points as exact decimals, tests in file order."""
    exercise = load_exercise(make_exercise(tmp_path))

    assert (exercise.id, exercise.number, exercise.slug) == (ID, 3, "one-dish")
    assert exercise.folder == tmp_path / "exercises" / ID
    assert (exercise.title, exercise.kind, exercise.track) == ("Find one dish", "http", "routing/APIs")
    assert (exercise.difficulty, exercise.minutes) == (1, 10)
    assert (exercise.teaches, exercise.needs) == ("path-parameters", ("json-response",))
    assert (exercise.database, exercise.fresh, exercise.module) == ("none", "test", "app")
    assert (exercise.app.command, exercise.app.env) == (None, {})
    assert exercise.limits == Limits()
    assert [(task.id, task.points) for task in exercise.tasks] == [
        ("known-dish", Decimal(3)),
        ("missing-dish", Decimal("1.5")),
    ]
    assert exercise.points_max == Decimal("4.5")
    assert exercise.mutants[0].help == "look the dish up by its number"
    assert exercise.alternatives[0].id == "ask-first"
    assert exercise.equivalents == ()
    assert [(test.name, test.title, test.task, test.points, test.needs) for test in exercise.tests] == [
        ("test_a_known_dish_is_answered", "A known dish is answered 200.", "known-dish", Decimal(1), ()),
        (
            "test_every_dish_has_its_name",
            "Every dish has its name.",
            "known-dish",
            Decimal(2),
            ("test_a_known_dish_is_answered",),
        ),
        ("test_an_unknown_dish_is_missing", "An unknown dish is answered 404.", "missing-dish", Decimal("1.5"), ()),
    ]
    assert {test.file for test in exercise.tests} == {"tests/test_one_dish.py"}
    assert exercise.tests[0].line == line_of("def test_a_known", TESTS)


def test_every_optional_table_is_read(tmp_path: Path) -> None:
    """App, limits, equivalents, and what a function exercise has instead."""
    more = """
[app]
command = ["node", "server.js"]
env = { GREETING = "hi", EMPTY = "" }
[limits]
memory_mib = 512
cpus = 0.5
start_s = 20
[[equivalents]]
mutant = "app.py:7 < to <="
because = "never equal"
"""
    exercise = load_exercise(make_exercise(tmp_path / "a", toml=EXERCISE_TOML + more))
    assert exercise.app.command == ("node", "server.js")
    assert exercise.app.env == {"GREETING": "hi", "EMPTY": ""}
    assert exercise.limits == Limits(memory_mib=512, cpus=0.5, start_s=20)
    assert exercise.equivalents[0].because == "never equal"

    edits = {'kind = "http"': 'kind = "function"\ndatabase = "sqlite"\nfresh = "exercise"'}
    toml = EXERCISE_TOML + '[function]\nmodule = "shop.queries"\n'
    function = load_exercise(make_exercise(tmp_path / "b", toml=toml, edits=edits))
    assert (function.kind, function.module) == ("function", "shop.queries")
    assert (function.database, function.fresh) == ("sqlite", "exercise")


def test_the_limits_of_the_format_are_the_limits_of_a_box() -> None:
    """Each limit can be set, under its own name, and has the same default."""
    fields = msgspec.structs.fields(_Limits)

    assert {field.name: field.default for field in fields} == vars(Limits())


def test_every_key_is_known_with_what_it_takes() -> None:
    """The reference can be made from the code: each key has words for what it takes."""
    known = known_keys()

    assert set(known) == {"", "app", "function", "limits", "tasks", "mutants", "alternatives", "equivalents"}
    assert known[""]["kind"] == "`http` or `function`"
    assert known["limits"]["memory_mib"] == "a whole number of MiB from 32 to 16384"
    assert all(words for keys in known.values() for words in keys.values())


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("exercise-03-one-dish", (3, "one-dish")),
        ("03-one-dish", (3, "one-dish")),
        ("exercise-120-x", (120, "x")),
        ("exercise-warm-up", (None, "warm-up")),
        ("warm-up", (None, "warm-up")),
        ("exercise-03", (None, "03")),
    ],
)
def test_number_and_slug_come_from_the_folder(name: str, parts: tuple[int | None, str]) -> None:
    """What stands in front of the slug is the number, where there is one."""
    assert name_parts(name) == parts


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    """One run names file, line and remedy of everything, the metadata first, then by file and line."""
    folder = make_exercise(
        tmp_path,
        edits={
            'title = "Find one dish"': 'titel = "Find one dish"',
            "difficulty = 1": "difficulty = 11",
            "points = 3": "points = 4",
            '"Return `____, 404`."': '" "',
            'id = "always-soup"': 'id = "Always Soup"',
        },
        files={"README.md": None, "reference": None, "tests/test_two.py": "def test_x(client): pass\n"},
    )

    assert problems(folder) == [
        "exercise.toml:2: unknown key `titel`; did you mean `title`?",
        "exercise.toml:5: `difficulty` must be a whole number from 1 to 10, not `11`",
        'exercise.toml:20: number 3 of `hints` of task `missing-dish` must be a text that isn\'t empty, not `" "`',
        "exercise.toml:23: `id` of mutant `Always Soup` must be a slug: lower-case letters, digits and single hyphens, "
        'such as `known-dish`, not `"Always Soup"`',
        "README.md: is missing: it is what the learner reads",
        "reference/: is missing",
        "tests/test_two.py:1: `test_x` has no docstring; its first line is the sentence that the learner reads",
        'tests/test_two.py:1: `test_x` has no `task` mark; put `@pytest.mark.task("...", points=1)` above it',
    ]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("minutes = 10", "minuts = 10", "unknown key `minuts`; did you mean `minutes`?"),
        ("minutes = 10", "minutes = 10\nxyzzy = 1", "unknown key `xyzzy`"),
        ("points = 3", "Points = 3", "unknown key `Points` in task `known-dish`; did you mean `points`?"),
        ('help = "look', 'hint = "look', "unknown key `hint` in mutant `always-soup`"),
        (
            'help = "look',
            'minutes = 1\nhelp = "look',
            "unknown key `minutes` in mutant `always-soup`; it belongs above the first table",
        ),
        ("minutes = 10", "minutes = 10\nmemory_mib = 64", "unknown key `memory_mib`; it belongs in `[limits]`"),
        ("format = 1\n", "", "`format` is missing"),
        ("points = 3\n", "", "task `known-dish` has no `points`"),
        ('id = "known-dish"\n', "", "task 1 has no `id`"),
        ('kind = "http"', 'kind = "htp"', '`kind` must be `http` or `function`, not `"htp"`; did you mean `http`?'),
        ('kind = "http"', "kind = 3", "`kind` must be `http` or `function`, not `3`"),
        ('title = "Find one dish"', 'title = ""', '`title` must be one line of text that isn\'t empty, not `""`'),
        (
            'title = "Find one dish"',
            'title = "a\\nb"',
            '`title` must be one line of text that isn\'t empty, not `"a\\nb"`',
        ),
        (
            'title = "Find one dish"',
            "title = 1979-05-27",
            "`title` must be one line of text that isn't empty, not `1979-05-27`",
        ),
        ("difficulty = 1", "difficulty = 1.0", "`difficulty` must be a whole number from 1 to 10, not `1.0`"),
        ("difficulty = 1", "difficulty = true", "`difficulty` must be a whole number from 1 to 10, not `true`"),
        ("difficulty = 1", "difficulty = 0", "`difficulty` must be a whole number from 1 to 10, not `0`"),
        ('needs = ["json-response"]', 'needs = "json"', '`needs` must be a list of concepts, not `"json"`'),
        ('needs = ["json-response"]', 'needs = ["x", "x"]', "`needs` names `x` twice"),
        (
            'needs = ["json-response"]',
            'needs = ["path-parameters"]',
            "`needs` names `path-parameters`, which this exercise itself teaches",
        ),
        ('id = "missing-dish"', 'id = "known-dish"', "task `known-dish` is there twice, first on line 11"),
        (
            'hints = ["Where does the number arrive?", ',
            "hints = [",
            "`hints` of task `known-dish` must be three hints: where to look, which idea, the shape with blanks, "
            "not a list of 2",
        ),
        (
            'fails = ["test_every_dish_has_its_name", "test_an_unknown_dish_is_missing"]',
            "fails = []",
            "`fails` of mutant `always-soup` must be the names of the hidden tests that must catch it, not a list of 0",
        ),
        (
            '"test_an_unknown_dish_is_missing"]',
            '"test_an_unknown_dish"]',
            "`fails` of mutant `always-soup` names an unknown test `test_an_unknown_dish`; did you mean "
            "`test_an_unknown_dish_is_missing`?",
        ),
        (
            '"test_an_unknown_dish_is_missing"]',
            '"soup"]',
            "number 2 of `fails` of mutant `always-soup` must be the name of a hidden test, such as "
            '`test_it_answers`, not `"soup"`',
        ),
        (
            'help = "look',
            'also = ["test_nothing"]\nhelp = "look',
            "`also` of mutant `always-soup` names an unknown test `test_nothing`",
        ),
        (
            'help = "look',
            'also = ["test_every_dish_has_its_name"]\nhelp = "look',
            "mutant `always-soup` names the test `test_every_dish_has_its_name` twice",
        ),
        ("[[mutants]]", "[mutants]", "`mutants` must be a list of tables: write `[[mutants]]` above each"),
        ("minutes = 10", "minutes = 10\nlimits = 3", "`limits` must be a table: write `[limits]`"),
        (
            "[[mutants]]",
            "[limits]\nmemory_mib = 1\n[[mutants]]",
            "`memory_mib` of `[limits]` must be a whole number of MiB from 32 to 16384, not `1`",
        ),
        (
            "[[mutants]]",
            "[limits]\ncpus = nan\n[[mutants]]",
            "`cpus` of `[limits]` must be a number of CPUs from 0.1 to 64, not `nan`",
        ),
        (
            "[[mutants]]",
            "[limits]\nwall_s = inf\n[[mutants]]",
            "`wall_s` of `[limits]` must be a number of seconds from 0.1 to 3600, not `infinity`",
        ),
        (
            "[[mutants]]",
            "[limits]\ntest_s = 90\n[[mutants]]",
            "`test_s` is 90, more than `wall_s`, which is 60 for the whole",
        ),
        (
            "[[mutants]]",
            "[limits]\nwall_s = 7\n[[mutants]]",
            "`start_s` is 10, more than `wall_s`, which is 7 for the whole",
        ),
        ("[[mutants]]", '[app]\nenv = { PORT = "1" }\n[[mutants]]', "`PORT` is set by the grader; leave it out"),
        ("[[mutants]]", '[app]\nenv = { "a b" = "1" }\n[[mutants]]', "`a b` is no name for an environment variable"),
        ("[[mutants]]", "[app]\nenv = { A = 1 }\n[[mutants]]", "`A` in `env` of `[app]` must be a text, not `1`"),
        (
            "[[mutants]]",
            '[app]\ncommand = "node server.js"\n[[mutants]]',
            '`command` of `[app]` must be a program and its arguments, such as `["node", "server.js"]`, not '
            '`"node server.js"`',
        ),
        (
            "[[mutants]]",
            '[app]\ncommand = ["a\\u0000b"]\n[[mutants]]',
            'number 1 of `command` of `[app]` must be a text that isn\'t empty, not `"a\\u0000b"`',
        ),
        ("[[mutants]]", '[function]\nmodule = "x"\n[[mutants]]', "`[function]` is for kind `function` only"),
        (
            'kind = "http"',
            'kind = "function"',
            'kind `function` needs `[function]` with `module = "..."`, the module with the functions',
        ),
    ],
)
def test_an_unsound_value_is_told_with_its_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    """Each is one problem, with what would be right, on the line where it stands."""
    found = edited(tmp_path, old, new)

    assert [re.sub(r"^exercise\.toml(:\d+)?: ", "", problem) for problem in found] == [told]


def test_lines_are_those_of_the_keys(tmp_path: Path) -> None:
    """A problem of an item of a list, of an inline table or of a missing key is told where its author looks."""
    toml = EXERCISE_TOML.replace(
        'hints = ["Where does the number arrive?", "A dictionary',
        'hints = [\n  "Where does the number arrive?",\n  7, # no text\n  "A dictionary',
    ).replace('"A dictionary finds a value by its key.", ', "")
    toml = toml.replace("points = 3\n", "") + "[app]\nenv = {\n}\n".replace("{\n}", '{ A = "x", B = 2 }')

    assert [problem.partition(": ")[0] for problem in problems(make_exercise(tmp_path, toml=toml))] == [
        f"exercise.toml:{line_of('[[tasks]]', toml)}",
        f"exercise.toml:{line_of('  7, # no text', toml)}",
        f"exercise.toml:{line_of('env = ', toml)}",
    ]


@pytest.mark.parametrize(
    "text", ["0", "-1", "0.0", "nan", "inf", "1e400", "1e9999999999999999999", "1.1234567", "1000001"]
)
def test_points_that_are_no_positive_decimal_are_refused(tmp_path: Path, text: str) -> None:
    """Zero, negative, endless, and finer than a millionth: none is points."""
    (problem,) = edited(tmp_path, "points = 3", f"points = {text}")

    assert problem.startswith("exercise.toml:13: `points` of task `known-dish` must be a positive number of at most 6 ")


@pytest.mark.parametrize("text", ['"x"', '""', '"1,5"', '"1e3"', '" 3"', '"٣"', '"-3"', "true", "[3]", "1979-05-27"])
def test_points_that_are_no_number_are_refused(tmp_path: Path, text: str) -> None:
    """A string must be plain decimal digits; other types are none."""
    (problem,) = edited(tmp_path, "points = 3", f"points = {text}")

    assert "must be a positive number" in problem


def test_points_are_exact(tmp_path: Path) -> None:
    """A tenth written as a float is a tenth: three of them are three tenths, in the metadata and in the tests."""
    tests = TESTS.replace("points=1)", "points=0.1)").replace("points=2)", 'points="0.2")')
    folder = make_exercise(tmp_path, edits={"points = 3": "points = 0.3"}, files={"tests/test_one_dish.py": tests})

    exercise = load_exercise(folder)

    assert [test.points for test in exercise.tests] == [Decimal("0.1"), Decimal("0.2"), Decimal("1.5")]
    assert exercise.points_max == Decimal("1.8")
    assert [str(exact_points(value)) for value in ("4.0", 10, Decimal("1e3"), "007.50")] == ["4", "10", "1000", "7.5"]


def test_toml_that_is_none_is_told_with_its_line_and_the_rest_too(tmp_path: Path) -> None:
    """A syntax error hides nothing that can be seen without the metadata."""
    folder = make_exercise(
        tmp_path, edits={"minutes = 10": "minutes = = 10"}, files={"README.md": None, "tests/test_b.py": "def ("}
    )

    assert problems(folder) == [
        "exercise.toml:6: isn't valid TOML: invalid value, column 11",
        "README.md: is missing: it is what the learner reads",
        "tests/test_b.py:1: isn't valid Python: invalid syntax",
    ]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"format = 1\ntitle = 'caf\xe9'\n", "exercise.toml:2: isn't UTF-8: save it as UTF-8"),
        (b'format = 1\ntitle = "x', "exercise.toml:2: isn't valid TOML: unterminated string"),
        (b"a = 1\na = 2\n", "exercise.toml:2: isn't valid TOML: cannot overwrite a value, column 6"),
        (b"a = " + b"[" * 100_000, "exercise.toml: isn't valid TOML: "),
        (b"a = " + b"9" * 10_000, "exercise.toml: isn't valid TOML: "),
        (b"\xff\xfef\x00", "exercise.toml:1: isn't UTF-8: save it as UTF-8"),
        (None, "exercise.toml: is missing: an exercise is described in it"),
    ],
)
def test_metadata_that_can_not_be_read_is_told(tmp_path: Path, content: bytes | None, told: str) -> None:
    """Wrong encoding, cut off, doubled, absurd and missing: each is one line, and none is a traceback."""
    (problem,) = problems(make_exercise(tmp_path, files={"exercise.toml": content}))

    assert problem.startswith(told)


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    """What an editor adds on Windows is no problem."""
    content = b"\xef\xbb\xbf" + EXERCISE_TOML.replace("\n", "\r\n").encode()

    assert load_exercise(make_exercise(tmp_path, files={"exercise.toml": content})).title == "Find one dish"


def test_a_format_of_the_future_asks_for_an_update(tmp_path: Path) -> None:
    """What a newer format means isn't guessed: its keys aren't called unknown, the remedy is the one line."""
    folder = make_exercise(tmp_path, edits={"format = 1": "colour = 1\nformat = 2"})

    with pytest.raises(BrokenExercise) as caught:
        load_exercise(folder)
    assert caught.value.problems == (
        f"{ID}/exercise.toml:2: is of format 2; this grader knows formats up to 1: update the grader",
    )
    assert caught.value.hint == "update the grader"
    assert caught.value.exit_code == 3


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    """A missing folder is one sentence."""
    assert problems(tmp_path / "exercise-09-gone") == ["exercise-09-gone: there is no such folder"]


def test_a_folder_whose_name_is_no_slug_is_told(tmp_path: Path) -> None:
    """The folder's name is the id: it is typed, and stands in reports."""
    (problem,) = problems(make_exercise(tmp_path, id="Exercise 03"))

    assert problem.startswith("Exercise 03: the folder's name must be a slug")


def test_missing_parts_are_told(tmp_path: Path) -> None:
    """Each part that must be there is named, and one that is empty too."""
    folder = make_exercise(tmp_path, files={"README.md": b"# A\ncaf\xe9\n", "starter": None, "tests": None})
    (folder / "starter").mkdir()
    (folder / "starter" / "__pycache__").mkdir()

    assert problems(folder) == [
        "README.md:2: isn't UTF-8: save it as UTF-8",
        "starter/: holds no file",
        "tests/: is missing: it holds the hidden tests, `test_*.py`",
    ]


def test_a_link_among_the_tests_is_told(tmp_path: Path) -> None:
    """What enters a box is files, the tests too."""
    folder = make_exercise(tmp_path)
    (folder / "tests" / "data").symlink_to("/etc")

    assert problems(folder) == ["tests/: `data` is a symbolic link; put the file itself there"]


def test_mutants_and_alternatives_match_their_folders(tmp_path: Path) -> None:
    """A folder without an entry, an entry without a folder, and a file instead of a folder."""
    folder = make_exercise(
        tmp_path,
        edits={'id = "always-soup"': 'id = "allways-soup"', 'id = "ask-first"': 'id = "other"'},
        files={"mutants/notes.txt": "", "alternatives": None, "mutants/.DS_Store": ""},
    )
    (folder / "alternatives" / "ask-first").mkdir(parents=True)

    always, ask = line_of('id = "always'), line_of('id = "ask')

    assert problems(folder) == [
        f"exercise.toml:{always}: mutant `allways-soup` has no folder `mutants/allways-soup/`; "
        "did you mean `always-soup`?",
        f"exercise.toml:{ask}: alternative `other` has no folder `alternatives/other/`",
        "alternatives/ask-first/: holds no file",
        'alternatives/ask-first/: has no entry in exercise.toml; add `[[alternatives]]` with `id = "ask-first"`, or '
        "remove the folder",
        'mutants/always-soup/: has no entry in exercise.toml; add `[[mutants]]` with `id = "always-soup"`, or remove '
        "the folder",
        "mutants/notes.txt: is no folder; mutants are folders of the files that differ from the reference",
    ]


def test_tests_are_read_and_never_run(tmp_path: Path) -> None:
    """A test file that would act when imported does nothing: its code isn't run here."""
    trap = f"import pathlib\npathlib.Path({str(tmp_path / 'trap')!r}).touch()\nimport not_there\nraise SystemExit\n"
    folder = make_exercise(tmp_path, files={"tests/test_one_dish.py": trap + TESTS})

    assert len(load_exercise(folder).tests) == 3
    assert not (tmp_path / "trap").exists()


def test_tests_come_in_the_order_of_files_and_lines(tmp_path: Path) -> None:
    """Files by name, then as they stand; other files in `tests/` come along but hold no tests."""
    first = TESTS.replace("def test_", "def test_first_").replace('"test_a', '"test_first_a')
    folder = make_exercise(
        tmp_path,
        edits={"points = 3": "points = 6", 'points = "1.5"': "points = 3"},
        files={
            "tests/test_a.py": first,
            "tests/conftest.py": "def test_helper(): pass\n",
            "tests/data/menu.json": "{}",
            "tests/__pycache__/x.pyc": "",
        },
    )

    exercise = load_exercise(folder)

    assert [test.file for test in exercise.tests] == ["tests/test_a.py"] * 3 + ["tests/test_one_dish.py"] * 3
    assert sorted(exercise.test_files()) == ["conftest.py", "data/menu.json", "test_a.py", "test_one_dish.py"]
    assert exercise.test_files()["data/menu.json"] == b"{}"


MARK = '@pytest.mark.task("known-dish", points=1)\n'
SENTENCE = '    """A sentence."""\n'


@pytest.mark.parametrize(
    ("test", "told"),
    [
        (
            MARK + "def test_x():\n    pass\n",
            "`test_x` has no docstring; its first line is the sentence that the learner reads",
        ),
        (
            MARK + 'def test_x():\n    """\n\n    """\n',
            "`test_x` has no docstring; its first line is the sentence that the learner reads",
        ),
        (
            "def test_x():\n" + SENTENCE,
            '`test_x` has no `task` mark; put `@pytest.mark.task("...", points=1)` above it',
        ),
        (
            '@pytest.mark.task("known-dsh", points=1)\ndef test_x():\n' + SENTENCE,
            "`test_x` is of an unknown task `known-dsh`; did you mean `known-dish`?",
        ),
        ('@pytest.mark.task("known-dish")\ndef test_x():\n' + SENTENCE, "the `task` mark of `test_x` has no `points=`"),
        (
            '@pytest.mark.task("known-dish", points=N)\ndef test_x():\n' + SENTENCE,
            "`points` of `test_x` must be a positive number of at most 6 decimals, such as `2` or `0.5`, written "
            "out, not `N`",
        ),
        (
            '@pytest.mark.task("known-dish", points=-1)\ndef test_x():\n' + SENTENCE,
            "`points` of `test_x` must be a positive number of at most 6 decimals, such as `2` or `0.5`, written "
            "out, not `-1`",
        ),
        (
            '@pytest.mark.task("known-dish", points=True)\ndef test_x():\n' + SENTENCE,
            "`points` of `test_x` must be a positive number of at most 6 decimals, such as `2` or `0.5`, written "
            "out, not `True`",
        ),
        (
            "@pytest.mark.task(KNOWN, points=1)\ndef test_x():\n" + SENTENCE,
            'the `task` mark of `test_x` must be `task("id", points=1)`, the id in quotes',
        ),
        (MARK + MARK + "def test_x():\n" + SENTENCE, "`test_x` has two `task` marks; a test belongs to one task"),
        (
            MARK + '@pytest.mark.needs("test_nothing")\ndef test_x():\n' + SENTENCE,
            "`test_x` needs an unknown test `test_nothing`",
        ),
        (
            MARK + '@pytest.mark.needs("test_x")\ndef test_x():\n' + SENTENCE,
            "`test_x` needs `test_x`, which doesn't come earlier; a test can need earlier ones only",
        ),
        (
            MARK + "@pytest.mark.needs\ndef test_x():\n" + SENTENCE,
            'the `needs` mark of `test_x` must name tests: `needs("test_...")`',
        ),
        (
            MARK + "@pytest.mark.needs(other)\ndef test_x():\n" + SENTENCE,
            "`needs` of `test_x` must be names in quotes, not `other`",
        ),
        (
            MARK + '@pytest.mark.parametrize("a", [1, 2])\ndef test_x(a):\n' + SENTENCE,
            "`test_x` can't be parametrized: a test is one sentence with one result; loop inside it, or write "
            "two tests",
        ),
        (
            MARK + "@pytest.mark.skip\ndef test_x():\n" + SENTENCE,
            "`test_x` can't be skipped by a mark: its points would be out of reach",
        ),
        (MARK + "async def test_x():\n" + SENTENCE, "`test_x` is async; write a plain `def`"),
        (
            MARK + "def test_a_known_dish_is_answered():\n" + SENTENCE,
            "`test_a_known_dish_is_answered` is there twice, first in tests/test_one_dish.py:5; names are unique "
            "over all files",
        ),
        (
            "def testing(x):\n    pass\n",
            "`testing` is taken for a test by pytest; begin its name with `test_`, or rename it",
        ),
        (
            "class TestDish:\n    def test_x(self):\n        pass\n",
            "`TestDish` is a class; write its tests as functions of the file",
        ),
        ("from x import test_client\n", "`test_client` is taken for a test by pytest; import it under another name"),
    ],
)
def test_an_unsound_test_is_told_with_its_line(tmp_path: Path, test: str, told: str) -> None:
    """Each is one problem of the test itself; the sum of points isn't blamed for it."""
    tests = TESTS + "\n\n" + test
    enough = {"points = 3": "points = 4"}

    folder = make_exercise(tmp_path, edits=enough, files={"tests/test_one_dish.py": tests})
    found = [problem for problem in problems(folder) if "its tests together" not in problem]

    assert [re.sub(r"^tests/test_one_dish\.py:\d+: ", "", problem) for problem in found] == [told]


def test_a_fixture_may_be_called_like_a_test(tmp_path: Path) -> None:
    """What is a fixture is no test, whatever its name."""
    fixture = "\n\n@pytest.fixture\ndef test_data():\n    return 1\n"

    assert len(load_exercise(make_exercise(tmp_path, files={"tests/test_one_dish.py": TESTS + fixture})).tests) == 3


def test_a_test_in_another_block_is_told(tmp_path: Path) -> None:
    """Whether it is there would depend on the machine."""
    inner = "\n\nif True:\n    " + MARK + "    def test_x():\n        " + SENTENCE.strip() + "\n"
    folder = make_exercise(
        tmp_path, edits={"points = 3": "points = 4"}, files={"tests/test_one_dish.py": TESTS + inner}
    )

    assert [problem.partition(": ")[2] for problem in problems(folder)] == [
        "`test_x` stands inside another block; move it to the left margin"
    ]


def test_files_without_tests_are_told(tmp_path: Path) -> None:
    """No test file, a test file without tests, and test files where they aren't looked for."""
    assert with_tests(tmp_path / "a", "import pytest\n") == [
        "tests/test_one_dish.py: holds no test: write a function `test_...`, or rename the file"
    ]
    more = {"tests/more/test_x.py": "", "tests/dish_test.py": ""}
    assert with_tests(tmp_path / "b", TESTS, **more) == [
        "tests/dish_test.py: is taken for tests by pytest; only `tests/test_*.py` may be: rename it",
        "tests/more/test_x.py: is taken for tests by pytest; only `tests/test_*.py` may be: rename it",
    ]
    files = {"tests/test_one_dish.py": None, "tests/helper.py": ""}
    assert problems(make_exercise(tmp_path / "c", files=files)) == ["tests/: holds no `test_*.py`"]


def test_points_must_add_up(tmp_path: Path) -> None:
    """A task is worth what its tests are worth, and has tests."""
    task = '\n[[tasks]]\nid = "free"\ntitle = "Nothing"\npoints = 1\nhints = ["a", "b", "c"]\n'
    folder = make_exercise(tmp_path, toml=EXERCISE_TOML + task, edits={"points = 3": "points = 3.5"})

    assert problems(folder) == [
        "exercise.toml:13: task `known-dish` has 3.5 points, but its tests together have 3",
        f"exercise.toml:{line_of(task.strip(), EXERCISE_TOML + task)}: task `free` has no test",
    ]


def test_python_that_is_none_is_told_with_its_line(tmp_path: Path) -> None:
    """A test file that can't be parsed is one problem: nothing is said to be missing because of it."""
    for content, told in [
        (TESTS + "def test_x(:\n", f"tests/test_one_dish.py:{TESTS.count(chr(10)) + 1}: isn't valid Python: "),
        (TESTS.replace("soup", "caf\udce9"), "tests/test_one_dish.py:"),
        (TESTS + "x = '\0'\n", "tests/test_one_dish.py"),
        ("x = " + "(" * 5000, "tests/test_one_dish.py"),
    ]:
        data = content.encode("utf-8", "surrogateescape")
        (problem,) = problems(make_exercise(tmp_path, files={"tests/test_one_dish.py": data}))
        assert problem.startswith(told)
        assert "isn't valid Python: " in problem


def test_files_of_parts_and_variants_are_read(tmp_path: Path) -> None:
    """A variant is the reference with its own files laid over it."""
    more = {"reference/menu.py": "x", "mutants/always-soup/extra/b.py": "y"}
    exercise = load_exercise(make_exercise(tmp_path, files=more))

    assert exercise.files_of("starter") == {"app.py": FILES["starter/app.py"].encode()}
    assert exercise.files_of("reference") == {"app.py": FILES["reference/app.py"].encode(), "menu.py": b"x"}
    assert list(exercise.variant("mutants", "always-soup").items()) == [
        ("app.py", FILES["mutants/always-soup/app.py"].encode()),
        ("extra/b.py", b"y"),
        ("menu.py", b"x"),
    ]
    with pytest.raises(BrokenExercise, match="exercise-03-one-dish/alternatives/none: there is no folder"):
        exercise.variant("alternatives", "none")


def digest(tmp_path: Path, **changes: Any) -> str:
    root = tmp_path / os.urandom(8).hex()
    return load_exercise(make_exercise(root, **changes)).digest


def test_the_digest_is_the_same_wherever_the_exercise_lies(tmp_path: Path) -> None:
    """Two clones of a course have the same digests."""
    assert digest(tmp_path) == digest(tmp_path)


@pytest.mark.parametrize(
    "changes",
    [
        {"edits": {"Find one dish": "Find a dish"}},
        {"edits": {"Answer a known dish": "Answer"}},
        {"edits": {"Where does the number arrive?": "Look!"}},
        {"edits": {"look the dish up by its number": "look"}},
        {"edits": {"difficulty = 1\nminutes = 10": "difficulty = 2\nminutes = 20"}},
        {"edits": {'points = "1.5"': "points = 1.50"}},
        {"edits": {"[[alternatives]]": "[limits]\nwall_s = 60.0\n[[alternatives]]"}},
        {"files": {"README.md": "# Other"}},
        {"files": {"starter/app.py": "x"}},
        {"files": {"mutants/always-soup/app.py": "x"}},
        {"files": {"notes.md": "x"}},
        {"files": {"tests/__pycache__/x.pyc": "x"}},
    ],
)
def test_texts_for_people_do_not_change_the_digest(tmp_path: Path, changes: dict[str, Any]) -> None:
    """A better hint is no reason to grade a class again."""
    assert digest(tmp_path, **changes) == digest(tmp_path)


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "exercise-04-one-dish"},
        {"edits": {"minutes = 10": 'minutes = 10\ndatabase = "sqlite"'}},
        {"edits": {"minutes = 10": 'minutes = 10\nfresh = "exercise"'}},
        {"edits": {"[[alternatives]]": "[limits]\nwall_s = 61\n[[alternatives]]"}},
        {"edits": {"[[alternatives]]": '[app]\nenv = {A = "1"}\n[[alternatives]]'}},
        {"edits": {"[[alternatives]]": '[app]\ncommand = ["node"]\n[[alternatives]]'}},
        {"files": {"tests/test_one_dish.py": TESTS + "\n"}},
        {"files": {"tests/data.json": "{}"}},
        {
            "edits": {"points = 3": "points = 4"},
            "files": {"tests/test_one_dish.py": TESTS.replace("points=1)", "points=2)")},
        },
    ],
)
def test_what_changes_a_score_changes_the_digest(tmp_path: Path, changes: dict[str, Any]) -> None:
    """An old report is never taken for one of the changed exercise."""
    assert digest(tmp_path, **changes) != digest(tmp_path)


def test_tests_are_those_of_the_digest(tmp_path: Path) -> None:
    """Files that change after the exercise was read don't slip into a grading under its digest."""
    folder = make_exercise(tmp_path)
    exercise = load_exercise(folder)
    (folder / "tests/test_one_dish.py").write_text("changed")

    assert exercise.test_files()["test_one_dish.py"] == TESTS.encode()


def test_a_relative_path_is_an_exercise_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`.` has the folder's name as its id."""
    monkeypatch.chdir(make_exercise(tmp_path))

    assert load_exercise(Path(".")).id == ID


def test_reading_exercises_imports_little() -> None:
    """Every start of the command pays for imports: nothing heavy comes in by this door."""
    heavy = ["tomllib", "difflib", "zipfile", "tarfile", "click", "docker", "sqlalchemy", "rich", "pytest", "asyncio"]
    code = f"import grader.exercise, grader.course, sys; print([name for name in {heavy} if name in sys.modules])"

    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert result.stdout.strip() == "[]"


DOCUMENT = '''
a.b = 1 # comment with " and [
"quoted \\u00e9".'c d' = """
two [lines] \\"""
x""""
list = [ 1, # one
  [ 2, "]" ],
  { k = 'v', "l.m".n = [3] },
]
when = 1979-05-27 07:32:00
lit = \'\'\'
# no comment
it's\'\'\'\'

[t . u] # spaces
x = {}
  [[t.many]]
  y = -1_0.5e3
[t.many.sub]
z = ""
[[t.many]]
[[t.many.deep]]
[[t.many.deep]]
w = []
'''


def test_every_key_of_a_document_has_its_line() -> None:
    """Whatever TOML allows, the scanner finds the places that the parser finds."""
    lines = toml_lines(DOCUMENT)

    def places(value: Any, place: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
        pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        return {place}.union(*(places(each, (*place, key)) for key, each in pairs))

    assert set(lines) == places(tomllib.loads(DOCUMENT)) - {()}
    source = DOCUMENT.splitlines()
    expected = {
        ("a", "b"): "a.b = 1",
        ("quoted é", "c d"): '"quoted',
        ("list", 1, 1): "  [ 2",
        ("list", 2, "l.m", "n", 0): "  { k",
        ("when",): "when",
        ("t", "u", "x"): "x = {}",
        ("t", "many", 0): "  [[t.many]]",
        ("t", "many", 0, "sub", "z"): 'z = ""',
        ("t", "many", 1, "deep", 1, "w"): "w = []",
    }
    assert {place: source[lines[place] - 1][: len(start)] for place, start in expected.items()} == expected


@pytest.mark.parametrize("text", ["", "# only", "a = ", "[", "a = [", "a = {b", "x" * 10, '"', "a = '''", "[[a]"])
def test_a_document_that_is_cut_off_ends_the_scan(text: str) -> None:
    """What isn't valid after all is no reason to fail."""
    assert isinstance(toml_lines(text), dict)


def test_dates_are_no_texts() -> None:
    """The parser's own types are never taken for something else."""
    assert exact_points(datetime.date(2020, 1, 1)) is None


def test_what_the_starter_imports_is_known_without_its_own_modules(tmp_path: Path) -> None:
    """It is imported ahead of a submission; read once with the exercise, so that a learner may remove the starter."""
    files = {
        "starter/app.py": "import jwt\nfrom flask import Flask\nfrom door import guard\n",
        "starter/door.py": "import os\n",
    }

    exercise = load_exercise(make_exercise(tmp_path, files=files))

    assert exercise.imports == ("flask", "jwt", "os")


def test_a_starter_that_can_not_be_submitted_keeps_nobody_from_being_graded(tmp_path: Path) -> None:
    """`grade verify` tells its author; a learner's submission has nothing to do with it."""
    folder = make_exercise(tmp_path)
    (folder / "starter" / "link.py").symlink_to("app.py")

    assert load_exercise(folder).imports == ()
