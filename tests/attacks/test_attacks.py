"""Every attack of `submissions/`, on every sandbox that isolates: it gains no point, learns nothing, and leaves nothing.

A submission's `manifest.json` says what it attempts and the most that it may get; the README has the keys.
"""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from grader.error import RefusedSubmission
from grader.exercise import Exercise, load_exercise
from grader.grading import Options, grade
from grader.inside.processes import descendants
from grader.render import FORMATS, render
from grader.report import Report, to_json
from grader.sandbox import cgroup
from grader.sandbox.choose import Choice
from grader.sandbox.docker import LABEL
from grader.sandbox.engine import connect
from grader.sandbox.image import ensure_image
from grader.sandbox.owner import owner_mark
from grader.submission import Submission, read_submission
from tests.attacks.canary import Canary
from tests.situation import told

HERE = Path(__file__).parent
SUBMISSIONS = HERE / "submissions"

WALL_S = 12.0
GRACE_S = 5.0
"""What a grading may take beyond its wall limit: the boxes' start and end."""

SECRET_ENV = "GRADER-SECRET-ENV-91ab"
SECRET_FILE = "GRADER-SECRET-FILE-c41f"
SECRET_FOLDERS = "/etc /root /home /opt /srv /var/lib /var/tmp /tmp /usr/src /usr/local/src".split()
NEVER_SEEN = ("HIDDEN-CANARY-", SECRET_ENV, SECRET_FILE)
EVIDENCE = re.compile(r"EVIDENCE:\w+:YES")
EVIDENCE_FOLDERS = "/ /etc /usr/local /usr/local/lib /root /home /opt /tmp /var/tmp /dev/shm ~ . ..".split()

MAX_REPORT_BYTES = 4 * 1024 * 1024
MAX_GRADER_MIB = 600
MAX_DISK_MIB = 256
"""The disk is shared with whatever else runs here, so this is far above what a grading takes: nothing."""


@dataclass(frozen=True)
class Attack:
    """One submission and what its manifest says."""

    folder: Path
    manifest: dict[str, Any]

    @property
    def source(self) -> Path:
        """What is handed over: the folder, or the archive in it."""
        archive = self.folder / "submission.tar"
        return archive if archive.exists() else self.folder

    @property
    def times(self) -> int:
        return 3 if self.manifest.get("thrice") else 2 if self.manifest.get("twice") else 1

    @property
    def exercise(self) -> Exercise:
        return load_exercise(HERE / self.manifest.get("exercise", "exercise-bank"))


def _attacks() -> list[Attack]:
    return [
        Attack(folder, json.loads((folder / "manifest.json").read_text(encoding="utf-8")))
        for folder in sorted(SUBMISSIONS.iterdir())
        if folder.is_dir()
    ]


@dataclass
class Traces:
    """What a grading could leave on this machine. It looks for what is this process's own: others may grade meanwhile."""

    temp: Path
    uses_engine: bool
    begun: float = field(default_factory=time.time)

    def __post_init__(self) -> None:
        self.used_bytes = shutil.disk_usage(self.temp).used
        self.children = set(descendants(os.getpid()))
        self.tree = _tree()

    def found(self) -> list[str]:
        """Name everything that is left; empty when all is as it was."""
        marks = [f"{owner_mark()}-"]
        left: list[str] = []
        if self.uses_engine:
            containers, created = self._containers()
            left += [f"container {name}" for name in containers]
            marks += created
        left += self._processes(marks)
        left += [f"mount {line}" for line in _lines("/proc/self/mountinfo") if any(mark in line for mark in marks)]
        left += [f"control group {path}" for path in _cgroups(marks)]
        left += [f"file {path}" for path in self.temp.rglob("*")]
        left += [f"file {path}" for path in _evidence_files()]
        left += [f"setuid file {path}" for path in _setuid_files(self.begun)]
        if _tree() != self.tree:
            left.append("a file of the course or of the tests was changed")
        taken_mib = (shutil.disk_usage(self.temp).used - self.used_bytes) // 1024 // 1024
        if taken_mib > MAX_DISK_MIB:
            left.append(f"{taken_mib} MiB of disk")
        peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        if peak_mib > MAX_GRADER_MIB:
            left.append(f"a grader that took {peak_mib} MiB")
        return left

    def _containers(self) -> tuple[list[str], list[str]]:
        """Give this process's containers that are still there, and the ids of all that were made meanwhile."""
        mine = {"label": f"{LABEL}={owner_mark()}"}
        with connect() as api:
            there = [str(container["Names"]) for container in api.containers(all=True, filters=mine)]
            period = {"since": f"{self.begun - 1:.3f}", "until": f"{time.time():.3f}"}
            events = api.events(**period, filters={**mine, "type": "container", "event": "create"}, decode=True)
            return there, [str(event["id"]) for event in events]

    def _processes(self, marks: list[str]) -> list[str]:
        deadline = time.monotonic() + 2
        while True:
            left = [f"process {pid}" for pid in descendants(os.getpid()) if pid not in self.children]
            for entry in os.listdir("/proc"):
                if entry.isdigit() and any(mark in line for line in _lines(f"/proc/{entry}/cgroup") for mark in marks):
                    left.append(f"process {entry}: {' '.join(_lines(f'/proc/{entry}/status')[:3])}")
            if not left or time.monotonic() > deadline:
                return left
            time.sleep(0.02)


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(errors="replace").splitlines()
    except OSError:
        return []


