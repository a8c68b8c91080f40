"""Many exercises at once: all are told of, in order; what is proven is remembered; an interruption ends it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from grader.course import Course
from grader.error import SandboxError, UnknownExercise
from grader.sandbox.choose import Choice
from grader.sandbox.pod import Listener as PodListener
from grader.sandbox.pod import Pod, PodResult
from grader.verify.outcome import Verified
from grader.verify.proof import Settings
from grader.verify.structure import Examined, examine
from grader.verify.verify import Listener, chosen_folders, verify
from tests.verify.conftest import InProcess, change, make, swap

QUICK = Settings(seeds=2, is_quick=True)


def run(root: Path, choice: Choice, settings: Settings = QUICK, **options: object) -> list[Verified]:
    return verify(chosen_folders(root, []), Course(root=root), choice, settings, jobs=2, **options)  # type: ignore[arg-type]


def pods(choice: Choice) -> int:
    sandbox = choice.sandbox
    assert isinstance(sandbox, InProcess)
    return len(sandbox.pods)


def make_another(course: Path, id: str) -> None:
    """Make a sound exercise beside the usual one, with a title and a concept of its own."""
    titled = swap("Work out", "Compute")
    make(course, id=id, exercise_toml=lambda text: titled(text).replace('"rules"', '"more-rules"'), README_md=titled)


def test_broken_folders_of_every_kind_are_told_of_in_one_run(tmp_path: Path, fake: Choice) -> None:
    """The first broken folder stops nothing, and the sound one is proven."""
    make(tmp_path, id="exercise-01-no-toml", exercise_toml=None)
    make(tmp_path, id="exercise-02-bad-toml", exercise_toml=swap("minutes = 10", "minutes ="))
    make(tmp_path, id="exercise-03-no-import", tests_test_fees_py=swap("import pytest", "import pytest, absent"))
    make(tmp_path, id="exercise-03-wrong", reference_fees_py=swap("* 10", "* 9"))
    make_another(tmp_path, "exercise-05-sound")
    ended: list[str] = []

    found = run(tmp_path, fake, listener=Listener(ended=lambda verified: ended.append(verified.exercise)))

    assert [verified.exercise for verified in found] == [
        "exercise-01-no-toml", "exercise-02-bad-toml", "exercise-03-no-import", "exercise-03-wrong", "exercise-05-sound",
    ]  # fmt: skip
    assert [verified.is_sound for verified in found] == [False, False, False, False, True]
    assert sorted(ended) == [verified.exercise for verified in found]
    wheres = {finding.where for verified in found for finding in verified.findings}
    assert wheres >= {
        "exercise-01-no-toml/exercise.toml",
        "exercise-02-bad-toml/exercise.toml:6",
        "exercise-03-no-import/tests/test_fees.py:1",
        "exercise-03-wrong/reference/",
        "exercise-03-no-import/",
        "exercise-03-wrong/",
    }
    assert all(finding.remedy for verified in found for finding in verified.findings)


def test_what_is_proven_is_looked_up_until_something_changes(tmp_path: Path, fake: Choice) -> None:
    """A second run grades nothing; a changed file, another sandbox or `fresh` does it again."""
    folder = make(tmp_path)
    first = run(tmp_path, fake)[0]
    before = pods(fake)

    again = run(tmp_path, fake)[0]
    assert pods(fake) == before
    assert again.is_remembered
    assert again.is_sound
    assert again.machine == first.machine

    (folder / "solution").mkdir()
    (folder / "solution" / "fees.py").write_text("the learner's own")
    assert run(tmp_path, fake)[0].is_remembered

    assert not run(tmp_path, fake, is_fresh=True)[0].is_remembered
    change(folder, "notes.md", "Out of scope: more.\n")
    assert not run(tmp_path, fake)[0].is_remembered


def test_a_whole_proof_stands_in_for_a_quick_one_and_not_the_other_way_round(tmp_path: Path, fake: Choice) -> None:
    """Twenty seeds prove what three prove."""
    make(tmp_path)
    assert not run(tmp_path, fake, QUICK)[0].is_remembered
    assert not run(tmp_path, fake, Settings(seeds=4))[0].is_remembered
    assert run(tmp_path, fake, QUICK)[0].is_remembered


def test_damaged_memory_is_no_loss_but_time(tmp_path: Path, fake: Choice) -> None:
    """What can't be read is proven again."""
    make(tmp_path)
    run(tmp_path, fake)
    for path in (tmp_path / ".grade" / "verify").iterdir():
        path.write_bytes(b"\x00 damaged")

    assert not run(tmp_path, fake)[0].is_remembered


