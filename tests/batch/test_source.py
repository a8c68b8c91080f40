"""What a teacher has on disk becomes learners and their files."""

from __future__ import annotations

import io
import os
import tarfile
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.batch.source import NotSent, Sent, find_submissions, read_sent
from grader.error import RefusedSubmission, UsageError

ID = "exercise-03-one-dish"
Send = Callable[..., Path]


def zip_of(**files: str) -> bytes:
    """Give a zip; `__` in a name is `/`."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/") + ".py", content)
    return data.getvalue()


def tar_of(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    """Give a gzipped tar."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return data.getvalue()


def only(folder: Path) -> Sent:
    """Give the one that was found."""
    (found,) = find_submissions(folder).sent
    return found


def test_folders_and_archives_are_named_after_their_learners(sent: Path, send: Send) -> None:
    """A folder, a zip or a tar for each learner; what is no submission is told."""
    send("amal", "a")
    send("bo.zip", zip_of(app="b"), name="")
    send("chi.tar.gz", tar_of((tarfile.TarInfo("app.py"), b"c")), name="")
    send("grades.csv", "x", name="")
    send(".DS_Store", "x", name="")

    found = find_submissions(sent)

    assert [each.label for each in found.sent] == ["amal", "bo", "chi"]
    assert [read_sent(each, ID).files["app.py"] for each in found.sent] == [b"a", b"b", b"c"]
    assert found.ignored == ["grades.csv"]


@pytest.mark.parametrize(
    "inside",
    [
        "exercise-03-one-dish",
        "Exercise-03",
        "exercise-3/solution",
        "exercises/exercise-03-one-dish/solution",
        "solution",
    ],
)
def test_the_exercise_is_found_in_a_learners_tree(sent: Path, send: Send, inside: str) -> None:
    """A clone of a course, or of one's own exercises, needs no sorting by hand."""
    send("amal", "mine", name=f"{inside}/app.py")
    if inside != "solution":
        send("amal", "other", name=f"{'exercises/' if inside.startswith('exercises') else ''}exercise-04-x/app.py")

    assert read_sent(only(sent), ID).files == {"app.py": b"mine"}


def test_the_exercise_is_found_in_an_archive_of_a_tree(sent: Path, send: Send) -> None:
    """An archive of several exercises is a tree as well."""
    files = {"exercise-03-one-dish__solution__app": "mine", "exercise-04-x__app": "other"}
    send("amal.zip", zip_of(**files), name="")

    assert read_sent(only(sent), ID).files == {"app.py": b"mine"}


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_a_tree_without_the_exercise_is_no_submission(sent: Path, send: Send, kind: str) -> None:
    """Whoever sent other exercises has not sent a wrong answer to this one."""
    if kind == "folder":
        send("amal", "other", name="exercise-04-x/app.py")
        send("amal", "other", name="exercise-05-x/app.py")
    else:
        send("amal.zip", zip_of(**{"exercise-04-x__app": "other", "exercise-05-x__app": "other"}), name="")

    with pytest.raises(NotSent, match=f"`amal.*` holds no `{ID}`"):
        read_sent(only(sent), ID)


@pytest.mark.parametrize("end", ["_", ""])
def test_moodles_folders_are_known(sent: Path, send: Send, end: str) -> None:
    """Moodle's folders have the learner's name and number, and often one archive in them."""
    send(f"Jane Doe_4711_assignsubmission_file{end}", zip_of(app="j"), name="work.zip")
    send(f"Jane Doe_4711_assignsubmission_onlinetext{end}", "<p>", name="onlinetext.html")

    found = only(sent)

    assert (found.label, found.id) == ("Jane Doe", "4711")
    assert read_sent(found, ID).files == {"app.py": b"j"}


def test_moodles_long_file_names_are_known(sent: Path, send: Send) -> None:
    """Without folders, Moodle puts the same in front of every file."""
    send("Jane Doe_4711_assignsubmission_file_app.py", "j", name="")
    send("Jane Doe_4711_assignsubmission_file_menu.py", "m", name="")
    send("Li_Wei_4712_assignsubmission_file_all.zip", zip_of(app="l"), name="")

    jane, li = find_submissions(sent).sent

    assert read_sent(jane, ID).files == {"app.py": b"j", "menu.py": b"m"}
    assert (li.label, li.id, read_sent(li, ID).files) == ("Li_Wei", "4712", {"app.py": b"l"})


def test_canvas_names_are_known(sent: Path, send: Send) -> None:
    """Canvas's names tell learner, number and lateness, and a file that was sent again has a number of its own."""
    send("doejane_4711_90210_app.py", "j", name="")
    send("doejane_4711_90211_menu-2.py", "m", name="")
    send("liwei_LATE_4712_90212_all-1.zip", zip_of(app="l"), name="")

    jane, li = find_submissions(sent).sent

    assert (jane.label, jane.id, jane.is_late) == ("doejane", "4711", False)
    assert read_sent(jane, ID).files == {"app.py": b"j", "menu.py": b"m"}
    assert (li.label, li.is_late, read_sent(li, ID).files) == ("liwei", True, {"app.py": b"l"})


