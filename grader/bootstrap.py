"""Make the course's `.venv` hold what a lock pins. The `grade` script runs this before anything is installed.

So it is a program of its own: standard library only, nothing else of `grader`. Any number may run at once, and each may
be killed at any point. The kernel keeps the lock until its last holder has ended, children included: none goes stale.
A `.venv` that was left unfinished is made anew.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

_VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"

_WAIT_S = 900
_COMMAND_S = 1800
_ENGINE_S = 2

# Any of these would send the packages elsewhere than into `.venv`.
_DIVERTING = ("PIP_PREFIX", "PIP_ROOT", "PIP_TARGET")

# What a virtual environment consists of, and our own marks in it: all that is ever deleted.
_PARTS = ("bin", "box-packages", "include", "lib", "lib64", "share", "pyvenv.cfg")


class Failed(Exception):
    """The set-up can't go on. `hint` is a command to paste."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def say(text: str) -> None:
    """Tell the user, on stderr, one thing that is being done."""
    print(f"grade: {text}", file=sys.stderr, flush=True)


def set_up(root: Path, name: str) -> None:
    """Make `.venv` in `root` hold what `requirements/<name>.txt` pins, unless it does.

    Raises:
        Failed: something is missing, or a command failed.
    """
    wanted = root / "requirements" / f"{name}.txt"
    if not wanted.is_file():
        raise Failed(f"there is no lock `requirements/{name}.txt`")
    venv = root / ".venv"
    with _alone(venv) as lock:
        stamp = _stamp(venv, name)
        python = venv / "bin" / "python"
        if os.access(python, os.X_OK) and stamp.is_file() and stamp.read_bytes() == wanted.read_bytes():
            return
        pip = _find_pip()
        unfinished = venv / "unfinished"
        if unfinished.exists() or not _is_usable(python):
            _make(venv, unfinished, lock)
        _install(venv, pip, wanted, unfinished, lock)
        _add_root(root, python)
        for each in (name, "grader"):
            _write(_stamp(venv, each), (root / "requirements" / f"{each}.txt").read_bytes())
        unfinished.unlink()
        _find_sandbox(lock)


def _stamp(venv: Path, name: str) -> Path:
    return venv / f"installed-{name}.txt"


