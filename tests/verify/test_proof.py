"""What the proof of one exercise finds, with tests that run in this process."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from grader.inside import examination
from grader.sandbox.choose import Choice
from grader.sandbox.pod import Listener, Pod, PodResult
from grader.verify.attempt import Runner
from grader.verify.outcome import Verified
from grader.verify.proof import _NOTHING_OPEN, Settings, prove
from grader.verify.structure import examine
from tests.verify.conftest import REFERENCE, Edit, InProcess, change, make, swap

QUICK = Settings(seeds=3, is_quick=True)


def proven(folder: Path, choice: Choice, settings: Settings = QUICK) -> Verified:
    with Runner(choice, 2) as runner:
        return prove(examine(folder), runner, settings)


def told(verified: Verified) -> list[str]:
    return [f"{finding.point} {finding.where}: {finding.text}" for finding in verified.findings]


def test_a_sound_exercise_is_proven_in_every_point(tmp_path: Path, fake: Choice) -> None:
    """Nothing is found, each point says what it saw, and the slowest tests are named."""
    found = proven(make(tmp_path), fake)

    assert told(found) == []
    assert found.is_sound
    assert {point.name: point.state for point in found.points} == dict.fromkeys(
        ["structure", "written", "starter", "answers", "mutants", "machine", "hostile", "time"], "proven"
    )
    assert found.point("starter").seen == "fails 3/3"
    assert found.point("answers").seen == "6/6"
    assert found.point("mutants").seen == "3/3"
    assert found.machine.percent == 100
    assert [test.name for test in found.slowest]


CASES: dict[str, tuple[dict[str, Edit], str, str, str]] = {
    "a starter that passes a task": (
        {"starter_fees_py": swap('return ""', 'return f"Hello, {name}"')},
        "starter",
        "exercise-04-late-fee/starter/",
        "passes every test of task 2, `Greet the member`",
    ),
    "a reference that fails": (
        {"reference_fees_py": swap("* 10", "* 11")},
        "answers",
        "exercise-04-late-fee/reference/",
        "the reference earns 1 of 4 points with seed",
    ),
    "an alternative that fails": (
        {"alternatives_one_line_fees_py": swap("days > GRACE", "days >= GRACE")},
        "answers",
        "exercise-04-late-fee/alternatives/one-line/",
        "the alternative `one-line` earns 3 of 4 points with seed",
    ),
    "data that is the same for every seed": (
        {
            "tests_test_fees_py": lambda text: text.replace("rng.randrange(10, 400)", "17").replace(
                "rng.randrange(1000)", "7"
            )
        },
        "answers",
        "exercise-04-late-fee/tests/",
        "no test asks anything else with another seed",
    ),
    "a mutant that its test lets pass": (
        {"exercise_toml": swap('fails = ["test_grace"]', 'fails = ["test_grace", "test_fee"]')},
        "mutants",
        "exercise-04-late-fee/exercise.toml:24",
        "the mutant `no-grace` passes `test_fee` with seed",
    ),
    "a mutant that fails another task too": (
        {"mutants_flat_fees_py": swap("Hello", "Bye")},
        "mutants",
        "exercise-04-late-fee/exercise.toml:30",
        "the mutant `flat` also fails tests of other tasks: `test_greeting`",
    ),
    "a test that passes on everything": (
        {
            "tests_test_fees_py": lambda text: re.sub(r'    assert call."fee", [034].*', "    call('fee', 0)", text),
            "mutants_no_grace_fees_py": swap("days * 10", "days * 7"),
            "exercise_toml": swap('fails = ["test_grace"]', 'fails = ["test_fee"]'),
        },
        "mutants",
        "exercise-04-late-fee/tests/test_fees.py:13",
        "`test_grace` is passed by the starter and by every mutant",
    ),
    "a test that imports what is not there": (
        {"tests_test_fees_py": swap("import pytest\n", "import pytest\nimport nothing_like_it\n")},
        "answers",
        "exercise-04-late-fee/tests/test_fees.py:2",
        "the hidden tests can't be loaded: ModuleNotFoundError",
    ),
    "a test that asks for what is not there": (
        {
            "tests_test_fees_py": swap(
                'assert call("fee", 0) == 0',
                """raise _Absent("('klient', <FixtureRequest for <Function test_grace>>)")""",
            )
        },
        "answers",
        "exercise-04-late-fee/tests/test_fees.py:13",
        "`test_grace` asks for a fixture `klient`; there are: app, call, client, db, fake, matrix, openapi, rng, suite",
    ),
    "a test that takes what another has left": (
        {
            "tests_test_fees_py": lambda text: (
                text.replace("import pytest\n", "import pytest\n\nSEEN = {}\n")
                .replace("    for _ in range(3)", "    SEEN['grace'] = 3\n    for _ in range(3)")
                .replace('call("fee", 3)', 'call("fee", SEEN["grace"])')
            )
        },
        "answers",
        "exercise-04-late-fee/tests/test_fees.py:16",
        "with the tests in the opposite order, `test_grace` fails: KeyError: 'grace'",
    ),
    "a test that does not end": (
        {"tests_test_fees_py": swap('assert call("fee", 0) == 0', 'call("fee", 0)\n    raise TimeoutError')},
        "answers",
        "exercise-04-late-fee/tests/test_fees.py:13",
        "`test_grace` itself does not end: after 5 s everything that it had asked for was answered",
    ),
    "a test that fails by itself": (
        {"tests_test_fees_py": swap('assert call("fee", 0) == 0', "assert undefined")},
        "answers",
        "exercise-04-late-fee/tests/test_fees.py:13",
        "`test_grace` failed by itself with the reference: NameError",
    ),
    "a test that fails by itself on a wrong answer only": (
        {"tests_test_fees_py": swap('assert call("fee", 0) == 0', 'assert [0][call("fee", 0)] == 0')},
        "starter",
        "exercise-04-late-fee/tests/test_fees.py:13",
        "`test_grace` failed by itself with the starter",
    ),
    "an equivalent that is no mutant": (
        {"exercise_toml": lambda text: text + '\n[[equivalents]]\nmutant = "fees.py:1 a -> b"\nbecause = "so"\n'},
        "machine",
        "exercise-04-late-fee/exercise.toml:44",
        "no machine-made mutant is called `fees.py:1 a -> b`",
    ),
    "an equivalent that dies": (
        {"exercise_toml": lambda text: text + '\n[[equivalents]]\nmutant = "fees.py:8 <= -> <"\nbecause = "so"\n'},
        "machine",
        "exercise-04-late-fee/exercise.toml:44",
        "the equivalent `fees.py:8 <= -> <` dies",
    ),
}


def test_the_examiner_says_so_of_a_test_that_does_not_end() -> None:
    """Its words are what tells such a test from an app that doesn't answer."""
    assert f'f"{_NOTHING_OPEN} within' in Path(examination.__file__).read_text("utf-8")


