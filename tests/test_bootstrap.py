"""The way from a fresh clone to a running grader: the `grade` script, its set-up, the locks, the installed package."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOCKS = ("grader", "dev", "box")
TOOLS = ("sh", "cmp", "id", "readlink", "cat", "uname")

GRADER = """
import json, os, sys
def main():
    import dish
    print(json.dumps([dish.NAME, sys.argv, os.getcwd()]))
    sys.exit(7)
"""


class Course:
    """A clone with a tiny grader of its own, that needs one package which lies in a folder."""

    def __init__(self, root: Path, wheels: Path) -> None:
        self.root = root
        self.wheels = wheels

    def lay(self) -> None:
        """Make its files."""
        for name in ("grade", "grader/bootstrap.py", "grader/__main__.py"):
            target = self.root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target)
        (self.root / "grader/cli").mkdir()
        (self.root / "grader/cli/main.py").write_text(GRADER)
        (self.root / "requirements").mkdir()
        self.wheels.mkdir()
        self.lock("1.0")

    def lock(self, version: str, *, tampered: bool = False) -> None:
        """Pin the one package at a version, and put its wheel into the folder."""
        wheel = self.wheels / f"dish-{version}-py3-none-any.whl"
        name = "dumplings" if version == "1.0" else "pierogi"
        meta = f"dish-{version}.dist-info"
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr("dish.py", f"NAME = {name!r}\n")
            archive.writestr(f"{meta}/METADATA", f"Metadata-Version: 2.1\nName: dish\nVersion: {version}\n")
            archive.writestr(f"{meta}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            archive.writestr(f"{meta}/RECORD", f"dish.py,,\n{meta}/METADATA,,\n{meta}/WHEEL,,\n{meta}/RECORD,,\n")
        digest = hashlib.sha256(b"another" if tampered else wheel.read_bytes()).hexdigest()
        (self.root / "requirements/grader.txt").write_text(f"dish=={version} \\\n    --hash=sha256:{digest}\n")

    def environment(self, **more: str) -> dict[str, str]:
        """Give an environment in which pip finds the folder and nothing else."""
        own = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.wheels), "PIP_CONFIG_FILE": os.devnull}
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "GRADE_"))}
        # An engine is as good as there, so that no set-up here installs anything on the machine.
        return {**kept, **own, "GRADE_PYTHON": sys.executable, "DOCKER_HOST": "tcp://127.0.0.1:1", **more}

    def grade(self, *arguments: str, cwd: Path | None = None, **more: str) -> subprocess.CompletedProcess[str]:
        """Run `./grade` as a user would."""
        return subprocess.run(
            [self.root / "grade", *arguments],
            cwd=cwd or self.root,
            env=self.environment(**more),
            capture_output=True,
            text=True,
            timeout=120,
        )


@pytest.fixture
def fresh(tmp_path: Path) -> Course:
    """A course that was never set up, in a folder whose name needs quoting."""
    course = Course(tmp_path / "my 'own' cöurse", tmp_path / "wheels")
    course.lay()
    return course


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A course that is set up; not to be changed."""
    folder = tmp_path_factory.mktemp("ready")
    course = Course(folder / "course", folder / "wheels")
    course.lay()
    assert course.grade().returncode == 7
    return course


@pytest.fixture
def ready(original: Course, tmp_path: Path) -> Course:
    """A course that was set up and then moved to another folder."""
    course = Course(tmp_path / "moved course", tmp_path / "wheels")
    shutil.copytree(original.root, course.root, symlinks=True)
    shutil.copytree(original.wheels, course.wheels)
    return course


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A PATH with what a POSIX shell has, and no Python."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in TOOLS:
        found = shutil.which(name)
        assert found, f"this machine has no `{name}`"
        (folder / name).symlink_to(found)
    return folder


def program(path: Path, script: str) -> None:
    """Write a shell script that can be run."""
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_a_first_run_sets_up_and_says_so_and_a_second_does_not(fresh: Course) -> None:
    """Whoever clones the course types one command; the next time nothing is left to do."""
    first = fresh.grade("exercise-01", "a b")
    assert first.returncode == 7, first.stderr
    assert first.stdout == f'["dumplings", ["grade", "exercise-01", "a b"], {ascii_json(fresh.root)}]\n'
    assert [line.partition(" with ")[0] for line in first.stderr.splitlines()] == [
        "grade: making .venv",
        "grade: installing 1 packages pinned in requirements/grader.txt, each checked against its hash",
    ]

    second = fresh.grade("exercise-01", "a b")
    assert (second.returncode, second.stdout, second.stderr) == (7, first.stdout, "")


