"""Proofs that were made: kept below the course's `.grade/`, found again while nothing that matters has changed."""

from __future__ import annotations

import hashlib
import os
import sys
from contextlib import suppress
from pathlib import Path

import msgspec

from grader import __version__
from grader.file_name import is_left_out
from grader.sandbox.code_digest import code_digest
from grader.sandbox.interpreter import PACKAGE
from grader.submission import read_regular
from grader.verify.outcome import Verified
from grader.verify.proof import Settings
from grader.whole_file import write_whole

_CODE = (
    "inside",
    "verify",
    "grading.py",
    "boxes.py",
    "exercise.py",
    "file_name.py",
    "folder.py",
    "hidden_test.py",
    "submission.py",
)

_decoder = msgspec.json.Decoder(Verified)


class Cache:
    """The proofs of one course in one sandbox. One that can't be read or written is no loss, only time."""

    def __init__(self, state: Path, sandbox: str, settings: Settings) -> None:
        self._folder = state / "verify"
        self._sandbox = sandbox
        self._settings = settings
        self._grader = _digest_of_grader()

    def find(self, folder: Path) -> Verified | None:
        """Give the proof of this folder as it is now. A whole proof stands in for a quick one."""
        for is_quick in {False, self._settings.is_quick}:
            try:
                data = self._path(folder, is_quick).read_bytes()
                key, _, body = data.partition(b"\n")
                if key.decode("ascii", "replace") == self._key(folder, is_quick):
                    return msgspec.structs.replace(_decoder.decode(body), is_remembered=True)
            except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
                continue
        return None

    def key(self, folder: Path) -> str:
        """Give the digest of all that the proof depends on, as it is now."""
        return self._key(folder, self._settings.is_quick)

    def keep(self, folder: Path, key: str, verified: Verified) -> None:
        """Keep a proof, if the folder is what it was when `key` was taken and a second run would find the same."""
        if key != self.key(folder) or not _would_come_again(verified):
            return
        path = self._path(folder, self._settings.is_quick)
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            write_whole(path, key.encode() + b"\n" + msgspec.json.encode(verified))

    def _path(self, folder: Path, is_quick: bool) -> Path:
        return self._folder / f"{folder.name}.{self._sandbox}.{'quick' if is_quick else 'whole'}.json"

    def _key(self, folder: Path, is_quick: bool) -> str:
        parts = [self._grader, self._sandbox, str(is_quick), str(self._settings.seeds if is_quick else "")]
        return hashlib.sha256("\n".join([*parts, digest_of_folder(folder)]).encode()).hexdigest()


def digest_of_folder(folder: Path) -> str:
    """Give the digest over every file of an exercise but the learner's own."""
    whole = hashlib.sha256()
    for parent, folders, names in os.walk(folder):
        is_top = Path(parent) == folder
        folders[:] = sorted(
            each
            for each in folders
            if not is_left_out(each) and not (is_top and (each == "solution" or each[:1] == "."))
        )
        for name in sorted(names):
            if is_left_out(name):
                continue
            path = Path(parent) / name
            relative = str(path.relative_to(folder)).encode("utf-8", "surrogateescape")
            try:
                content = read_regular(path)
            except OSError:
                content = b"unreadable"
            whole.update(f"{len(relative)} {len(content)}\n".encode("ascii") + relative + content)
    return whole.hexdigest()


def _digest_of_grader() -> str:
    whole = hashlib.sha256(f"{__version__} {sys.version} {code_digest(_CODE)}".encode())
    # What the image of the boxes is made from, where this is a clone.
    recipe = PACKAGE.parent / "Dockerfile"
    if recipe.is_file():
        whole.update(recipe.read_bytes())
    whole.update(os.environ.get("GRADE_BASE_IMAGE", "").encode())
    return whole.hexdigest()


def _would_come_again(verified: Verified) -> bool:
    """Say whether it is no matter of how busy the machine was: a proof that failed by time may succeed next time."""
    return verified.point("time").state != "failed" and not any(
        "the sandbox failed" in text
        for text in (*(f.text for f in verified.findings), *(p.seen for p in verified.points))
    )