@pytest.mark.parametrize("case", CASES)
def test_each_fault_is_named_with_its_place_and_a_remedy(case: str, tmp_path: Path, fake: Choice) -> None:
    """Point, file, line, fact and remedy."""
    edits, point, where, text = CASES[case]
    found = proven(make(tmp_path, **edits), fake)

    fitting = [each for each in found.findings if each.point == point and each.where == where and text in each.text]
    assert fitting, told(found)
    assert all(finding.remedy for finding in found.findings)
    assert not found.is_sound


@pytest.mark.parametrize("is_meant", [False, True])
def test_a_mutant_that_never_runs_proves_nothing_unless_that_is_its_mistake(is_meant: bool, tmp_path: Path) -> None:
    """It fails whatever its test looks at. Where not starting is what is wrong, its author says so."""

    class NeverRuns(InProcess):
        def run(self, pod: Pod, listen: Listener | None = None) -> PodResult:
            if b"990" not in pod.solution.files["fees.py"]:
                return super().run(pod, listen)
            result = super().run(pod)
            events = [
                {**event, "status": "fail", "message": "NameError: undefined", "stops": True}
                for event in result.events
                if event["event"] == "test"
            ]
            for event in events:
                if listen is not None:
                    listen(event)
            return PodResult(events=(*events, {"event": "done", "exit_code": 1}), ending="done")

    about = swap('about = "takes the same', f'about = "{"never starts and " if is_meant else ""}takes the same')
    also = swap('fails = ["test_fee"]', 'fails = ["test_fee"]\nalso = ["test_greeting"]')
    folder = make(tmp_path, exercise_toml=lambda text: also(about(text)))

    found = proven(folder, Choice(NeverRuns(), "a test"))

    proves_nothing = [each.where for each in found.findings if "never runs, so it proves nothing" in each.text]
    assert proves_nothing == ([] if is_meant else [f"{folder.name}/exercise.toml:30"])


