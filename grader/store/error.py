"""What can go wrong with the history.

    GraderError
    └── HistoryError
        ├── HistoryUnavailable   the database doesn't answer, or its address can't be used
        ├── NewerHistory         a newer grader made the database
        ├── RefusedImport        the given bytes are no export
        └── UnknownReport

None of these touches a grading: a report is kept by `grader.store.inbox`, which raises nothing.
"""

from __future__ import annotations

from grader.error import GraderError


class HistoryError(GraderError):
    """The history can't do what was asked. Reports that were kept stay kept."""


class HistoryUnavailable(HistoryError):
    """The database doesn't answer, or its address can't be used."""


class NewerHistory(HistoryError):
    """A newer grader made the database; this one leaves it alone."""


class RefusedImport(HistoryError):
    """The given bytes are no export of a history."""

    exit_code = 2


class UnknownReport(HistoryError):
    """No report has the id."""

    exit_code = 2
