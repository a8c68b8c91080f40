"""Prove many exercises side by side: several at a time, and the gradings of each among all of them."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

import msgspec

from grader.course import Course
from grader.error import BrokenExercise, UnknownExercise
from grader.sandbox.choose import Choice
from grader.verify.attempt import Runner, Stopped
from grader.verify.cache import Cache
from grader.verify.outcome import Finding, Verified, not_proven, points_from
from grader.verify.proof import Settings, prove
from grader.verify.structure import clashes, examine, exercise_folders

AT_ONCE = 4
"""So many exercises are begun at a time, so that the end of one and the beginning of the next overlap."""


@dataclass(frozen=True, kw_only=True)
class Listener:
    """Who is told: `begun` of an exercise's name, `ticked` of gradings done and known of, `ended` of each result."""

    begun: Callable[[str], None] = lambda _name: None
    ticked: Callable[[int, int], None] = lambda _done, _known: None
    ended: Callable[[Verified], None] = lambda _verified: None


def chosen_folders(course_root: Path, names: Sequence[str]) -> list[Path]:
    """Give the folders that are meant; all of them where no name is given.

    A folder counts even where it is no exercise yet: that is what the proof is to say.

    Raises:
        UnknownExercise: a name means no folder, or more than one.
    """
    known = exercise_folders(course_root)
    if not names:
        return known
    course = Course(root=course_root)
    chosen: list[Path] = []
    for name in names:
        exact = [folder for folder in known if name in (folder.name, str(folder))]
        given = os.path.realpath(name)
        exact = exact or [folder for folder in known if os.path.realpath(folder) == given]
        folder = exact[0] if exact else _resolved(course, name, known)
        if folder not in chosen:
            chosen.append(folder)
    return chosen


def _resolved(course: Course, name: str, known: Sequence[Path]) -> Path:
    try:
        return course.resolve(name)
    except (UnknownExercise, BrokenExercise):
        # A folder without `exercise.toml` has no name for learners, but its author wants to hear of it.
        digits = name.casefold().removeprefix("exercise-")
        found = [folder for folder in known if folder.name.removeprefix("exercise-").startswith(digits.zfill(2))]
        if digits and len(found) == 1:
            return found[0]
        raise


def verify(
    folders: Sequence[Path],
    course: Course,
    choice: Choice,
    settings: Settings,
    *,
    jobs: int,
    listener: Listener = Listener(),
    is_fresh: bool = False,
) -> list[Verified]:
    """Prove each exercise, in the order given; what is already proven is only looked up, unless `is_fresh`.

    `jobs` gradings run at a time. Where the grader itself fails with one, that one's `fault` says so.
    An interruption ends what runs before it is raised again.
    """
    found_clashes = clashes(exercise_folders(course.root))
    cache = Cache(course.state, choice.name, settings)

    with Runner(choice, jobs, listener.ticked) as runner:

        def proven(folder: Path) -> Verified:
            remembered = None if is_fresh else cache.find(folder)
            if remembered is None:
                listener.begun(folder.name)
                key = cache.key(folder)
                remembered = prove(examine(folder), runner, settings)
                cache.keep(folder, key, remembered)
            return remembered

        def one(folder: Path) -> Verified:
            try:
                verified = _with_clashes(proven(folder), found_clashes)
            except Stopped:
                raise
            except Exception as error:  # noqa: BLE001  what fails with one exercise is no loss of the others' proofs
                verified = not_proven(folder.name, _told(error))
            listener.ended(verified)
            return verified

        with ThreadPoolExecutor(max(1, min(len(folders), jobs, AT_ONCE)), thread_name_prefix="proof") as proofs:
            futures = [proofs.submit(one, folder) for folder in folders]
            try:
                left = set(futures)
                while left:
                    # Waiting with a bound lets a signal through.
                    done, left = wait(left, timeout=0.5, return_when=FIRST_COMPLETED)
                    for future in done:
                        future.result()
            except BaseException:
                runner.stop()
                proofs.shutdown(wait=False, cancel_futures=True)
                raise
            return [future.result() for future in futures]


def _told(error: Exception) -> str:
    """Give the first line of an exception, and where in the grader it was raised."""
    first = next(iter(str(error).splitlines()), "")
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({os.path.basename(frames[-1].filename)}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}{': ' if first else ''}{first[:200]}{where}"


def _with_clashes(verified: Verified, clashes: Mapping[str, Sequence[Finding]]) -> Verified:
    """Add what only the whole course can tell; it isn't kept with the proof of one folder."""
    added = clashes.get(verified.exercise)
    if not added:
        return verified
    findings = [*verified.findings, *added]
    seen = {point.name: point.seen for point in verified.points}
    not_run = {point.name: point.seen for point in verified.points if point.state == "not-run"}
    return msgspec.structs.replace(verified, findings=findings, points=points_from(findings, seen, not_run))
