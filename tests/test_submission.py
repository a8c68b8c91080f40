"""What is taken from a learner's folder, and how everything else is refused."""

from __future__ import annotations

import os
import socket
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from grader import submission as module
from grader.error import RefusedSubmission
from grader.submission import Entry, Submission, collect, read_submission, shown, submission_of


def fill(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def problems(path: Path) -> tuple[str, ...]:
    with pytest.raises(RefusedSubmission) as caught:
        read_submission(path)
    return caught.value.problems


def entry(name: str, content: bytes = b"x") -> Entry:
    return Entry(name=name, size=len(content), read=lambda most: content[:most])


def collected(*entries: Entry, unwrap: bool = False) -> Submission:
    return collect(entries, source="work", unwrap=unwrap)


def refusal(*entries: Entry) -> tuple[str, ...]:
    with pytest.raises(RefusedSubmission) as caught:
        collected(*entries)
    return caught.value.problems


def test_files_are_taken_as_bytes_sorted_by_name(tmp_path: Path) -> None:
    """Every regular file comes along, below folders too, in the order of their names."""
    fill(tmp_path, {"b.py": b"\xff\x00", "app.py": "app = 1\n", "pages/menu.html": "<p>"})

    taken = read_submission(tmp_path)

    assert list(taken.files.items()) == [("app.py", b"app = 1\n"), ("b.py", b"\xff\x00"), ("pages/menu.html", b"<p>")]


def test_the_digest_says_names_and_contents(tmp_path: Path) -> None:
    """The same files have the same digest wherever they lie; a changed name or byte has another."""
    first = submission_of({"app.py": b"1", "b.py": b"2"})
    same = read_submission(fill(tmp_path, {"b.py": "2", "app.py": "1"}))
    others = [{"app.py": b"1", "b.py": b"3"}, {"app.py": b"1", "c.py": b"2"}, {"app.py": b"1b.py2"}, {"app.py": b"1"}]

    assert same == first
    assert len({first.digest, *(submission_of(files).digest for files in others)}) == 5


def test_caches_environments_and_version_control_are_left_out(tmp_path: Path) -> None:
    """What tools leave in a folder is neither taken nor counted nor refused."""
    names = ["__pycache__/app.pyc", ".git/config", ".venv/pyvenv.cfg", "venv/x", "node_modules/a/b.js", ".grade/x"]
    fill(tmp_path, {"app.py": "", "old.pyc": "", ".DS_Store": "", "pages/.DS_Store": "", **dict.fromkeys(names, "")})
    (tmp_path / "venv" / "python").symlink_to("/usr/bin/python3")
    (tmp_path / "pages" / "node_modules").symlink_to("/")
    (tmp_path / ".env").write_text("A=1")

    assert list(read_submission(tmp_path).files) == [".env", "app.py"]


def test_the_folder_that_was_typed_may_be_a_link(tmp_path: Path) -> None:
    """A learner may keep the work elsewhere and link to it."""
    fill(tmp_path / "real", {"app.py": ""})
    (tmp_path / "link").symlink_to(tmp_path / "real")

    assert list(read_submission(tmp_path / "link").files) == ["app.py"]


def test_everything_that_is_no_regular_file_is_refused_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Links, pipes and sockets are named with the reason, all of them in one answer."""
    fill(tmp_path, {"app.py": ""})
    (tmp_path / "static").symlink_to("/etc")
    (tmp_path / "notes").symlink_to("app.py")
    (tmp_path / "gone").symlink_to("nowhere")
    os.mkfifo(tmp_path / "queue")
    monkeypatch.chdir(tmp_path)  # the path of a socket may have 108 bytes
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("talk")

        assert problems(tmp_path) == (
            "`gone` is a symbolic link; put the file itself there",
            "`notes` is a symbolic link; put the file itself there",
            "`queue` is a pipe; only regular files are taken",
            "`static` is a symbolic link; put the file itself there",
            "`talk` is a socket; only regular files are taken",
        )


def test_a_device_is_refused() -> None:
    """Devices are refused by what they are, unopened: opening one can have effects."""
    assert "`null` is a device; only regular files are taken" in "\n".join(problems_below_dev())


def problems_below_dev() -> list[str]:
    folder = os.open("/dev", os.O_RDONLY)
    try:
        entries = [each for each in module._walk(folder, "", module.MAX_DEPTH + 1) if each.name == "null"]
    finally:
        os.close(folder)
    return list(refusal(*entries))


def test_the_number_of_files_is_bounded(tmp_path: Path) -> None:
    """Two hundred files are taken, one more is too many."""
    fill(tmp_path, {f"f{number}": "" for number in range(200)})
    assert len(read_submission(tmp_path).files) == 200

    fill(tmp_path, {"f200": ""})
    assert problems(tmp_path) == (f"`{tmp_path}` holds 201 files; at most 200 are taken",)


def test_the_size_of_a_file_is_bounded(tmp_path: Path) -> None:
    """A MiB is taken to the byte; a byte more is refused, and the message shows that it is more."""
    fill(tmp_path, {"app.py": bytes(1024 * 1024)})
    assert len(read_submission(tmp_path).files["app.py"]) == 1024 * 1024

    fill(tmp_path, {"app.py": bytes(1024 * 1024 + 1)})
    assert problems(tmp_path) == ("`app.py` is 1.1 MiB; at most 1 MiB a file is taken",)


def test_the_size_of_all_files_is_bounded(tmp_path: Path) -> None:
    """Eight MiB are taken in all; what is over is said in sizes."""
    fill(tmp_path, {f"f{number}": bytes(1024 * 1024) for number in range(8)})
    assert len(read_submission(tmp_path).files) == 8

    fill(tmp_path, {"one": "more"})
    assert problems(tmp_path) == ("the files are 8.1 MiB together; at most 8 MiB are taken",)


def test_a_huge_file_is_never_read(tmp_path: Path) -> None:
    """A sparse file of a TiB is refused by its size alone."""
    with open(tmp_path / "disk.img", "wb") as file:
        file.truncate(1 << 40)

    assert problems(tmp_path) == ("`disk.img` is 1,048,576 MiB; at most 1 MiB a file is taken",)


def test_the_depth_is_bounded(tmp_path: Path) -> None:
    """Twelve levels are taken; deeper ones are named once, however much lies there."""
    deep = "/".join("abcdefghijk")
    fill(tmp_path, {f"{deep}/app.py": ""})
    assert list(read_submission(tmp_path).files) == [f"{deep}/app.py"]

    fill(tmp_path, {f"{deep}/l/app.py": "", f"{deep}/l/m/n/o/app.py": ""})
    assert problems(tmp_path) == (
        f"`{deep}/l/app.py` lies deeper than 12 levels",
        f"`{deep}/l/m` lies deeper than 12 levels",
    )


def test_a_folder_without_end_is_left_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Listing stops at a bound, left-out files included."""
    monkeypatch.setattr(module, "MAX_ENTRIES", 10)
    asked: list[int] = []

    def without_end() -> object:
        for number in range(10**9):
            asked.append(number)
            yield Entry(name=f"{number}.pyc")

    with pytest.raises(RefusedSubmission, match="holds more than 10 files and folders"):
        collect(without_end(), source="work")  # type: ignore[arg-type]
    assert len(asked) == 11


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../app.py", "leads out of the folder by `..`"),
        ("a/../../app.py", "leads out of the folder by `..`"),
        (".git/../../app.py", "leads out of the folder by `..`"),
        ("..\\app.py", "leads out of the folder by `..`"),
        ("/etc/passwd", "is an absolute path; only what lies in the folder is taken"),
        ("//etc", "is an absolute path; only what lies in the folder is taken"),
        ("C:\\app.py", "is an absolute path; only what lies in the folder is taken"),
        ("a\\b.py", "has a backslash in its name; rename it"),
        ("a\nb.py", "has control characters in its name; rename it"),
        ("a\x00.py", "has control characters in its name; rename it"),
        ("a\x7f.py", "has control characters in its name; rename it"),
        ("a\x9b31m.py", "has control characters in its name; rename it"),
        ("a\u2028b.py", "has control characters in its name; rename it"),
        ("exe\u202eyp.app", "has control characters in its name; rename it"),
        ("\udcff.py", "has a name that isn't UTF-8; rename it"),
        ("é" * 128, "has a name longer than 255 bytes; shorten it"),
    ],
)
def test_a_name_that_means_harm_is_refused(name: str, reason: str) -> None:
    """Names that lead elsewhere, can't be shown or can't be written are refused with the reason, on one line."""
    (problem,) = refusal(entry(name))

    assert problem == f"{shown(name)} {reason}"
    assert problem.isprintable()


