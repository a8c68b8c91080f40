"""Find the submissions in a folder: whose each is, and where its files lie.

What a learner sent may be a folder, a zip or a tar, named after them. Known beside that are

- `learner/exercise-03-one-dish/` trees, with `solution/` in them or not, as in clones of a course;
- Moodle's "Download all submissions": `Jane Doe_4711_assignsubmission_file_` as a folder (newer releases leave out the last
  underscore), or as the beginning of every file's name (`mod/assign/locallib.php`, `download_submissions`);
- Canvas's "Download Submissions": `doejane_4711_90210_app.py`, with `LATE_` before the first number
  (`content_zipper.rb`), and `-1`, `-2` behind the name of a file that was handed in again.

A folder that holds nothing but one folder is gone into. An archive of a kind that can't be read is refused by its name.

Nothing that a learner wrote is followed: a link is refused wherever it stands.
"""

from __future__ import annotations

import functools
import os
import re
import stat
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grader.archive import SUFFIXES, read_archive
from grader.error import RefusedSubmission, UsageError
from grader.file_name import is_left_out, shown
from grader.folder import TOML, name_parts
from grader.submission import (
    MAX_DEPTH,
    MAX_ENTRIES,
    Entry,
    Submission,
    Unreadable,
    collect,
    kind_problem,
    read_submission,
    submission_of,
)

UNREADABLE = (
    ".7z", ".rar", ".zipx", ".tar.zst", ".tzst", ".tar.lz4", ".tar.lz", ".tlz", ".tar.lzma", ".tar.z", ".taz", ".tar.br",
    ".ace", ".arj", ".cab", ".lha", ".lzh",
)  # fmt: skip
"""Archives that learners send and that are not unpacked here: each is told by its name, and nobody is left out in silence."""

