"""Choose a sandbox, and say why in words."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass

from grader.error import NoSandbox, SandboxError, UsageError
from grader.sandbox.pod import Sandbox, WarmSandbox

NAMES = ("docker", "bubblewrap", "local")
PROBE_S = 10
KNOWN_IMAGE_S = 24 * 3600
KNOWN_FAILURE_S = 600
KNOWN_SANDBOX_S = 3600

HOW_TO_GET_ONE = (
    "Debian or Ubuntu: sudo apt-get install bubblewrap",
    "Fedora: sudo dnf install bubblewrap",
    "macOS: brew install colima docker && colima start",
)


@dataclass(frozen=True)
class Choice:
    """A sandbox and the reason for it; `notice` is what the user should know, or empty."""

    sandbox: Sandbox
    reason: str
    notice: str = ""

    @property
    def name(self) -> str:
        """The sandbox's name."""
        return self.sandbox.name


def choose(
    wanted: str | None = None,
    *,
    is_own: bool,
    say: Callable[[str], None] = lambda _line: None,
    runtime: str | None = None,
) -> Choice:
    """Choose the sandbox that was asked for, else the best that works here.

    `is_own` is whether the submission is the user's own code: only that is ever run without isolation unasked.

    Raises:
        UsageError: no sandbox has that name.
        NoSandbox: the one asked for doesn't work here, or none does and the code is someone else's.
    """
    wanted = wanted or os.environ.get("GRADE_SANDBOX") or None
    if wanted is not None and wanted not in NAMES:
        raise UsageError(f"no sandbox named `{wanted}`", hint="one of " + ", ".join(NAMES))
    if wanted == "local":
        return Choice(named("local"), "it was asked for", "graded without isolation: `local` was asked for")
    problems = []
    for name in (wanted,) if wanted else ("docker", "bubblewrap"):
        problem = docker_problem() if name == "docker" else _bubblewrap_problem_lately()
        if problem is None and name == "docker" and not wanted:
            problem = image_problem(say)
        if problem is None:
            reason = "it was asked for" if wanted else _REASONS[name]
            return Choice(named(name, say=say, runtime=runtime), reason)
        problems.append(f"{name}: {problem}")
    if wanted:
        raise NoSandbox(f"the sandbox `{wanted}` doesn't work here: {problems[0].partition(': ')[2]}", hint=_ways())
    if is_own:
        return Choice(
            named("local"),
            "; ".join(problems),
            "no container engine: graded without isolation, your own code on your own machine\n" + _ways(),
        )
    raise NoSandbox(
        "no sandbox works here, and other people's code is not run without one (" + "; ".join(problems) + ")",
        hint=_ways() + "\nor, in a container that is thrown away: --sandbox local",
    )


_REASONS = {
    "docker": "a container engine answers",
    "bubblewrap": "no container engine can be used, and bubblewrap works",
}


def _ways() -> str:
    return "to get a sandbox:\n" + "\n".join(f"  {way}" for way in HOW_TO_GET_ONE)


def docker_problem() -> str | None:
    """Say why no engine can be used, or `None` where one answers."""
    from grader.sandbox.engine import engine_socket

    return None if engine_socket() else "no container engine answers"


def image_problem(say: Callable[[str], None]) -> str | None:
    """Say why the image can't be had, or `None` where it is there or could be built.

    Nobody asked for docker by name, so an engine without an image is no reason to stop: bubblewrap may do.
    """
    from grader.sandbox.image import ensure_image, failure_mark, read_recipe
    from grader.sandbox.runtime_folder import is_marked, mark

    recipe = read_recipe()
    success_mark = f"image-{recipe.tag.partition(':')[2]}"
    if is_marked(success_mark, within_s=KNOWN_IMAGE_S):
        return None
    if is_marked(failure_mark(recipe), within_s=KNOWN_FAILURE_S):
        return "its image could not be built some minutes ago"
    from grader.sandbox.engine import connect

    try:
        with connect() as api:
            ensure_image(api, say=say)
    except SandboxError as error:
        mark(failure_mark(recipe))
        say(f"docker is not used: {error.message}" + (f" ({error.hint})" if error.hint else ""))
        return "its image could not be built"
    mark(success_mark)
    return None


def _bubblewrap_problem_lately() -> str | None:
    """As `bubblewrap_problem`, but what worked a short while ago is taken to work still."""
    from grader.sandbox.bubblewrap import program
    from grader.sandbox.runtime_folder import is_marked, mark

    bwrap = program()
    name = f"bubblewrap-{os.stat(bwrap).st_mtime_ns}" if bwrap else ""
    if name and is_marked(name, within_s=KNOWN_SANDBOX_S):
        return None
    problem = bubblewrap_problem()
    if problem is None:
        mark(name)
    return problem


@functools.cache
def bubblewrap_problem() -> str | None:
    """Say why bubblewrap can't be used, or `None` where it makes namespaces."""
    import subprocess  # mostly the answer is known

    from grader.sandbox.bubblewrap import program

    bwrap = program()
    if bwrap is None:
        return "`bwrap` is not installed"
    user = [] if os.geteuid() == 0 else ["--unshare-user"]
    probe = [bwrap, *user, "--unshare-net", "--unshare-pid", "--ro-bind", "/", "/", "--proc", "/proc", "/bin/true"]
    try:
        found = subprocess.run(probe, capture_output=True, timeout=PROBE_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"`bwrap` could not be started: {error}"
    if found.returncode == 0:
        return None
    return "`bwrap` can't make namespaces: " + found.stderr.decode("utf-8", "replace").strip()[:200]


def named(name: str, *, say: Callable[[str], None] = lambda _line: None, runtime: str | None = None) -> WarmSandbox:
    """Give the sandbox of a name, without asking whether it works here."""
    if name == "docker":
        from grader.sandbox.docker import DockerSandbox

        return DockerSandbox(say=say, runtime=runtime)
    if name == "bubblewrap":
        from grader.sandbox.bubblewrap import BubblewrapSandbox

        return BubblewrapSandbox()
    from grader.sandbox.local import LocalSandbox

    return LocalSandbox()
