"""The first process of the examiner box: it runs the hidden tests with pytest and tells the host each result as it comes.

It is trusted, so its stream to the host is the only place from which a score comes. Nothing listens here, the stream's descriptors
are moved out of the way of what tests print, and whatever the solution says reaches this process as bounded data.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

_COLOURS = {
    "pygments": (),
    "pygments.formatters": (),
    "pygments.formatters.terminal": ("TerminalFormatter",),
    "pygments.lexer": ("Lexer",),
    "pygments.lexers": (),
    "pygments.lexers.diff": ("DiffLexer",),
    "pygments.lexers.python": ("PythonLexer",),
}
"""What pytest imports of a library that colours source code in a terminal: module, and the names that it takes from it."""


@contextmanager
def _without_what_nobody_needs() -> Iterator[None]:
    """Import meanwhile without colours and TLS, which an examiner has no use for: a tenth of the time until it is up."""
    for module, names in _COLOURS.items():
        sys.modules[module] = ModuleType(module)
        for name in names:
            setattr(sys.modules[module], name, object)
    # How Python is told that there is none.
    sys.modules["ssl"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        for module in (*_COLOURS, "ssl"):
            del sys.modules[module]


def main() -> None:
    """Import what the examination needs, and serve the host; see `examination.serve`."""
    with _without_what_nobody_needs():
        from . import examination
    examination.serve()


if __name__ == "__main__":
    main()
