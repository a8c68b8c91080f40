"""Archives: taken by the rules of a folder, and read with a bound whatever they declare."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import random
import resource
import stat
import struct
import tarfile
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from grader import archive as module
from grader.archive import read_archive
from grader.error import RefusedSubmission
from grader.submission import read_submission, submission_of

FILES = {"app.py": b"app = 1\n", "pages/menu.html": b"<p>" * 1000}
TARS = ["tar", "tar.gz", "tgz", "tar.bz2", "tar.xz"]


def member(name: str, content: bytes = b"x", **changes: object) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in changes.items():
        setattr(info, key, value)
    return info, content


def tar_of(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return whole.getvalue()


def zip_of(*members: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return whole.getvalue()


def packed(kind: str, files: dict[str, bytes]) -> bytes:
    if kind == "zip":
        return zip_of(*files.items())
    plain = tar_of(*(member(name, content) for name, content in files.items()))
    pack: dict[str, Callable[[bytes], bytes]] = {"gz": gzip.compress, "z2": bz2.compress, "xz": lzma.compress}
    return pack.get(kind[-2:], bytes)(plain)


def problems(tmp_path: Path, data: bytes, name: str = "work.zip") -> tuple[str, ...]:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(RefusedSubmission) as caught:
        read_archive(path)
    return tuple(problem.replace(f"`{path}`", "`work`") for problem in caught.value.problems)


def zip_link(name: str, target: str) -> tuple[zipfile.ZipInfo, bytes]:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info, target.encode()


@pytest.mark.parametrize("kind", ["zip", *TARS, "tgz"])
def test_an_archive_is_the_folder_that_it_holds(tmp_path: Path, kind: str) -> None:
    """Files and digest are those of the same files in a folder, for each kind, whatever the file is called."""
    for name in (f"work.{kind}", "download"):
        (tmp_path / name).write_bytes(packed("tar.gz" if kind == "tgz" else kind, FILES))

        assert read_submission(tmp_path / name) == submission_of(FILES)


@pytest.mark.parametrize("kind", ["zip", *TARS])
def test_a_wrapping_folder_and_what_macos_adds_are_taken_off(tmp_path: Path, kind: str) -> None:
    """`mine/app.py` next to `__MACOSX` is `app.py`."""
    extra = {"__MACOSX/mine/._app.py": b"", "._mine": b"", "mine/._app.py": b"", "mine/.DS_Store": b""}
    path = tmp_path / "work"
    path.write_bytes(packed(kind, {**extra, **{f"mine/{name}": content for name, content in FILES.items()}}))

    assert read_archive(path) == submission_of(FILES)


def test_a_folder_beside_others_stays_in_the_names(tmp_path: Path) -> None:
    """Only a folder that is the one top entry is a wrapper."""
    path = tmp_path / "work.zip"
    path.write_bytes(zip_of(("work/app.py", b""), ("docs/", b"")))

    assert list(read_archive(path).files) == ["work/app.py"]


def test_a_tar_of_the_current_folder_is_taken(tmp_path: Path) -> None:
    """`tar c .` writes names that begin with `./`."""
    path = tmp_path / "work.tar"
    path.write_bytes(tar_of(member(".", b"", type=tarfile.DIRTYPE), member("./app.py"), member("./pages/a.html")))

    assert list(read_archive(path).files) == ["app.py", "pages/a.html"]


def test_long_and_foreign_names_are_taken(tmp_path: Path) -> None:
    """The formats' own ways of writing long names and other alphabets are read."""
    name = "/".join(["мен\u044e" * 20] * 5) + "/café.py"
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        path = tmp_path / "work.tar"
        with tarfile.open(path, "w", format=form) as archive:
            for info, content in (member(name), member("app.py")):
                archive.addfile(info, io.BytesIO(content))

        assert set(read_archive(path).files) == {name, "app.py"}


