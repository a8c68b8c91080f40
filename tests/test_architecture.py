"""Imports point one way, and each heavy library is used in one place."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

GRADER = ROOT / "grader"

# From the outside in: a layer imports only from those below it, and from itself.
LAYERS = [
    ("grader.cli", "grader.__main__"),
    ("grader.batch", "grader.ci", "grader.regrade", "grader.replay", "grader.watch"),
    ("grader.verify",),
    ("grader.render", "grader.store", "grader.progress", "grader.receipt", "grader.git"),
    ("grader.resemblance",),
    ("grader.grading", "grader.diagnosis"),
    ("grader.boxes",),
    ("grader.usually",),
    ("grader.course", "grader.outline"),
    ("grader.exercise", "grader.hidden_test", "grader.toml_lines", "grader.archive", "grader.submission"),
    ("grader.sandbox",),
    ("grader.report",),
    (
        "grader.error",
        "grader.folder",
        "grader.file_name",
        "grader.whole_file",
        "grader.inside",
        "grader.bootstrap",
        "grader",
    ),
]

ONLY_IN = {
    "click": ("grader/cli/",),
    "rich": ("grader/render/", "grader/cli/"),
    "sqlalchemy": ("grader/store/", "grader/inside/learner.py", "grader/inside/warm.py"),
    "alembic": ("grader/store/",),
    "copydetect": ("grader/batch/likeness.py",),
    "numpy": ("grader/batch/likeness.py",),
    "cryptography": ("grader/receipt.py",),
    "docker": ("grader/sandbox/engine.py", "grader/sandbox/image.py", "grader/sandbox/image_id.py"),
    "requests": ("grader/sandbox/engine.py", "grader/sandbox/image.py", "grader/sandbox/image_id.py"),
    "flask": ("grader/inside/learner.py", "grader/inside/warm.py"),
    "waitress": ("grader/inside/learner.py", "grader/inside/warm.py"),
    "openapi_spec_validator": ("grader/inside/contract.py",),
    "openapi_schema_validator": ("grader/inside/contract.py",),
    "pytest": ("grader/inside/examination.py", "grader/inside/suite.py", "grader/diagnosis/tests/"),
}


def _modules() -> list[Path]:
    return sorted(path for path in GRADER.rglob("*.py") if "diagnosis/solution" not in path.as_posix())


def _imports(path: Path) -> Iterator[str]:
    package = path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".").split(".")
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                yield ".".join([*package[: -node.level], node.module or ""]).rstrip(".")
            elif node.module:
                yield node.module
                if node.module == "grader":
                    yield from (
                        f"grader.{alias.name}" for alias in node.names if (GRADER / f"{alias.name}.py").exists()
                    )


def _layer(module: str) -> int | None:
    best: tuple[int, int] | None = None
    for number, names in enumerate(LAYERS):
        for name in names:
            if (module == name or module.startswith(f"{name}.")) and (best is None or len(name) > best[0]):
                best = (len(name), number)
    return None if best is None else best[1]


@pytest.mark.parametrize("path", _modules(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_point_one_way(path: Path) -> None:
    """A module imports from its own layer or one below, so that each can be read and tested without those above."""
    module = path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__")
    own = _layer(module)
    assert own is not None, f"{module} is in no layer"
    wrong = [name for name in _imports(path) if name.startswith("grader") and (_layer(name) or 0) < own]

    assert wrong == []


@pytest.mark.parametrize("path", _modules(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_library_is_used_in_its_own_place(path: Path) -> None:
    """Whoever replaces a library looks in one place."""
    where = path.relative_to(ROOT).as_posix()
    tops = {name.split(".")[0] for name in _imports(path)}
    wrong = [name for name, places in ONLY_IN.items() if name in tops and not where.startswith(places)]

    assert wrong == []


def test_what_enters_a_box_imports_nothing_else_of_the_grader() -> None:
    """Code in `inside/` runs where there is no grader."""
    for path in sorted((GRADER / "inside").glob("*.py")):
        assert [
            name for name in _imports(path) if name.startswith("grader") and not name.startswith("grader.inside")
        ] == []


@pytest.mark.parametrize(
    "heavy", ["sqlalchemy", "flask", "pytest", "docker", "rich", "alembic", "cryptography", "numpy"]
)
def test_the_command_starts_without_heavy_libraries(heavy: str) -> None:
    """`grade --help` imports none of what takes long to import."""
    code = "import sys; from grader.cli.main import cli; cli(['--help'], standalone_mode=False); "
    code += f"sys.exit({heavy!r} in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False)

    assert done.returncode == 0, done.stderr.decode()[-500:]
