"""The submissions that were graded, kept by their content."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from pathlib import Path

import pytest

from grader.store.submissions import FOLDER, keep_submission, kept_digests, load_submission

FILES = {
    "app.py": b"print('caf\xc3\xa9')\r\n",
    "templates/menu with spaces/\u00e9.html": b"",
    "a/" * 11 + "x" * 180: b"\0\xff" * 500,
}
DIGEST = "sha256:" + "a" * 64


def test_what_was_kept_comes_back_to_the_byte(state_dir: Path) -> None:
    """Names with spaces, long ones, ones beyond ASCII, empty files, bytes that are no text."""
    kept = keep_submission(FILES, DIGEST, state_dir)
    assert kept.note is None
    assert load_submission(DIGEST, state_dir) == FILES
    assert kept_digests(state_dir) == [DIGEST]


def test_the_same_content_is_kept_once(state_dir: Path) -> None:
    """The second time costs no writing, and the same files make the same archive."""
    first = keep_submission(FILES, DIGEST, state_dir).path
    inode, data = first.stat().st_ino, first.read_bytes()
    assert keep_submission(dict(reversed(FILES.items())), DIGEST, state_dir).path == first
    assert first.stat().st_ino == inode
    first.unlink()
    assert keep_submission(dict(reversed(FILES.items())), DIGEST, state_dir).path.read_bytes() == data


def test_anybody_can_open_what_was_kept(state_dir: Path) -> None:
    """It is an ordinary archive."""
    path = keep_submission(FILES, DIGEST, state_dir).path
    with tarfile.open(path) as archive:
        assert sorted(archive.getnames()) == sorted(FILES)


def test_the_oldest_go_when_there_are_too_many(state_dir: Path) -> None:
    """Graded last counts as newest, and the one that has just been kept always stays."""
    digests = [f"{number:064}" for number in range(6)]
    for number, digest in enumerate(digests):
        path = keep_submission({"app.py": os.urandom(1000)}, digest, state_dir, all_max_bytes=5_000).path
        os.utime(path, (1000 + number,) * 2)
        if number == 3:
            keep_submission({}, digests[0], state_dir)
    assert kept_digests(state_dir) == [digests[3], digests[4], digests[5], digests[0]]
    assert keep_submission({"app.py": os.urandom(9000)}, "f" * 64, state_dir, all_max_bytes=5_000).path.exists()
    assert kept_digests(state_dir) == ["f" * 64]


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "a/b" * 20, "sha256:../" + "a" * 60, "x" * 500])
def test_what_is_no_digest_names_no_file(state_dir: Path, digest: str) -> None:
    """Neither for writing nor for reading."""
    kept = keep_submission({"app.py": b""}, digest, state_dir)
    assert kept.path is None
    assert "not a digest" in kept.note.message
    assert load_submission(digest, state_dir) is None
    assert not state_dir.exists()


def test_a_submission_that_is_too_large_is_told(state_dir: Path) -> None:
    """Larger than any that is graded."""
    kept = keep_submission({"app.py": bytes(17 << 20)}, DIGEST, state_dir)
    assert kept.path is None
    assert "16 MiB" in kept.note.message


def archive_of(*entries: tuple[tarfile.TarInfo, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for entry, content in entries:
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def link() -> tarfile.TarInfo:
    entry = tarfile.TarInfo("app.py")
    entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return entry


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not an archive",
        gzip.compress(b"not an archive" * 1000),
        archive_of((tarfile.TarInfo("app.py"), b"x" * 5000))[:-20],
        gzip.compress(bytes(100 << 20)),
        archive_of((tarfile.TarInfo("../app.py"), b"x")),
        archive_of((tarfile.TarInfo("/app.py"), b"x")),
        archive_of((link(), b"")),
    ],
    ids=["empty", "text", "packed text", "cut off", "bomb", "above", "absolute", "link"],
)
def test_a_damaged_or_planted_archive_counts_as_not_kept(state_dir: Path, data: bytes) -> None:
    """Reading is bounded, and nothing in it leads anywhere."""
    path = keep_submission({"app.py": b""}, DIGEST, state_dir).path
    path.write_bytes(data)
    assert load_submission(DIGEST, state_dir) in (None, {})


def test_the_folder_is_where_the_docs_say(state_dir: Path) -> None:
    """`submissions/` in the course's state folder."""
    assert keep_submission({}, DIGEST, state_dir).path.parent == state_dir / FOLDER
