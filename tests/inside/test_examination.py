"""What the examiner can tell of a test before it runs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from grader.inside.examination import _starts_itself


def _configured(app: Any) -> None:
    app.start(config={"A": 1})


def _asks(client: Any) -> None:
    client.get("/")


def _starts(client: Any, app: Any) -> None:
    app.start()
    client.get("/")


def _starts_by_a_helper(client: Any, app: Any) -> None:
    _configured(app)
    client.get("/")


def _restarts(client: Any, app: Any) -> None:
    client.get("/")
    app.restart()


@pytest.mark.parametrize(
    ("test", "does"), [(_asks, False), (_starts, True), (_starts_by_a_helper, True), (_restarts, False)]
)
def test_whether_a_test_starts_the_app_itself(test: Any, does: bool) -> None:
    """Then none is started ahead for it; one that restarts what ran before wants it to run."""
    assert _starts_itself(cast(pytest.Item, SimpleNamespace(function=test))) is does


def test_what_is_no_function_starts_nothing() -> None:
    """Such as an item of another kind."""
    assert not _starts_itself(cast(pytest.Item, SimpleNamespace()))
