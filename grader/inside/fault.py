"""How a test fails by what the solution did. Everything else that is raised in the examiner is ours or the author's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .client import Reply


class Wrong(AssertionError):
    """What the solution did is not what the test asks for.

    `symptom` names a known kind of failure (`refused`, `reset`, `timeout`, `ended`, `too-large`, `not-http`, `not-json`, `raised`,
    `unreadable`, `sql`, `too-many-statements`, `started`), from which the learner's "usually means" line is chosen.

    `expected` and `got`: a text is words, or what came as it came, and stands without quotes; other values as `show` writes them.
    `deciding` is the answer that is wrong; without it the transcript's last step decides.
    """

    def __init__(
        self, symptom: str, message: str, *, expected: Any = None, got: Any = None, deciding: Reply | None = None
    ) -> None:
        super().__init__(message)
        self.symptom = symptom
        self.message = message
        self.expected = expected
        self.got = got
        self.deciding = deciding


class DidNotStart(Wrong):
    """The learner's app didn't start: nothing can be tested."""


class TestTimeout(BaseException):
    """The test's time is over. No `Exception`, so that a test's own `except Exception` does not swallow it."""

    __test__ = False


class GraderFault(Exception):
    """The channel to the host or the solution box failed in a way that no submission can cause."""
