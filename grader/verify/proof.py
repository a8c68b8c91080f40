"""The proof of one exercise: what is run, and what is concluded from it."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from decimal import Decimal

import msgspec

from grader.error import BrokenExercise, RefusedSubmission, SandboxError
from grader.exercise import Exercise
from grader.exercise import Mutant as KnownMutant
from grader.folder import TOML
from grader.hidden_test import meant
from grader.render.plain import figure, of_points
from grader.report import TestResult
from grader.sandbox.interpreter import PACKAGE
from grader.submission import read_regular
from grader.verify.attempt import Attempt, Files, Plan, Runner
from grader.verify.hostile import (
    Hostile,
    earned_too_much,
    hidden_lines,
    hostile_submissions,
    leaked,
    texts_of,
)
from grader.verify.mutate import MachineMutant, machine_mutants, spread
from grader.verify.outcome import (
    NAMES,
    PASS_MARK,
    Finding,
    Machine,
    Name,
    SlowTest,
    Survivor,
    Verified,
    points_from,
)
from grader.verify.recording import Recording
from grader.verify.structure import Examined

SEEDS = 20
QUICK_SEEDS = 3
SEEDS_A_MUTANT = 5
"""One seed in so many is tried with each written mutant, at least one."""

MOST_MUTANTS = 160
QUICK_MUTANTS = 24
SHARE = 5
"""The reference stays under one in so many of each limit of time."""

SHOWN_SLOW = 3
TIME_TRIES = 5
"""So often is tried again what took too long: the machine may have been busy with other things."""

_NOTHING_OPEN = "all that the test asked for was not done"
"""What the examiner says of a test whose time is over while no request or call waits for an answer."""

_SAYS_SO = re.compile(r"\b(?:start|load|import|launch|crash)(?:s|es|ing)?\b", re.IGNORECASE)
"""Words of an author who means that a mutant doesn't start."""

