"""Reports as they come out of real situations, for the tests of every format."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from grader.report import (
    Exchange,
    ExerciseRef,
    Frame,
    Report,
    SandboxRef,
    Statement,
    SubmissionRef,
    TaskResult,
    TestResult,
)

HOSTILE = (
    "\x1b[2J\x1b]0;owned\x07\x9b31m\r\nrewritten\rline\x00\x08\x7f \u202etxt.exe\u202c ]]>"
    " </script><script>alert(1)</script> <img src=x onerror=alert(1)>"
    " ::error::fake %0A::set-output name=x::y `code` | cell | [link](javascript:x)"
    " =HYPERLINK(1) &amp; \ud800 \ufffe 你好 नमस्ते 👩\u200d🍳"
)


def http(
    method: str,
    path: str,
    status: int,
    *,
    body: str | None = None,
    sent: str | None = None,
    content_type: str = "application/json",
    is_deciding: bool = False,
    **headers: str,
) -> Exchange:
    """One HTTP exchange as the examiner records it."""
    reasons = {200: "OK", 201: "CREATED", 404: "NOT FOUND", 500: "INTERNAL SERVER ERROR"}
    curl = "curl -i" + ("" if method == "GET" else f" -X {method}") + f" http://127.0.0.1:8000{path}"
    if sent is not None:
        curl += f" -H 'Content-Type: application/json' --data-binary '{sent}'"
    return Exchange(
        kind="http",
        request={
            "method": method,
            "path": path,
            "headers": [] if sent is None else [["Content-Type", "application/json"]],
            "body": sent,
            "body_bytes": len(sent or ""),
            "truncated": False,
            "curl": curl,
        },
        response={
            "status": status,
            "reason": reasons[status],
            "headers": [
                ["Content-Type", content_type],
                ["Content-Length", str(len(body or ""))],
                ["Date", "Tue, 03 Nov 2026 10:00:00 GMT"],
                ["Server", "waitress"],
                *([name.replace("_", "-"), value] for name, value in headers.items()),
            ],
            "body": body,
            "body_bytes": len(body or ""),
            "truncated": False,
            "elapsed_ms": 4.2,
        },
        is_deciding=is_deciding,
    )


def passing(name: str, title: str, task: str, points: str = "1") -> TestResult:
    """A test that passed."""
    return TestResult(
        name=name,
        title=title,
        task=task,
        status="pass",
        points=Decimal(points),
        points_max=Decimal(points),
        duration_ms=12.5,
    )


def failing(name: str, title: str, task: str, points: str = "1", **fields: Any) -> TestResult:
    """A test that failed."""
    fields.setdefault("status", "fail")
    return TestResult(
        name=name, title=title, task=task, points=Decimal(0), points_max=Decimal(points), duration_ms=12.5, **fields
    )


def report(**fields: Any) -> Report:
    """A report with everything that a test doesn't care about filled in."""
    fields = {
        "id": "0198c0de-0000-7000-8000-000000000001",
        "created": "2026-11-03T10:00:00Z",
        "exercise": ExerciseRef(
            id="exercise-03-one-dish", title="Find one dish, or say it is missing", digest="sha256:aa11"
        ),
        "submission": SubmissionRef(digest="sha256:bb22", files=["app.py"]),
        "seed": 1234567,
        "sandbox": SandboxRef(name="bubblewrap", reason="no container engine answers"),
        "status": "failed",
        "message": "",
        "points": sum((test.points for test in fields.get("tests", [])), Decimal(0)),
        "points_max": sum((test.points_max for test in fields.get("tests", [])), Decimal(0)),
        "tasks": [],
        "tests": [],
        "limits": {"memory_mib": 256, "wall_s": 60},
        "durations_ms": {"start": 31.0, "tests": 78.5},
        "grader_version": "0.1.0",
        **fields,
    }
    return Report(**fields)


def _tasks(tests: list[TestResult], titles: dict[str, str]) -> list[TaskResult]:
    return [
        TaskResult(
            id=task,
            title=title,
            points=sum((test.points for test in tests if test.task == task), Decimal(0)),
            points_max=sum((test.points_max for test in tests if test.task == task), Decimal(0)),
        )
        for task, title in titles.items()
    ]


_PHO = '{"id": 41, "name": "Pho", "price": 9.5, "tags": ["soup", "beef"], "stock": {"kitchen": 3}}'
_TITLES = {"known-dish": "Answer a known dish", "missing-dish": "Say that a dish is missing"}