def test_a_name_in_other_bytes_is_refused_in_a_folder(tmp_path: Path) -> None:
    """A file's name that isn't UTF-8 is shown by its bytes."""
    (tmp_path / "app.py").write_text("")
    with open(os.fsencode(tmp_path) + b"/caf\xe9.py", "wb"):
        pass

    assert problems(tmp_path) == (r"`caf\xe9.py` has a name that isn't UTF-8; rename it",)


def test_names_of_many_languages_are_taken() -> None:
    """Letters of every script are good names."""
    names = ["café.py", "мен\u044e.py", "メニュー.py", "a b.py", "🍲.txt"]

    assert set(collected(*map(entry, names)).files) == set(names)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("App.py", "app.py"),
        ("STRASSE", "straße"),
        (unicodedata.normalize("NFC", "café"), unicodedata.normalize("NFD", "café")),
        ("Pages/a.html", "pages/b.html"),
        ("K.py", "\u212a.py"),
    ],
)
def test_names_that_are_one_where_case_does_not_count_are_refused(first: str, second: str) -> None:
    """Two names of which a Mac or Windows would keep one are refused, folders too."""
    (problem,) = refusal(entry(first), entry(second))

    counts = "it doesn't count how an accent is written" if first.startswith("caf") else "case doesn't count"
    assert f"are one name where {counts}; rename one" in problem


