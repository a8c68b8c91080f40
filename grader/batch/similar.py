"""Pairs of submissions that are too alike: what `grade batch --similar` adds to a gradebook.

The comparing is done by copydetect, in a process of its own (`grader.batch.likeness`): it is an extra of this package, and
its hashes are only the same every time where Python's are, which is decided when a process starts.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

from grader.batch.batch import Results
from grader.batch.source import read_sent
from grader.error import BrokenExercise, FaultError, GraderError, UsageError
from grader.sandbox.interpreter import PACKAGE

SUFFIXES = tuple(".py .js .mjs .cjs .ts .sql .rb .go .java .kt .php .rs .c .cpp .cs .sh".split())
TEXT_CHARACTERS = 32 * 1024
"""Of one language in one submission so much is compared; a kata has a tenth of it."""

ALL_S = 1800
HINT = "install it: python3 -m pip --python .venv/bin/python install 'copydetect>=0.5' (or kata-grader[similar])"

_CODE = "from grader.batch.likeness import main; main()"


@dataclass(frozen=True, kw_only=True)
class Side:
    """One of two: whose it is, how much of it is in the other, and the text with what is in both as begins and ends."""

    label: str
    share: float
    files: Sequence[str]
    text: str
    spans: Sequence[tuple[int, int]]


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two that are too alike; `first` comes first in the gradebook."""

    first: Side
    second: Side


@dataclass(frozen=True, kw_only=True)
class Similar:
    """The pairs, the most alike first. `found` counts those as well that are too many to show; `skipped` names whose text
    could not be compared, `cut` whose only in part.
    """

    pairs: Sequence[Pair]
    found: int
    skipped: Sequence[str]
    cut: Sequence[str]


def require_similar() -> None:
    """See that the library is there, before anything is graded.

    Raises:
        UsageError: it isn't.
    """
    if importlib.util.find_spec("copydetect") is None:
        raise UsageError("`--similar` needs the library copydetect, which is not installed", hint=HINT)


def find_similar(results: Results) -> Similar:
    """Compare all that was sent, each content once, without what the starter has.

    Raises:
        FaultError: the comparison failed.
    """
    places: dict[bytes, list[int]] = {}
    for place, digest in enumerate(results.digests):
        if digest and digest.hex() != results.starter:
            places.setdefault(digest, []).append(place)
    groups = list(places.values())
    cut: list[int] = []
    told = _compared(_lines(results, groups, cut))
    pairs = []
    for each in told["pairs"]:
        sides = []
        for end, key in enumerate((each["a"], each["b"])):
            files, text = _texts(results, groups[key])[each["suffix"]]
            spans = [(begin, end) for begin, end in each["slices"][end] if begin < len(text)]
            sides.append(
                Side(label=_label(results, groups[key]), share=each["shares"][end], files=files, text=text, spans=spans)
            )
        pairs.append(Pair(first=sides[0], second=sides[1]))
    return Similar(
        pairs=pairs,
        found=told["found"],
        skipped=[_label(results, groups[key]) for key in told["skipped"]],
        cut=[_label(results, groups[key]) for key in cut],
    )


def _lines(results: Results, groups: Sequence[Sequence[int]], cut: list[int]) -> Iterator[dict[str, Any]]:
    try:
        starter = _by_suffix(results.exercise.files_of("starter"))
    except (BrokenExercise, OSError):
        starter = {}
    yield {suffix: text[:TEXT_CHARACTERS] for suffix, (_, text) in starter.items()}
    for key, places in enumerate(groups):
        texts = _texts(results, places, cut, key)
        if texts:
            yield {"key": key, "texts": {suffix: text for suffix, (_, text) in texts.items()}}


def _texts(
    results: Results, places: Sequence[int], cut: list[int] | None = None, key: int = 0
) -> dict[str, tuple[list[str], str]]:
    """Read again what was graded; nothing where it went away since."""
    try:
        submission = read_sent(results.sent[places[0]], results.exercise.id)
    except (GraderError, OSError):
        return {}
    if bytes.fromhex(submission.digest) != results.digests[places[0]]:
        return {}
    texts = _by_suffix(submission.files)
    if cut is not None and any(len(text) > TEXT_CHARACTERS for _, text in texts.values()):
        cut.append(key)
    return {suffix: (files, text[:TEXT_CHARACTERS]) for suffix, (files, text) in texts.items()}


def _by_suffix(files: Mapping[str, bytes]) -> dict[str, tuple[list[str], str]]:
    """Put the files of each language together: who moves a function into another file has not written it anew."""
    found: dict[str, tuple[list[str], str]] = {}
    for name, content in sorted(files.items()):
        suffix = os.path.splitext(name)[1].lower()
        if suffix in SUFFIXES:
            names, before = found.get(suffix, ([], ""))
            # As the lexer lays it out itself, so that places in it are places here.
            text = (
                content.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").expandtabs(4).strip("\n")
            )
            found[suffix] = ([*names, name], f"{before}{text.replace(chr(0xFEFF), '')}\n")
    return found


def _label(results: Results, places: Sequence[int]) -> str:
    label = results.sent[places[0]].label
    return label if len(places) == 1 else f"{label} and {len(places) - 1} with the same files"


def _compared(lines: Iterator[dict[str, Any]]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="kata-similar-") as folder:
        # A file is written to without ever waiting for its reader.
        with open(os.path.join(folder, "in"), "w+b") as given, open(os.path.join(folder, "err"), "w+b") as said:
            for line in lines:
                given.write(json.dumps(line).encode() + b"\n")
            given.seek(0)
            done = _run(folder, given, said)
            said.seek(0)
            last = said.read()[-2000:].decode("utf-8", "replace").strip().splitlines()[-1:]
        try:
            told: dict[str, Any] = json.loads(done)
        except ValueError as error:
            raise FaultError(f"the comparison of submissions ended too early: {' '.join(last)[:300]}") from error
    return told


def _run(folder: str, given: IO[bytes], said: IO[bytes]) -> bytes:
    environ = {
        "PATH": os.defpath,
        "HOME": folder,
        "LANG": "C.UTF-8",
        "MPLCONFIGDIR": folder,
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": str(PACKAGE.parent),
    }
    try:
        return subprocess.run(
            [sys.executable, "-s", "-P", "-c", _CODE],
            stdin=given, stdout=subprocess.PIPE, stderr=said, cwd=folder, env=environ, timeout=ALL_S, check=False,
        ).stdout  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FaultError(f"the comparison of submissions failed: {error}") from error
