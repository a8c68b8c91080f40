"""Find which of many texts are alike: a process of its own, with copydetect inside, so that the grader needs none of it.

Winnowing (Schleimer, Wilkerson, Aiken 2003) as copydetect does it, over tokens without names and comments. copydetect
compares every pair, which for a class of a thousand is half a million times; here an index of all fingerprints finds the
pairs that share something rare, and only those are compared.

In: lines of JSON on stdin, first the starter's texts by suffix, then `{"key": 0, "texts": {".py": "..."}}` each. Out: one JSON.
"""

from __future__ import annotations

import functools
import io
import json
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from copydetect import CodeFingerprint, compare_files
from copydetect.utils import get_copied_slices, get_token_coverage

SHORTEST = 25
"""Characters, names counted as one, that must be the same in a row: copydetect's own `noise_t`."""

WINDOW = 6
"""Of so many fingerprints in a row one is kept, so that 30 characters in a row are always found: its `guarantee_t`."""

COMMON = 10
MOST_COMMON = 40
"""What more than ten submissions have (or a fiftieth of them, at most forty) is how one writes it, as MOSS has it."""

RARE_SHARED = 4
RARE_CHARACTERS = 60
CANDIDATES = 2000
ALIKE = 0.7
"""Of what one of the two wrote, so much is in the other."""

SHOWN = 50
ONE_TEXT_S = 5
CPU_S = 1800
MEMORY_BYTES = 4 << 30
_CHUNK = 4_000_000