def _cgroups(marks: list[str]) -> Iterator[Path]:
    for parent in ("", "*/"):
        for owner in (cgroup.PARENT, "docker", "system.slice"):
            for path in cgroup.MOUNT.glob(f"{parent}{owner}/*"):
                if any(mark in path.name for mark in marks):
                    yield path


def _evidence_files() -> Iterator[Path]:
    for folder in {Path(name).expanduser().resolve() for name in EVIDENCE_FOLDERS}:
        with suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith(("EVIDENCE_", ".atk_state")):
                    yield Path(entry.path)


def _setuid_files(since: float) -> Iterator[Path]:
    """Find new files with the setuid or setgid bit where anybody may write."""
    for top in ("/tmp", "/var/tmp", "/dev/shm"):
        for folder, folders, names in os.walk(top):
            if folder.count("/") > top.count("/") + 2:
                folders.clear()
            for name in names:
                with suppress(OSError):
                    state = os.lstat(os.path.join(folder, name))
                    if stat.S_ISREG(state.st_mode) and state.st_mode & 0o6000 and state.st_ctime >= since:
                        yield Path(folder, name)


def _tree() -> dict[str, tuple[int, int]]:
    """Give size and time of every file of the attacks and their exercises."""
    found = {}
    for folder, folders, names in os.walk(HERE):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in names:
            state = os.lstat(os.path.join(folder, name))
            found[os.path.join(folder, name)] = (state.st_size, state.st_mtime_ns)
    return found


@pytest.fixture(scope="module")
def secret_files() -> Iterator[None]:
    """Secrets where a grader's configuration or a course may lie on this machine, as far as this user may write there."""
    made = []
    own = [f"{folder}/grader_secret_{os.getpid()}" for folder in SECRET_FOLDERS]
    for path in ("/etc/grader_secret", *own):
        with suppress(OSError):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
            made.append(path)
            os.write(descriptor, f"{SECRET_FILE}\n".encode())
            os.close(descriptor)
    yield
    for path in made:
        os.unlink(path)


@pytest.fixture(scope="module")
def canary() -> Iterator[None]:
    """A service on this machine's own loopback network, which no box may reach."""
    with Canary(18080) as service:
        yield
    assert service.visitors == [], "a box reached a service of this machine"


@pytest.fixture(scope="module")
def image() -> None:
    """Build the boxes' image ahead, so that no grading's time counts it."""
    with connect() as api:
        ensure_image(api, say=print)


