"""`grade doctor`: what was found, what would be chosen and why, and each limit proven by hitting it."""

from __future__ import annotations

import json
import platform

import click

from grader import __version__
from grader.cli.common import has_colour, has_unicode, say
from grader.diagnosis import Finding, diagnose, diagnose_class
from grader.error import GraderError
from grader.sandbox.choose import bubblewrap_problem, choose, docker_problem
from grader.sandbox.kept import waiting
from grader.sandbox.pod import WarmSandbox


@click.command("doctor", short_help="Prove the limits of every sandbox that works here.")
@click.option("--sandbox", type=click.Choice(["docker", "bubblewrap", "local"]), help="Look at this one only.")
@click.option("--format", "format_name", type=click.Choice(["text", "json"]), default="text", show_default=True)
def doctor(sandbox: str | None, format_name: str) -> int:
    """Show which sandboxes work here, which one would be chosen and why, and prove every limit by hitting it.

    Exit code: 0 when a sandbox that isolates works and enforces everything, else 1.
    """
    problems = {"docker": docker_problem(), "bubblewrap": bubblewrap_problem()}
    names = [sandbox] if sandbox else [name for name, problem in problems.items() if problem is None]
    chosen = choose(is_own=True)
    found: dict[str, list[Finding]] = {}
    broken: dict[str, str] = {}
    for name in names:
        if format_name == "text":
            say(f"hitting the limits of {name} (some seconds)")
        try:
            works = choose(name, is_own=True, say=say).sandbox
            found[name] = diagnose(works)
            if isinstance(works, WarmSandbox) and name != "local":
                found[name].append(diagnose_class(works))
        except GraderError as error:
            broken[name] = error.message
    if format_name == "json":
        click.echo(_as_json(problems, chosen.name, chosen.reason, found, broken))
    else:
        _write(problems, chosen.name, chosen.reason, found, broken)
    is_sound = any(all(finding.is_enforced for finding in findings) for findings in found.values())
    return 0 if is_sound and not broken else 1


def _as_json(
    problems: dict[str, str | None], chosen: str, reason: str, found: dict[str, list[Finding]], broken: dict[str, str]
) -> str:
    document = {
        "grader_version": __version__,
        "problems": problems,
        "chosen": {"name": chosen, "reason": reason},
        "broken": broken,
        "sandboxes": {
            name: [{"title": each.title, "enforced": each.is_enforced, "seen": each.seen} for each in findings]
            for name, findings in found.items()
        },
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _write(
    problems: dict[str, str | None], chosen: str, reason: str, found: dict[str, list[Finding]], broken: dict[str, str]
) -> None:
    yes, no = ("✓", "✗") if has_unicode() else ("ok", "NO")
    click.echo(f"grade {__version__}, Python {platform.python_version()} on {platform.system()} {platform.machine()}")
    click.echo()
    for name, problem in problems.items():
        click.echo(f"{name + ':':<12} {problem or 'works'}")
    click.echo(f"{'chosen:':<12} {chosen}, because {reason.splitlines()[0]}")
    for each in waiting():
        click.echo(
            f"{'waiting:':<12} boxes in {each.sandbox} for the next grading; process {each.pid} ends in {each.ends_in_s} s "
            f"(now: kill {each.pid})"
        )
    for name, message in broken.items():
        click.echo(f"\n{name}\n  {no} {message}")
    for name, findings in found.items():
        click.echo(f"\n{name}")
        for finding in findings:
            mark = yes if finding.is_enforced else no
            if has_colour():
                mark = click.style(mark, fg="green" if finding.is_enforced else "red")
            seen = f": {' '.join(finding.seen.split())[:120]}" if not finding.is_enforced and finding.seen else ""
            click.echo(f"  {mark} {finding.title.rstrip('.')}{seen}")
