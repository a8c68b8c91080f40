"""Boxes that are begun before there is a pod: they grade as others do, and are gone however far they came."""

from __future__ import annotations

import time
from typing import cast

import pytest

from grader.boxes import make_pod
from grader.error import SandboxError
from grader.grading import grade
from grader.sandbox.choose import Choice
from grader.sandbox.docker import LABEL
from grader.sandbox.early import EarlySandbox
from grader.sandbox.engine import connect
from grader.sandbox.owner import owner_mark
from grader.sandbox.pod import WarmSandbox
from tests.conftest import make_sandbox
from tests.situation import of, reference, shop, shop_of_any_language, situation, told


@pytest.mark.usefixtures("leaves_nothing")
def test_a_pod_has_the_same_result(choice: Choice) -> None:
    """What was begun early is made like what is begun late."""
    with EarlySandbox(cast(WarmSandbox, choice.sandbox)) as early:
        report = grade(shop(), reference(), Choice(early, "a test asked for it"))
    late = grade(shop(), reference(), choice)
    assert (report.status, report.points, report.sandbox.notes) == (late.status, late.points, late.sandbox.notes)
    assert report.status == "passed", report.message


@pytest.mark.usefixtures("leaves_nothing")
def test_a_program_knows_its_own_machine(choice: Choice) -> None:
    """Though boxes were begun before it was known that a program of any language would run in them."""
    exercise = shop_of_any_language("localhost")
    with EarlySandbox(cast(WarmSandbox, choice.sandbox)) as early:
        report = grade(exercise, situation("own_server"), Choice(early, "a test asked for it"))

    assert of(report, "test_it_greets").status == "pass", told(report)


@pytest.mark.usefixtures("leaves_nothing")
def test_it_is_for_one_pod(choice: Choice) -> None:
    """A box that has run learner's code is never used again."""
    pod = make_pod(shop(), reference(), seed=1)
    with EarlySandbox(cast(WarmSandbox, choice.sandbox)) as early:
        early.run(pod)
        with pytest.raises(SandboxError, match="have run a pod"):
            early.run(pod)


@pytest.mark.usefixtures("leaves_nothing")
def test_what_fails_before_there_is_a_pod_leaves_nothing(choice: Choice) -> None:
    """Such as an exercise that isn't sound, at any moment of the start."""
    for wait_s in (0, 0.005, 0.05):
        with pytest.raises(ZeroDivisionError), EarlySandbox(cast(WarmSandbox, choice.sandbox)):
            time.sleep(wait_s)
            raise ZeroDivisionError


def test_what_the_engine_fails_in_is_told_as_that() -> None:
    """At whatever moment: here the examiner's container is gone before the solution's joins its network."""
    sandbox = cast(WarmSandbox, make_sandbox("docker"))
    with pytest.raises(SandboxError, match="container engine failed"):  # noqa: SIM117
        with EarlySandbox(sandbox) as early:
            _remove_examiner()
            early.run(make_pod(shop(), reference(), seed=1))


def _remove_examiner() -> None:
    with connect() as api:
        (found,) = api.containers(all=True, filters={"label": f"{LABEL}={owner_mark()}"})
        api.remove_container(found["Id"], force=True)