_ABSENT_FIXTURE = re.compile(r"FixtureLookupError: \('(\w+)'")
_FIXTURE = re.compile(rb"@pytest\.fixture\b[^\n]*\n\s*def (\w+)")
_PLACE = re.compile(r"(?P<file>[\w./-]+\.py):(?P<line>[0-9]+)")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How much is run."""

    seeds: int = SEEDS
    is_quick: bool = False
    has_hostile: bool = True

    @property
    def mutants(self) -> int:
        """How many machine-made mutants are run at most."""
        return QUICK_MUTANTS if self.is_quick else MOST_MUTANTS


def seed_of(exercise: Exercise, number: int) -> int:
    """Give the seed of a run: the same in each proof of the same exercise."""
    digest = hashlib.sha256(f"{exercise.id}:{number}".encode()).digest()
    return int.from_bytes(digest[:6], "big")


def prove(examined: Examined, runner: Runner, settings: Settings) -> Verified:
    """Run all of it. Whatever is found is in the result; only an interruption is raised.

    Raises:
        Stopped: the runner was stopped.
    """
    started = time.monotonic()
    proof = _Proof(examined, runner, settings)
    try:
        proof.run()
    except SandboxError as error:
        proof.note(
            "answers", f"{examined.folder.name}/", f"the sandbox failed: {error.message}", error.hint or "try again"
        )
        proof.skip_rest("the sandbox failed")
    except (BrokenExercise, RefusedSubmission) as broken:
        for problem in broken.problems:
            proof.note("structure", examined.folder.name, problem, "it must be such that it could be handed in")
        proof.skip_rest("the folder isn't sound")
    return msgspec.structs.replace(proof.verified(), duration_s=round(time.monotonic() - started, 2))


class _Proof:
    def __init__(self, examined: Examined, runner: Runner, settings: Settings) -> None:
        self._examined = examined
        self._name = examined.folder.name
        self._runner = runner
        self._settings = settings
        self._findings = list(examined.findings)
        self._seen: dict[Name, str] = {}
        self._not_run: dict[Name, str] = {}
        self._done: set[Name] = {"structure", "written"}
        self._survivors: list[Survivor] = []
        self._machine = Machine()
        self._slowest: list[SlowTest] = []
        self._whole_ms: float | None = None
        self._notes: list[str] = []
        self._gradings = 0

    def verified(self) -> Verified:
        return Verified(
            exercise=self._name,
            points=points_from(self._findings, self._seen, self._not_run),
            findings=self._findings,
            survivors=self._survivors,
            machine=self._machine,
            slowest=self._slowest,
            whole_ms=self._whole_ms,
            notes=self._notes,
            seeds=self._settings.seeds,
            gradings=self._gradings,
            sandbox=self._runner.sandbox,
        )

    def note(self, point: Name, where: str, text: str, remedy: str) -> None:
        finding = Finding(point=point, where=where, text=text, remedy=remedy)
        if finding not in self._findings:
            self._findings.append(finding)

    def skip_rest(self, why: str) -> None:
        for name in NAMES:
            if name not in self._done:
                self._not_run[name] = why

    # What is run

    def run(self) -> None:
        exercise = self._examined.exercise
        if exercise is None:
            # Where a folder can't be read whole, nothing is known of what is left to write.
            self._done.discard("written")
            self.skip_rest("the folder isn't sound")
            return
        self._exercise = exercise
        self._first_seed = seed_of(exercise, 0)
        self._reference = exercise.files_of("reference")
        self._starter_files = exercise.files_of("starter")
        pilot = self._submit(self._reference, is_recorded=True).result()
        if self._is_fault(pilot, "answers", "the reference") or self._is_endless(pilot):
            self.skip_rest("the hidden tests don't run")
            return
        starter = self._submit(self._starter_files, is_recorded=True)
        references = [self._submit(self._reference, number, is_recorded=True) for number in self._numbers()[1:]]
        again = self._submit(self._reference, is_recorded=True)
        backward: Future[Attempt] | None = None
        if pilot.is_whole and exercise.fresh == "test":  # else tests are meant to go on from one another
            backward = self._submit(self._reference, is_backward=True)
        alternatives = {
            each.id: [self._submit(exercise.variant("alternatives", each.id), number) for number in self._numbers()]
            for each in exercise.alternatives
        }
        written = {
            each.id: [
                self._submit(exercise.variant("mutants", each.id), number)
                for number in self._numbers()[::SEEDS_A_MUTANT]
            ]
            for each in exercise.mutants
        }
        mutants = machine_mutants(self._reference, self._starter_files)
        machine: list[tuple[MachineMutant, Future[Attempt]]] = []
        if pilot.is_whole:
            chosen = self._chosen(mutants)
            machine = [(mutant, self._submit(mutant.files, until_failure=True)) for mutant in chosen]

        first = starter.result()
        self._check_starter(first)
        runs = [pilot, *(each.result() for each in references)]
        self._check_answers(runs, {id: [each.result() for each in found] for id, found in alternatives.items()})
        if backward is not None:
            self._check_order(backward.result())
        recording = Recording(first=pilot, again=again.result(), other=runs[1] if len(runs) > 1 else pilot)
        if pilot.is_whole:
            self._check_data(recording)
        hostile: list[tuple[Hostile, Future[Attempt]]] = []
        if pilot.is_whole and recording.other.is_whole and self._settings.has_hostile:
            made = hostile_submissions(exercise, self._starter_files, recording)
            hostile = [(each, self._submit(each.files, is_recorded=True)) for each in made]
        caught = self._check_mutants({id: [each.result() for each in found] for id, found in written.items()})
        self._check_worth(first, caught)
        if pilot.is_whole:
            self._check_machine(mutants, [(mutant, each.result()) for mutant, each in machine])
            self._check_time(runs)
        else:
            self._not_run["machine"] = self._not_run["time"] = "the reference fails"
        if hostile:
            self._check_hostile([(each, found.result()) for each, found in hostile], first, recording, runs)
        else:
            why = "the reference fails" if self._settings.has_hostile else f"`{self._runner.sandbox}` isolates nothing"
            self._not_run["hostile"] = why

    def _numbers(self) -> range:
        return range(self._settings.seeds)

    def _submit(
        self,
        files: Files,
        number: int = 0,
        *,
        is_recorded: bool = False,
        until_failure: bool = False,
        is_backward: bool = False,
    ) -> Future[Attempt]:
        self._gradings += 1
        plan = Plan(
            files=files,
            seed=seed_of(self._exercise, number),
            is_recorded=is_recorded,
            until_failure=until_failure,
            is_backward=is_backward,
        )
        return self._runner.submit(self._exercise, plan)

    def _chosen(self, mutants: Sequence[MachineMutant]) -> list[MachineMutant]:
        chosen = spread(mutants, self._settings.mutants)
        if len(chosen) < len(mutants):
            self._notes.append(f"{len(chosen)} of {len(mutants)} machine-made mutants were run")
        return chosen

    # Whose fault

    def _is_fault(self, attempt: Attempt, point: Name, what: str) -> bool:
        """Note it where a hidden test failed by itself, with its file and line."""
        report = attempt.report
        if report is None or report.status != "grader-error":
            return False
        if attempt.collect_error:
            place = _last_place(attempt.collect_error, self._exercise)
            reason = _last_line(attempt.collect_error)
            self.note(
                point,
                self._where(place or "tests/"),
                f"the hidden tests can't be loaded: {reason}",
                "import only pytest, the standard library and files of `tests/`: the boxes hold nothing else",
            )
            return True
        broken = next((test for test in report.tests if test.status == "error"), None)
        if broken is None:
            self.note(point, self._where("tests/"), report.message, "try again; where it stays, the grader is at fault")
            return True
        absent = _ABSENT_FIXTURE.search(broken.message)
        if absent:
            known = _fixtures(self._exercise)
            text = f"`{broken.name}` asks for a fixture `{absent[1]}`; there are: {', '.join(known)}"
            close = meant(absent[1], known)
            remedy = f"write {close.partition('did you mean ')[2].rstrip('?')}" if close else "write one of these"
            self.note(point, self._where(self._test_place(broken.name)), text, remedy)
            return True
        place = _last_place(broken.message, self._exercise) or self._test_place(broken.name)
        hangs = "by itself" in broken.message and "did not end" in broken.message
        text = f"`{broken.name}` failed by itself with {what}: {_last_line(broken.message)}"
        remedy = (
            "it waits for something that never comes: take the endless loop or the wait out"
            if hangs
            else "a test fails by an assertion on what the app gave; correct the line, whatever the app gave"
        )
        self.note(point, self._where(place), text, remedy)
        return True

    def _is_endless(self, attempt: Attempt) -> bool:
        """Note each test whose time was over although all that it had asked of the reference was answered."""
        found = False
        for test in attempt.report.tests if attempt.report is not None else ():
            if test.status != "fail" or not test.message.startswith(_NOTHING_OPEN):
                continue
            last = test.transcript[-1] if test.transcript else None
            if last is not None and last.kind == "sql" and last.response is None:
                continue  # that statement may be what takes so long
            limit = f"{self._exercise.limits.test_s:g} s"
            text = f"`{test.name}` itself does not end: after {limit} everything that it had asked for was answered"
            remedy = "take the endless loop or the wait out; where it only asks for much, let it ask for less"
            self.note("answers", self._where(self._test_place(test.name)), text, remedy)
            found = True
        return found

    # The points

    def _check_starter(self, attempt: Attempt) -> None:
        self._done.add("starter")
        where = self._where("starter/")
        report = attempt.report
        assert report is not None
        if self._is_fault(attempt, "starter", "the starter"):
            return
        if report.status == "broken":
            self.note(
                "starter",
                where,
                f"doesn't run: {_last_line(report.message)}",
                "the starter runs, and fails by its answers",
            )
            return
        for number, task in enumerate(self._exercise.tasks, 1):
            tests = [test for test in report.tests if test.task == task.id]
            if all(test.status == "pass" for test in tests):
                text = f"passes every test of task {number}, `{task.title}`"
                self.note("starter", where, text, "take the answer out, or test what is still to be done")
        failed = sum(test.status != "pass" for test in report.tests)
        self._seen["starter"] = f"fails {failed}/{len(report.tests)}"

    def _check_answers(self, runs: Sequence[Attempt], alternatives: Mapping[str, Sequence[Attempt]]) -> None:
        self._done.add("answers")
        good = self._check_right("the reference", "reference/", runs)
        total = len(runs)
        for id, attempts in alternatives.items():
            good += self._check_right(f"the alternative `{id}`", f"alternatives/{id}/", attempts)
            total += len(attempts)
        self._seen["answers"] = f"{good}/{total}"
        if not alternatives:
            self._notes.append("no alternative: nothing shows that a right answer written another way is taken")

    def _check_right(self, what: str, folder: str, attempts: Sequence[Attempt]) -> int:
        """Note where a right answer lost points; give how often it didn't."""
        bad = [(number, attempt) for number, attempt in enumerate(attempts) if not attempt.is_whole]
        for number, attempt in bad:
            if self._is_fault(attempt, "answers", what):
                continue
            if folder == "reference/" and self._is_endless(attempt):
                continue
            report = attempt.report
            assert report is not None
            seeds = f"seed {seed_of(self._exercise, number)}"
            if len(bad) > 1:
                seeds += f" and {len(bad) - 1} more of {len(attempts)}"
            text = f"{what} earns {of_points(report.points, report.points_max)} with {seeds}: {_why(report.tests, report.message)}"
            remedy = "correct it, or the test that refuses it"
            if 0 < len(bad) < len(attempts):
                remedy = "a right answer is right for every seed: draw data that leaves no room for luck"
            self.note("answers", self._where(folder), text, remedy)
            break
        return len(attempts) - len(bad)

    def _check_order(self, attempt: Attempt) -> None:
        """Find tests that the reference passes only behind the tests that stand before them."""
        report = attempt.report
        assert report is not None
        lost = {
            self._test_place(test.name): _why([test], "") for test in report.tests if test.status in ("fail", "error")
        }
        if not lost and not attempt.is_whole:
            lost["tests/"] = report.message
        for place, why in lost.items():
            remedy = "let it make what it uses, not take what another test has left; or name that test in `needs`"
            self.note("answers", self._where(place), f"with the tests in the opposite order, {why}", remedy)

    def _check_data(self, recording: Recording) -> None:
        if self._settings.seeds < 2 or not recording.other.is_whole:
            return
        if not any(recording.has_other_data(test.name) for test in self._exercise.tests):
            self.note(
                "answers",
                self._where("tests/"),
                "no test asks anything else with another seed",
                "draw names, ids and amounts from `fake` or `rng`, so that a pasted answer fails",
            )

    def _check_mutants(self, found: Mapping[str, Sequence[Attempt]]) -> dict[str, frozenset[str]]:
        """Check each written mutant; give what each of them failed."""
        self._done.add("mutants")
        caught: dict[str, frozenset[str]] = {}
        good = 0
        for mutant in self._exercise.mutants:
            before = len(self._findings)
            for number, attempt in enumerate(found[mutant.id]):
                if self._is_fault(attempt, "mutants", f"the mutant `{mutant.id}`"):
                    caught.pop(mutant.id, None)
                    break
                caught[mutant.id] = self._check_mutant(mutant, number, attempt)
                if len(self._findings) > before:
                    break
            good += len(self._findings) == before and mutant.id in caught
        self._seen["mutants"] = f"{good}/{len(self._exercise.mutants)}"
        return caught

    def _check_mutant(self, mutant: KnownMutant, number: int, attempt: Attempt) -> frozenset[str]:
        report = attempt.report
        assert report is not None
        where = self._toml_place("mutants", mutant.id)
        seed = seed_of(self._exercise, number)
        failing = frozenset(test.name for test in report.tests if test.status != "pass")
        never_runs = report.status == "broken" and report.limit is None and len(failing) == len(report.tests)
        if never_runs and not _SAYS_SO.search(mutant.about):
            text = f"the mutant `{mutant.id}` never runs, so it proves nothing: {_last_line(report.message)}"
            remedy = "let it start and answer wrongly; where not starting is the mistake, say so in `about`"
            self.note("mutants", where, text, remedy)
            return failing
        for name in mutant.fails:
            if name not in failing:
                text = f"the mutant `{mutant.id}` passes `{name}` with seed {seed}, which should catch it"
                self.note("mutants", where, text, "make the test stricter, or name the tests that do catch it")
        tasks = {test.name: test.task for test in self._exercise.tests}
        related = {tasks[name] for name in mutant.fails}
        others = sorted(name for name in failing if tasks[name] not in related and name not in mutant.also)
        if others:
            text = f"the mutant `{mutant.id}` also fails tests of other tasks: {_listed(others)}"
            if report.status == "broken":
                text += f" (it doesn't run: {_last_line(report.message)})"
            also = ", ".join(f'"{name}"' for name in others)
            remedy = f"where that is meant, write `also = [{also}]`; else let a test check one thing"
            self.note("mutants", where, text, remedy)
        return failing

    def _check_worth(self, starter: Attempt, caught: Mapping[str, frozenset[str]]) -> None:
        """Find tests that nothing wrong ever failed."""
        assert starter.report is not None
        failed = {test.name for test in starter.report.tests if test.status != "pass"}
        for names in caught.values():
            failed |= names
        for test in self._exercise.tests:
            if test.name not in failed:
                self.note(
                    "mutants",
                    self._where(f"{test.file}:{test.line}"),
                    f"`{test.name}` is passed by the starter and by every mutant",
                    "add a mutant that it catches, or take the test out",
                )

    def _check_machine(self, made: Sequence[MachineMutant], run: Sequence[tuple[MachineMutant, Attempt]]) -> None:
        self._done.add("machine")
        excused = self._excused(made)
        killed = counted = equivalent = 0
        for mutant, attempt in run:
            if attempt.report is not None and attempt.report.status == "grader-error":
                self._is_fault(attempt, "machine", f"the machine-made mutant `{mutant.id}`")
                continue
            lives = attempt.is_whole
            if mutant.id in excused:
                equivalent += 1
                if not lives:
                    text = f"the equivalent `{mutant.id}` dies"
                    self.note("machine", self._toml_place("equivalents", excused[mutant.id]), text, "remove the entry")
                continue
            counted += 1
            killed += not lives
            if lives:
                self._survivors.append(Survivor(id=mutant.id, operator=mutant.operator, diff=mutant.diff))
        self._machine = Machine(made=len(made), run=counted, killed=killed, equivalent=equivalent)
        percent = self._machine.percent
        self._seen["machine"] = "none made" if percent is None else f"{killed}/{counted} {percent}%"
        if percent is not None and percent < PASS_MARK:
            text = f"{killed} of {counted} machine-made mutants die, {percent} %; the pass mark is {PASS_MARK} %"
            self.note(
                "machine", self._where("tests/"), text, "write tests for the survivors below, or excuse equivalents"
            )

    def _excused(self, made: Sequence[MachineMutant]) -> dict[str, str]:
        """Give the mutants that the author excuses, by id, with the words of the entry."""
        excused: dict[str, str] = {}
        for entry in self._exercise.equivalents:
            meant = [mutant for mutant in made if mutant.is_called(entry.mutant)]
            exact = [mutant for mutant in meant if mutant.id == entry.mutant.strip()]
            meant = exact or meant
            where = self._toml_place("equivalents", entry.mutant)
            if not meant:
                self.note(
                    "machine",
                    where,
                    f"no machine-made mutant is called `{entry.mutant}`",
                    "remove the entry, or write its id",
                )
            elif len(meant) > 1:
                text = f"`{entry.mutant}` is the changed line of {len(meant)} mutants"
                self.note("machine", where, text, f"write the id: {_listed(mutant.id for mutant in meant)}")
            else:
                excused[meant[0].id] = entry.mutant
        return excused

    def _check_hostile(
        self,
        found: Sequence[tuple[Hostile, Attempt]],
        starter: Attempt,
        recording: Recording,
        honest: Sequence[Attempt],
    ) -> None:
        self._done.add("hostile")
        # What an honest grading shows is no leak: data of a test is sent to the app.
        shown = [text for attempt in (starter, *honest, recording.again) for text in texts_of(attempt)]
        shown += [_decoded(self._exercise.readme())]
        shown += [_decoded(content) for content in self._starter_files.values()]
        lines = hidden_lines(self._exercise, shown)
        good = 0
        for hostile, attempt in found:
            report = attempt.report
            assert report is not None
            before = len(self._findings)
            if report.status == "grader-error":
                self._is_fault(attempt, "hostile", f"a submission that {hostile.about}")
                continue
            won = earned_too_much(hostile, attempt, starter, recording)
            if won:
                points = sum((test.points_max for test in report.tests if test.name in won), Decimal(0))
                text = f"a submission that {hostile.about} earns {_points(points)} too many, from {_listed(won)}"
                remedy = "let the test check a part of the answer that depends on what it has drawn"
                self.note("hostile", self._where(self._test_place(won[0])), text, remedy)
            leaks = leaked(lines, [msgspec.to_builtins(report), [list(each) for each in attempt.transcripts.values()]])
            if leaks:
                text = f"a submission that {hostile.about} shows lines of the hidden tests, such as `{leaks[0][:60]}`"
                remedy = "keep the tests out of the starter, and their text out of messages"
                self.note("hostile", self._where("tests/"), text, remedy)
            good += len(self._findings) == before
        self._seen["hostile"] = f"{good}/{len(found)}"

    def _check_time(self, runs: Sequence[Attempt]) -> None:
        """Hold the least times of all runs against the limits: what the machine does beside, makes a run slower."""
        self._done.add("time")
        limits = self._exercise.limits
        least: dict[str, float] = {}
        whole_ms = float("inf")

        def take(attempt: Attempt) -> None:
            nonlocal whole_ms
            if attempt.report is None or not attempt.is_whole:
                return
            whole_ms = min(whole_ms, attempt.report.durations_ms.get("pod", 0.0))
            for test in attempt.report.tests:
                least[test.name] = min(test.duration_ms, least.get(test.name, test.duration_ms))

        for attempt in runs:
            take(attempt)
        for _ in range(TIME_TRIES):
            if whole_ms <= limits.wall_s * 1000 / SHARE and max(least.values()) <= limits.test_s * 1000 / SHARE:
                break
            take(self._submit(self._reference).result())
        slow = sorted(least.items(), key=lambda item: -item[1])
        self._slowest = [SlowTest(name=name, least_ms=ms) for name, ms in slow[:SHOWN_SLOW]]
        self._whole_ms = whole_ms
        self._seen["time"] = f"{whole_ms / 1000:.2f} s"
        for name, ms in slow:
            if ms > limits.test_s * 1000 / SHARE:
                text = f"`{name}` takes {ms:.0f} ms; a fifth of `test_s` is {limits.test_s * 1000 / SHARE:.0f} ms"
                remedy = "let the test do less, or raise `test_s` in `[limits]`"
                self.note("time", self._where(self._test_place(name)), text, remedy)
        if whole_ms > limits.wall_s * 1000 / SHARE:
            text = f"the whole takes {whole_ms / 1000:.1f} s; a fifth of `wall_s` is {limits.wall_s / SHARE:g} s"
            slowest = _listed(f"{test.name} {test.least_ms:.0f} ms" for test in self._slowest)
            self.note("time", self._where(TOML), text, f"raise `wall_s`, or make the slowest tests quicker: {slowest}")
        if self._exercise.kind == "http" and not self._starts_in_time():
            text = f"the reference doesn't start within a fifth of `start_s`, {limits.start_s / SHARE:g} s"
            self.note(
                "time", self._where(TOML), text, "raise `start_s` in `[limits]`, or let the app start with less work"
            )

    def _starts_in_time(self) -> bool:
        for _ in range(TIME_TRIES):
            self._gradings += 1
            plan = Plan(
                files=self._reference,
                seed=self._first_seed,
                until_failure=True,
                start_s=self._exercise.limits.start_s / SHARE,
            )
            if self._runner.submit(self._exercise, plan).result().is_whole:
                return True
        return False

    # Places

    def _where(self, path: str) -> str:
        return f"{self._name}/{path}"

    def _test_place(self, name: str) -> str:
        test = next(test for test in self._exercise.tests if test.name == name)
        return f"{test.file}:{test.line}"

    def _toml_place(self, table: str, id: str) -> str:
        from grader.toml_lines import toml_lines  # only a finding needs it

        items = self._exercise.mutants if table == "mutants" else self._exercise.equivalents
        number = next(n for n, each in enumerate(items) if getattr(each, "id", getattr(each, "mutant", "")) == id)
        try:
            lines = toml_lines(read_regular(self._examined.folder / TOML).decode("utf-8-sig"))
        except (OSError, UnicodeDecodeError):
            lines = {}
        line = lines.get((table, number))
        return self._where(TOML) + (f":{line}" if line else "")