def passed() -> Report:
    """Every point earned."""
    tests = [
        passing("test_every_dish", "Every dish can be fetched by its id.", "known-dish", "3"),
        passing("test_is_json", "The answer is JSON.", "known-dish", "1"),
        passing("test_missing", "An unknown id gets a 404.", "missing-dish", "4"),
        passing("test_missing_json", "The 404 is JSON too, with an `error` that says which id.", "missing-dish", "2"),
    ]
    return report(status="passed", tests=tests, tasks=_tasks(tests, _TITLES))


def failed() -> Report:
    """Six of ten points: a wrong status, a wrong body, a call that raised, too many statements, and one not run."""
    tests = [
        passing("test_every_dish", "Every dish can be fetched by its id.", "known-dish", "3"),
        passing("test_is_json", "The answer is JSON.", "known-dish", "2"),
        failing(
            "test_price",
            "The price is in cents, as a whole number.",
            "known-dish",
            transcript=[
                http(
                    "POST",
                    "/dishes",
                    201,
                    sent='{"name": "Pho", "price": 950}',
                    body='{"id": 41}',
                    Location="/dishes/41",
                ),
                http(
                    "GET",
                    "/dishes/41",
                    200,
                    body=_PHO,
                    is_deciding=True,
                    Set_Cookie=f"session={'eyJhbGciOiJIUzI1NiJ9.' * 4}; Path=/",
                ),
            ],
            expected='{"name": "Pho", "id": 41, "price": 950, "tags": ["soup", "beef"], "stock": {"kitchen": 3}}',
            got=_PHO,
            message="the bodies differ",
        ),
        failing(
            "test_missing",
            "An unknown id gets a 404.",
            "missing-dish",
            "1",
            transcript=[
                http(
                    "GET",
                    "/dishes/93",
                    500,
                    body="<!doctype html>\n<html lang=en>\n<title>500 Internal Server Error</title>\n"
                    "<h1>Internal Server Error</h1>\n<p>The server encountered an internal error and was unable to"
                    " complete your request.</p>\n",
                    content_type="text/html; charset=utf-8",
                    is_deciding=True,
                )
            ],
            expected="404",
            got="500",
            frames=[
                Frame(
                    file="app.py",
                    line=12,
                    function="one_dish",
                    code="    return jsonify(DISHES[dish_id])",
                    values={"dish_id": "93"},
                )
            ],
            usually="the id isn't in your dictionary: look before you take, or catch the KeyError",
            output="looking for 93\nTraceback (most recent call last):\nKeyError: 93\n",
        ),
        failing(
            "test_menu_queries",
            "The menu needs at most two statements, however many dishes it has.",
            "missing-dish",
            transcript=[
                Exchange(
                    kind="app", request={"action": "restart", "env": {"MENU": "big", "DEBUG": None}, "config": False}
                ),
                Exchange(
                    kind="sql", request={"sql": "SELECT count(*) FROM dish", "params": "()"}, response={"rows": 1}
                ),
                Exchange(
                    kind="call",
                    request={"function": "menu", "args": ["<session>"], "kwargs": {"limit": "40"}},
                    response={"value": "[('Pho', 950)]"},
                    is_deciding=True,
                ),
            ],
            expected="at most 2 statements",
            got="43 statements",
            statements=[
                Statement(sql="SELECT dish.id, dish.name\nFROM dish", count=1, rows=41),
                Statement(sql="SELECT tag.name FROM tag WHERE tag.dish_id = ?", count=41, rows=97),
                Statement(sql="SELECT colour FROM tag", count=1, error="no such column: colour"),
            ],
        ),
        failing(
            "test_raises",
            "An id that is no number is refused with ValueError.",
            "missing-dish",
            "0.5",
            transcript=[
                Exchange(
                    kind="call",
                    request={"function": "one_dish", "args": ["'x'"], "kwargs": {}},
                    response={"raised": {"type": "KeyError", "message": "'x'"}},
                )
            ],
            expected="ValueError",
            got="KeyError",
        ),
        passing("test_missing_json", "The 404 is JSON too, with an `error` that says which id.", "missing-dish"),
        failing(
            "test_after",
            "A removed dish gets a 404.",
            "missing-dish",
            "0.5",
            status="skip",
            message="it needs “An unknown id gets a 404.”",
        ),
    ]
    return report(tests=tests, tasks=_tasks(tests, _TITLES))


