"""The folder of the packages that boxes have is made once, from what is installed, and holds nothing else."""

from __future__ import annotations

import os
import py_compile
import site
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from grader.sandbox import packages
from grader.sandbox.interpreter import this_interpreter
from grader.sandbox.packages import packages_of_boxes
from tests.conftest import ROOT

LOCK = """\
dish==1.0 \\
    --hash=sha256:00
coat-rack==1.0 ; sys_platform == 'win32' \\
    --hash=sha256:00
"""


def _install(folder: Path, name: str, *needs: str, lists: bool = True) -> None:
    module = folder / f"{name}.py"
    module.write_text(f"NAME = {name!r}\n")
    py_compile.compile(str(module))
    meta = folder / f"{name}-1.0.dist-info"
    meta.mkdir()
    needed = "".join(f"Requires-Dist: {each}\n" for each in needs)
    (meta / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{needed}")
    if lists:
        (meta / "RECORD").write_text(f"../../bin/{name},,\n{name}.py,,\n{meta.name}/METADATA,,\n{meta.name}/RECORD,,\n")


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A folder of packages: one that is locked, one that it needs, and others; and a runtime folder beside it."""
    lock = tmp_path / "recipe" / "requirements" / "box.txt"
    lock.parent.mkdir(parents=True)
    lock.write_text(LOCK)
    monkeypatch.setattr(packages, "recipe_folder", lambda: tmp_path / "recipe")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    folder = tmp_path / "installed"
    folder.mkdir()
    _install(folder, "dish", "sauce>=0.5", "coat_rack; extra == 'guests'")
    for name in ("sauce", "coat_rack", "docker"):
        _install(folder, name)
    umask = os.umask(0o077)
    yield str(folder)
    os.umask(umask)


def _modules(folder: str | None) -> list[str]:
    assert folder is not None
    return sorted(path.stem for path in Path(folder).glob("*.py"))


def test_only_what_is_locked_and_what_that_needs(installed: str, tmp_path: Path) -> None:
    """An unlocked install may need more than the lock has; what only another system or an extra needs is left out."""
    folder = packages_of_boxes(installed, prefix=str(tmp_path))

    assert _modules(folder) == ["dish", "sauce"]
    assert Path(folder or "").parent == tmp_path / "box-packages"


def test_a_copy_of_the_interpreter_is_no_program_of_boxes(tmp_path: Path) -> None:
    """An environment made with `--copies` has one where boxes can't see it, so they run the one that it was made from."""
    subprocess.run([sys.executable, "-m", "venv", "--copies", "--without-pip", tmp_path], check=True)
    code = "from grader.sandbox.interpreter import this_interpreter; print(this_interpreter().program)"
    environment = {"PYTHONPATH": os.pathsep.join([str(ROOT), *site.getsitepackages()])}
    copy = tmp_path / "bin" / "python"
    told = subprocess.run([copy, "-c", code], env=environment, capture_output=True, text=True, check=True).stdout

    assert not copy.is_symlink()
    assert told.strip() == this_interpreter().program


def test_any_user_can_pass_and_bytecode_stays_valid(installed: str, tmp_path: Path) -> None:
    """Boxes may run as another user, whatever the umask of the first run; and none can keep what it compiles."""
    folder = packages_of_boxes(installed, prefix=str(tmp_path))
    assert folder is not None
    code = "import sys; sys.path.append(sys.argv[1]); import dish"
    told = subprocess.run([sys.executable, "-ISBvc", code, folder], capture_output=True, text=True, check=True).stderr

    assert f"{folder}/__pycache__/dish.{sys.implementation.cache_tag}.pyc matches" in told
    for each in (Path(folder).parent, Path(folder), Path(folder, "dish-1.0.dist-info")):
        assert each.stat().st_mode & 0o777 == 0o755


def test_copies_do_where_links_do_not(installed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The packages may lie on another file system. A copy has the time of its original, so bytecode knows it."""

    def refuse(*_: str) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    folder = packages_of_boxes(installed, prefix=str(tmp_path))

    assert _modules(folder) == ["dish", "sauce"]
    assert Path(folder or "", "dish.py").stat().st_mtime == Path(installed, "dish.py").stat().st_mtime


def test_first_runs_at_once_make_one_folder(installed: str, tmp_path: Path) -> None:
    """Each makes its own aside; one of them gets the name, and none of the others is left."""
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: packages_of_boxes(installed, prefix=str(tmp_path)), range(8)))

    assert len(found) == 1
    assert _modules(found.pop()) == ["dish", "sauce"]
    assert len(list((tmp_path / "box-packages").iterdir())) == 1


def test_other_packages_get_another_folder(installed: str, tmp_path: Path) -> None:
    """An update is seen; what nobody has used for long is removed then, and what is still used stays."""
    first = Path(packages_of_boxes(installed, prefix=str(tmp_path)) or "")
    unused, unfinished = first.with_name("unused"), first.with_name(".unfinished.tmp")
    for each in (unused, unfinished):
        each.mkdir()
    os.utime(unused, (0, 0))
    Path(installed, "sauce-1.0.dist-info").rename(Path(installed, "sauce-1.1.dist-info"))
    second = Path(packages_of_boxes(installed, prefix=str(tmp_path)) or "")

    assert set(first.parent.iterdir()) == {first, second, unfinished}


def test_where_the_environment_can_not_be_written(installed: str, tmp_path: Path) -> None:
    """The user's own folder has it; and where that can't be had either, there is none."""
    closed = tmp_path / "closed"
    closed.touch()

    folder = packages_of_boxes(installed, prefix=str(closed))
    assert Path(folder or "").parent == tmp_path / "kata-grader" / "box-packages"
    assert packages_of_boxes(installed, prefix=str(closed)) == folder


def test_no_folder_where_none_can_be_had(installed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then all that is installed is used, as it is where a package does not tell its files."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/proc/none")
    assert packages_of_boxes(installed, prefix="/proc/none") is None

    _install(Path(installed), "pan", lists=False)
    _install(Path(installed), "pot", "pan")
    lock = tmp_path / "recipe" / "requirements" / "box.txt"
    lock.write_text(f"{LOCK}pot==1.0\n")
    assert packages_of_boxes(installed, prefix=str(tmp_path)) is None
    assert list((tmp_path / "box-packages").iterdir()) == []


def test_a_run_that_finds_it_imports_nothing_for_it() -> None:
    """Every grading without an image comes by here, and reading packages' data takes longer than all else of it."""
    code = "from grader.sandbox.interpreter import this_interpreter; this_interpreter(); import sys; "
    code += "sys.exit(bool({'importlib.metadata', 'packaging', 'shutil'} & set(sys.modules)))"
    for last in (False, True):
        done = subprocess.run([sys.executable, "-Sc", f"import sys; sys.path += {sys.path!r}; {code}"], cwd=ROOT)
        assert done.returncode == 0 or not last