def test_texts_name_what_was_typed(ready: Course, tmp_path: Path) -> None:
    """The script is not on the PATH, so the grader is told under which name it was called; an installed one isn't."""
    module = ready.root / "grader" / "cli" / "main.py"
    module.write_text("import os\ndef main():\n    print(os.environ.get('GRADE_CALLED'))\n")

    assert ready.grade().stdout == f"{ready.root}/grade\n"

    (tmp_path / "bin").mkdir()
    program(tmp_path / "bin" / "grade", "exit 0")
    assert ready.grade(PATH=f"{tmp_path / 'bin'}:{os.environ['PATH']}").stdout == "None\n"


def ascii_json(path: Path) -> str:
    """Write a path as json.dumps does."""
    return '"' + str(path).encode("ascii", "backslashreplace").decode().replace("\\xf6", "\\u00f6") + '"'


def test_runs_that_set_up_at_once_wait_for_the_first(fresh: Course) -> None:
    """Two terminals, one clone: one makes it, the other uses it."""
    runs = [
        subprocess.Popen(
            [fresh.root / "grade"],
            env=fresh.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    told = [run.communicate(timeout=120)[1] for run in runs]
    assert [run.returncode for run in runs] == [7, 7, 7]
    assert sum("making .venv" in text for text in told) == 1
    assert all("making" in text or "waiting for another set-up" in text or not text for text in told)


def test_an_interrupted_set_up_is_made_good_by_the_next(ready: Course) -> None:
    """Ctrl-C half-way leaves nothing that a later run takes for finished."""
    ready.lock("2.0")
    with subprocess.Popen(
        [ready.root / "grade"], env=ready.environment(), stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as run:
        assert run.stderr
        assert "installing" in run.stderr.readline()
        os.killpg(run.pid, signal.SIGINT)
        assert run.stderr.read() == "grade: stopped; the next run starts over\n"
    assert run.returncode in (130, -signal.SIGINT)

    next_run = ready.grade()
    assert next_run.returncode == 7
    assert "making .venv" in next_run.stderr
    assert "pierogi" in next_run.stdout


def test_the_set_up_of_a_killed_run_is_waited_for(ready: Course) -> None:
    """What a killed run had started still writes into `.venv`: the next set-up keeps off until it has ended."""
    ready.lock("2.0")
    with (ready.root / ".venv/setup.lock").open("r+") as left_over:
        fcntl.flock(left_over, fcntl.LOCK_EX)
        run = subprocess.Popen(
            [ready.root / "grade"], env=ready.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert run.stderr
        assert run.stderr.readline() == "grade: waiting for another set-up of this course to end\n"
    told, _ = run.communicate(timeout=60)
    assert "pierogi" in told


def test_a_changed_lock_is_installed_by_the_next_run(ready: Course) -> None:
    """After a pull that changed the lock, nobody has to think of it."""
    ready.lock("2.0")
    run = ready.grade()
    assert run.returncode == 7, run.stderr
    assert "pierogi" in run.stdout
    assert [line.partition(" 1 ")[0] for line in run.stderr.splitlines()] == ["grade: installing"]


def test_a_package_that_is_not_the_locked_one_is_refused(ready: Course) -> None:
    """What the hash doesn't vouch for is never installed, and no later run takes it for done."""
    ready.lock("2.0", tampered=True)
    run = ready.grade()
    assert run.returncode == 3
    assert "DO NOT MATCH THE HASHES" in run.stderr
    assert "\n\nhint: a package is not the one that was locked" in run.stderr
    assert run.stdout == ""
    assert not (ready.root / ".venv/installed-grader.txt").exists()


def test_a_package_that_can_not_be_had_names_the_ways_out(ready: Course) -> None:
    """Without a registry the message says how to do without."""
    ready.lock("2.0")
    run = ready.grade(PIP_FIND_LINKS=str(ready.root))
    assert run.returncode == 3
    assert "error: pip could not install the packages:" in run.stderr
    assert "\n\nhint: " in run.stderr


def test_a_course_that_was_moved_needs_no_set_up(ready: Course) -> None:
    """Folders get renamed; nothing in `.venv` that matters names its place."""
    run = ready.grade()
    assert (run.returncode, run.stderr) == (7, "")


def test_a_python_that_is_gone_is_replaced(ready: Course) -> None:
    """An upgraded system takes the old Python away; the next run makes `.venv` anew."""
    python = ready.root / ".venv/bin/python3"
    for each in ready.root.glob(".venv/bin/python*"):
        each.unlink()
    python.symlink_to("/nowhere/python3.11")
    (ready.root / ".venv/bin/python").symlink_to("python3")
    run = ready.grade()
    assert run.returncode == 7, run.stderr
    assert "making .venv" in run.stderr


@pytest.mark.parametrize("way", ["link", "link to a link", "path", "sh", "another folder"])
def test_it_is_found_however_it_is_called_and_stays_where_the_user_is(ready: Course, tmp_path: Path, way: str) -> None:
    """By link, through PATH, by a relative path: the course is the script's, the folder is the user's."""
    here = tmp_path / "here"
    here.mkdir()
    (here / "grade").symlink_to(ready.root / "grade")
    (here / "again").symlink_to("grade")
    command = {
        "link": "./grade x",
        "link to a link": "./again x",
        "path": 'PATH="$PWD:$PATH"; again x',
        "sh": "sh again x",
        "another folder": "'../moved course/grade' x",
    }[way]
    run = subprocess.run(["sh", "-c", command], cwd=here, env=ready.environment(), capture_output=True, text=True)
    assert run.returncode == 7, run.stderr
    assert run.stdout == f'["dumplings", ["grade", "x"], "{here}"]\n'


def test_a_learners_files_are_never_imported_by_the_grader(ready: Course, tmp_path: Path) -> None:
    """Run from a submission's folder, its `json.py` is just a file; so is one that PYTHONPATH offers."""
    for name in ("json.py", "dish.py", "grader.py", "sitecustomize.py"):
        (tmp_path / name).write_text("raise SystemExit('the learner is in')")
    run = ready.grade(cwd=tmp_path, PYTHONPATH=str(tmp_path))
    assert (run.returncode, run.stderr) == (7, "")


def test_a_run_after_set_up_starts_nothing_but_the_grader(fresh: Course, tools: Path) -> None:
    """The second run must cost next to nothing: no Python but the grader's own, hardly a process."""
    (fresh.root / ".venv/bin").mkdir(parents=True)
    program(fresh.root / ".venv/bin/python", 'echo "$@"')
    shutil.copy(fresh.root / "requirements/grader.txt", fresh.root / ".venv/installed-grader.txt")
    environment = {**fresh.environment(), "PATH": str(tools)}
    times = []
    for _ in range(7):
        started = time.perf_counter()
        run = subprocess.run([fresh.root / "grade", "x"], env=environment, capture_output=True, text=True)
        times.append(time.perf_counter() - started)
        assert (run.returncode, run.stderr) == (0, "")
        assert run.stdout == f"-I {fresh.root}/grader/__main__.py x\n"
    assert sorted(times)[3] < 0.05


def test_no_python_at_all_is_said_with_what_to_do(fresh: Course, tools: Path) -> None:
    """Exit 3, one sentence, one command to paste."""
    run = fresh.grade(PATH=str(tools), GRADE_PYTHON="")
    assert run.returncode == 3
    assert run.stderr == (
        "error: no working `python3` found, and the grader needs Python 3.11 or newer\n"
        "\nhint: GRADE_PYTHON=/path/to/python3.11 ./grade\n"
    )
    assert not (fresh.root / ".venv").exists()


@pytest.mark.parametrize(
    ("manager", "hint"),
    [("apt-get", "apt-get install -y python3.11 python3.11-venv"), ("brew", "brew install python@3.13")],
)
def test_a_python_that_is_too_old_is_named_with_its_version(
    fresh: Course, tools: Path, manager: str, hint: str
) -> None:
    """The message tells what was found, and the remedy is one for this kind of machine."""
    program(tools / "python3", "case $1 in -c) echo 3.9.2 ;; *) exit 1 ;; esac")
    program(tools / manager, "exit 1")
    run = fresh.grade(PATH=str(tools), GRADE_PYTHON="")
    assert run.returncode == 3
    assert run.stderr.startswith("error: `python3` is Python 3.9.2, and the grader needs 3.11 or newer\n\nhint: ")
    assert run.stderr.rstrip().endswith(hint)


def test_a_newer_python_under_another_name_is_found(fresh: Course, tools: Path) -> None:
    """Where `python3` is too old but `python3.12` lies beside it, that one is taken."""
    program(tools / "python3", "exit 1")
    program(tools / "python3.12", 'case $2 in -c) exit 0 ;; *) echo "$@" >&2; exit 5 ;; esac')
    run = fresh.grade(PATH=str(tools), GRADE_PYTHON="")
    assert (run.returncode, run.stderr) == (5, f"-I {fresh.root}/grader/bootstrap.py {fresh.root} grader\n")


def test_a_python_without_ensurepip_is_said_with_the_package_that_brings_it(fresh: Course, tools: Path) -> None:
    """Debian splits it off: the message names the package of that very version."""
    without = (
        "import runpy, sys; sys.modules['ensurepip'] = None; sys.argv = sys.argv[1:]; "
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    real = shlex.quote(sys.executable)
    program(tools / "python3", f'case $2 in -c) exec {real} "$@" ;; esac; shift; exec {real} -I -c "{without}" "$@"')
    program(tools / "apt-get", "exit 1")
    run = fresh.grade(PATH=str(tools), GRADE_PYTHON="")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert run.returncode == 3
    assert f"error: Python {version} at " in run.stderr
    assert "came without its `ensurepip` module" in run.stderr
    assert run.stderr.rstrip().endswith(f"apt-get install -y python{version}-venv")


def test_a_folder_that_can_not_be_written_is_said(fresh: Course) -> None:
    """No traceback of ours, whatever is wrong with the folder."""
    (fresh.root / ".venv").write_text("a file")
    run = fresh.grade()
    assert run.returncode == 3
    assert re.fullmatch(r"error: `.*/\.venv` can't be written: .*\n\nhint: ls -ld .*\n", run.stderr)


def test_set_up_alone_ends_without_grading(ready: Course) -> None:
    """`make test` asks for the set-up only."""
    shutil.copy(ready.root / "requirements/grader.txt", ready.root / "requirements/dev.txt")
    run = ready.grade(GRADE_SETUP="dev")
    assert (run.returncode, run.stdout) == (0, "")
    assert "requirements/dev.txt" in run.stderr
    assert ready.grade().stderr == "", "what holds the tests' packages holds the grader's"


def test_a_lock_that_does_not_exist_is_said(ready: Course) -> None:
    """A slip in the variable is a message."""
    run = ready.grade(GRADE_SETUP="nothing")
    assert (run.returncode, run.stderr) == (3, "error: there is no lock `requirements/nothing.txt`\n")


# What follows looks at the project itself.


def test_the_real_lock_holds_all_that_the_grader_imports(tmp_path: Path) -> None:
    """From nothing, with the packages a user gets and not the tests' own: every module of the grader loads."""
    for name in ("grader", "requirements"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "grade", tmp_path)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GRADE_")}
    environment = {**kept, "GRADE_PYTHON": sys.executable, "DOCKER_HOST": "tcp://127.0.0.1:1"}
    run = subprocess.run([tmp_path / "grade", "--version"], env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("grade")

    # `inside` runs in boxes, two do something when they are imported, and one is of an extra.
    load = """if True:
        import importlib, pkgutil, grader
        for module in pkgutil.walk_packages(grader.__path__, "grader."):
            if not module.name.startswith(("grader.inside", "grader.__main__", "grader.store.migrations.")):
                if module.name == "grader.batch.likeness":
                    continue
                importlib.import_module(module.name)
        print(grader.__file__)
    """
    python = tmp_path / ".venv/bin/python"
    loaded = subprocess.run([python, "-I", "-c", load], cwd="/", capture_output=True, text=True)
    assert loaded.returncode == 0, loaded.stderr
    assert loaded.stdout == f"{tmp_path}/grader/__init__.py\n"


def pins(lock: str) -> Iterator[tuple[str, str, int]]:
    """Give each pinned package of a lock: name, version, number of hashes."""
    text = (ROOT / f"requirements/{lock}.txt").read_text()
    for block in re.split(r"\n(?=[a-z0-9])", text):
        if found := re.match(r"([\w.-]+)==(\S+)", block):
            yield found[1], found[2], block.count("--hash=sha256:")


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_of_a_lock_is_pinned_and_hashed(lock: str) -> None:
    """Nothing is resolved when a course is set up, and nothing unknown gets in."""
    found = list(pins(lock))
    lines = re.findall(r"^[^\s#].*$", (ROOT / f"requirements/{lock}.txt").read_text(), re.MULTILINE)
    assert len(lines) == len(found) > 10
    assert all(hashes for _, _, hashes in found)


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_serves_every_platform_and_names_no_place(lock: str) -> None:
    """Linux on two processors and macOS, any Python from 3.11 on; from whichever registry the user has."""
    text = (ROOT / f"requirements/{lock}.txt").read_text()
    assert "://" not in text
    assert "file:" not in text
    assert not re.search(r"^\s*-(-index|-extra|-find|f|i)", text, re.MULTILINE)
    compiled = {"markupsafe", "sqlalchemy", "msgspec"} & {name for name, _, _ in pins(lock)}
    assert compiled
    assert all(hashes > 20 for name, _, hashes in pins(lock) if name in compiled)


def test_a_package_has_one_version_in_all_locks() -> None:
    """What the tests saw is what a course gets, and what the boxes hold."""
    versions = {lock: {name: version for name, version, _ in pins(lock)} for lock in LOCKS}
    assert versions["grader"].items() <= versions["dev"].items()
    assert versions["box"].items() <= versions["dev"].items()


def test_the_locks_hold_what_the_project_asks_for() -> None:
    """A dependency that was added without `make lock` is noticed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = project["dependency-groups"]
    asked = {
        "grader": project["project"]["dependencies"],
        "box": groups["box"],
        "dev": [
            *project["project"]["dependencies"],
            *(each for extra in project["project"]["optional-dependencies"].values() for each in extra),
            *groups["dev"],
            *groups["box"],
        ],
    }
    for lock, wanted in asked.items():
        names = {re.split(r"[<>=~! \[]", line)[0].lower() for line in wanted}
        assert names <= {name for name, _, _ in pins(lock)}, f"requirements/{lock}.txt is behind: run `make lock`"


def test_the_scripts_are_plain_posix_shell() -> None:
    """`grade` runs under whatever `sh` is."""
    for name in ("grade", ".ci/engine", ".ci/axe"):
        subprocess.run(["sh", "-n", ROOT / name], check=True)
        assert (ROOT / name).read_text().startswith("#!/bin/sh\n")
        assert os.access(ROOT / name, os.X_OK)


def test_an_installed_package_carries_the_images_recipe(tmp_path: Path) -> None:
    """`pip install .` gives a grader that can build its image without the checkout."""
    source = tmp_path / "source"
    skipped = shutil.ignore_patterns("__pycache__", "*.egg-info")
    source.mkdir()
    for name in ("grader", "requirements"):
        shutil.copytree(ROOT / name, source / name, ignore=skipped)
    for name in ("pyproject.toml", "setup.py", "Dockerfile"):
        shutil.copy(ROOT / name, source / name)
    (source / "README.md").touch()
    for kind in ("wheel", "sdist"):
        build = f"import sys; from setuptools import build_meta; build_meta.build_{kind}(sys.argv[1])"
        subprocess.run([sys.executable, "-c", build, tmp_path], cwd=source, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        dockerfile = archive.read("grader/sandbox/recipe/Dockerfile")
        scripts = next(archive.read(name) for name in names if name.endswith("entry_points.txt"))
    assert dockerfile == (ROOT / "Dockerfile").read_bytes()
    assert "grader/sandbox/recipe/requirements/box.txt" in names
    assert b"grade = grader.__main__:start" in scripts
    (archive_path,) = tmp_path.glob("*.tar.gz")
    listed = subprocess.run(["tar", "tzf", archive_path], check=True, capture_output=True, text=True).stdout
    assert "/Dockerfile\n" in listed
    assert "/requirements/box.txt\n" in listed
