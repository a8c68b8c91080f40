"""A class is graded: each content once, whatever one of them does to the grader."""

from __future__ import annotations

import csv
import io
import json
import os
import tarfile
import threading
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from grader.batch.batch import NAMED_COPIES, Results, Row, Settled, report_names
from grader.batch.gradebook import percent, write_gradebook
from grader.batch.source import Sent
from grader.batch.summary import summarize, to_lines
from grader.error import UsageError
from grader.exercise import Exercise
from grader.sandbox.pod import Listener, Pod, PodResult
from tests.batch.conftest import AtItsWord
from tests.batch.test_source import tar_of, zip_of
from tests.build import APP

Send = Callable[..., Path]
GradeClass = Callable[..., Any]


def rows(results: Results) -> dict[str, Row]:
    """Give the rows by label."""
    return {row.sent.label: row for row in results.rows()}


def points(results: Results) -> dict[str, str]:
    """Give each learner's points, or what there is instead."""
    return {name: str(row.outcome.points) if row.outcome else row.kind for name, row in rows(results).items()}


def test_everybody_gets_their_points(send: Send, grade_class: GradeClass) -> None:
    """The points are those of the tests that passed."""
    for learner, words in {"amal": "ppp", "bo": "pff", "chi": "fff"}.items():
        send(learner, words)

    with grade_class() as results:
        assert points(results) == {"amal": "4.5", "bo": "1", "chi": "0"}
        assert results.settled == 3


def test_the_same_files_are_graded_once_and_listed(send: Send, grade_class: GradeClass, exercise: Exercise) -> None:
    """Copies cost nothing, and a teacher sees them; who has changed nothing has copied nobody."""
    for learner in ("amal", "bo", "chi"):
        send(learner, "pff shared")
    send("dag", "ppp of my own")
    for learner in ("eli", "fay"):
        send(learner, APP.format(body='return "TODO", 500'))
    sandbox = AtItsWord(takes_s=0.05)

    with grade_class(sandbox, jobs=3) as results:
        assert sorted(sandbox.begun) == ["from flask import Flask", "pff shared", "ppp of my own"]
        assert points(results)["amal"] == points(results)["chi"] == "1"
        assert results.copies() == [["amal", "bo", "chi"]]
        found = rows(results)
        assert (found["bo"].same_as, found["dag"].same_as) == (["amal", "chi"], [])
        assert found["eli"].same_as == ["the starter"]


def test_a_crowd_of_copies_has_short_rows(send: Send, grade_class: GradeClass) -> None:
    """A gradebook's size grows with the class, not with its square."""
    for number in range(NAMED_COPIES + 4):
        send(f"learner-{number:02}", "ppp")

    with grade_class() as results:
        assert rows(results)["learner-00"].same_as == [f"learner-{n:02}" for n in range(1, 6)] + ["3 more"]


def test_what_is_known_is_not_graded_again(send: Send, grade_class: GradeClass) -> None:
    """The journal is the cache; `is_fresh` forgets it."""
    send("amal", "ppp")
    with grade_class():
        pass
    send("bo", "pff")
    second, heard, third = AtItsWord(), list[Settled](), AtItsWord()

    with grade_class(second, heard=heard) as results:
        assert points(results) == {"amal": "4.5", "bo": "1"}
    with grade_class(third, is_fresh=True):
        pass

    assert second.begun == ["pff"]
    assert sorted((each.sent.label, each.is_known) for each in heard) == [("amal", True), ("bo", False)]
    assert sorted(third.begun) == ["pff", "ppp"]


@pytest.mark.parametrize("words", ["lost", "fault"])
def test_a_grader_error_is_tried_again_and_never_a_score(send: Send, grade_class: GradeClass, words: str) -> None:
    """Three times at most; what stays is listed, nobody's zero, and not remembered."""
    send("amal", words)
    send("bo", f"{words} once")
    send("chi", words)
    sandbox, again = AtItsWord(), AtItsWord()

    with grade_class(sandbox) as results:
        assert points(results) == {"amal": "grader-error", "bo": "4.5", "chi": "grader-error"}
        assert sorted(sandbox.begun) == [words] * 3 + [f"{words} once"] * 2
        summary = summarize(results.exercise, results.rows(), [])
        assert summary.scored == 1
        assert [label for label, _, _ in summary.unscored] == ["amal", "chi"]
    with grade_class(again):
        assert set(again.begun) == {words}