@contextmanager
def _alone(venv: Path) -> Iterator[int]:
    """Hold the set-up's lock; gives its descriptor, which every child must have too."""
    try:
        venv.mkdir(exist_ok=True)
        lock = os.open(venv / "setup.lock", os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise Failed(f"`{venv}` can't be written: {error.strerror}", hint=f"ls -ld {_quoted(venv)}") from error
    try:
        until = time.monotonic() + _WAIT_S
        told = False
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not told:
                    say("waiting for another set-up of this course to end")
                    told = True
                if time.monotonic() > until:
                    raise Failed(f"another set-up of this course has not ended in {_WAIT_S // 60} minutes") from None
                time.sleep(0.1)
        yield lock
    finally:
        os.close(lock)


def _is_usable(python: Path) -> bool:
    check = "import sys; sys.exit(sys.version_info < (3, 11) or sys.prefix == sys.base_prefix)"
    try:
        return subprocess.run([python, "-I", "-c", check], capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _make(venv: Path, unfinished: Path, lock: int) -> None:
    _write(unfinished, b"")
    say(f"making .venv with Python {_VERSION}")
    for part in (*_PARTS, *(path.name for path in venv.glob("installed-*.txt"))):
        path = venv / part
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    # The real path names the version (`/usr/bin/python3.11`). When that Python goes, `.venv` visibly breaks and is made
    # anew; a link to a mere `python3` would silently become another version, with no packages.
    base = os.path.realpath(sys.executable)
    ended = _run([base, "-I", "-m", "venv", "--without-pip", str(venv)], lock)
    if ended.returncode != 0:
        raise Failed(f"`{base} -m venv` failed:\n{_tail(ended.stdout)}", hint=_python_remedy())


def _find_pip() -> Path:
    """Find the pip that comes with Python. Run as it is, it saves the seconds that installing it would take."""
    folders = [Path(os.__file__).parent / "ensurepip" / "_bundled"]
    if elsewhere := sysconfig.get_config_var("WHEEL_PKG_DIR"):
        folders.append(Path(elsewhere))
    wheels = [wheel for folder in folders for wheel in sorted(folder.glob("pip-*.whl"))]
    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if missing or not wheels:
        what = f"its `{missing[0]}` module" if missing else "pip"
        raise Failed(f"Python {_VERSION} at `{sys.executable}` came without {what}", hint=_python_remedy())
    return wheels[-1]


def _python_remedy() -> str:
    if shutil.which("apt-get"):
        sudo = "" if os.geteuid() == 0 else "sudo "
        return f"{sudo}apt-get install -y python{_VERSION}-venv"
    return "GRADE_PYTHON=/path/to/another/python3 ./grade"


def _install(venv: Path, pip: Path, wanted: Path, unfinished: Path, lock: int) -> None:
    lines = wanted.read_text("utf-8").splitlines()
    count = sum("==" in line and "sys_platform == 'win32'" not in line for line in lines)
    _write(unfinished, b"")
    for stamp in venv.glob("installed-*.txt"):
        stamp.unlink()
    say(f"installing {count} packages pinned in requirements/{wanted.name}, each checked against its hash")
    # Wheels only: building a source package would fetch build tools that no hash vouches for.
    options = ["--no-deps", "--require-hashes", "--only-binary=:all:", "--no-compile", "--no-input", "--quiet"]
    install = ["install", *options, "--disable-pip-version-check", "-r", str(wanted)]
    python = str(venv / "bin" / "python")
    ended = _run([python, "-I", str(pip / "pip"), *install], lock, _pip_environment())
    if ended.returncode != 0:
        raise Failed(f"pip could not install the packages:\n{_tail(ended.stdout)}", hint=_pip_remedy(ended.stdout))
    # On all processors, which pip's own compiling is not. What fails to compile here, fails where it is imported.
    _run([python, "-I", "-m", "compileall", "-q", "-j", "0", str(venv / "lib")], lock)


def _pip_environment() -> dict[str, str]:
    environment = {name: value for name, value in os.environ.items() if name not in _DIVERTING}
    return {**environment, "PIP_USER": "0"}


def _pip_remedy(output: str) -> str:
    lowered = output.lower()
    if "certificate" in lowered:
        return "behind a company's proxy, name its certificates: PIP_CERT=/path/to/ca.pem ./grade"
    if "do not match the hashes" in lowered:
        return "a package is not the one that was locked; take it from another registry: PIP_INDEX_URL=... ./grade"
    if "no matching distribution" in lowered and "connection" not in lowered:
        return "this Python may have no ready-made packages yet: GRADE_PYTHON=/path/to/python3.13 ./grade"
    return "without a network, take the packages from a folder: PIP_NO_INDEX=1 PIP_FIND_LINKS=/path/to/wheels ./grade"


def _add_root(root: Path, python: Path) -> None:
    """Let that Python import the course's `grader`, from wherever it is started."""
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = Path(
        subprocess.run([python, "-I", "-c", code], check=True, capture_output=True, text=True).stdout.strip()
    )
    # Relative, so that a course that was moved or renamed still finds itself.
    _write(packages / "kata-grader.pth", os.path.relpath(root, packages).encode())


def _find_sandbox(lock: int) -> None:
    """Install bubblewrap where nothing else could isolate a submission and installing it needs nobody's leave."""
    if shutil.which("bwrap") or os.geteuid() != 0 or not shutil.which("apt-get") or _engine_answers():
        return
    say("installing bubblewrap with apt-get, for no container engine answers here")
    install = [
        "apt-get",
        "install",
        "-y",
        "-qq",
        "--no-install-recommends",
        "-o",
        "DPkg::Lock::Timeout=60",
        "bubblewrap",
    ]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    ended = _run(install, lock, environment)
    if ended.returncode != 0:
        _run(["apt-get", "update", "-qq"], lock, environment)
        ended = _run(install, lock, environment)
    if ended.returncode != 0:
        why = _tail(ended.stdout, lines=1).strip() or f"apt-get ended with {ended.returncode}"
        say(f"bubblewrap could not be installed ({why}); try `apt-get install -y bubblewrap`")


def _engine_answers() -> bool:
    host = os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
    if not host.startswith("unix://"):
        return True
    # The socket's file outlives a killed engine, so only an answer counts.
    try:
        with socket.socket(socket.AF_UNIX) as engine:
            engine.settimeout(_ENGINE_S)
            engine.connect(host.removeprefix("unix://"))
            engine.sendall(b"GET /_ping HTTP/1.0\r\nHost: engine\r\n\r\n")
            return b" 200 " in engine.recv(64)
    except OSError:
        return False


def _run(
    command: Sequence[str], lock: int, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    # With the lock's descriptor, so that a child that outlives us still keeps the next set-up out.
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=environment,
            pass_fds=(lock,),
            timeout=_COMMAND_S,
        )
    except subprocess.TimeoutExpired as error:
        raise Failed(f"`{command[0]}` has not ended in {_COMMAND_S // 60} minutes") from error


def _tail(output: str, lines: int = 8) -> str:
    told = [line for line in output.splitlines() if line.strip() and not line.startswith("WARNING: ")]
    return "\n".join(f"    {line}" for line in told[-lines:])


def _write(path: Path, content: bytes) -> None:
    """Write all of it or nothing: a mark that is half there must not be taken for one."""
    beside = path.with_name(f"{path.name}.new")
    beside.write_bytes(content)
    beside.replace(path)


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "'\\''") + "'"


def main(root: str, name: str) -> int:
    """Set up, tell what failed, and give the exit code."""
    try:
        set_up(Path(root), name)
    except KeyboardInterrupt:
        say("stopped; the next run starts over")
        return 130
    except Failed as failure:
        print(f"error: {failure.message}", file=sys.stderr)
        if failure.hint:
            print(f"\nhint: {failure.hint}", file=sys.stderr)
        return 3
    except OSError as error:
        print(f"error: the set-up failed: {error}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