def test_survivors_are_shown_as_a_diff_and_count_against_the_pass_mark(tmp_path: Path, fake: Choice) -> None:
    """A boundary that no test looks at: its mutant lives, and the rate is below 90 %."""
    folder = make(tmp_path, tests_test_fees_py=swap('    assert call("fee", 3) == 0\n', ""))

    found = proven(folder, fake)

    assert found.survivors[0].id == "fees.py:8 <= -> <"
    assert "-    if days <= GRACE:\n+    if days < GRACE:" in found.survivors[0].diff
    assert "+++ mutant/fees.py" in found.survivors[0].diff
    assert found.machine.percent is not None
    assert found.machine.percent < 90
    assert any(finding.point == "machine" and "the pass mark is 90 %" in finding.text for finding in found.findings)


def test_an_equivalent_is_excused_by_its_id_or_its_changed_line(tmp_path: Path, fake: Choice) -> None:
    """`days < 0` and `days <= 0` are the same rule where no day costs nothing anyway."""
    same = swap("    return days * 10", "    if days < 0:\n        days = 0\n    return days * 10")
    for place, name in enumerate(("", "fees.py:10 < -> <=", "if days <= 0:")):
        entry = f"\n[[equivalents]]\nmutant = '{name}'\nbecause = 'no day costs nothing'\n" if name else "\n"
        toml = lambda text, entry=entry: text + entry  # noqa: E731
        found = proven(make(tmp_path / str(place), exercise_toml=toml, reference_fees_py=same), fake)

        survivors = [survivor.id for survivor in found.survivors]
        assert ("fees.py:10 < -> <=" in survivors) is (not name)
        assert found.machine.equivalent == (1 if name else 0)
        assert not [finding for finding in found.findings if "equivalent" in finding.text]


def test_answers_from_another_seed_and_echoes_are_caught(tmp_path: Path, fake: Choice) -> None:
    """A test that only asks whether there is an answer is passed by a replay, and named."""
    folder = make(
        tmp_path,
        tests_test_fees_py=swap(
            'assert call("greeting", name) == f"Hello, {name}"', 'assert "Hello" in call("greeting", name)'
        ),
    )

    found = proven(folder, fake)

    hostile = [each for each in found.findings if each.point == "hostile"]
    assert {each.where for each in hostile} == {"exercise-04-late-fee/tests/test_fees.py:21"}
    assert any("replays what the reference's functions gave under another seed" in each.text for each in hostile)
    assert all("earns 1 point too many, from `test_greeting`" in each.text for each in hostile)


def test_a_constant_is_a_right_answer_where_the_right_answers_never_change(tmp_path: Path, fake: Choice) -> None:
    """`test_grace` asks the same of every seed: a replay that passes it has not cheated."""
    found = proven(make(tmp_path), fake)

    assert found.point("hostile").state == "proven"


def test_an_alternative_that_is_right_by_luck_is_said_to_be(tmp_path: Path, fake: Choice) -> None:
    """Right for some seeds only: the remedy speaks of luck."""
    lucky = REFERENCE.replace("return days * 10", "return days * 10 if days < 370 else 0")
    folder = make(tmp_path)
    change(folder, "alternatives/one-line/fees.py", lucky)

    found = proven(folder, fake, Settings(seeds=20))

    finding = next(each for each in found.findings if each.point == "answers")
    assert "more of 20" in finding.text
    assert "leaves no room for luck" in finding.remedy


def test_where_the_reference_fails_nothing_is_concluded_from_mutants(tmp_path: Path, fake: Choice) -> None:
    """What can't be told is not run, and says why."""
    found = proven(make(tmp_path, reference_fees_py=swap("* 10", "* 11")), fake)

    assert found.point("machine").state == "not-run"
    assert found.point("machine").seen == "the reference fails"
    assert found.point("hostile").state == "not-run"


def test_a_folder_that_is_not_sound_is_not_run(tmp_path: Path, fake: Choice) -> None:
    """Its problems are told, and no grading is made."""
    found = proven(make(tmp_path, exercise_toml=swap("points = 3", "points = 4")), fake)

    assert "task `fee` has 4 points, but its tests together have 3" in told(found)[0]
    assert found.gradings == 0
    assert found.point("answers").state == "not-run"


