"""The report of one grading: the one result model that every output is made from.

The JSON form is versioned; `schema()` gives its JSON Schema.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import msgspec

from grader.error import DamagedReport

VERSION = 1

Status = Literal["passed", "failed", "broken", "grader-error"]
TestStatus = Literal["pass", "fail", "error", "skip"]
Points = Decimal
if TYPE_CHECKING:
    Earned = Decimal
else:
    # In JSON only, and only where the grader failed: whoever reads nothing but points must not find a zero there.
    Earned = Decimal | None


class ExerciseRef(msgspec.Struct, frozen=True, kw_only=True):
    """Which exercise was graded. `digest` covers everything that can change a score."""

    id: str
    title: str
    digest: str


class SubmissionRef(msgspec.Struct, frozen=True, kw_only=True):
    """What was graded: the digest over names and contents, and the names in order."""

    digest: str
    files: list[str]


class SandboxRef(msgspec.Struct, frozen=True, kw_only=True):
    """Where it was graded, and why there. `notes` says what this machine could not enforce; `image` names what the boxes
    held, by its digest, or is empty where that was not noted.
    """

    name: str
    reason: str
    notes: list[str] = []
    image: str = ""


class TaskResult(msgspec.Struct, frozen=True, kw_only=True):
    """The points of one task: those earned, those that can be had."""

    id: str
    title: str
    points: Earned
    points_max: Points


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a test's transcript.

    `kind` says which of the other fields mean something:
    `http` (request and response), `call` (call and result), `app` (what was done to the app), `sql` (a statement of the test).
    Requests with the same `moment` above 0 were sent at once; each stands for `times` that are alike and came to the same.
    """

    kind: Literal["http", "call", "app", "sql"]
    request: dict[str, Any] = {}
    response: dict[str, Any] | None = None
    note: str = ""
    is_deciding: bool = False
    moment: int = 0
    times: int = 1


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """An SQL statement that the learner's code sent, folded: the same text `count` times, `rows` in all.

    `error` is what the database said where it failed.
    """

    sql: str
    count: int
    rows: int | None = None
    error: str = ""


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """One frame of the learner's own traceback: 1-based line, the code on it, values of simple locals.

    The last may be what could not be read as Python: its `function` is empty.
    """

    file: str
    line: int
    function: str
    code: str
    values: dict[str, str] = {}


class TestResult(msgspec.Struct, frozen=True, kw_only=True):
    """One hidden test. `expected` and `got` are texts, absent where no comparison decided."""

    name: str
    title: str
    task: str
    status: TestStatus
    points: Earned
    points_max: Points
    expected: str | None = None
    got: str | None = None
    message: str = ""
    usually: str | None = None
    transcript: list[Exchange] = []
    statements: list[Statement] = []
    frames: list[Frame] = []
    output: str = ""
    duration_ms: float = 0.0


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """What a receipt vouches for: digests of what was graded and with what, the score, and a digest for each key of the
    report. `image_id` is the container engine's own name of the image, or empty.
    """

    exercise: str
    submission: str
    image: str
    image_id: str
    seed: int
    limits: dict[str, int | float]
    status: Status
    points: Points
    points_max: Points
    grader_version: str
    keys: dict[str, str]


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """A signature over `signed` (Ed25519), and the key that made it: by its fingerprint and as its 32 bytes in Base64."""

    version: Literal[1] = 1
    algorithm: Literal["ed25519"] = "ed25519"
    key: str
    public_key: str
    signed: Signed
    signature: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One grading, whole. `seed` replays it; `output` is the tail of what the learner's code printed.

    `limit` names the limit that ended a broken submission, such as `memory`; `frames` and `output` belong
    to a submission that did not start.
    """

    version: Literal[1] = 1
    id: str
    created: str
    exercise: ExerciseRef
    submission: SubmissionRef
    seed: int
    sandbox: SandboxRef
    status: Status
    message: str
    limit: str | None = None
    usually: str | None = None
    points: Earned
    points_max: Points
    tasks: list[TaskResult]
    tests: list[TestResult]
    frames: list[Frame] = []
    output: str = ""
    limits: dict[str, int | float] = {}
    durations_ms: dict[str, float] = {}
    grader_version: str
    receipt: Receipt | None = None


AnyReport = TypeVar("AnyReport", bound=Report)

_encoder = msgspec.json.Encoder(decimal_format="number")
_decoder = msgspec.json.Decoder(Report)


def encode(report: Report) -> bytes:
    """Give the report as compact UTF-8 JSON. Points are exact decimal numbers; `null` are those of a grader's failure."""
    return _encoder.encode(_without_score(report) if report.status == "grader-error" else report)


def to_json(report: Report, *, indent: int = 2) -> bytes:
    """Give the report as UTF-8 JSON with a final newline; the rest as `encode` does."""
    return msgspec.json.format(encode(report), indent=indent) + b"\n"


def from_json(data: bytes) -> Report:
    """Read a report. Points of a grader's failure, which are `null`, are read as 0.

    Raises:
        DamagedReport: `data` isn't a report of a version that is known here.
    """
    try:
        return with_points(_decoder.decode(data))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DamagedReport(f"not a report: {error}") from error


def with_points(report: AnyReport) -> AnyReport:
    """Put 0 where a report that was just decoded has `null` for points.

    Raises:
        DamagedReport: they are `null` though the grader did not fail.
    """
    parts: list[Report | TaskResult | TestResult] = [report, *report.tasks, *report.tests]
    # As the type says, this can only be in what was decoded.
    if all(part.points is not None for part in parts):
        return report
    if report.status != "grader-error":
        raise DamagedReport("not a report: it has no points, and no failure of the grader")
    return _with_points(report, Decimal(0))


def _without_score(report: Report) -> Report:
    nothing: Any = None
    return _with_points(report, nothing)


def _with_points(report: AnyReport, points: Decimal) -> AnyReport:
    return msgspec.structs.replace(
        report,
        points=points,
        tasks=[msgspec.structs.replace(task, points=points) for task in report.tasks],
        tests=[msgspec.structs.replace(test, points=points) for test in report.tests],
    )


def schema() -> dict[str, Any]:
    """Give the JSON Schema (2020-12) of the report."""
    found: dict[str, Any] = _with_numbers(msgspec.json.schema(Report))
    found["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return found


def _with_numbers(part: Any) -> Any:
    """Say that points are numbers: msgspec describes a decimal as the text that it is by default."""
    if part == {"type": "string", "format": "decimal"}:
        return {"type": "number"}
    if isinstance(part, dict):
        return {name: _with_numbers(value) for name, value in part.items()}
    if isinstance(part, list):
        return [_with_numbers(each) for each in part]
    return part
