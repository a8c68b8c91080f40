"""Names of files: which are left out everywhere, and how a name is shown in a message."""

from __future__ import annotations

LEFT_OUT = frozenset(
    {
        "__pycache__",
        ".git",
        ".venv",
        "venv",
        "node_modules",
        ".grade",
        ".DS_Store",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
    }
)


def is_left_out(part: str) -> bool:
    """Say whether a file or folder of this name is left out: caches, environments, version control."""
    return part in LEFT_OUT or part.endswith(".pyc")


def shown(name: str) -> str:
    """Quote a name for a message: one short line, whatever the name holds."""
    plain = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    visible = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in plain)
    if len(visible) > 120:
        visible = f"{visible[:70]}...{visible[-40:]}"
    return f"`{visible}`"