@pytest.fixture
def temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of this test's own in place of the machine's for temporary files."""
    folder = tmp_path / "temp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return folder


@pytest.mark.parametrize("attack", [pytest.param(attack, id=attack.folder.name) for attack in _attacks()])
@pytest.mark.parametrize(
    "sandbox",
    [pytest.param("docker", marks=pytest.mark.docker), pytest.param("bubblewrap", marks=pytest.mark.bubblewrap)],
)
@pytest.mark.usefixtures("secret_files", "canary")
def test_an_attack_gains_nothing_learns_nothing_and_leaves_nothing(
    attack: Attack,
    sandbox: str,
    choose_named: Callable[[str], Choice],
    temp: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    """No submission scores above its honest part, sees a secret, outlives its time, or leaves a trace."""
    choice = choose_named(sandbox)
    if sandbox == "docker":
        request.getfixturevalue("image")
    monkeypatch.setenv("GRADER_SECRET", SECRET_ENV)
    exercise = attack.exercise
    traces = Traces(temp, uses_engine=sandbox == "docker")
    submission = _read(attack)
    if submission is None:
        assert traces.found() == []
        return

    first: Report | None = None
    for _ in range(attack.times):
        heard: list[Any] = []
        started = time.monotonic()
        report = grade(exercise, submission, choice, Options(wall_s=WALL_S), heard.append)
        elapsed_s = time.monotonic() - started

        assert report.status in ("passed", "failed", "broken"), report.message
        assert report.message
        assert elapsed_s < WALL_S + GRACE_S
        if not attack.manifest.get("info"):
            assert report.points <= attack.manifest["max_honest_score"]
            assert report.points >= attack.manifest.get("min_score", 0), told(report)
        _assert_nothing_is_told(report, heard, exercise, submission)
        assert traces.found() == []
        if first is not None and not attack.manifest.get("info"):
            assert _outcome(report) == _outcome(first)
        first = first or report


def _read(attack: Attack) -> Submission | None:
    """Read the submission; `None` when it is refused, which must be told by name and reason."""
    try:
        return read_submission(attack.source)
    except RefusedSubmission as refused:
        nameless = [problem for problem in refused.problems if not re.match(r"`.+` \w+", problem)]
        if nameless or not refused.problems:
            pytest.fail(f"refused without a name and a reason: {refused.problems}")
        return None


def _outcome(report: Report) -> Any:
    return report.status, report.points, [(test.name, test.status) for test in report.tests]


def _assert_nothing_is_told(report: Report, heard: list[Any], exercise: Exercise, submission: Submission) -> None:
    """No form of the report holds a secret, or a line of the hidden tests or of the reference."""
    data = to_json(report)
    assert len(data) < MAX_REPORT_BYTES
    texts = "\n".join([*_strings(json.loads(data)), *(text for test in heard for text in _strings(repr(test)))])
    for format in FORMATS:
        output = render(report, format).decode("utf-8")
        texts += output
        if format == "text":
            assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", output)
        if format == "html":
            assert "<script>alert" not in output
    for secret in NEVER_SEEN:
        assert secret not in texts
    assert not EVIDENCE.search(texts)
    for line in _hidden_lines(exercise, submission):
        assert line not in texts


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, entry in value.items():
            yield key
            yield from _strings(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _strings(entry)


def _hidden_lines(exercise: Exercise, submission: Submission) -> set[str]:
    """Give the lines of the hidden tests and the reference that are long enough to be told from any other."""
    own = b"\n".join(submission.files.values()).decode("utf-8", "replace")
    sources = [*exercise.test_files().values(), *exercise.files_of("reference").values()]
    lines = {line.strip() for source in sources for line in source.decode("utf-8").splitlines()}
    return {line for line in lines if len(line) > 24 and '"""' not in line and line not in own}


def test_the_exercises_of_the_attacks_are_sound(choose_named: Callable[[str], Choice]) -> None:
    """The reference earns every point and the starter none, so that an attack's score means something."""
    for folder in sorted(HERE.glob("exercise-*")):
        exercise = load_exercise(folder)
        choice = choose_named("bubblewrap")
        for part, points in (("reference", exercise.points_max), ("starter", 0)):
            report = grade(exercise, read_submission(folder / part), choice)
            assert report.points == points, (folder.name, part, report.message)


def test_every_manifest_says_what_is_judged() -> None:
    """A manifest without its maximum would let anything through."""
    for attack in _attacks():
        manifest = attack.manifest
        assert manifest["name"] == attack.folder.name
        assert manifest["doc"]
        assert 0 <= manifest.get("min_score", 0) <= manifest["max_honest_score"] <= manifest["out_of"]
        assert manifest["out_of"] == attack.exercise.points_max