def test_two_folders_with_one_number_are_a_problem_even_of_proofs_that_are_remembered(
    tmp_path: Path, fake: Choice
) -> None:
    """What only the whole course can tell is looked at each time."""
    make(tmp_path)
    assert run(tmp_path, fake)[0].is_sound
    make(tmp_path, id="exercise-04-twin")

    found = run(tmp_path, fake)

    assert found[0].is_remembered
    assert not found[0].is_sound
    assert found[0].point("structure").state == "failed"


def test_folders_are_chosen_by_any_name_also_before_they_are_exercises(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Number, slug, beginning, path; a name of nothing is refused."""
    sound = make(tmp_path)
    empty = tmp_path / "exercises" / "exercise-09-empty"
    empty.mkdir()
    monkeypatch.chdir(tmp_path)

    assert chosen_folders(tmp_path, ["4", "late-fee", "exercises/exercise-04-late-fee/"]) == [sound]
    assert chosen_folders(tmp_path, ["9"]) == [empty]
    assert chosen_folders(tmp_path, ["exercise-09-empty"]) == [empty]
    assert chosen_folders(tmp_path, ["EXERCISE-09-empty"]) == [empty]
    assert chosen_folders(tmp_path, []) == [sound, empty]
    with pytest.raises(UnknownExercise):
        chosen_folders(tmp_path, ["40"])


class _Failing(InProcess):
    """A sandbox that fails the first `times` times."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self._left = times

    def run(self, pod: Pod, listen: PodListener | None = None) -> PodResult:
        self._left -= 1
        if self._left >= 0:
            raise SandboxError("the engine went away", hint="start it")
        return super().run(pod, listen)


def test_a_sandbox_may_fail_once(tmp_path: Path) -> None:
    """An engine under load does."""
    make(tmp_path)

    assert run(tmp_path, Choice(_Failing(1), "a test"))[0].is_sound


def test_a_sandbox_that_fails_is_no_verdict_on_the_exercise_and_is_not_remembered(tmp_path: Path) -> None:
    """It is said, and the next run tries again."""
    make(tmp_path)
    found = run(tmp_path, Choice(_Failing(1000), "a test"))[0]

    assert not found.is_sound
    assert found.findings[0].text == "the sandbox failed: the engine went away"
    assert found.findings[0].remedy == "start it"
    assert run(tmp_path, Choice(InProcess(), "a test"))[0].is_sound


def test_an_interruption_ends_what_runs(tmp_path: Path, fake: Choice) -> None:
    """Ctrl-C is not waited out."""
    for number in range(8):
        make(tmp_path, id=f"exercise-{number:02}-late")

    def interrupt(_verified: Verified) -> None:
        raise KeyboardInterrupt

    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, fake, Settings(seeds=20), listener=Listener(ended=interrupt))
    assert time.monotonic() - started < 10
    count = pods(fake)
    time.sleep(0.2)
    assert pods(fake) == count


def test_a_fault_of_the_grader_with_one_exercise_is_no_loss_of_the_others(
    tmp_path: Path, fake: Choice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is marked as not run, with what was raised; it is neither sound nor remembered."""
    make(tmp_path)
    make_another(tmp_path, "exercise-05-other")

    def failing(folder: Path) -> Examined:
        if folder.name == "exercise-05-other":
            raise RuntimeError("a hole in the grader\nand more")
        return examine(folder)

    monkeypatch.setattr("grader.verify.verify.examine", failing)
    whole, lost = run(tmp_path, fake)

    assert whole.is_sound
    assert not lost.is_sound
    assert lost.fault.startswith("RuntimeError: a hole in the grader (test_verify.py:")
    assert {point.state for point in lost.points} == {"not-run"}
    monkeypatch.undo()
    assert run(tmp_path, fake)[1].is_sound
