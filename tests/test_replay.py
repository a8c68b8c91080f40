"""`grade replay`: a report is graded again, and what differs is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from grader.receipt import sign
from grader.render import render
from grader.report import from_json
from grader.sandbox import choose
from grader.sandbox.choose import Choice
from tests.batch.conftest import AtItsWord
from tests.cli.conftest import SECOND, Ended, Invoke, course, grade, home, invoke, isolated, submit  # noqa: F401

Graded = Callable[..., Path]


@pytest.fixture
def sandbox(home: Path, monkeypatch: pytest.MonkeyPatch) -> AtItsWord:  # noqa: F811
    """The sandbox that takes each file at its word."""
    monkeypatch.setenv("GRADE_KEEP", "0")
    fake = AtItsWord()
    monkeypatch.setattr(choose, "choose", lambda *_, **__: Choice(fake, "a test asked for it"))
    monkeypatch.setattr("grader.cli.grade.choose", lambda *_, **__: Choice(fake, "a test asked for it"))
    return fake


@pytest.fixture
def graded(invoke: Invoke, sandbox: AtItsWord, tmp_path: Path) -> Graded:  # noqa: F811
    """Grade something, and give the report's file."""

    def call(*arguments: str) -> Path:
        path = tmp_path / "report.json"
        ended = invoke(SECOND, *arguments, "--format", "json", "--output", str(path))
        assert ended.code in (0, 1), ended.err
        return path

    return call


def edited(path: Path, **changes: Any) -> Path:
    """Change a report."""
    told = json.loads(path.read_bytes())
    for name, value in changes.items():
        if isinstance(value, dict):
            told[name].update(value)
        else:
            told[name] = value
    path.write_text(json.dumps(told))
    return path


def test_the_same_files_get_the_same_score(
    invoke: Invoke,  # noqa: F811
    graded: Graded,
    submit: Callable[..., Path],  # noqa: F811
    sandbox: AtItsWord,
) -> None:
    """With the report's own seed and limits."""
    submit("pfp")
    report = graded("--seed", "77", "--wall-limit", "33")
    ended = invoke("replay", str(report))

    assert ended.code == 0, ended.err
    assert ended.out == "the score agrees: 2.5 of 4.5 points, failed\n"
    before, again = sandbox.pods
    assert again.examiner.settings["seed"] == before.examiner.settings["seed"] == 77
    assert again.wall_s == before.wall_s == 33


def test_the_kept_files_are_graded_where_the_solution_went_on(
    invoke: Invoke,  # noqa: F811
    graded: Graded,
    submit: Callable[..., Path],  # noqa: F811
    sandbox: AtItsWord,
) -> None:
    """What was graded is found again by its digest."""
    submit("pfp")
    report = graded()
    submit("ppp")
    ended = invoke("replay", str(report))

    assert ended.code == 0, ended.err
    assert sandbox.begun == ["pfp", "pfp"]
    assert "the kept submission" in ended.err


def test_files_that_are_not_at_hand_are_asked_for(
    invoke: Invoke,  # noqa: F811
    graded: Graded,
    submit: Callable[..., Path],  # noqa: F811
) -> None:
    """Nothing else is graded in their place."""
    submit("pfp")
    report = edited(graded(), submission={"digest": "0" * 64})
    ended = invoke("replay", str(report))

    assert (ended.code, ended.out) == (2, "")
    assert "grade replay REPORT PATH" in ended.err


def test_other_files_differ_by_their_digest_and_test_by_test(
    invoke: Invoke,  # noqa: F811
    graded: Graded,
    submit: Callable[..., Path],  # noqa: F811
    tmp_path: Path,
) -> None:
    """So a score that was claimed for other work is found out."""
    submit("ppp")
    report = graded()
    other = tmp_path / "other"
    other.mkdir()
    (other / "app.py").write_text("pff")
    ended = invoke("replay", str(report), str(other))

    assert ended.code == 1
    first, *rest = ended.out.splitlines()
    assert first == "the score differs: 4.5 of 4.5 points, passed in the report; 1 of 4.5 points, failed now"
    assert "  Every dish has its name.: pass (2 of 2 points) in the report, fail now" in rest
    assert any(line.startswith("  submission: ") for line in rest)
    assert not any(line.startswith(("  exercise: ", "  image: ", "  limit ")) for line in rest)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"status": "passed"}, "  it says passed, and 1 of its 3 tests did not pass"),
        ({"points": 4.5}, "  it says 4.5 of 4.5 points, and its tests have 2.5"),
    ],
    ids=["status", "points"],
)
def test_a_report_that_contradicts_itself_is_told(
    invoke: Invoke,  # noqa: F811
    graded: Graded,
    submit: Callable[..., Path],  # noqa: F811
    changes: dict[str, Any],
    named: str,
) -> None:
    """No grading gives such a one, so it isn't the tests that do something else each time."""
    submit("pfp")
    ended = invoke("replay", str(edited(graded(), **changes)))

    assert ended.code == 1
    lines = ended.out.splitlines()
    assert lines[lines.index("the report contradicts itself") + 1] == named
    assert "nothing else differs" not in ended.out