def test_the_sandbox_that_isolates_nothing_proves_nothing_of_cheats(tmp_path: Path, fake: Choice) -> None:
    """Without isolation, reading the tests is no feat."""
    found = proven(make(tmp_path), fake, Settings(seeds=2, is_quick=True, has_hostile=False))

    assert found.point("hostile").state == "not-run"
    assert found.is_sound


@pytest.mark.parametrize(
    ("edit", "line", "text", "remedy"),
    [
        (
            "    while True:\n        pass\n",
            13,
            "did not end within 1 s by itself",
            "take the endless loop or the wait out",
        ),
        ("    from absent import thing\n", 15, "ModuleNotFoundError", "a test fails by an assertion"),
        (None, 2, "the hidden tests can't be loaded: ModuleNotFoundError", "the boxes hold nothing else"),
    ],
)
def test_a_hidden_test_that_can_not_work_is_found_at_its_first_run(
    edit: str | None, line: int, text: str, remedy: str, tmp_path: Path, quick: Choice
) -> None:
    """In a real sandbox: one that hangs, one that fails by itself, one that can't be imported."""
    body = '    """A return within the days of grace costs nothing, and the day after costs all of its days."""\n'
    change_tests = swap(body, body + edit) if edit else swap("import pytest\n", "import pytest\nimport absent\n")
    folder = make(
        tmp_path,
        tests_test_fees_py=change_tests,
        exercise_toml=swap('[[tasks]]\nid = "fee"', '[limits]\ntest_s = 1\n\n[[tasks]]\nid = "fee"'),
    )

    found = proven(folder, quick)

    assert len(found.findings) == 1
    assert found.findings[0].where == f"exercise-04-late-fee/tests/test_fees.py:{line}"
    assert text in found.findings[0].text
    assert remedy in found.findings[0].remedy
    assert found.gradings == 1
    assert found.point("mutants").seen == "the hidden tests don't run"


_NEEDS = """

@pytest.mark.task("fee", points=1)
def test_all_day(call):
    \"\"\"The desk has seen a late return.\"\"\"
    assert call("fee", SEEN[0]) == SEEN[0] * 10
"""


@pytest.mark.parametrize("is_named", [True, False])
def test_the_order_of_tests_is_no_matter_but_for_those_that_are_needed(
    is_named: bool, tmp_path: Path, quick: Choice
) -> None:
    """In a real sandbox: what the module holds since another test is found, unless that test is named in `needs`."""
    mark = '@pytest.mark.needs("test_fee")\n' if is_named else ""
    needs = _NEEDS.replace("def ", f"{mark}def ")
    folder = make(
        tmp_path,
        tests_test_fees_py=lambda text: (
            text.replace("import pytest\n", "import pytest\n\nSEEN = []\n").replace(
                '        assert call("fee", days)', '        SEEN.append(days)\n        assert call("fee", days)'
            )
            + needs
        ),
        exercise_toml=lambda text: text.replace("points = 3", "points = 4"),
        README_md=lambda text: text + "- The desk has seen a late return.\n",
    )

    found = proven(folder, quick, Settings(seeds=2, is_quick=True, has_hostile=False))

    line = (folder / "tests" / "test_fees.py").read_text("utf-8").splitlines().index("def test_all_day(call):") + 1
    order = [
        each for each in found.findings if "with the tests in the opposite order, `test_all_day` fails" in each.text
    ]
    assert [each.where for each in order] == ([] if is_named else [f"{folder.name}/tests/test_fees.py:{line}"]), told(
        found
    )
    assert is_named == found.is_sound


def test_where_tests_go_on_from_one_another_their_order_is_not_tried(tmp_path: Path, fake: Choice) -> None:
    """One app for the whole exercise is meant to keep what earlier tests did."""
    edits = CASES["a test that takes what another has left"][0]
    folder = make(tmp_path, **edits, exercise_toml=swap("minutes = 10", 'minutes = 10\nfresh = "exercise"'))

    assert told(proven(folder, fake)) == []


def test_what_can_not_be_handed_in_is_told_once_and_nothing_is_said_of_what_was_not_read(
    tmp_path: Path, fake: Choice
) -> None:
    """A link in the starter is one finding, and such a folder is neither run nor called written."""
    folder = make(tmp_path)
    (folder / "starter" / "link.py").symlink_to("fees.py")

    found = proven(folder, fake)

    assert [finding.text for finding in found.findings if "link" in finding.text] == [
        "`link.py` is a symbolic link; put the file itself there"
    ]
    assert found.point("written").state == "not-run"
    assert found.gradings == 0
