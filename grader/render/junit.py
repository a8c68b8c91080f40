"""JUnit XML, as pytest writes it; read by GitLab, Jenkins and Artemis.

Structure: junit-10.xsd of Jenkins's xunit plugin. `failure` is the learner's, `error` is the grader's, and a test
that was not run is `skipped`. Points stand as properties of the suite, and of each test as pytest's
`record_property` writes them; with `strict` only of the suite, because that schema has no properties in a test.

XML 1.0 forbids most control characters even as references; all text is made visible before it comes here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from grader.render import account
from grader.render.plain import cut, figure, fit, one_line, tail, visible

if TYPE_CHECKING:
    from grader.report import Report, TestResult

LIMIT_BYTES = 2_000_000
_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_ATTRIBUTE = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
)


def render(report: Report, *, strict: bool = False) -> bytes:
    """Write one test suite, named after the exercise."""
    told = [account.text_of_test(test) for test in report.tests]
    return fit(lambda size: _document(report, told, size, strict).encode(), LIMIT_BYTES)


def _document(report: Report, told: Sequence[str], size: int, is_strict: bool) -> str:
    cases = [
        _case(report, test, cut(text, size), size, is_strict) for test, text in zip(report.tests, told, strict=True)
    ]
    failures = sum(test.status == "fail" for test in report.tests)
    errors = sum(test.status == "error" for test in report.tests)
    skipped = sum(test.status == "skip" for test in report.tests)
    if report.status == "broken":
        cases.append(_whole(report, "failure", "keeps running", size))
        failures += 1
    elif report.status == "grader-error":
        cases.append(_whole(report, "error", "was graded", size))
        errors += 1
    counts = {"tests": len(cases), "failures": failures, "errors": errors}
    time = f"{account.duration_s(report):.3f}"
    suite = _attributes(
        name=report.exercise.id, **counts, skipped=skipped, time=time, timestamp=report.created, hostname="localhost"
    )
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f"<testsuites{_attributes(name=report.exercise.title, **counts, time=time)}>",
        f"<testsuite{suite}>",
        "<properties>",
        *_properties(_facts(report)),
        "</properties>",
        *cases,
    ]
    if report.output.strip():
        lines.append(_element("system-out", tail(visible(report.output), size)))
    return "\n".join([*lines, "</testsuite>", "</testsuites>", ""])


def _facts(report: Report) -> dict[str, str]:
    facts: dict[str, str] = {"status": report.status}
    if report.status != "grader-error":
        facts |= {"points": figure(report.points), "points_max": figure(report.points_max)}
        for task in report.tasks:
            facts[f"task.{task.id}.points"] = figure(task.points)
            facts[f"task.{task.id}.points_max"] = figure(task.points_max)
    return facts | {
        "exercise.digest": report.exercise.digest,
        "submission.digest": report.submission.digest,
        "seed": str(report.seed),
        "sandbox": report.sandbox.name,
        "grader_version": report.grader_version,
        "report": report.id,
    }


def _case(report: Report, test: TestResult, told: str, size: int, is_strict: bool) -> str:
    head = _attributes(
        classname=f"{report.exercise.id}.{test.task}",
        name=cut(one_line(test.title), size),
        time=f"{test.duration_ms / 1000:.3f}",
    )
    inside: list[str] = []
    if not is_strict:
        facts = {"test": test.name, "task": test.task}
        if report.status != "grader-error":
            facts |= {"points": figure(test.points), "points_max": figure(test.points_max)}
        inside += ["<properties>", *_properties(facts), "</properties>"]
    if test.status == "fail":
        inside.append(_element("failure", told, message=account.brief(test), type="failed"))
    elif test.status == "error":
        inside.append(_element("error", told, message=account.GRADER_FAILED, type="grader-error"))
    elif test.status == "skip":
        inside.append(_element("skipped", "", message=account.brief(test), type="not-run"))
    if test.output.strip():
        inside.append(_element("system-out", tail(visible(test.output), size)))
    return "\n".join([f"<testcase{head}>", *inside, "</testcase>"]) if inside else f"<testcase{head} />"


def _whole(report: Report, kind: str, name: str, size: int) -> str:
    told = cut(account.text_of_report(report), size)
    message = account.GRADER_FAILED if kind == "error" else one_line(report.message, 300) or "it broke"
    trouble = _element(kind, told, message=message, type=report.limit or report.status)
    head = _attributes(classname=f"{report.exercise.id}.submission", name=name, time="0.000")
    return f"<testcase{head}>\n{trouble}\n</testcase>"


def _properties(facts: dict[str, str]) -> list[str]:
    return [f"<property{_attributes(name=name, value=value)} />" for name, value in facts.items()]


def _attributes(**values: str | int) -> str:
    return "".join(f' {name}="{visible(str(value)).translate(_ATTRIBUTE)}"' for name, value in values.items())


def _element(name: str, text: str, **attributes: str) -> str:
    return f"<{name}{_attributes(**attributes)}>{text.translate(_TEXT)}</{name}>"