def test_links_devices_and_traversal_in_a_tar_are_refused_at_once(tmp_path: Path) -> None:
    """Each is named with its reason; nothing is ever written to disk."""
    told = problems(
        tmp_path,
        tar_of(
            member("app.py"),
            member("link", b"", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
            member("link/inside"),
            member("hard", b"", type=tarfile.LNKTYPE, linkname="app.py"),
            member("disk", b"", type=tarfile.BLKTYPE),
            member("pipe", b"", type=tarfile.FIFOTYPE),
            member("../../EVIDENCE"),
            member("/etc/cron.d/x"),
            member("APP.py"),
        ),
    )

    assert told == (
        "`../../EVIDENCE` leads out of the folder by `..`",
        "`/etc/cron.d/x` is an absolute path; only what lies in the folder is taken",
        "`app.py` and `APP.py` are one name where case doesn't count; rename one",
        "`disk` is a device, a pipe or a special file; only regular files are taken",
        "`hard` is a hard link; put the file itself there",
        "`link` is a symbolic link; put the file itself there",
        "`pipe` is a device, a pipe or a special file; only regular files are taken",
    )


def test_links_and_traversal_in_a_zip_are_refused_at_once(tmp_path: Path) -> None:
    """A zip is held to the same rules."""
    told = problems(
        tmp_path, zip_of(("app.py", b""), zip_link("static", "/etc"), ("../x", b""), ("/x", b""), ("C:\\x", b""))
    )

    assert told == (
        "`../x` leads out of the folder by `..`",
        "`/x` is an absolute path; only what lies in the folder is taken",
        r"`C:\x` is an absolute path; only what lies in the folder is taken",
        "`static` is a symbolic link; put the file itself there",
    )


def test_a_name_is_judged_whole(tmp_path: Path) -> None:
    """A NUL doesn't end a name: `app.py\\0.txt` is refused, not taken as `app.py`."""
    data = zip_of(("app.pyN.txt", b"")).replace(b"app.pyN.txt", b"app.py\0.txt")

    assert problems(tmp_path, data) == (r"`app.py\x00.txt` has control characters in its name; rename it",)


def test_one_name_twice_is_refused(tmp_path: Path) -> None:
    """An archive can hold a name twice; which one counts is not guessed."""
    with pytest.warns(UserWarning, match="Duplicate name"):
        data = zip_of(("app.py", b"1"), ("app.py", b"2"))
    assert problems(tmp_path, data) == ("`app.py` is there twice",)
    assert problems(tmp_path, tar_of(member("app.py"), member("app.py"))) == ("`app.py` is there twice",)


def test_an_encrypted_zip_says_so(tmp_path: Path) -> None:
    """A password is named as the reason, for each file."""
    data = bytearray(zip_of(("app.py", b"x")))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1

    assert problems(tmp_path, bytes(data)) == ("`app.py` is encrypted; make the archive without a password",)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_packed_in_an_unusual_way_is_refused(tmp_path: Path, method: int) -> None:
    """Methods that the standard library can't unpack with a bound are refused, with the remedy."""
    (told,) = problems(tmp_path, zip_of(("app.py", bytes(10**6)), method=method))

    assert told == "`app.py` is compressed in an unusual way; make the zip with the usual method"


def test_damage_is_named_with_the_file(tmp_path: Path) -> None:
    """A file that doesn't match its checksum is named; the others are read."""
    data = bytearray(zip_of(("app.py", b"hello"), ("b.py", b"there"), method=zipfile.ZIP_STORED))
    data[data.index(b"hello")] ^= 1

    assert problems(tmp_path, bytes(data)) == ("`app.py` is damaged: Bad CRC-32 for file 'app.py'",)


@pytest.mark.parametrize("kind", ["zip", *TARS])
def test_an_archive_that_was_cut_off_is_broken(tmp_path: Path, kind: str) -> None:
    """No half of an archive is graded: wherever it was cut, it is called broken, and the remedy is given."""
    content = random.Random(1).randbytes(3000)
    data = packed(kind, {"app.py": b"1", "b.py": content, "c.py": b"2"})
    # A plain tar ends in up to 10 KiB of zeros that nobody misses.
    end = len(data.rstrip(b"\0")) if kind == "tar" else len(data)

    for size in [*range(260, end, 97), end - 1]:
        (told,) = problems(tmp_path, data[:size], f"work.{kind}")
        assert told.startswith("`work` is broken: "), (size, told)


def test_a_damaged_header_in_the_middle_is_not_the_end(tmp_path: Path) -> None:
    """A tar whose second header is damaged is refused; the first file alone would be graded otherwise."""
    data = bytearray(tar_of(member("app.py"), member("b.py"), member("c.py")))
    data[1024 + 10] ^= 0xFF

    assert problems(tmp_path, bytes(data)) == ("`work` is broken: it is cut off or damaged in the middle",)


@pytest.mark.parametrize("kind", ["zip", *TARS])
def test_whatever_is_damaged_is_refused_in_words(tmp_path: Path, kind: str) -> None:
    """Random damage leads to a refusal or to the true files, never to another exception."""
    chance = random.Random(kind)
    whole = packed(kind, {**FILES, "deep/er/x.py": b"0" * 700})
    path = tmp_path / "work"
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(chance.choice((1, 1, 4))):
            data[chance.randrange(len(data))] = chance.choice((0, 255, 0x80, chance.randrange(256)))
        path.write_bytes(bytes(data))
        with contextlib.suppress(RefusedSubmission):
            read_archive(path)


def limited(data: bytes, tmp_path: Path, name: str = "work.zip") -> tuple[str, ...]:
    """Refuse `data` within a second or so and 200 MiB."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    start = time.process_time()
    told = problems(tmp_path, data, name)
    assert time.process_time() - start < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before.ru_maxrss < 200 * 1024
    return told


def test_a_file_that_declares_ten_gigabytes_is_refused_unread(tmp_path: Path) -> None:
    """A declared size is enough to refuse, in zip and tar."""
    data = bytearray(zip_of(("app.py", bytes(1000))))
    struct.pack_into("<L", data, data.index(b"PK\x01\x02") + 24, 4_000_000_000)
    assert limited(bytes(data), tmp_path) == ("`app.py` is 3,814.7 MiB; at most 1 MiB a file is taken",)

    header = member("app.py", size=10 * 2**30)[0].tobuf()
    assert limited(header + bytes(2048), tmp_path) == ("`work` unpacks to more than 128 MiB",)


def test_a_high_ratio_costs_no_more_than_its_bound(tmp_path: Path) -> None:
    """Zeros without end in a small file are refused by their declared size; where that lies, no more is unpacked."""
    zeros = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed_zeros = b"".join([*(zeros.compress(bytes(2**20)) for _ in range(256)), zeros.flush()])

    assert len(packed_zeros) < 300_000
    assert limited(zip_with(b"app.py", packed_zeros, 2**28), tmp_path) == (
        "`app.py` is 256 MiB; at most 1 MiB a file is taken",
    )
    (tmp_path / "work").write_bytes(zip_with(b"app.py", packed_zeros, 1000))
    assert read_archive(tmp_path / "work").files == {"app.py": bytes(1000)}


def zip_with(names: bytes | list[bytes], content: bytes, size: int) -> bytes:
    """Write a zip by hand: one deflated content under every name, whose declared size may be a lie."""
    names = [names] if isinstance(names, bytes) else names
    fields = struct.pack("<HHHHHLLL", 20, 0, 8, 0, 0, zlib.crc32(bytes(size)), len(content), size)
    length = struct.pack("<HH", len(names[0]), 0)
    local = b"PK\x03\x04" + fields + length + names[0] + content
    tail = length + struct.pack("<HHHLL", 0, 0, 0, 0, 0)
    central = b"".join(b"PK\x01\x02" + struct.pack("<H", 20) + fields + tail + name for name in names)
    end = struct.pack("<HHHHLLH", 0, 0, len(names), len(names), len(central), len(local), 0)
    return local + central + b"PK\x05\x06" + end


@pytest.mark.parametrize("kind", ["tar.gz", "tar.bz2", "tar.xz"])
def test_a_stream_that_never_ends_is_left_at_its_bound(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A compressed tar is unpacked so far and no further, left-out files and what follows its end included."""
    monkeypatch.setattr(module, "MAX_UNPACKED_BYTES", 16 * 2**20)
    content = bytes(17 * 2**20)
    skipped = packed(kind, {"app.py": b"", "node_modules/x": content, "b.py": b""})
    trailing = packed(kind, {"app.py": b""}) + packed(kind, {"b": content})

    for data in (skipped, trailing):
        assert limited(data, tmp_path) == ("`work` unpacks to more than 16 MiB",)


def test_files_that_share_their_bytes_are_no_way_around_the_bound(tmp_path: Path) -> None:
    """Entries that share the same bytes count each; nothing more than the whole's bound is read."""
    names = [f"f{number:02}".encode() for number in range(40)]
    zeros = zlib.compressobj(9, zlib.DEFLATED, -15)
    content = zeros.compress(bytes(2**20)) + zeros.flush()

    told = limited(zip_with(names, content, 2**20), tmp_path)
    assert told[0] == "the files are 40 MiB together; at most 8 MiB are taken"


def test_more_names_than_can_be_listed_are_refused(tmp_path: Path) -> None:
    """A directory of a zip larger than its bound isn't read, whatever the file says about it."""
    data = zip_of(("app.py", b""))
    end = data.index(b"PK\x05\x06")
    central = data[data.index(b"PK\x01\x02") : end]
    count = 5 * 2**20 // len(central)
    body = data[: data.index(b"PK\x01\x02")]
    trailer = struct.pack("<HHHHLLH", 0, 0, 1, 1, len(central) * count, len(body), 0)

    assert limited(body + central * count + b"PK\x05\x06" + trailer, tmp_path) == ("`work` lists too many files",)


def test_a_header_that_declares_a_huge_name_is_refused(tmp_path: Path) -> None:
    """A long name or an attribute of a GiB is refused before memory is taken for it."""
    for kind in (tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE):
        header = member("x", type=kind, size=2**30)[0].tobuf(tarfile.GNU_FORMAT)
        (told,) = limited(header + bytes(4096), tmp_path)
        assert told in (
            "`work` is broken: a header in it declares an impossible size",
            "`work` is broken: empty header",  # since Python 3.14, which finds no more of it
        )


def test_headers_without_end_are_refused(tmp_path: Path) -> None:
    """Headers that only announce other headers lead to a refusal, not to a stack without end."""
    header = member("x", b"", type=tarfile.XHDTYPE)[0].tobuf(tarfile.GNU_FORMAT)

    (told,) = limited(header * 5000 + bytes(1024), tmp_path)
    assert told.startswith("`work` is broken: ")


def test_headers_that_lead_back_are_refused(tmp_path: Path) -> None:
    """A negative size would read the same header for ever."""
    info = member("app.py")[0]
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    header[124:136] = b"\xff" * 10 + struct.pack(">h", -1024)
    checksum = 256 + sum(header[:148]) + sum(header[156:])
    header[148:156] = b"%06o\0 " % checksum

    (told,) = limited(bytes(header) + bytes(4096), tmp_path)
    assert told.startswith("`work` is broken: ")


def test_folders_nested_without_end_are_refused_once(tmp_path: Path) -> None:
    """A name of a thousand folders is too deep, and shown short."""
    (told,) = problems(tmp_path, tar_of(member("a/" * 1000 + "app.py"), member("b")))

    assert told == "`a/a/a/a/a/a/a/a/a/a/a/a/a` lies deeper than 12 levels"


def test_an_archive_in_the_archive_is_a_file_like_others(tmp_path: Path) -> None:
    """Nothing is unpacked twice."""
    inner = zip_of(("app.py", b"1"))
    (tmp_path / "work.zip").write_bytes(zip_of(("inner.zip", inner), ("app.py", b"2")))

    assert read_archive(tmp_path / "work.zip").files == {"app.py": b"2", "inner.zip": inner}


def test_a_huge_archive_is_refused_by_its_size(tmp_path: Path) -> None:
    """More than 64 MiB isn't opened further; the hint says what to leave out."""
    path = tmp_path / "work.zip"
    with open(path, "wb") as file:
        file.write(b"PK\x03\x04")
        file.truncate(65 * 2**20)

    with pytest.raises(RefusedSubmission, match="is larger than 64 MiB") as caught:
        read_archive(path)
    assert "node_modules" in caught.value.hint


@pytest.mark.parametrize("name", ["work.zip", "work.tar", "work.tar.gz"])
def test_what_only_has_the_name_of_an_archive_is_broken(tmp_path: Path, name: str) -> None:
    """A file that is called an archive and isn't one is broken, not unknown."""
    for content in (b"", b"not packed at all", b"\0" * 4096):
        (told,) = problems(tmp_path, content, name)
        assert told.startswith(("`work` is broken: ", "`work` is empty: "))


def test_what_is_no_archive_is_said_so(tmp_path: Path) -> None:
    """Other kinds of files, folders and devices are told apart."""
    assert "no archive that can be read (.zip, .tar" in problems(tmp_path, b"7z\xbc\xaf", "work.7z")[0]
    for path, words in [(tmp_path, "is a folder, not an archive"), (Path("/dev/null"), "is a device")]:
        with pytest.raises(RefusedSubmission, match=words):
            read_archive(path)


def test_an_archive_without_files_says_so(tmp_path: Path) -> None:
    """An empty archive is an empty submission."""
    assert problems(tmp_path, zip_of()) == ("`work` is empty: there is no file to grade",)
    assert problems(tmp_path, tar_of(), "work.tar") == ("`work` is empty: there is no file to grade",)


def test_members_that_a_tar_holds_sparsely_are_refused(tmp_path: Path) -> None:
    """A sparse file declares what it doesn't hold."""
    info = member("app.py", b"")[0]
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    header[156:157] = tarfile.GNUTYPE_SPARSE
    header[483:495] = b"77777777777\0"
    header[148:156] = b"%06o\0 " % (256 + sum(header[:148]) + sum(header[156:]))

    (told,) = problems(tmp_path, bytes(header) + bytes(1024))
    assert "only regular files are taken" in told or "is broken" in told