@pytest.mark.parametrize("change", [{"points": 4.5}, {"output": "x"}, {}], ids=["points", "output", "nothing"])
def test_a_report_that_its_receipt_calls_altered_is_told(
    invoke: Invoke,  # noqa: F811
    graded: Graded,
    submit: Callable[..., Path],  # noqa: F811
    change: dict[str, Any],
) -> None:
    """Whoever signed it, it is not what they signed."""
    submit("pfp")
    path = graded()
    path.write_bytes(render(sign(from_json(path.read_bytes()), Ed25519PrivateKey.generate()), "json"))
    ended = invoke("replay", str(edited(path, **change)))

    told = f"the report is altered: it is not as its receipt says that it was signed ({''.join(change)})"
    assert (told in ended.out) == bool(change)
    assert "nothing else differs" not in ended.out


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"grader_version": "0.0.1"}, "grader version: 0.0.1 in the report"),
        ({"exercise": {"digest": "e" * 64}}, "exercise: eeee"),
        ({"limits": {"memory_mib": 64}}, "limit memory_mib: 64 in the report, 256 now"),
        ({"sandbox": {"name": "docker"}}, "sandbox: docker in the report, fake now"),
    ],
    ids=["version", "exercise", "limits", "sandbox"],
)
def test_what_it_was_graded_with_is_compared(
    invoke: Invoke,  # noqa: F811
    graded: Graded,
    submit: Callable[..., Path],  # noqa: F811
    changes: dict[str, Any],
    named: str,
) -> None:
    """It is told even where the score agrees."""
    submit("pfp")
    ended = invoke("replay", str(edited(graded(), **changes)))

    assert ended.code == 0, ended.err
    assert "what else differs" in ended.out
    assert f"  {named}" in ended.out


def test_a_report_that_says_more_than_the_files_earn_differs(
    invoke: Invoke,  # noqa: F811
    graded: Graded,
    submit: Callable[..., Path],  # noqa: F811
) -> None:
    """Where nothing else differs, that is said."""
    submit("pfp")
    path = graded()
    told = json.loads(path.read_bytes())
    for part in (*told["tasks"], *told["tests"]):
        part["points"] = part["points_max"]
    tests = [{**test, "status": "pass"} for test in told["tests"]]
    ended = invoke("replay", str(edited(path, points=4.5, status="passed", tests=tests, tasks=told["tasks"])))

    assert ended.code == 1
    assert ended.out.startswith("the score differs: 4.5 of 4.5 points, passed in the report; 2.5 of 4.5 points")
    assert "nothing else differs" in ended.out


def test_the_same_points_for_other_tests_differ(
    invoke: Invoke,  # noqa: F811
    graded: Graded,
    submit: Callable[..., Path],  # noqa: F811
) -> None:
    """A score is more than its sum."""
    submit("pfp")
    report = graded()
    told = json.loads(report.read_bytes())
    told["tests"][0]["status"] = "fail"
    report.write_text(json.dumps(told))
    ended = invoke("replay", str(report))

    assert ended.code == 1
    assert "not for the same tests" in ended.out


def test_a_fault_of_the_grader_is_no_difference(
    invoke: Invoke,  # noqa: F811
    graded: Graded,
    submit: Callable[..., Path],  # noqa: F811
    tmp_path: Path,
) -> None:
    """Nor is there anything to compare in a report of one."""
    submit("pfp")
    report = graded()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "app.py").write_text("lost")
    ended = invoke("replay", str(report), str(tmp_path / "other"))
    assert ended.code == 3
    assert "there is no score to compare" in ended.out

    ended = invoke("replay", str(edited(report, status="grader-error")))
    assert ended.code == 2


def test_files_that_could_not_be_taken_still_can_not(
    invoke: Invoke,  # noqa: F811
    graded: Graded,
    submit: Callable[..., Path],  # noqa: F811
    tmp_path: Path,
) -> None:
    """A report of `grade ci` may be of a refusal; that is replayed as well."""
    submit("pfp")
    report = graded()
    other = tmp_path / "other"
    other.mkdir()
    (other / "app.py").symlink_to("/etc/passwd")
    assert invoke("replay", str(report), str(other)).code == 2

    refusal = edited(report, submission={"digest": "none"}, status="broken", points=0)
    ended = invoke("replay", str(refusal), str(other))
    assert ended.code == 1
    assert "broken in the report" not in ended.out
    assert "  A known dish is answered 200.: pass (1 of 1 point) in the report, skip now" in ended.out


def test_a_users_replay_agrees(grade: Invoke, submit: Callable[..., Path], course: Path) -> None:  # noqa: F811
    """In a real sandbox, with the real data."""
    submit()
    assert grade(SECOND, "--format", "json", "--output", "r.json").code == 0
    ended: Ended = grade("replay", "r.json")

    assert ended.code == 0, ended.err
    assert ended.out == "the score agrees: 4.5 of 4.5 points, passed\n"
    assert json.loads((course / "r.json").read_bytes())["sandbox"]["image"].startswith("python-3.")