def _points(points: Decimal) -> str:
    return f"{figure(points)} point{'' if points == 1 else 's'}"


def _fixtures(exercise: Exercise) -> list[str]:
    """List what a hidden test can ask for: the examiner's fixtures, and the author's own."""
    sources = [(PACKAGE / "inside" / "examination.py").read_bytes()]
    sources += [content for name, content in exercise.contents.items() if name.endswith(".py")]
    return sorted({found[1].decode() for source in sources for found in _FIXTURE.finditer(source)})


def _why(tests: Sequence[TestResult], message: str) -> str:
    for test in tests:
        if test.status in ("fail", "error"):
            more = f", expected {_short(test.expected)}, got {_short(test.got)}" if test.expected is not None else ""
            return f"`{test.name}` fails{f': {_short(test.message)}' if test.message else ''}{more}"
    return _last_line(message)


def _short(text: str | None) -> str:
    plain = " ".join((text or "").split())
    return plain if len(plain) <= 80 else f"{plain[:79]}…"


def _last_line(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1].removeprefix("E").strip()[:300] if lines else ""


def _last_place(text: str, exercise: Exercise) -> str | None:
    """Give the last place in the hidden tests that a traceback names."""
    found = None
    for match in _PLACE.finditer(text):
        name = match["file"].removeprefix("tests/").lstrip("./")
        if name in exercise.contents:
            found = f"tests/{name}:{match['line']}"
    return found


def _listed(names: Iterable[str]) -> str:
    listed = [f"`{name}`" for name in names]
    return ", ".join(listed[:5]) + (f" and {len(listed) - 5} more" if len(listed) > 5 else "")


def _decoded(content: bytes) -> str:
    return content.decode("utf-8", "replace")