def test_hostile_archives_are_named_and_the_rest_is_graded(sent: Path, send: Send, grade_class: GradeClass) -> None:
    """Bombs, links, ways out and garbage cost their sender the grading, nobody else."""
    link = tarfile.TarInfo("app.py")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    send("amal", "ppp")
    send("bomb.zip", _bomb(), name="")
    send("broken.zip", b"PK\x03\x04 and no more", name="")
    send("link.tar.gz", tar_of((link, b"")), name="")
    send("out.zip", zip_of(**{"..__app": "x"}), name="")
    send("void.zip", zip_of(), name="")
    (sent / "nothing").mkdir()
    (sent / "lnk").symlink_to("/etc")

    with grade_class() as results:
        found = rows(results)
        messages = {name: row.message for name, row in found.items()}
        assert points(results)["amal"] == "4.5"
        assert {name for name, row in found.items() if row.kind == "refused"} == set(found) - {"amal"}
        assert "at most 1 MiB a file" in messages["bomb"]
        assert "is broken" in messages["broken"]
        assert "symbolic link" in messages["link"]
        assert "symbolic link" in messages["lnk"]
        assert "leads out" in messages["out"]
        assert not any(str(sent) in message for message in messages.values())


def _bomb() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("app.py", bytes(30 * 1024 * 1024))
    return data.getvalue()


def test_a_journal_that_cant_be_written_ends_the_run(
    send: Send, grade_class: GradeClass, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk is told at once: going on would grade for nothing."""
    from grader.batch import journal

    def full(_file: int) -> None:
        raise OSError(28, "No space left on device")

    send("amal", "ppp")
    monkeypatch.setattr(journal.os, "fsync", full)

    with pytest.raises(UsageError, match="the disk is full"), grade_class():
        pass


def test_an_interruption_lets_what_runs_end(
    send: Send, grade_class: GradeClass, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was begun is finished and kept; nothing more is begun."""
    for number in range(6):
        send(f"learner-{number}", f"ppp {number}")
    sandbox, rest = AtItsWord(takes_s=0.2), AtItsWord()
    join, is_told = threading.Thread.join, threading.Event()

    def interrupted(self: threading.Thread, timeout: float | None = None) -> None:
        join(self, 0.05)
        if sandbox.begun and not is_told.is_set():
            is_told.set()
            raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "join", interrupted)
    with grade_class(sandbox) as results:
        assert results.is_interrupted
        assert len(sandbox.begun) == results.settled == len(results.journal) < 6
        kept = results.settled
    monkeypatch.undo()
    with grade_class(rest) as results:
        assert len(rest.begun) == 6 - kept
        assert not results.is_interrupted


@pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2, reason="there is no second processor"
)
def test_gradings_at_the_same_time_keep_apart(send: Send, grade_class: GradeClass) -> None:
    """None runs on a processor of another one, so that none takes time from it."""
    shares: dict[str, set[int]] = {}
    both = threading.Barrier(2, timeout=30)

    class WhereItRuns(AtItsWord):
        def run(self, pod: Pod, listen: Listener | None = None) -> PodResult:
            if pod.solution.files["app.py"].startswith(b"ppp"):
                both.wait()
                shares[threading.current_thread().name] = os.sched_getaffinity(0)
            return super().run(pod, listen)

    before = os.sched_getaffinity(0)
    for number in range(2):
        send(f"learner-{number}", f"ppp {number}")
    with grade_class(WhereItRuns()):
        first, second = shares.values()

    assert first.isdisjoint(second)
    assert os.sched_getaffinity(0) == before


def test_everybody_gets_a_report(send: Send, grade_class: GradeClass, tmp_path: Path) -> None:
    """One file each, also from the journal and for copies; whose files were refused reads why."""
    send("amal", "ppp")
    send("bo", "ppp")
    send("chi.zip", b"PK\x03\x04", name="")
    folder = tmp_path / "reports"
    with grade_class():
        pass

    with grade_class(reports=folder, report_format="json"):
        assert sorted(path.name for path in folder.iterdir()) == ["amal.json", "bo.json", "chi.refused.txt"]
        assert json.loads((folder / "bo.json").read_bytes())["points"] == 4.5
        assert "is broken" in (folder / "chi.refused.txt").read_text()


