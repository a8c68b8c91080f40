"""Reports to store, a course to store them in, and a PostgreSQL server of one's own."""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from grader.report import ExerciseRef, Report, SandboxRef, SubmissionRef
from tests.conftest import need

MakeReport = Callable[..., Report]


@pytest.fixture
def make_report() -> MakeReport:
    """Make reports that differ in their ids and seeds; every field can be given."""
    numbers = itertools.count(1)

    def make(exercise: str = "exercise-03-one-dish", **fields: Any) -> Report:
        number = next(numbers)
        plain: dict[str, Any] = {
            "id": f"r{number:04}",
            "created": f"2025-03-{1 + number % 28:02}T10:00:00+00:00",
            "exercise": ExerciseRef(id=exercise, title="Find one dish", digest="e" * 64),
            "submission": SubmissionRef(digest="s" * 64, files=["app.py"]),
            "seed": number,
            "sandbox": SandboxRef(name="fake", reason="a test"),
            "status": "failed",
            "message": "6 of 10 points",
            "points": Decimal(6),
            "points_max": Decimal(10),
            "tasks": [],
            "tests": [],
            "grader_version": "1.0",
        }
        return msgspec.convert(plain | fields, Report)

    return make


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The learner's home folder."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    return home


@pytest.fixture
def state_dir(tmp_path: Path, home: Path) -> Path:
    """A course's `.grade/`, not made yet, in a folder with a space and letters beyond ASCII."""
    course = tmp_path / "küche & co"
    course.mkdir()
    return course / ".grade"


def _end_with_parent() -> None:
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGQUIT)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The address of a PostgreSQL server that only these tests use; it has no port, only a socket."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    binaries = found[-1] if found else Path(shutil.which("initdb") or "/missing/initdb").parent
    if not (binaries / "initdb").exists():
        need("postgresql", "no server is installed")
    # The server refuses to run as root.
    account = None
    if os.geteuid() == 0:
        try:
            account = pwd.getpwnam("postgres")
        except KeyError:
            need("postgresql", "root may not run it, and there is no account `postgres`")
    with contextlib.ExitStack() as stack:
        # Not below `tmp_path`: that is closed to others, and a socket's path may have 107 bytes at most.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="grade-pg-")))
        if account:
            os.chown(folder, account.pw_uid, account.pw_gid)

        options: dict[str, Any] = {
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.DEVNULL,
            "stderr": subprocess.STDOUT,
            "cwd": folder,
            "env": {"LC_ALL": "C", "PATH": os.defpath},
        }
        if account:
            options |= {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        initdb = [binaries / "initdb", "-D", folder / "data", "-U", "grader", "-A", "trust", "-N", "-E", "UTF8"]
        subprocess.run(initdb, check=True, **options)
        # A child that ends with the tests, also when those are killed.
        server = subprocess.Popen(
            [binaries / "postgres", "-D", "data", "-c", "listen_addresses=", "-k", folder, "-c", "fsync=off"],
            preexec_fn=_end_with_parent,
            **options,
        )
        stack.callback(server.wait)
        stack.callback(server.send_signal, signal.SIGQUIT)
        ready = [binaries / "pg_isready", "-q", "-h", folder]
        end = time.monotonic() + 60
        while subprocess.run(ready, check=False, **options).returncode:
            assert server.poll() is None, "PostgreSQL ended"
            assert time.monotonic() < end, "PostgreSQL was not ready within 60 s"
            time.sleep(0.05)
        yield f"postgresql://grader@/postgres?host={folder}"


@pytest.fixture
def postgresql_url(postgresql: str) -> str:
    """A PostgreSQL database without tables."""
    need("postgresql", None if importlib.util.find_spec("psycopg") else "its driver isn't installed")
    import psycopg

    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return postgresql


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str | None:
    """What `open_history` is given: None for the course's own SQLite file, or a server's address."""
    return None if request.param == "sqlite" else request.getfixturevalue("postgresql_url")