def test_learners_of_one_name_stay_apart(sent: Path, send: Send) -> None:
    """Nobody gets another one's points."""
    send("Jane Doe_1_assignsubmission_file_", "one")
    send("Jane Doe_2_assignsubmission_file_", "two")
    send("amal", "a")
    send("amal.zip", zip_of(app="b"), name="")

    assert [each.label for each in find_submissions(sent).sent] == ["Jane Doe (1)", "Jane Doe (2)", "amal", "amal (2)"]


def test_names_that_look_the_same_have_labels_that_do_not(sent: Path, send: Send) -> None:
    """An accent may be of one character or two, as a Mac writes it: two rows, of which nobody could tell whose they are."""
    composed, decomposed = "Jos\u00e9", "Jose\u0301"
    send(composed, "one")
    send(decomposed, "two")

    found = find_submissions(sent).sent

    assert len({unicodedata.normalize("NFC", each.label) for each in found}) == 2
    assert {each.label: read_sent(each, ID).files["app.py"] for each in found} == {
        decomposed: b"two", f"{composed} (2)": b"one",
    }  # fmt: skip


@pytest.mark.parametrize("where", ["amal", "amal/exercise-03", "amal/solution", "amal/work.zip"])
def test_no_link_is_followed(sent: Path, send: Send, tmp_path: Path, where: str) -> None:
    """A link would be graded as what somebody else wrote."""
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "app.py").write_text("another's")
    (tmp_path / "other.zip").write_bytes(zip_of(app="another's"))
    path = sent / where
    path.parent.mkdir(exist_ok=True)
    path.symlink_to(tmp_path / ("other.zip" if where.endswith("zip") else "other"))

    with pytest.raises(RefusedSubmission, match="symbolic link"):
        read_sent(only(sent), ID)


def test_several_archives_from_one_learner_are_refused(sent: Path, send: Send) -> None:
    """Which one is meant is not for us to guess."""
    send("doejane_4711_1_a.zip", zip_of(app="1"), name="")
    send("doejane_4711_2_b.zip", zip_of(app="2"), name="")

    with pytest.raises(RefusedSubmission, match="send one archive"):
        read_sent(only(sent), ID)


@pytest.mark.parametrize("inside", ["my work", "my work/again/and again", "my work/exercise-03", "exercise-03/my work"])
def test_a_folder_that_holds_only_a_folder_is_gone_into(sent: Path, send: Send, inside: str) -> None:
    """What a program that unpacks puts around the files costs nobody the points."""
    send("amal", "mine", name=f"{inside}/app.py")
    send("amal", "x", name="__MACOSX/app.py")

    assert read_sent(only(sent), ID).files == {"app.py": b"mine"}


def test_moodles_archive_with_something_beside_it_is_refused(sent: Path, send: Send) -> None:
    """As in Canvas's downloads: one of the two would be graded, and perhaps the wrong one."""
    send("Jane Doe_4711_assignsubmission_file_", zip_of(app="j"), name="work.zip")
    send("Jane Doe_4711_assignsubmission_file_", "old", name="app.py")

    with pytest.raises(RefusedSubmission, match="2 files were sent, and an archive is one of them; send one archive"):
        read_sent(only(sent), ID)


@pytest.mark.parametrize("kind", [".7z", ".rar", ".RAR", ".tar.zst", ".tar.lz4"])
@pytest.mark.parametrize(
    "name", ["amal{}", "doejane_4711_90210_work{}", "amal/work{}", "Jane Doe_4711_assignsubmission_file_/work{}"]
)
def test_an_archive_that_cannot_be_read_is_refused_by_name(sent: Path, send: Send, name: str, kind: str) -> None:
    """It has a row that says what to do, and is neither passed over nor graded as nothing."""
    send(name.format(kind), b"7z\xbc\xaf", name="")

    found = find_submissions(sent)

    assert found.ignored == []
    with pytest.raises(RefusedSubmission, match=r"kind that can't be read; send a zip or a tar"):
        read_sent(found.sent[0], ID)


def test_an_archive_of_an_archive_is_refused(sent: Path, send: Send) -> None:
    """Else it would be a solution without an app."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("amal/work.zip", zip_of(app="a"))
    send("amal.zip", data.getvalue(), name="")

    with pytest.raises(RefusedSubmission, match=r"`amal\.zip` holds nothing but another archive, `work\.zip`; send a"):
        read_sent(only(sent), ID)


def test_an_empty_folder_and_none_are_told(tmp_path: Path) -> None:
    """A wrong folder is a mistake in the command, not a class without points."""
    with pytest.raises(UsageError, match="no submission"):
        find_submissions(tmp_path)
    with pytest.raises(UsageError, match="can't be read"):
        find_submissions(tmp_path / "none")


def test_a_name_that_is_no_text_has_a_label_that_is(sent: Path) -> None:
    """Gradebooks are UTF-8, whatever the disk's names are."""
    os.mkdir(os.fsencode(sent) + b"/am\xffal")
    (sent / os.fsdecode(b"am\xffal") / "app.py").write_text("a")

    found = only(sent)

    assert found.label == "am\\xffal"
    assert read_sent(found, ID).files == {"app.py": b"a"}