def main() -> None:
    """Read all, compare, write what was found."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    lines = iter(sys.stdin)
    starter: dict[str, str] = json.loads(next(lines))
    by_suffix: dict[str, _Suffix] = {}
    skipped: set[int] = set()
    for line in lines:
        told = json.loads(line)
        for suffix, text in told["texts"].items():
            if suffix not in by_suffix:
                by_suffix[suffix] = _Suffix(suffix, starter.get(suffix, ""))
            try:
                with _bounded():
                    by_suffix[suffix].add(told["key"], text)
            except Exception:  # noqa: BLE001  one text never stops the rest, whatever is in it
                skipped.add(told["key"])
    found: dict[tuple[int, int], dict[str, Any]] = {}
    for _, one in sorted(by_suffix.items()):
        for pair in one.pairs():
            known = found.get((pair["a"], pair["b"]))
            if known is None or _rank(pair) < _rank(known):
                found[pair["a"], pair["b"]] = pair
    pairs = sorted(found.values(), key=_rank)
    json.dump({"pairs": pairs[:SHOWN], "found": len(pairs), "skipped": sorted(skipped)}, sys.stdout)


def _rank(pair: dict[str, Any]) -> tuple[float, int, int]:
    return (-sum(pair["shares"]), pair["a"], pair["b"])


@dataclass(frozen=True)
class _Kept:
    """A fingerprint in a tenth of its room: the hashes in order with their places, and what places mean in the text."""

    hashes: Any
    places: Any
    offsets: Any
    coverage: int

    def whole(self) -> Any:
        """Give it as copydetect has it."""
        found = CodeFingerprint.__new__(CodeFingerprint)
        found.k, found.filtered_code, found.token_coverage = SHORTEST, "kept elsewhere", self.coverage
        found.offsets, found.hash_idx = self.offsets, {}
        for each, place in zip(self.hashes.tolist(), self.places.tolist(), strict=True):
            found.hash_idx.setdefault(each, []).append(place)
        found.hashes = set(found.hash_idx)
        return found


class _Suffix:
    """The texts of one language. What is kept of a text is small; the texts themselves are with whoever asked."""

    def __init__(self, suffix: str, starter: str) -> None:
        self._suffix = suffix
        self._kept: dict[int, _Kept] = {}
        self._whole = functools.lru_cache(maxsize=256)(lambda key: self._kept[key].whole())
        with _bounded():
            self._starter = CodeFingerprint(f"x{suffix}", SHORTEST, 1, fp=io.StringIO(starter)).hashes

    def add(self, key: int, text: str) -> None:
        """Take a text."""
        found = CodeFingerprint(f"x{self._suffix}", SHORTEST, WINDOW, fp=io.StringIO(text))
        # Not by its own option, which takes some of what is repeated in a text for the starter's.
        own = {each: places for each, places in found.hash_idx.items() if each not in self._starter}
        hashes = sorted(own)
        self._kept[key] = _Kept(
            np.repeat(np.array(hashes, dtype=np.int64), [len(own[each]) for each in hashes]),
            np.array([place for each in hashes for place in own[each]], dtype=np.int64),
            found.offsets,
            get_token_coverage(own, SHORTEST, len(found.filtered_code)),
        )

    def pairs(self) -> Iterator[dict[str, Any]]:
        """Give the pairs that are alike."""
        keys = list(self._kept)
        if len(keys) < 2:
            return
        common = max(COMMON, min(MOST_COMMON, len(keys) // 50))
        rare, candidates = _candidates([np.unique(self._kept[key].hashes) for key in keys], common)
        for first, second in sorted(candidates):
            pair = self._compared(keys[first], keys[second], rare)
            if pair is not None:
                yield pair

    def _compared(self, a: int, b: int, rare: frozenset[int]) -> dict[str, Any] | None:
        one, other = self._whole(a), self._whole(b)
        places = [place for each in one.hashes & other.hashes & rare for place in one.hash_idx[each]]
        slices = get_copied_slices(np.array(places), SHORTEST)
        if not places or np.sum(slices[1] - slices[0]) < RARE_CHARACTERS:
            return None
        _, shares, (mine, theirs) = compare_files(one, other)
        if max(shares) < ALIKE:
            return None
        return {
            "a": a,
            "b": b,
            "suffix": self._suffix,
            "shares": [round(min(float(share), 1.0), 3) for share in shares],
            "slices": [_spans(mine), _spans(theirs)],
        }


def _candidates(hashes: list[Any], common: int) -> tuple[frozenset[int], list[tuple[int, int]]]:
    """Give the fingerprints that few have, and the pairs that share some of them: those with the largest share first."""
    values = np.concatenate(hashes)
    owners = np.repeat(np.arange(len(hashes), dtype=np.int64), [len(each) for each in hashes])
    order = np.argsort(values, kind="stable")
    values, owners = values[order], owners[order]
    starts = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]])) if len(values) else np.array([], int)
    sizes = np.diff(np.append(starts, len(values)))
    totals: list[tuple[Any, Any]] = []
    waiting: list[Any] = []
    amount = 0
    for size in range(2, common + 1):
        groups = starts[sizes == size]
        for begin in range(0, len(groups), _CHUNK // size):
            members = owners[groups[begin : begin + _CHUNK // size, None] + np.arange(size)]
            for first in range(size - 1):
                for second in range(first + 1, size):
                    waiting.append(members[:, first] * len(hashes) + members[:, second])
                    amount += len(members)
                    if amount > _CHUNK:
                        totals = [_counted(waiting, totals)]
                        waiting, amount = [], 0
    pairs, counts = _counted(waiting, totals)
    lengths = np.array([max(len(each), 1) for each in hashes])
    firsts, seconds = pairs // len(hashes), pairs % len(hashes)
    share = counts / np.minimum(lengths[firsts], lengths[seconds])
    share[counts < RARE_SHARED] = 0
    best = np.lexsort((pairs, -share))[:CANDIDATES]
    best = best[share[best] > 0]
    rare = values[starts[(sizes >= 2) & (sizes <= common)]]
    return frozenset(rare.tolist()), list(zip(firsts[best].tolist(), seconds[best].tolist(), strict=True))


def _counted(waiting: list[Any], totals: list[tuple[Any, Any]]) -> tuple[Any, Any]:
    """Count how often each pair is there, added to what was counted before."""
    found = [np.unique(np.concatenate(waiting), return_counts=True)] if waiting else []
    parts = [*totals, *found]
    if not parts:
        return np.array([], dtype=np.int64), np.array([], dtype=np.int64)
    pairs, places = np.unique(np.concatenate([pairs for pairs, _ in parts]), return_inverse=True)
    counts = np.bincount(places, weights=np.concatenate([counts for _, counts in parts]), minlength=len(pairs))
    return pairs, counts


def _spans(slices: Any) -> list[list[int]]:
    """Give begins and ends in order, without overlaps."""
    found: list[list[int]] = []
    for begin, end in sorted(zip(*(each.tolist() for each in slices), strict=True)):
        if found and begin <= found[-1][1]:
            found[-1][1] = max(found[-1][1], int(end))
        else:
            found.append([int(begin), int(end)])
    return found


@contextmanager
def _bounded() -> Iterator[None]:
    """Give one text so much time: a lexer's patterns can be made to take for ever."""

    def stop(*_: Any) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, ONE_TEXT_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