def test_one_name_is_taken_once() -> None:
    """The same name twice, or as file and folder, is refused: which one counts would be a guess."""
    assert refusal(entry("app.py"), entry("./app.py")) == ("`app.py` is there twice",)
    assert refusal(entry("app"), entry("app/x.py")) == ("`app` is a file and a folder at once",)
    assert refusal(entry("app"), Entry(name="app/")) == ("`app` is a file and a folder at once",)


def test_a_refused_folder_is_named_once() -> None:
    """What lies in a folder that is refused adds no lines."""
    inside = [entry(f"a\tb/{number}") for number in range(50)]

    assert refusal(Entry(name="a\tb"), *inside) == (r"`a\tb` has control characters in its name; rename it",)


def test_a_long_list_of_problems_is_cut_and_counted(tmp_path: Path) -> None:
    """Twenty problems are listed, the rest is a number."""
    for number in range(50):
        (tmp_path / f"link{number:02}").symlink_to("/")

    told = problems(tmp_path)

    assert len(told) == 21
    assert told[0].startswith("`link00` ")
    assert told[-1] == "and 30 more"


@pytest.mark.parametrize("change", [b"longer now", b"cut"])
def test_a_file_that_changes_while_it_is_read_is_refused(change: bytes) -> None:
    """What was read must be what was there: no half-saved file is graded."""
    changing = Entry(name="app.py", size=5, read=lambda most: change[:most])

    assert refusal(changing) == ("`app.py` changed while it was read; try again",)


def test_a_file_that_grows_without_end_is_read_to_its_bound(tmp_path: Path) -> None:
    """No more is read than the size that was announced, and one byte."""
    asked: list[int] = []

    def grow(most: int) -> bytes:
        asked.append(most)
        return b"x" * most

    assert refusal(Entry(name="log", size=5, read=grow)) == ("`log` changed while it was read; try again",)
    assert asked == [6]


@pytest.mark.parametrize(
    ("swap", "reason"),
    [
        (lambda path: path.symlink_to("/etc/hostname"), "is a symbolic link; put the file itself there"),
        (os.mkfifo, "is a pipe; only regular files are taken"),
        (Path.mkdir, "is a folder; only regular files are taken"),
        (lambda path: None, "can't be read: no such file or directory"),
    ],
)
def test_a_file_swapped_after_it_was_listed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, swap: Callable[[Path], None], reason: str
) -> None:
    """What is opened is looked at again: a link, or a pipe that would block for ever, gets nowhere."""
    path = fill(tmp_path, {"app.py": "1234"}) / "app.py"
    read_file = module._read_file

    def swapping(folder: int, part: str, most: int) -> bytes:
        path.unlink()
        swap(path)
        return read_file(folder, part, most)

    monkeypatch.setattr(module, "_read_file", swapping)

    assert problems(tmp_path) == (f"`app.py` {reason}",)


