"""What recordings of the reference tell: which tests have other data for another seed, and which other answers.

Two gradings with one seed and one with another. What differs between the first two (a token, a time) is noise; what is
equal in them and differs in the third, came from the seed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from grader.verify.attempt import Attempt, Transcript

_HEADERS = {"content-type", "location"}


@dataclass(frozen=True, kw_only=True)
class Recording:
    """The same reference three times: `first` and `again` with one seed, `other` with another."""

    first: Attempt
    again: Attempt
    other: Attempt

    def has_other_data(self, test: str) -> bool:
        """Say whether another seed makes this test ask something else, over HTTP or of the box."""
        attempts = (self.first, self.again, self.other)
        return _differs(*(_requests(each.transcripts.get(test, ())) for each in attempts)) or _differs(
            *(each.asked.get(test, ()) for each in attempts)
        )

    def has_other_answers(self, test: str) -> bool:
        """Say whether another seed makes other answers right. Where not, a constant is a right answer."""
        return _differs(*(_answers(each.transcripts.get(test, ())) for each in (self.first, self.again, self.other)))

    def static_segments(self) -> frozenset[str]:
        """Give the parts of paths that are no data: they stand in the requests of both seeds."""
        return frozenset(_segments(self.first) & _segments(self.other))


def path_of(step: Mapping[str, Any]) -> str:
    """Give the path of a request, without its query."""
    return str(step["request"].get("path", "")).partition("?")[0]


def _differs(first: Sequence[str], again: Sequence[str], other: Sequence[str]) -> bool:
    if len(first) == len(again) != len(other):
        return True
    return any(one == same != new for one, same, new in zip_longest(first, again, other))


def _requests(transcript: Transcript) -> list[str]:
    requests = []
    for step in transcript:
        if step.get("kind") == "http":
            request = step["request"]
            requests.append(json.dumps([request.get("method"), request.get("path"), request.get("body")]))
    return requests


def _answers(transcript: Transcript) -> list[str]:
    answers = []
    for step in transcript:
        response = step.get("response")
        if step.get("kind") == "http" and isinstance(response, Mapping):
            headers = [pair for pair in response.get("headers", ()) if pair[0].lower() in _HEADERS]
            answers.append(json.dumps([response.get("status"), headers, response.get("body")], sort_keys=True))
        elif step.get("kind") == "call":
            answers.append(json.dumps(response, sort_keys=True, default=str))
    return answers


def _segments(attempt: Attempt) -> set[str]:
    return {
        segment
        for transcript in attempt.transcripts.values()
        for step in transcript
        if step.get("kind") == "http"
        for segment in path_of(step).split("/")
    }
