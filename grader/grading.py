"""Grade one submission: make the pod, run it, and judge what the examiner said."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from grader import __version__, usually
from grader.boxes import make_pod
from grader.exercise import Exercise, HiddenTest
from grader.report import (
    Exchange,
    ExerciseRef,
    Frame,
    Report,
    SandboxRef,
    Statement,
    Status,
    SubmissionRef,
    TaskResult,
    TestResult,
    TestStatus,
)
from grader.sandbox.choose import Choice
from grader.sandbox.pod import Limits, PodResult
from grader.submission import Submission

SEED_BITS = 48
TEXT_MAX = 8000
MOST_LINES = 10_000_000


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to grade. `seed`: `None` derives it from exercise and submission; `wall_s`: `None` takes the exercise's."""

    seed: int | None = None
    wall_s: float | None = None


TestListener = Callable[[TestResult], None]


def derive_seed(exercise: Exercise, submission: Submission) -> int:
    """Give the seed of a grading: the same for the same exercise and files, and not to be known without the hidden tests."""
    digest = hashlib.sha256(f"{exercise.digest}:{submission.digest}".encode()).digest()
    return int.from_bytes(digest[: SEED_BITS // 8], "big")


def grade(
    exercise: Exercise,
    submission: Submission,
    choice: Choice,
    options: Options = Options(),
    listen: TestListener | None = None,
) -> Report:
    """Grade a submission; `listen` gets each test's result as it ends.

    Raises:
        SandboxError: the sandbox failed; nothing was judged.
    """
    started = time.monotonic()
    seed = derive_seed(exercise, submission) if options.seed is None else options.seed
    pod = make_pod(exercise, submission, seed=seed, wall_s=options.wall_s)
    tests = {test.name: test for test in exercise.tests}

    def hear(event: Mapping[str, Any]) -> None:
        if listen is not None and event["event"] == "test" and event["name"] in tests and not event.get("stops"):
            listen(_test_result(tests[event["name"]], event))

    result = choice.sandbox.run(pod, hear)
    report = judge(exercise, submission, choice, seed=seed, limits=pod.solution.limits, result=result)
    total_ms = round((time.monotonic() - started) * 1000, 1)
    return _with_durations(report, {**result.durations_ms, "total": total_ms})


def grade_on_seeds(exercise: Exercise, submission: Submission, choice: Choice, seeds: Sequence[int]) -> list[Report]:
    """Grade one submission on several seeds in one pair of boxes: for an author's own right answers, which gain nothing by that.

    The reports are those of the seeds, in order.

    Raises:
        SandboxError: the sandbox failed; nothing was judged.
    """
    one = make_pod(exercise, submission, seed=seeds[0])
    examiner = replace(one.examiner, settings={**one.examiner.settings, "seeds": list(seeds)})
    result = choice.sandbox.run(replace(one, examiner=examiner, wall_s=one.wall_s * len(seeds)))
    parts: list[list[Mapping[str, Any]]] = []
    for event in result.events:
        if event["event"] == "seed":
            parts.append([])
        elif parts:
            parts[-1].append(event)
    reports = []
    for place, seed in enumerate(seeds):
        is_whole = place < len(parts) - 1
        part = replace(
            result,
            events=tuple(parts[place]) if place < len(parts) else (),
            ending="done" if is_whole else result.ending,
        )
        reports.append(judge(exercise, submission, choice, seed=seed, limits=one.solution.limits, result=part))
    return reports


def _with_durations(report: Report, durations_ms: dict[str, float]) -> Report:
    return msgspec.structs.replace(report, durations_ms=durations_ms)


def judge(
    exercise: Exercise, submission: Submission, choice: Choice, *, seed: int, limits: Limits, result: PodResult
) -> Report:
    """Make the report from what the examiner said. Points come from the exercise, never from a box."""
    events: dict[str, Mapping[str, Any]] = {}
    for event in result.events:
        # A parametrized test is one test: the first of its cases that did not pass speaks for it.
        if event["event"] == "test" and (event["name"] not in events or events[event["name"]]["status"] == "pass"):
            events[event["name"]] = event
    verdict = _verdict(result, events, exercise, limits)
    tests = []
    for test in exercise.tests:
        found = events.get(test.name)
        if found is None or (verdict.stops and verdict.status == "broken"):
            reason = "it was not run" if verdict.status != "passed" else ""
            tests.append(_blank(test, "skip", reason))
        elif found.get("needs"):
            needed = next((each.title for each in exercise.tests if each.name == found["needs"]), "an earlier test")
            tests.append(_blank(test, "skip", f"it means something only once this holds: {needed}"))
        else:
            tests.append(_test_result(test, found))
    if verdict.status == "grader-error":
        tests = [_without_points(test) for test in tests]
    tasks = [
        TaskResult(
            id=task.id,
            title=task.title,
            points=sum((test.points for test in tests if test.task == task.id), Decimal(0)),
            points_max=task.points,
        )
        for task in exercise.tasks
    ]
    crash = verdict.crash
    return Report(
        id=new_id(),
        created=now(),
        exercise=ExerciseRef(id=exercise.id, title=exercise.title, digest=exercise.digest),
        submission=SubmissionRef(digest=submission.digest, files=list(submission.files)),
        seed=seed,
        sandbox=SandboxRef(name=choice.name, reason=choice.reason, notes=list(result.notes)),
        status=verdict.status,
        message=verdict.message,
        limit=verdict.limit,
        usually=usually.for_start(crash, verdict.message),
        points=sum((task.points for task in tasks), Decimal(0)),
        points_max=exercise.points_max,
        tasks=tasks,
        tests=tests,
        frames=_frames(crash),
        output=_text(verdict.output, TEXT_MAX),
        limits={
            "memory_mib": limits.memory_mib,
            "processes": limits.processes,
            "cpus": limits.cpus,
            "disk_mib": limits.disk_mib,
            "open_files": limits.open_files,
            "output_kib": limits.output_kib,
            "start_s": limits.start_s,
            "test_s": limits.test_s,
            "wall_s": limits.wall_s,
        },
        grader_version=__version__,
    )


def new_id() -> str:
    """Give an id that no other report has."""
    return secrets.token_hex(8)


def now() -> str:
    """Give the time as reports tell it: UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


@dataclass(frozen=True, kw_only=True)
class _Verdict:
    status: Status
    message: str = ""
    limit: str | None = None
    output: str = ""
    crash: Mapping[str, Any] | None = None
    stops: bool = False


def _verdict(
    result: PodResult, events: Mapping[str, Mapping[str, Any]], exercise: Exercise, limits: Limits
) -> _Verdict:
    """Say how the grading ended and whose doing that was."""
    broken_test = next((event for event in events.values() if event["status"] == "error"), None)
    collected = [event for event in result.events if event["event"] == "collect-error"]
    if collected:
        return _Verdict(
            status="grader-error", message=f"the hidden tests can't be loaded: {_last_line(collected[0]['text'])}"
        )
    if result.ending == "examiner-lost":
        return _Verdict(status="grader-error", message=f"the examiner ended too early: {_last_line(result.detail)}")
    if broken_test is not None:
        return _Verdict(
            status="grader-error",
            message=f"the hidden test `{broken_test['name']}` failed by itself: {broken_test['message']}",
        )
    stopped = next((event for event in events.values() if event.get("stops")), None)
    if result.ending == "solution-lost" and result.limit == "memory":
        # The test that met its end, at the start maybe, knows only that the box is gone.
        return _Verdict(
            status="broken",
            message=f"stopped: it used more than {limits.memory_mib} MiB",
            limit="memory",
            output=str(stopped.get("output", "")) if stopped is not None else "",
            stops=stopped is not None,
        )
    if stopped is not None:
        crash = stopped.get("crash") if isinstance(stopped.get("crash"), dict) else None
        reached = stopped.get("limits") or []
        return _Verdict(
            status="broken",
            message=_start_message(stopped["message"], crash),
            limit=str(reached[0]) if reached else None,
            output=str(stopped.get("output", "")),
            crash=crash,
            stops=True,
        )
    if result.ending == "wall":
        return _Verdict(
            status="broken", message=f"stopped: the grading took more than {limits.wall_s:g} s", limit="wall"
        )
    if result.ending == "solution-lost" and not any(event["status"] == "pass" for event in events.values()):
        return _Verdict(status="broken", message="the box of your app ended: your code ended it, or a limit did")
    missing = [test.name for test in exercise.tests if test.name not in events]
    if missing:
        return _Verdict(status="grader-error", message=f"the examiner told nothing of the test `{missing[0]}`")
    if all(event["status"] == "pass" for event in events.values()):
        return _Verdict(status="passed", message="every test passed")
    limit, message = _limit_of(events)
    if limit is not None and not any(event["status"] == "pass" for event in events.values()):
        return _Verdict(status="broken", message=message, limit=limit)
    failed = sum(event["status"] == "fail" for event in events.values())
    return _Verdict(status="failed", message=f"{failed} of {len(exercise.tests)} tests failed")


def _limit_of(events: Mapping[str, Mapping[str, Any]]) -> tuple[str | None, str]:
    for event in events.values():
        if event["status"] == "fail" and event.get("limits"):
            return str(event["limits"][0]), str(event["message"])
    return None, ""


def _start_message(message: str, crash: Mapping[str, Any] | None) -> str:
    """Say in the learner's words why their code did not start."""
    if crash is None:
        return message
    if crash.get("own") is True:
        return _text(crash.get("message"), 500)
    syntax = crash.get("syntax")
    if isinstance(syntax, dict):
        column = syntax.get("column")
        caret = " " * (column - 1) + "^" if isinstance(column, int) and 0 < column < 200 else ""
        where = f"{_text(syntax.get('file'), 200)}, line {_text(syntax.get('line'), 20)}"
        lines = [
            f"{where} can't be read as Python: {_text(syntax.get('message'), 300)}",
            _text(syntax.get("code"), 200),
            caret,
        ]
        return "\n".join(line for line in lines if line)
    return f"{_text(crash.get('type'), 100)}: {_text(crash.get('message'), 500)}"


def _test_result(test: HiddenTest, event: Mapping[str, Any]) -> TestResult:
    status: TestStatus = event["status"]
    result = _blank(test, status, _text(event.get("message"), 2000))
    if status == "pass":
        return _changed(result, points=test.points, duration_ms=float(event["duration_ms"]))
    crash = event.get("crash") if isinstance(event.get("crash"), dict) else None
    return _changed(
        result,
        expected=None if event.get("expected") is None else _text(event["expected"], 4000),
        got=None if event.get("got") is None else _text(event["got"], 4000),
        usually=usually.for_test(event),
        transcript=[
            Exchange(
                kind=step["kind"],
                request=_clean(step.get("request") or {}),
                response=_clean(step.get("response")),
                note=_text(step.get("note"), 200),
                is_deciding=bool(step.get("is_deciding")),
                moment=step.get("moment", 0),
                times=step.get("times", 1),
            )
            for step in event.get("transcript") or ()
        ],
        statements=[
            Statement(
                sql=_text(each["sql"], 1000),
                count=each["count"],
                rows=each["rows"],
                error=_text(each["error"], 300),
            )
            for each in event.get("statements") or ()
        ],
        frames=_frames(crash),
        output=_text(event.get("output", ""), TEXT_MAX),
        duration_ms=float(event.get("duration_ms", 0)),
    )


def _changed(result: TestResult, **changes: Any) -> TestResult:
    return msgspec.structs.replace(result, **changes)


def _blank(test: HiddenTest, status: TestStatus, message: str) -> TestResult:
    return TestResult(
        name=test.name,
        title=test.title,
        task=test.task,
        status=status,
        points=Decimal(0),
        points_max=test.points,
        message=message,
    )


def _without_points(test: TestResult) -> TestResult:
    return _changed(test, points=Decimal(0))


def _frames(crash: Mapping[str, Any] | None) -> list[Frame]:
    """Read the frames that the solution box told, then what could not be read as Python, which is in no function.

    It is data of the learner's: whatever isn't of this form is left out.
    """
    frames: list[Frame] = []
    crash = crash or {}
    told = crash.get("frames")
    for each in [*(told if isinstance(told, list) else ()), crash.get("syntax")]:
        line = each.get("line") if isinstance(each, dict) else None
        if type(line) is not int or not 0 <= line < MOST_LINES:
            continue
        values = each.get("values")
        frames.append(
            Frame(
                file=_text(each.get("file"), 200),
                line=line,
                function=_text(each.get("function"), 100),
                code=_text(each.get("code"), 200),
                values={_text(k, 50): _text(v, 100) for k, v in values.items()} if isinstance(values, dict) else {},
            )
        )
    return frames[-8:]


def _text(value: object, most: int) -> str:
    text = "" if value is None else str(value)
    # A lone surrogate has no UTF-8 form, and every output of a report is UTF-8.
    return text[:most].encode("utf-8", "replace").decode("utf-8")


def _clean(value: Any) -> Any:
    """Make every text in a step of a transcript one that can be written, as `_text` does."""
    if isinstance(value, str):
        return _text(value, len(value))
    if isinstance(value, dict):
        return {_text(key, 1000): _clean(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_clean(inner) for inner in value]
    return value


def _last_line(text: Any) -> str:
    lines: Sequence[str] = str(text).strip().splitlines()
    return lines[-1][:500] if lines else ""
