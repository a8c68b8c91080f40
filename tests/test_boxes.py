"""The boxes of a grading, as the exercise wants them."""

from __future__ import annotations

import msgspec
import pytest

from grader.boxes import make_pod
from tests.situation import reference, shop

PLAIN = (
    '@pytest.mark.task("known-dish", points=1)\ndef test_first(client):\n    """First."""\n    client.get("/")\n\n\n'
)
STARTS = (
    '@pytest.mark.task("known-dish", points=1)\ndef test_first(app):\n    """First."""\n    app.start(config={})\n\n\n'
)


@pytest.mark.parametrize(("first", "is_ahead"), [(PLAIN, True), (STARTS, False)], ids=["plain", "starts"])
def test_an_app_is_started_ahead_unless_the_first_test_starts_it_itself(first: str, is_ahead: bool) -> None:
    """It would be ended again, unused; what later tests do says nothing of the first."""
    later = (STARTS + PLAIN).replace("test_first", "test_later").encode()
    contents = {**shop().contents, "test_a.py": first.encode() + later, "test_b.py": later}
    exercise = msgspec.structs.replace(shop(), contents=contents)
    assert make_pod(exercise, reference(), seed=1).solution.settings["ahead"] is is_ahead