_SEND = "send a zip or a tar of the files"
_MOODLE = re.compile(r"(?P<name>.+?)_(?P<id>[0-9]+)_assignsubmission_(?P<kind>file|onlinetext)(?:_(?P<file>.*))?", re.S)
_CANVAS = re.compile(r"(?P<name>[^_]+)_(?P<late>LATE_)?(?P<id>[0-9]+)_(?P<sent>[0-9]+)_(?P<file>.+)", re.S)
_SENT_AGAIN = re.compile(r"(?P<stem>[A-Za-z_][A-Za-z0-9_]*)-[0-9]{1,3}(?P<suffix>\.[A-Za-z0-9]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What one learner sent.

    `label` tells learners apart, as `learner` need not; `id` is the number that the learning platform gave, or empty.
    `paths` are files that belong together, each with the name that the learner gave it; a single one without a name is a
    folder or an archive.
    """

    learner: str
    label: str = ""
    id: str = ""
    is_late: bool = False
    paths: tuple[tuple[str, str], ...]

    @property
    def source(self) -> str:
        """The name in the folder that was given."""
        return os.path.basename(self.paths[0][1])


@dataclass(frozen=True, kw_only=True)
class Found:
    """The submissions, by label, and what lies beside them and is none."""

    sent: Sequence[Sent]
    ignored: Sequence[str]


class NotSent(RefusedSubmission):
    """The learner has sent other exercises, not this one."""


def find_submissions(folder: Path) -> Found:
    """List what lies in a folder; only names are read.

    Raises:
        UsageError: it can't be read, or no submission is in it.
    """
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        hint = "give the folder that holds a folder or an archive for each learner"
        if folder.is_file():
            hint = "unpack it, and give the folder: a learning platform's download is an archive of archives"
        raise UsageError(
            f"{shown(str(folder))} can't be read: {(error.strerror or str(error)).lower()}", hint=hint
        ) from error
    plain: list[Sent] = []
    grouped: dict[tuple[str, str], Sent] = {}
    ignored: list[str] = []
    for name in names:
        if name.startswith(".") or is_left_out(name) or name == "__MACOSX":
            continue
        path = os.path.join(folder, name)
        try:
            mode = os.lstat(path).st_mode
        except OSError:
            continue  # gone since it was listed
        # A link counts as a folder here, and is refused when it is read: nobody is left out in silence.
        one = _read_name(name, path, stat.S_ISDIR(mode) or stat.S_ISLNK(mode))
        if one is None:
            ignored.append(name)
        elif not one.paths[0][0]:
            plain.append(one)
        else:
            before = grouped.get((one.learner, one.id))
            grouped[one.learner, one.id] = (
                one if before is None else replace(before, paths=(*before.paths, *one.paths), is_late=one.is_late)
            )
    sent = _labelled([*plain, *(_alone(each) for each in grouped.values())])
    if not sent:
        raise UsageError(
            f"no submission in {shown(str(folder))}", hint="it should hold a folder, a zip or a tar for each learner"
        )
    return Found(sent=sent, ignored=ignored)


def read_sent(sent: Sent, exercise_id: str) -> Submission:
    """Take the files that a learner sent for this exercise, by the rules of `grader.submission`.

    Raises:
        NotSent: there are other exercises, not this one.
        RefusedSubmission: something in it can't be taken.
    """
    if len(sent.paths) > 1 or sent.paths[0][0]:
        return _read_files(sent)
    path = Path(sent.paths[0][1])
    _refuse_link(path)
    if not path.is_dir():
        return _of_exercise(_read_archive(path), exercise_id, shown(sent.source))
    folder = _innermost(_exercise_folder(_innermost(path), exercise_id))
    archive = _only_archive(folder)
    if archive is not None:
        return _of_exercise(_read_archive(archive), exercise_id, shown(sent.source))
    if _MOODLE.fullmatch(sent.source):
        _refuse_mixture(_names(folder))
    return read_submission(folder)


def is_archive(name: str) -> bool:
    """Say whether a file's name is one of an archive, also of one that can't be read."""
    return name.lower().endswith((*SUFFIXES, *UNREADABLE))


def _read_name(name: str, path: str, is_folder: bool) -> Sent | None:
    """Say whose a file or folder is, or `None` where it is no submission."""
    moodle = _MOODLE.fullmatch(name)
    if moodle:
        if moodle["kind"] == "onlinetext":
            return None  # text that was typed into the page: no files
        whose = Sent(learner=_name(moodle["name"]), id=moodle["id"], paths=(("", path),))
        if is_folder:
            return whose
        return replace(whose, paths=((moodle["file"], path),)) if moodle["file"] else None
    if is_folder:
        return Sent(learner=_name(name), paths=(("", path),))
    canvas = _CANVAS.fullmatch(name)
    if canvas:
        again = _SENT_AGAIN.fullmatch(canvas["file"])
        file = again["stem"] + again["suffix"] if again else canvas["file"]
        whose = Sent(learner=_name(canvas["name"]), id=canvas["id"], paths=((file, path),))
        return replace(whose, is_late=canvas["late"] is not None)
    if is_archive(name):
        suffixes = sorted((*SUFFIXES, *UNREADABLE), key=len, reverse=True)
        stem = next(name[: -len(suffix)] for suffix in suffixes if name.lower().endswith(suffix))
        return Sent(learner=_name(stem), paths=(("", path),)) if stem else None
    return None


def _name(text: str) -> str:
    # Whatever the locale's encoding is, what is written is UTF-8.
    return os.fsencode(text).decode("utf-8", "backslashreplace").strip() or "?"


def _alone(sent: Sent) -> Sent:
    """Let an archive that is all that was sent stand for itself."""
    name, path = sent.paths[0]
    return replace(sent, paths=(("", path),)) if len(sent.paths) == 1 and is_archive(name) else sent


def _seen(name: str) -> str:
    """Give what a reader sees of a name: an accent may be of one character or two, and looks the same."""
    return unicodedata.normalize("NFC", name)


def _labelled(found: Sequence[Sent]) -> list[Sent]:
    """Give each a label of its own: the learner's name, with the platform's number or a count where two have it."""
    by_name: dict[str, list[Sent]] = {}
    for each in sorted(found, key=lambda one: (_seen(one.learner), one.learner, one.id, one.source)):
        by_name.setdefault(_seen(each.learner), []).append(each)
    taken = set(by_name)
    labelled: list[Sent] = []
    for name, each_of in by_name.items():
        for place, each in enumerate(each_of):
            label = each.learner
            if len(each_of) > 1 and each.id:
                label = f"{each.learner} ({each.id})"
            if place or _seen(label) != name:
                number = 2
                while _seen(label) in taken:
                    label, number = f"{each.learner} ({number})", number + 1
            taken.add(_seen(label))
            labelled.append(replace(each, label=label))
    return sorted(labelled, key=lambda one: one.label)


def _read_files(sent: Sent) -> Submission:
    """Take files that lie side by side under long names, each under the name that its learner gave it."""
    _refuse_mixture([name for name, _ in sent.paths])
    return collect(_entries(sent), source=sent.label)


def _refuse_mixture(names: Sequence[str]) -> None:
    """Refuse an archive with something beside it: which of them is meant is not for us to guess."""
    if any(is_archive(name) for name in names):
        raise RefusedSubmission([f"{len(names)} files were sent, and an archive is one of them; send one archive"])


def _read_archive(path: Path) -> Submission:
    """Take an archive's files; one of a kind that can't be read is refused, as is one that holds only another."""
    if path.name.lower().endswith(UNREADABLE):
        raise RefusedSubmission([f"{shown(path.name)} is an archive of a kind that can't be read; {_SEND}"])
    found = read_archive(path)
    if len(found.files) == 1 and is_archive(only := next(iter(found.files))):
        raise RefusedSubmission([f"{shown(path.name)} holds nothing but another archive, {shown(only)}; {_SEND}"])
    return found


def _entries(sent: Sent) -> Iterator[Entry]:
    for name, path in sent.paths:
        try:
            state = os.lstat(path)
        except OSError as error:
            yield Entry(name=name, problem=f"can't be read: {(error.strerror or str(error)).lower()}")
            continue
        if stat.S_ISREG(state.st_mode):
            yield Entry(name=name, size=state.st_size, read=functools.partial(_read, path))
        else:
            yield Entry(name=name, problem=kind_problem(state.st_mode))


def _read(path: str, most: int) -> bytes:
    try:
        opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise Unreadable(f"can't be read: {(error.strerror or str(error)).lower()}") from error
    with os.fdopen(opened, "rb") as file:
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            raise Unreadable("is no regular file any more")
        return file.read(most)


def _refuse_link(path: Path) -> None:
    if path.is_symlink():
        raise RefusedSubmission([f"{shown(path.name)} {kind_problem(stat.S_IFLNK)}"])


def _names(folder: Path) -> list[str]:
    """List what counts in a folder, as far as a submission may have names."""
    try:
        with os.scandir(folder) as found:
            names = []
            for each in found:
                if not each.name.startswith("._") and each.name != "__MACOSX" and not is_left_out(each.name):
                    names.append(each.name)
                if len(names) > MAX_ENTRIES:
                    break
    except OSError:
        return []
    return sorted(names)


def _innermost(folder: Path) -> Path:
    """Go into a folder as long as it holds nothing but one folder, as an archive's single folder is taken off."""
    for _ in range(MAX_DEPTH):
        names = _names(folder)
        if len(names) != 1 or names[0] in ("exercises", "solution") or _is_exercise(names[0]):
            break
        if (folder / names[0]).is_symlink() or not (folder / names[0]).is_dir():
            break
        folder = folder / names[0]
    return folder


def _exercise_folder(folder: Path, exercise_id: str) -> Path:
    """Find the exercise in the tree that a learner sent; the folder itself where it is no tree of exercises."""
    names = _names(folder)
    for inner in ([folder / "exercises"] if "exercises" in names else []) + [folder]:
        if inner.is_symlink() or not inner.is_dir():
            continue
        names = _names(inner)
        mine = next((name for name in names if _is_named(name, exercise_id) and (inner / name).is_dir()), None)
        if mine is not None:
            _refuse_link(inner / mine)
            return _solution(inner / mine)
        if any(_is_exercise(name) and (inner / name).is_dir() for name in names):
            raise NotSent([f"{shown(folder.name)} holds no `{exercise_id}`"])
    return _solution(folder)


def _solution(folder: Path) -> Path:
    names = _names(folder)
    if "solution" in names and (len(names) == 1 or TOML in names or "starter" in names):
        _refuse_link(folder / "solution")
        if (folder / "solution").is_dir():
            return folder / "solution"
    return folder


def _only_archive(folder: Path) -> Path | None:
    """Give the archive that is all that a folder holds, as in Moodle's downloads."""
    names = _names(folder)
    if len(names) != 1 or not is_archive(names[0]):
        return None
    _refuse_link(folder / names[0])
    return folder / names[0] if (folder / names[0]).is_file() else None


def _of_exercise(submission: Submission, exercise_id: str, source: str) -> Submission:
    """Take this exercise out of an archive with a tree of them; an archive of one solution stays as it is."""
    prefixes = {name.rpartition("/")[0] for name in submission.files}
    folders = {"/".join(parts[: n + 1]) for each in prefixes if (parts := each.split("/")) for n in range(len(parts))}
    mine = sorted((each for each in folders if _is_named(each.rpartition("/")[2], exercise_id)), key=len)
    if not mine:
        if any(_is_exercise(each.rpartition("/")[2]) for each in folders):
            raise NotSent([f"{source} holds no `{exercise_id}`"])
        prefix = "solution/" if all(name.startswith("solution/") for name in submission.files) else ""
    else:
        prefix = f"{mine[0]}/solution/" if f"{mine[0]}/solution" in folders else f"{mine[0]}/"
    if not prefix:
        return submission
    files = {
        name.removeprefix(prefix): content for name, content in submission.files.items() if name.startswith(prefix)
    }
    return submission_of(files, source=source)


def _is_named(name: str, exercise_id: str) -> bool:
    """Say whether a folder's name means the exercise: its id or `exercise-03`. A slug may be the name of a package."""
    number, _ = name_parts(exercise_id)
    wanted = name.casefold()
    short = re.fullmatch(r"exercise[-_ ]?([0-9]{1,6})", wanted)
    is_short = short is not None and number is not None and int(short[1]) == number
    return is_short or wanted == exercise_id.casefold()


def _is_exercise(name: str) -> bool:
    return re.match(r"exercise[-_ ]?[0-9]", name.casefold()) is not None