def hostile() -> Report:
    """Every text that a learner can influence is made to break out of the output."""
    tests = [
        passing("test_fine", "It answers.", "known-dish"),
        failing(
            "test_hostile",
            "The answer is greeted.",
            "known-dish",
            transcript=[
                Exchange(
                    kind="http",
                    request={
                        "method": "POST",
                        "path": f"/{HOSTILE}",
                        "headers": [["X-Sent", HOSTILE]],
                        "body": HOSTILE,
                        "body_bytes": 200,
                        "truncated": True,
                        "curl": f"curl -i 'http://127.0.0.1:8000/{HOSTILE}'",
                    },
                    response={
                        "status": 200,
                        "reason": HOSTILE,
                        "headers": [["X-Evil", HOSTILE], [HOSTILE, "x"]],
                        "body": HOSTILE,
                        "body_bytes": 200,
                        "truncated": True,
                        "elapsed_ms": 1.0,
                    },
                )
            ],
            statements=[Statement(sql=HOSTILE, count=3)],
            expected=HOSTILE + "x",
            got=HOSTILE,
            message=HOSTILE,
            frames=[Frame(file=HOSTILE, line=1, function=HOSTILE, code=HOSTILE, values={HOSTILE: HOSTILE})],
            output=HOSTILE,
            usually="something else",
        ),
    ]
    return report(tests=tests, tasks=_tasks(tests, {"known-dish": "Answer a known dish"}), output=HOSTILE)


def broken() -> Report:
    """The app was stopped for its memory before the second test; the rest was not run."""
    tests = [
        passing("test_every_dish", "Every dish can be fetched by its id.", "known-dish", "3"),
        *(
            failing(
                f"test_{place}",
                f"Promise number {place} holds.",
                "missing-dish",
                status="skip",
                message="the app ended",
            )
            for place in range(1, 8)
        ),
    ]
    return report(
        status="broken",
        message="stopped: it used more than 256 MiB",
        limit="memory",
        usually="a list or a cache that grows with every request",
        tests=tests,
        tasks=_tasks(tests, _TITLES),
        frames=[
            Frame(file="app.py", line=7, function="load", code="    MENU += MENU", values={"MENU": "[{'id': 1, ...}]"})
        ],
        output="loading the menu\nloading the menu again\n",
    )


def not_started() -> Report:
    """A syntax error: no test was run at all."""
    return report(
        status="broken",
        message="app.py, line 3: expected ':'\n    def create_app()\n                    ^",
        points=Decimal(0),
        points_max=Decimal(10),
        tasks=[
            TaskResult(id="known-dish", title="Answer a known dish", points=Decimal(0), points_max=Decimal(4)),
            TaskResult(id="missing-dish", title="Say that a dish is missing", points=Decimal(0), points_max=Decimal(6)),
        ],
    )


NOT_READ = "app.py, line 3 can't be read as Python: expected ':'\n    def create_app()\n                    ^"


def not_run() -> Report:
    """A syntax error, as the grader tells it: the tests are named, and none was run."""
    tests = [
        failing(f"test_{task}_{place}", f"Promise {place} of {task}.", task, status="skip", message="it was not run")
        for task in ("known-dish", "missing-dish")
        for place in (1, 2)
    ]
    return report(
        status="broken",
        message=NOT_READ,
        frames=[Frame(file="app.py", line=3, function="", code="def create_app()")],
        points=Decimal(0),
        points_max=Decimal(4),
        tests=tests,
        tasks=_tasks(tests, _TITLES),
    )


def grader_error() -> Report:
    """The engine went away in the middle: nobody's points."""
    return report(
        status="grader-error",
        message="the container engine stopped answering",
        points=Decimal(0),
        points_max=Decimal(10),
        tasks=[TaskResult(id="known-dish", title="Answer a known dish", points=Decimal(0), points_max=Decimal(10))],
        tests=[
            msgspec.structs.replace(
                passing("test_every_dish", "Every dish can be fetched by its id.", "known-dish", "3"), points=Decimal(0)
            )
        ],
    )


def unsound() -> Report:
    """The exercise itself can't be read: there is not even a test to name."""
    return report(
        status="grader-error", message="the exercise is at fault, not the solution:\nx/exercise.toml:1: `title` is missing",
        points=Decimal(0), points_max=Decimal(0), tasks=[], tests=[],
    )  # fmt: skip


def decimals() -> Report:
    """Points that binary fractions can't hold."""
    tests = [
        *(passing(f"test_{place}", f"Tenth number {place}.", "known-dish", "0.1") for place in range(1, 4)),
        failing("test_rest", "The rest.", "known-dish", "0.70", expected="1", got="2"),
    ]
    return report(tests=tests, tasks=_tasks(tests, {"known-dish": "Answer a known dish"}))


def huge() -> Report:
    """Every text as long as a learner can make it."""
    long = HOSTILE * 150
    tests = [
        msgspec.structs.replace(
            hostile().tests[1], name=f"test_{place}", output=long, got=long, expected=long + "x", message=long
        )
        for place in range(25)
    ]
    return report(tests=tests, tasks=_tasks(tests, {"known-dish": "Answer a known dish"}), output=long)


ALL = {
    maker.__name__: maker
    for maker in (passed, failed, hostile, broken, not_started, not_run, grader_error, unsound, decimals, huge)
}