def test_a_folder_swapped_for_a_link_leads_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that becomes a link after it was listed isn't followed."""
    fill(tmp_path, {"work/pages/a.html": "", "secret/a.html": "secret"})
    enter = module._enter

    def swapping(folder: int, part: str, name: str, depth: int) -> object:
        (tmp_path / "work/pages").rename(tmp_path / "moved")
        (tmp_path / "work/pages").symlink_to(tmp_path / "secret")
        return enter(folder, part, name, depth)

    monkeypatch.setattr(module, "_enter", swapping)

    (problem,) = problems(tmp_path / "work")
    assert problem.startswith("`pages` can't be opened: ")


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    """Reading, and refusing half-way, close every folder and file that was opened."""
    fill(tmp_path, {"a/b/c/app.py": "", "a/b/d.py": ""})
    (tmp_path / "a/b/c/link").symlink_to("/")
    before = len(os.listdir("/proc/self/fd"))

    problems(tmp_path)

    assert len(os.listdir("/proc/self/fd")) == before


def test_what_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing permission is said, for files and folders."""
    fill(tmp_path, {"app.py": "", "pages/a.html": "", "b.py": ""})
    really_open = os.open

    def guarded(path: str, flags: int, *, dir_fd: int | None = None) -> int:
        if path in ("app.py", "pages"):
            raise PermissionError(13, "Permission denied")
        return really_open(path, flags, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", guarded)  # the tests may run as root, who may read everything

    assert problems(tmp_path) == (
        "`app.py` can't be read: permission denied",
        "`pages` can't be opened: permission denied",
    )


def test_a_path_that_is_not_there_is_said(tmp_path: Path) -> None:
    """A missing folder is named as it was typed; a path through a file, or one that can't be, too."""
    (tmp_path / "app.py").write_text("")
    (tmp_path / "loop").symlink_to("loop")

    assert problems(Path("no/such")) == ("there is no folder `no/such`",)
    assert problems(tmp_path / "app.py/x")[0].startswith("there is no folder or archive `")
    assert problems(Path("a\0b")) in (
        (r"`a\x00b` can't be opened: embedded null byte",),
        (r"`a\x00b` can't be opened: open: embedded null character in path",),  # since Python 3.13
    )
    assert "can't be opened: too many levels of symbolic links" in problems(tmp_path / "loop")[0]


def test_a_file_instead_of_a_folder_is_said(tmp_path: Path) -> None:
    """A single file is no submission; the remedy is its folder."""
    (tmp_path / "app.py").write_text("app = 1\n" * 100)

    with pytest.raises(RefusedSubmission, match="is a file, and no archive that can be read") as caught:
        read_submission(tmp_path / "app.py")
    assert caught.value.hint == "give the folder that holds your files"


def test_nothing_to_grade_is_said(tmp_path: Path) -> None:
    """An empty folder, and one in which everything is left out, say so."""
    assert problems(tmp_path) == (f"`{tmp_path}` is empty: there is no file to grade",)

    fill(tmp_path, {"__pycache__/app.pyc": ""})
    (tmp_path / "pages").mkdir()
    assert problems(tmp_path) == (f"`{tmp_path}` holds no file to grade; left out: `__pycache__`",)


def test_only_a_single_wrapping_folder_is_taken_off() -> None:
    """A folder in which everything lies goes; a second top entry, even an empty folder, keeps the names."""
    wrapped = [Entry(name="work/"), entry("work/app.py"), entry("work/pages/a.html")]

    assert list(collected(*wrapped, unwrap=True).files) == ["app.py", "pages/a.html"]
    assert list(collected(*wrapped).files) == ["work/app.py", "work/pages/a.html"]
    assert list(collected(*wrapped, Entry(name="docs"), unwrap=True).files) == ["work/app.py", "work/pages/a.html"]
    assert list(collected(entry("app.py"), unwrap=True).files) == ["app.py"]
    assert list(collected(entry("a/b/app.py"), unwrap=True).files) == ["b/app.py"]


@pytest.mark.parametrize("depth", [0, 1])
def test_a_folder_that_can_not_be_listed_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, depth: int
) -> None:
    """As some of `/proc` can't, by root either."""
    (tmp_path / "inner").mkdir()
    listed = os.scandir
    asked: list[int] = []

    def scandir(folder: int) -> object:
        asked.append(folder)
        if len(asked) > depth:
            raise PermissionError(13, "Permission denied", folder)
        return listed(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(RefusedSubmission) as refused:
        read_submission(tmp_path)
    named = "the folder" if depth == 0 else "`inner`"
    assert refused.value.problems == (f"{named} can't be listed: permission denied",)