def test_a_report_takes_the_place_of_an_earlier_one(
    send: Send, sent: Path, grade_class: GradeClass, tmp_path: Path
) -> None:
    """Nobody is sent last week's report beside this week's refusal, or the other way round."""
    folder = tmp_path / "reports"
    send("amal.zip", b"PK\x03\x04", name="")
    send("bo.zip", zip_of(app="ppp"), name="")
    send("chi.zip", zip_of(app="ppp 2"), name="")
    with grade_class(reports=folder):
        assert sorted(path.name for path in folder.iterdir()) == ["amal.refused.txt", "bo.html", "chi.html"]
    send("amal.zip", zip_of(app="pff"), name="")
    send("bo.zip", b"PK\x03\x04", name="")
    send("chi.zip", zip_of(app="lost"), name="")

    with grade_class(reports=folder):
        assert sorted(path.name for path in folder.iterdir()) == ["amal.html", "bo.refused.txt", "chi.html"]
        assert "the grader failed, not your code" in (folder / "chi.html").read_text()


def test_report_names_are_safe_and_apart() -> None:
    """A learner's name is no path, and two that a file system takes for one get two files."""
    labels = ["../x", "Zoë", "ZOË", "a/b", "\x1b[31m", "."]
    names = report_names([Sent(learner=label, label=label, paths=(("", "x"),)) for label in labels], "html")

    assert names == ["_x.html", "Zoë.html", "ZOË-2.html", "a_b.html", "__31m.html", "_.html"]


def test_the_gradebooks_tell_all(send: Send, grade_class: GradeClass, tmp_path: Path) -> None:
    """CSV, JSON and HTML say the same; a formula in a name has no power, and no score is no zero."""
    send("=cmd()", "pff")
    send("bo", "lost")
    send("<b>chi<b>", "ppp")
    with grade_class() as results:
        summary = summarize(results.exercise, results.rows(), results.copies())
        for suffix in ("csv", "json", "html"):
            write_gradebook(tmp_path / f"book.{suffix}", results, summary)

    table = list(csv.DictReader(io.StringIO((tmp_path / "book.csv").read_text())))
    told = json.loads((tmp_path / "book.json").read_bytes())
    page = (tmp_path / "book.html").read_text()
    assert {row["learner"]: row["points"] for row in table} == {"<b>chi<b>": "4.5", "'=cmd()": "1", "bo": ""}
    assert {row["learner"]: row["points"] for row in told["learners"]} == {"<b>chi<b>": 4.5, "=cmd()": 1, "bo": None}
    assert told["summary"]["results"] == {"failed": 1, "grader-error": 1, "passed": 1}
    assert "&lt;b&gt;chi" in page
    assert "<b>chi" not in page


def test_a_gradebooks_form_is_its_files_end(tmp_path: Path, send: Send, grade_class: GradeClass) -> None:
    """Another end is a mistake that is told, and no file is made."""
    send("amal", "ppp")
    with grade_class() as results, pytest.raises(UsageError, match=r"book\.xls"):
        write_gradebook(tmp_path / "book.xls", results, summarize(results.exercise, results.rows(), []))

    assert not (tmp_path / "book.xls").exists()


def test_the_summary_shows_the_class(send: Send, grade_class: GradeClass) -> None:
    """The distribution, the hardest tests, and who has nothing."""
    for learner, words in {"amal": "ppp", "bo": "ppf", "chi": "fff", "dag": "fff 2"}.items():
        send(learner, words)

    with grade_class() as results:
        lines = to_lines(summarize(results.exercise, results.rows(), results.copies()), is_unicode=False)

    assert lines[:2] == ["4 learners: 1 passed, 3 failed", "mean 1.88, median 1.5 of 4.5 points"]
    assert "    0 to 10 %  ######################################## 2" in lines
    assert "        100 %  #################### 1" in lines
    assert lines[lines.index("hardest tests") + 1] == "  1 of 4 passed: An unknown dish is answered 404."
    assert lines[lines.index("no points (2)") + 1 :][:2] == ["  chi", "  dag"]


def test_a_little_less_than_all_is_never_100_percent() -> None:
    """Who reads 100 % has every point."""
    assert percent(Decimal("999.99"), Decimal(1000)) == Decimal("99.9")
    assert percent(Decimal(2), Decimal(3)) == Decimal("66.7")
    assert percent(Decimal(3), Decimal(3)) == 100
