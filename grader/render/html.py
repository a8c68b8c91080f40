"""One self-contained page: no script, no other file, light and dark, printable, readable by keyboard and ear.

Accessibility: WCAG 2.2 AA. State is always said in words; the contrast of every pair of colours in `_STYLE` is tested.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from grader.render import account
from grader.render.account import Block, Line
from grader.render.plain import counted, cut, figure, fit, of_points, one_line

if TYPE_CHECKING:
    from grader.report import Report, TestResult

LIMIT_BYTES = 4_000_000
_WORDS = {"pass": "passed", "fail": "failed", "skip": "not run", "error": "not graded"}
_RESULTS = {
    "passed": "passed",
    "failed": "not passed yet",
    "broken": "stopped before the end",
    "grader-error": "not graded",
}
_TAGS = {"minus": "del", "plus": "ins"}
_SIGNS = {"minus": "- ", "plus": "+ ", "same": "  ", "gap": "… "}

# Names are roles: text and its ground, a quieter text, code's ground, and a colour for each state.
_STYLE = """
:root {
  color-scheme: light dark;
  --text: #1b1f24; --ground: #ffffff; --quiet: #57606a; --line: #8c959f;
  --code-ground: #f3f4f6; --link: #0a58ca;
  --pass: #116329; --fail: #a40e26; --skip: #7a4a00; --error: #6e2ca5;
  --old-ground: #ffe5e3; --new-ground: #d9f7df;
}
@media (prefers-color-scheme: dark) {
  :root {
    --text: #e6e9ed; --ground: #14171c; --quiet: #a3adb8; --line: #6b7682;
    --code-ground: #1f242b; --link: #7fb2ff;
    --pass: #66d183; --fail: #ff8f87; --skip: #f0b95b; --error: #cda2ff;
    --old-ground: #4a1d21; --new-ground: #143d22;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1.5rem 1rem 3rem; max-width: 56rem; overflow-wrap: anywhere;
  background: var(--ground); color: var(--text); font: 1rem/1.5 system-ui, sans-serif;
}
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.25rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1.05rem; margin: 1.5rem 0 .5rem; display: flex; gap: 1rem; justify-content: space-between; }
h4 { font-size: 1rem; font-weight: 600; margin: 0; display: inline; }
p { margin: .25rem 0; }
.score { font-size: 1.35rem; font-weight: 700; margin: .25rem 0; }
.quiet { color: var(--quiet); }
.points { font-weight: 400; white-space: nowrap; }
.pass { color: var(--pass); } .fail { color: var(--fail); }
.skip { color: var(--skip); } .error { color: var(--error); }
.skip-link { position: absolute; left: -100rem; }
.skip-link:focus { position: static; }
a { color: var(--link); }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .35rem .5rem; border-bottom: 1px solid var(--line); vertical-align: top; }
td.number, th.number { text-align: right; white-space: nowrap; }
ol.tests { list-style: none; margin: 0; padding: 0; }
ol.tests > li { border-bottom: 1px solid var(--line); padding: .45rem 0; }
.state { display: inline-block; min-width: 6.5rem; font-weight: 600; }
ol.tests > li:not(:has(details)) { padding-left: 1.1rem; }
summary { cursor: pointer; }
.account { margin: .5rem 0 .5rem 1rem; }
.account dt { font-weight: 600; margin-top: .75rem; }
.account dd { margin: .25rem 0 0; }
pre {
  margin: 0; padding: .5rem .65rem; background: var(--code-ground); border-radius: .35rem;
  font: .875rem/1.45 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere;
}
del { background: var(--old-ground); } ins { background: var(--new-ground); }
del, ins { text-decoration: none; display: inline-block; min-width: 100%; }
pre.paste { border-left: .25rem solid var(--link); }
pre + pre { margin-top: .25rem; }
footer { margin-top: 2.5rem; border-top: 1px solid var(--line); font-size: .9rem; }
footer dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: .5rem 0; }
footer dt { color: var(--quiet); } footer dd { margin: 0; }
@media (max-width: 34rem) { footer dl { display: block; } .state { min-width: 0; margin-right: .5rem; } }
@media print {
  :root { color-scheme: light; }
  body { max-width: none; padding: 0; }
  .skip-link { display: none; }
  details::details-content { content-visibility: visible; display: block; block-size: auto; }
  li, pre, tr { break-inside: avoid; }
}
"""


def render(report: Report, *, details_open: int = 3) -> bytes:
    """Write the page; the first `details_open` failed tests stand open."""
    accounts = {
        test.name: account.of_test(test, account.FULL) for test in report.tests if test.status in ("fail", "error")
    }
    return fit(lambda size: _page(report, accounts, size, details_open).encode(), LIMIT_BYTES)


def _page(report: Report, accounts: dict[str, list[Block]], size: int, details_open: int) -> str:
    title = _safe(report.exercise.title)
    state = {"passed": "pass", "failed": "fail", "broken": "fail"}.get(report.status, "error")
    counts = account.tally(report)
    lines = [
        "<!doctype html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline';"
        " base-uri 'none'; form-action 'none'\">",
        f"<title>{_safe(account.headline(report))}: {title}</title>",
        f"<style>{_STYLE}</style>",
        "</head>",
        "<body>",
        '<a class="skip-link" href="#main">To the result of each test</a>',
        "<header>",
        f"<h1>{title}</h1>",
        f'<p class="score {state}">{_safe(account.headline(report))}</p>',
        f"<p>Result: {_RESULTS[report.status]}.{f' {_safe(counts)}.' if counts else ''}</p>",
        f'<p class="quiet">Graded {_time(report.created)} in {_safe(report.sandbox.name)}.</p>',
        "</header>",
        '<main id="main" tabindex="-1">',
    ]
    lines += _trouble(report, size)
    if report.status != "grader-error":
        lines += _tasks(report)
    lines += _tests(report, accounts, size, details_open)
    lines += [
        '<section aria-labelledby="next"><h2 id="next">What next</h2>',
        f"<p>{_with_code(account.next_step(report).removeprefix('Next: '))}</p>",
        "</section>",
        "</main>",
        *_footer(report),
        "</body>",
        "</html>",
        "",
    ]
    return "\n".join(lines)


def _trouble(report: Report, size: int) -> list[str]:
    if report.status not in ("broken", "grader-error"):
        return []
    return [
        '<section aria-labelledby="trouble"><h2 id="trouble">What happened</h2>',
        *_account(account.of_report(report, account.FULL), size),
        "</section>",
    ]


def _tasks(report: Report) -> list[str]:
    if not report.tasks:
        return []
    rows = [
        f'<tr><th scope="row">{_safe(task.title)}</th><td class="number">{figure(task.points)}</td>'
        f'<td class="number">{figure(task.points_max)}</td></tr>'
        for task in report.tasks
    ]
    return [
        '<section aria-labelledby="tasks"><h2 id="tasks">Tasks</h2>',
        "<table>",
        '<thead><tr><th scope="col">Task</th><th scope="col" class="number">Points</th>'
        '<th scope="col" class="number">Of</th></tr></thead>',
        f"<tbody>{''.join(rows)}</tbody>",
        "</table>",
        "</section>",
    ]


def _tests(report: Report, accounts: dict[str, list[Block]], size: int, details_open: int) -> list[str]:
    tests = [test for test in report.tests if report.status != "grader-error"]
    if not tests:
        return []
    opened = {name for name, _ in list(accounts.items())[:details_open]}
    lines = ['<section aria-labelledby="tests"><h2 id="tests">Tests</h2>']
    known = {task.id for task in report.tasks}
    groups = [(task.title, of_points(task.points, task.points_max), task.id) for task in report.tasks]
    if any(test.task not in known for test in tests):
        groups.append(("Other tests", "", ""))
    for title, points, task in groups:
        inside = [test for test in tests if test.task == task or (not task and test.task not in known)]
        if not inside:
            continue
        lines.append(f'<h3><span>{_safe(title)}</span> <span class="points">{points}</span></h3>')
        lines.append('<ol class="tests">')
        for test in inside:
            lines += _test(test, accounts.get(test.name), size, is_open=test.name in opened)
        lines.append("</ol>")
    return [*lines, "</section>"]


def _test(test: TestResult, blocks: list[Block] | None, size: int, *, is_open: bool) -> list[str]:
    state = f'<span class="state {test.status}">{_WORDS[test.status]}</span>'
    title = _with_code(test.title)
    if blocks:
        return [
            f"<li><details{' open' if is_open else ''}>",
            f"<summary>{state} <h4>{title}</h4></summary>",
            *_account(blocks, size),
            "</details></li>",
        ]
    note = f' <span class="quiet">{_safe(test.message)}</span>' if test.status == "skip" and test.message else ""
    return [f"<li>{state} {title}{note}</li>"]


def _account(blocks: Sequence[Block], size: int) -> list[str]:
    lines = ['<div class="account">']
    opening = [block for block in blocks if not block.label]
    for block in opening:
        lines += _lines(block.lines, size)
    labelled = [block for block in blocks if block.label]
    if labelled:
        lines.append("<dl>")
        for block in labelled:
            lines.append(f"<dt>{_safe(block.label[:1].upper() + block.label[1:])}</dt>")
            # Those words are the course's; what else is prose may hold backticks of the learner's.
            lines += ["<dd>", *_lines(block.lines, size, has_code=block.label == account.USUALLY), "</dd>"]
        lines.append("</dl>")
    return [*lines, "</div>"]


def _lines(lines: Sequence[Line], size: int, *, has_code: bool = False) -> list[str]:
    """Write prose as a paragraph a line, and what stands between as one block of code, or one for each step."""
    written: list[str] = []
    code: list[str] = []
    for line in lines:
        if line.kind in ("prose", "paste"):
            written += _block(code)
            code = []
            text = _with_code(cut(line.text, size)) if has_code else escape(cut(line.text, size))
            written.append(f"<p>{text}</p>" if line.kind == "prose" else f'<pre class="paste">{text}</pre>')
            continue
        if line.is_start:
            written += _block(code)
            code = []
        text = escape(_SIGNS.get(line.kind, "") + cut(line.text, size))
        tag = _TAGS.get(line.kind)
        code.append(f"<{tag}>{text}</{tag}>" if tag else text)
    return written + _block(code)


def _block(lines: list[str]) -> list[str]:
    # A newline right after the tag is dropped by the parser, and would be missing where a text begins with one.
    return ["<pre>\n" + "\n".join(lines) + "</pre>"] if lines else []


def _footer(report: Report) -> list[str]:
    replay = f"grade {account.short_name(report.exercise.id)} --seed {report.seed}"
    facts = [
        ("Exercise", f"{report.exercise.id} ({report.exercise.digest})"),
        ("Submission", f"{counted(len(report.submission.files), 'file')} ({report.submission.digest})"),
        ("Graded in", f"{report.sandbox.name}: {report.sandbox.reason}"),
        *(("Not enforced here", note) for note in report.sandbox.notes),
        ("Same test data again", replay),
        ("Limits", ", ".join(f"{name} {value:g}" for name, value in report.limits.items())),
        ("Duration", f"{account.duration_s(report):g} s"),
        ("Grader", report.grader_version),
        ("Report", report.id),
    ]
    rows = [f"<dt>{_safe(name)}</dt><dd>{_safe(value)}</dd>" for name, value in facts if value]
    return ["<footer>", '<h2 id="about">About this grading</h2>', f"<dl>{''.join(rows)}</dl>", "</footer>"]


def _time(moment: str) -> str:
    shown = re.sub(r"^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(:[\d.]+)?(Z|\+00:00)$", r"\1 \2 UTC", moment)
    return f'<time datetime="{_safe(moment)}">{_safe(shown)}</time>'


def _safe(text: str) -> str:
    return escape(one_line(text, 1000))


def _with_code(text: str) -> str:
    """Write a sentence of the course, with what stands in backticks as code."""
    parts = escape(one_line(text, 1000)).split("`")
    if len(parts) % 2 == 0:
        return "`".join(parts)
    return "".join(f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts))
