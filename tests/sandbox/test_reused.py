"""One examiner for many gradings: each has its own solution box, and none finds anything of the one before."""

from __future__ import annotations

import select
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import pytest

from grader.error import SandboxError
from grader.exercise import load_exercise
from grader.grading import Options, grade, grade_on_seeds
from grader.inside import wire
from grader.sandbox.choose import Choice
from grader.sandbox.conduct import Examiner
from grader.sandbox.pod import WarmSandbox
from grader.sandbox.reused import SameExaminer
from grader.submission import read_submission
from tests.situation import EXERCISES, graded, reference, shop, told, without_times

ATTACKS = Path(__file__).parents[1] / "attacks"
HOSTILE = """
    b08_proc_mem c02_memory_bomb c06_stdout_flood c08_threads c12_daemon_survivor c14_segfault_import c16_gil_hold_redos d04_mount
    d16_state_between_gradings f01_kill_the_keeper f02_forge_through_proc f03_slow_the_keeper f04_survive_a_restart
    f05_mark_every_folder f06_squat_the_port f07_answer_before_being_asked f08_find_the_examiner f10_header_bomb f12_drip
    f22_forge_replies f23_fork_bomb f24_folders_that_resist f26_a_million_files f30_setuid_files f31_make_the_keeper_the_victim
    f33_forbidden_calls f34_inherited_descriptors f36_limits_of_the_user f37_no_ports_left f38_late_answers f39_read_everything
""".split()

OPTIONS = Options(wall_s=4)
"""The same for all: a box of another shape is forked by another process."""

pytestmark = pytest.mark.usefixtures("leaves_nothing")


@pytest.fixture
def same(choice: Choice) -> Iterator[Choice]:
    """A sandbox whose examiner is reused."""
    with SameExaminer(cast(WarmSandbox, choice.sandbox)) as sandbox:
        yield Choice(sandbox, "a test asked for it")


def _examiner(choice: Choice) -> object:
    return cast(SameExaminer, choice.sandbox)._begun


def test_each_pod_has_the_result_that_it_has_alone(choice: Choice, same: Choice) -> None:
    """Whatever came before it, a box that was lost included."""
    situations = ["greets_only", "raises_in_view", "survives", "crashes_at_import", "greets_only"]
    together = [graded(same, situation) for situation in situations]
    first = _examiner(same)
    assert grade(shop(), reference(), same).status == "passed"
    assert _examiner(same) is first
    for situation, report in zip(situations, together, strict=True):
        assert without_times(report) == without_times(graded(choice, situation))


def test_an_examiner_that_came_to_the_end_of_its_time_is_replaced(same: Choice) -> None:
    """Its fork may hang, so it goes too."""
    assert grade(shop(), reference(), same).status == "passed"
    first = _examiner(same)
    report = graded(same, "never_answers", wall_s=1)
    assert report.limit == "wall", report.message
    assert grade(shop(), reference(), same).status == "passed"
    assert _examiner(same) is not first


def test_an_examiner_that_has_ended_is_replaced(same: Choice) -> None:
    """A batch tries again after a fault of the sandbox, and must not meet the same one for ever."""
    assert grade(shop(), reference(), same).status == "passed"
    first = cast(Examiner, _examiner(same))
    first.channel.send(wire.encode({"no": "examination"}), time.monotonic() + 5)
    while select.select([first.channel], [], [], 20)[0] and first.channel.receive():
        pass  # until it has ended
    with suppress(SandboxError):
        assert grade(shop(), reference(), same).status == "grader-error"
    assert grade(shop(), reference(), same).status == "passed"
    assert _examiner(same) is not first


def test_other_tests_get_another_examiner(same: Choice) -> None:
    """What it has collected are those of one exercise."""
    bank = load_exercise(ATTACKS / "exercise-bank")
    right = read_submission(bank.folder / "reference")
    for _ in range(2):
        report = grade(bank, right, same)
        assert report.status == "passed", told(report)
        assert grade(shop(), reference(), same).status == "passed"


def test_many_seeds_at_once_are_examined_too(same: Choice) -> None:
    """Not by a fork, and so by an examiner that does no more after that."""
    assert grade(shop(), reference(), same).status == "passed"
    reports = grade_on_seeds(shop(), reference(), same, [1, 2, 3])
    assert [(report.status, report.seed) for report in reports] == [("passed", 1), ("passed", 2), ("passed", 3)]
    assert grade(shop(), reference(), same).status == "passed"


def test_the_seed_counts_in_a_fork(same: Choice) -> None:
    """Two gradings with two seeds draw other data; the same seed draws the same."""
    drawn = []
    for seed in (1, 2, 1):
        report = grade(shop(), read_submission(EXERCISES / "situations" / "greets_only"), same, Options(seed=seed))
        drawn.append([(test.got, [step.request.get("body") for step in test.transcript]) for test in report.tests])
    assert drawn[0] == drawn[2]
    assert drawn[0] != drawn[1]


def test_a_hostile_submission_does_nothing_to_the_one_after_it(isolating: Choice) -> None:
    """It shares the network with the examiner, as that of the next one will."""
    bank = load_exercise(ATTACKS / "exercise-bank")
    right = read_submission(bank.folder / "reference")
    with SameExaminer(cast(WarmSandbox, isolating.sandbox)) as sandbox:
        same = Choice(sandbox, "a test asked for it")
        for name in HOSTILE:
            attack = read_submission(ATTACKS / "submissions" / name)
            grade(bank, attack, same, OPTIONS)
            report = grade(bank, right, same, OPTIONS)
            assert report.status == "passed", f"after {name}: {told(report)}"
        assert cast(Any, sandbox._begun).forks._server is not None  # boxes were forked to the last
