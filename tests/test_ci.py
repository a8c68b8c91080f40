"""`grade ci`: what a change touches is graded, and told in the words of the place that runs it."""

from __future__ import annotations

import base64
import csv
import importlib.resources
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from grader import ci, receipt
from grader.cli.main import run
from grader.course import find_course
from grader.error import NoSandbox, UsageError
from grader.render import FORMATS
from grader.report import from_json
from grader.sandbox import choose
from grader.sandbox.choose import Choice
from tests.batch.conftest import AtItsWord
from tests.build import APP, make_exercise
from tests.conftest import ROOT, make_sandbox

FIRST, SECOND = "exercise-03-one-dish", "exercise-07-cabinet"
WANTED_VARIABLES = ("PATH", "GRADE_BASE_IMAGE")
RIGHT = APP.format(body='return DISHES[dish_id] if dish_id in DISHES else ({"error": "no such dish"}, 404)')


@dataclass(frozen=True)
class Ended:
    """How the command ended."""

    code: int
    out: str
    err: str


Use = Callable[..., Ended]


def text_of(name: str) -> str:
    """Read one of the ready files."""
    return (ROOT / name).read_text()


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith(("GRADE_", "GITHUB_", "GITLAB_", "CI_", "KATA_", "GIT_")) and name not in WANTED_VARIABLES:
            monkeypatch.delenv(name)
    monkeypatch.delenv("COLUMNS", raising=False)  # by which lines would be broken
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for part in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{part}_NAME", "Someone")
        monkeypatch.setenv(f"GIT_{part}_EMAIL", "someone@example.org")


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """The trusted course: two exercises."""
    root = tmp_path / "course"
    make_exercise(root, id=FIRST)
    make_exercise(root, id=SECOND, edits={'title = "Find one dish"': 'title = "Keep records"'})
    return root


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The learner's repository, with one commit: both solutions fail."""
    root = tmp_path / "clone"
    for name in (FIRST, SECOND):
        write(root / "exercises" / name / "solution" / "app.py", "fff")
    write(root / "README.md", "mine")
    git(root, "init", "-q", "-b", "main")
    commit(root)
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> AtItsWord:
    """The sandbox that takes each file at its word."""
    fake = AtItsWord()
    monkeypatch.setattr(choose, "choose", lambda *_, **__: Choice(fake, "a test asked for it"))
    return fake


@pytest.fixture
def use(
    course: Path, clone: Path, sandbox: AtItsWord, capfdbinary: pytest.CaptureFixture[bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Use]:  # fmt: skip
    """Use `grade ci` on the clone, with the tests of the course."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]

    def call(*options: str) -> Ended:
        arguments = ["grade", "ci", "--course", str(course), "--submissions", str(clone), *options]
        monkeypatch.setattr(sys, "argv", arguments)
        capfdbinary.readouterr()
        code = run()
        sys.stdout.flush()
        captured = capfdbinary.readouterr()
        return Ended(code, captured.out.decode(), captured.err.decode())

    yield call
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


def write(path: Path, text: str) -> None:
    """Write a file with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def git(folder: Path, *arguments: str) -> str:
    """Use git."""
    folder.mkdir(exist_ok=True)
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def commit(folder: Path) -> str:
    """Commit everything and give the commit."""
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "work")
    return git(folder, "rev-parse", "HEAD")


def solve(clone: Path, words: str, name: str = FIRST) -> None:
    """Commit another solution."""
    write(clone / "exercises" / name / "solution" / "app.py", words)
    commit(clone)


def test_only_what_the_last_commit_touches_is_graded(use: Use, clone: Path, sandbox: AtItsWord) -> None:
    """Nobody waits for exercises that they did not change."""
    solve(clone, "ppp")

    ended = use()

    assert (ended.code, sandbox.begun) == (0, ["ppp"]), ended.err
    assert "4.5 of 4.5 points" in ended.out
    assert f"{FIRST}: 4.5 of 4.5 points" in ended.err


def test_the_base_is_what_the_place_tells(clone: Path) -> None:
    """GitHub names a branch, GitLab a commit."""
    assert ci.base_of({"GITHUB_BASE_REF": "main"}) == "origin/main"
    assert ci.base_of({"CI_MERGE_REQUEST_DIFF_BASE_SHA": "abc"}) == "abc"
    assert ci.base_of({"GITHUB_BASE_REF": ""}) == "HEAD~1"


def test_what_went_into_the_base_meanwhile_is_not_of_the_change(clone: Path) -> None:
    """A pull request is its own commits, not the difference of two branches."""
    git(clone, "switch", "-q", "-c", "work")
    solve(clone, "ppp")
    git(clone, "switch", "-q", "main")
    solve(clone, "pff", SECOND)
    git(clone, "switch", "-q", "work")

    assert ci.change_since(clone, "main") == ci.Change(exercises=[FIRST], deleted=[])


def test_a_first_commit_touches_everything(clone: Path) -> None:
    """There is nothing that it could be compared with."""
    assert ci.change_since(clone, "HEAD~1") is None


@pytest.mark.parametrize("base", ["nowhere", "--output=x", "-h"])
def test_a_base_that_git_does_not_know_is_told(clone: Path, base: str) -> None:
    """A shallow clone is the usual reason, and the remedy is named; an option is no commit."""
    with pytest.raises(UsageError, match="git doesn't know the commit") as raised:
        ci.change_since(clone, base)

    assert "fetch-depth: 0" in raised.value.hint
    assert not (clone / "x").exists()


def test_a_folder_without_git_is_told(tmp_path: Path) -> None:
    """Then the exercise is to be named."""
    with pytest.raises(UsageError, match="git can't tell"):
        ci.change_since(tmp_path, "HEAD~1")


def test_a_folder_of_somebody_elses_is_told_with_the_remedy(
    use: Use, clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a container that another user checked out for: git's first line, and what to do about it."""
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")

    ended = use()

    assert ended.code == 2
    error, _, hint = ended.err.partition("hint: ")
    assert error.strip().endswith(f"fatal: detected dubious ownership in repository at '{clone}'")
    assert f"`git config --global --add safe.directory {clone}`" in hint


def test_a_change_beside_the_exercises_grades_nothing(use: Use, clone: Path, sandbox: AtItsWord) -> None:
    """A README is no solution, and no failure."""
    write(clone / "README.md", "more")
    write(clone / "exercises" / "exercise-99-mine" / "solution" / "app.py", "ppp")
    commit(clone)

    ended = use()

    assert (ended.code, sandbox.begun) == (0, [])
    assert "`exercise-99-mine` is no exercise of the course" in ended.err
    assert "nothing to grade" in ended.err


@pytest.mark.parametrize("way", ["delete", "rename", "all"])
def test_a_solution_that_a_change_deletes_has_no_points(
    use: Use, clone: Path, sandbox: AtItsWord, tmp_path: Path, way: str
) -> None:
    """A job that is green because nothing was graded would be a way to pass."""
    folder = clone / "exercises" / FIRST / "solution"
    if way == "rename":
        folder.rename(folder.with_name("solutions"))
    else:
        shutil.rmtree(folder if way == "delete" else clone / "exercises")
    commit(clone)

    ended = use("--format", f"json={tmp_path / 'r.json'}", *(("--pass", "50") if way == "delete" else ()))

    assert (ended.code, sandbox.begun) == (1, []), ended.err
    file = tmp_path / (f"r-{FIRST}.json" if way == "all" else "r.json")
    report = from_json(file.read_bytes())
    assert (report.status, report.points, report.points_max) == ("broken", 0, Decimal("4.5"))
    assert report.message.startswith(f"the files can't be taken: `exercises/{FIRST}/solution` isn't there")


def test_a_deleted_solution_has_no_points_where_all_are_graded(use: Use, clone: Path, sandbox: AtItsWord) -> None:
    """Where the base is known; without one, nothing tells that it ever was there."""
    solve(clone, "ppp", SECOND)
    git(clone, "rm", "-q", "-r", f"exercises/{FIRST}")
    commit(clone)

    assert (ended := use("--all")).code == 1
    assert f"{FIRST}: 0 of 4.5 points" in ended.err
    assert use("--all", "--base", "HEAD").code == 0
    assert use("--all", "--base", "nowhere").code == 2


def test_all_tells_which_exercises_have_no_solution(
    use: Use, clone: Path, sandbox: AtItsWord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else nobody sees that half of the course is missing. No history is needed for it."""
    solve(clone, "ppp", SECOND)
    shutil.rmtree(clone / "exercises" / FIRST)
    shutil.rmtree(clone / ".git")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))

    ended = use("--all")

    assert (ended.code, sandbox.begun) == (0, ["ppp"]), ended.err
    assert "note: no solution, not graded: exercise-03\n" in ended.err
    assert (tmp_path / "summary.md").read_text().endswith("No solution, not graded: exercise-03\n")


def test_a_change_beside_a_solution_that_never_was_is_a_note(use: Use, clone: Path, sandbox: AtItsWord) -> None:
    """Notes for oneself are no solution; what is said last doesn't contradict what was said before."""
    git(clone, "rm", "-q", "-r", f"exercises/{FIRST}")
    commit(clone)
    write(clone / "exercises" / FIRST / "notes.md", "later")
    commit(clone)

    ended = use()

    assert (ended.code, sandbox.begun) == (0, [])
    assert ended.err.splitlines()[-2:] == [
        f"note: `{FIRST}` was changed and has no `solution/`: not graded", "nothing to grade",
    ]  # fmt: skip


def test_submissions_that_are_no_folder_are_told(use: Use, clone: Path) -> None:
    """Before git is asked about them."""
    assert (ended := use("--submissions", str(clone / "README.md"))).code == 2
    assert "README.md` is no folder" in ended.err
    assert "isn't there" in use("--submissions", str(clone / "none"), "--all").err


@pytest.mark.parametrize(
    ("words", "options", "code"),
    [
        ("ppp", (), 0),
        ("ppf", (), 1),
        ("ppf", ("--pass", "60%"), 0),
        ("pff", ("--pass", "60"), 1),
        ("ppf", ("--pass", "66.7%"), 1),
        ("fff 2", ("--report-only",), 0),
        ("lost", (), 3),
        ("fault", ("--pass", "0"), 3),
        ("lost", ("--report-only",), 0),
        ("fault once", (), 0),
    ],
)
def test_the_exit_code_is_by_the_pass_mark(
    use: Use, clone: Path, sandbox: AtItsWord, words: str, options: tuple[str, ...], code: int
) -> None:
    """Below the mark 1, a grader's failure 3 after three tries, and 0 always where only the report is wanted."""
    solve(clone, words)

    assert use(*options).code == code
    assert sandbox.begun.count(words) == {"lost": 3, "fault": 3, "fault once": 2}.get(words, 1)


def test_a_report_alone_never_fails_the_job(use: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is met while grading is an error to read, and an annotation; a wrong command line is still wrong."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")

    ended = use("--base", "nowhere", "--report-only")
    assert ended.code == 0
    assert "error: git doesn't know the commit `nowhere`" in ended.err
    assert ended.out.startswith("::error title=not graded::git doesn't know the commit `nowhere`")
    assert use("--base", "nowhere").code == 2

    for wrong in (("--nope",), ("--format", "nope"), ("--exercise", "nope"), ("--pass", "101")):
        assert use(*wrong, "--report-only").code == 2, wrong


@pytest.mark.parametrize("error", [NoSandbox("nothing works here"), ZeroDivisionError()])
def test_a_report_alone_outlives_the_graders_own_faults(
    use: Use, clone: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """They are no learner's red cross."""

    def fail(*_: object, **__: object) -> Choice:
        raise error

    solve(clone, "ppp")
    monkeypatch.setattr(choose, "choose", fail)

    assert use("--report-only").code == 0
    assert use().code == 3


def test_a_mark_that_is_none_is_told(use: Use) -> None:
    """101 % can't be reached."""
    assert ci.pass_mark("60%") == Decimal(60)
    assert "`101%` is no pass mark" in use("--pass", "101%").err


def test_all_grades_every_solution_and_named_ones_whatever_has_changed(
    use: Use, sandbox: AtItsWord, tmp_path: Path
) -> None:
    """`--all` needs no history, `--exercise` may name a folder elsewhere."""
    write(tmp_path / "elsewhere" / "app.py", "ppp elsewhere")

    assert use("--all").code == 1
    assert sandbox.begun == ["fff", "fff"]
    assert use("--exercise", f"3={tmp_path / 'elsewhere'}").code == 0
    assert use("--exercise", "7").code == 1
    assert sandbox.begun[2:] == ["ppp elsewhere", "fff"]


def test_a_folder_that_the_caller_gave_and_is_not_there_is_no_zero(use: Use, sandbox: AtItsWord) -> None:
    """The mistake is in the job, not in a solution."""
    ended = use("--exercise", "3=/nope")

    assert (ended.code, sandbox.begun) == (2, [])
    assert "there is no folder or archive `/nope`" in ended.err


def test_the_hidden_tests_are_the_courses(use: Use, clone: Path, course: Path, sandbox: AtItsWord) -> None:
    """Tests, settings and workflows that a learner wrote are nothing but files."""
    folder = clone / "exercises" / FIRST
    shutil.copytree(course / "exercises" / FIRST / "tests", folder / "tests")
    write(folder / "tests" / "test_one_dish.py", "def test_nothing(): ...\n")
    write(folder / "exercise.toml", "points = 1000")
    write(folder / "solution" / "tests" / "test_more.py", "raise SystemExit")
    solve(clone, "fff 2")

    ended = use()

    assert (ended.code, sandbox.begun) == (1, ["fff 2"])
    assert "0 of 4.5 points" in ended.out
    (pod,) = sandbox.pods
    assert b"def test_nothing" not in pod.examiner.files["test_one_dish.py"]
    assert "tests/test_more.py" in pod.solution.files


@pytest.mark.parametrize("part", ["exercises", f"exercises/{FIRST}", f"exercises/{FIRST}/solution"])
def test_a_solution_that_a_link_leads_to_is_refused(use: Use, clone: Path, part: str, sandbox: AtItsWord) -> None:
    """A link in a clone could lead to another one's work, or to a file of the machine."""
    path = clone / part
    shutil.move(path, clone / "aside")
    path.symlink_to(clone / "aside")

    ended = use("--exercise", FIRST)

    assert (ended.code, sandbox.begun) == (1, [])
    assert "is a symbolic link" in " ".join(ended.out.split())


def test_github_gets_annotations_a_summary_and_classrooms_result(
    use: Use, clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All three from the environment alone, and several exercises in one result."""
    summary, output = tmp_path / "summary", tmp_path / "output"
    write(output, "before=1\n")
    for name, value in {
        "GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary), "GITHUB_OUTPUT": str(output),
        "GITHUB_WORKSPACE": str(clone),
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    solve(clone, "ppp")
    solve(clone, "pff", SECOND)

    ended = use("--all", "--format", "text")

    assert "::error title=Every dish has its name.::" in ended.out
    assert "::notice title=Find one dish::4.5 of 4.5 points" in ended.out
    token = re.search(r"^::stop-commands::([0-9a-f]{32})$", ended.out, re.MULTILINE)
    assert token is not None
    assert ended.out.endswith(f"::{token[1]}::\n")
    assert summary.read_text().count("## ") >= 2
    first, second = output.read_text().splitlines()
    assert first == "before=1"
    result = json.loads(base64.b64decode(second.removeprefix("result=")))
    assert (result["status"], result["max_score"]) == ("fail", 9)
    assert sum(test["score"] for test in result["tests"]) == 5.5
    assert {test["name"].partition(": ")[0] for test in result["tests"]} == {"Find one dish", "Keep records"}


def test_a_grader_error_in_one_leaves_classrooms_total_alone(
    use: Use, clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A total without one exercise would be a score that nobody earned."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    solve(clone, "ppp")
    solve(clone, "lost", SECOND)

    assert use("--all").code == 3
    told = (tmp_path / "output").read_text().removeprefix("result=")
    result = json.loads(base64.b64decode(told))
    assert (result["status"], result["max_score"], len(result["tests"])) == ("error", 0, 1)


def test_a_name_has_no_power_over_githubs_log(use: Use, clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What learners call their folders is shown, not obeyed."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    write(clone / "exercises" / "##[error]x\n::error::y" / "app.py", "x")
    commit(clone)

    ended = use()

    assert ended.code == 0
    assert "##[" not in ended.err
    assert not re.search(r"^\s*::", ended.err + ended.out, re.MULTILINE)


def test_gitlab_gets_its_junit_file(use: Use, clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One file with a suite for each exercise; a link in its place is replaced, not written through."""
    monkeypatch.setenv("GITLAB_CI", "true")
    (tmp_path / "precious").write_text("precious")
    (clone / ci.JUNIT_FILE).symlink_to(tmp_path / "precious")

    ended = use("--all")

    root = ET.parse(clone / ci.JUNIT_FILE).getroot()
    assert (root.tag, root.get("tests"), root.get("failures")) == ("testsuites", "6", "6")
    assert [suite.get("name") for suite in root] == [FIRST, SECOND]
    assert (tmp_path / "precious").read_text() == "precious"
    assert "0 of 4.5 points" in ended.out


def test_each_format_has_its_file(use: Use, clone: Path, tmp_path: Path) -> None:
    """One file where the format has room for several exercises, else one for each."""
    ended = use(
        "--all",
        *("--format", f"csv={tmp_path / 'out' / 'all.csv'}"),
        *("--format", f"json={tmp_path / 'out' / 'one.json'}"),
        *("--format", f"html={tmp_path / 'out' / 'one.html'}"),
        *("--format", "markdown"),
    )

    assert len(list(csv.DictReader(io.StringIO((tmp_path / "out" / "all.csv").read_text())))) == 6
    assert json.loads((tmp_path / "out" / f"one-{SECOND}.json").read_bytes())["exercise"]["id"] == SECOND
    assert (tmp_path / "out" / f"one-{FIRST}.html").exists()
    assert ended.out.count("## ") >= 2
    assert "no format named `xml`" in use("--all", "--format", "xml").err


def test_a_stream_gets_all_reports(use: Use) -> None:
    """`/dev/stdout` and its like are no files that each could have one of beside them."""
    ended = use("--all", "--format", "json=/proc/self/fd/1")

    assert ended.code == 1, ended.err
    assert ended.out.count('"version": 1,') == 2


@pytest.mark.parametrize("number", [1, 2])
def test_a_stream_that_is_githubs_log_obeys_nobody(use: Use, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """By whatever name it is called: what learners print is in a report, and could be a command there."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    ended = use("--exercise", FIRST, "--format", f"text=/proc/self/fd/{number}")

    written = (ended.out, ended.err)[number - 1]
    token = re.search(r"^::stop-commands::([0-9a-f]{32})$", written, re.MULTILINE)
    assert token is not None
    assert f"\n::{token[1]}::\n" in written


def test_an_exercise_that_is_not_sound_is_nobodys_score(use: Use, course: Path, clone: Path) -> None:
    """The others are graded all the same."""
    solve(clone, "ppp", SECOND)
    (course / "exercises" / FIRST / "exercise.toml").write_text("format = 1\n")

    ended = use("--all")

    assert ended.code == 3
    assert "error: " in ended.err
    assert f"{SECOND}: 4.5 of 4.5 points" in ended.err


def test_an_exercise_that_is_not_sound_has_a_report_in_every_format(
    use: Use, course: Path, clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits for a file waits for nothing otherwise: it says whose fault it is, and is no score."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    (course / "exercises" / FIRST / "exercise.toml").write_text("format = 1\n" + "x = 1\n[y]\n[z]\n[a]\n[b]\n")
    files = {name: tmp_path / "out" / name for name in FORMATS}

    ended = use("--exercise", FIRST, *(part for name, file in files.items() for part in ("--format", f"{name}={file}")))

    assert ended.code == 3
    report = from_json(files["json"].read_bytes())
    assert (report.status, report.points_max, report.tests, report.exercise.id) == ("grader-error", 0, [], FIRST)
    assert report.message.startswith("the exercise is at fault, not the solution:\n")
    assert re.search(r"\nand [0-9]+ more$", report.message)
    assert all("the exercise is at fault" in file.read_text() for name, file in files.items() if name != "check50")
    assert "the exercise is at fault" in (tmp_path / "summary").read_text()
    assert (tmp_path / "output").read_text().startswith("result=")
    assert "::error title=the grader failed" in ended.out


# The ready files.


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A `grade` whose sandbox takes each file at its word, and which writes down how it was called."""
    path = tmp_path / "grade-for-tests"
    path.write_text(
        "#!/bin/sh\n"
        f'printf "%s\\n" "$@" > "{tmp_path}/called"\n'
        f'WORD_S=0 WORD_LOG="{tmp_path}/log" PYTHONPATH="{ROOT}" exec "{sys.executable}" -m tests.batch.conftest "$@"\n'
    )
    path.chmod(0o755)
    return path


def sh(script: Path | str, *arguments: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a script as the place does."""
    command = ["sh", "-eu", "-c", script] if isinstance(script, str) else ["sh", str(script)]
    return subprocess.run(
        [*command, *arguments], cwd=folder, env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )


def schema_of(name: str) -> Any:
    """Give a schema of SchemaStore, as the package check-jsonschema carries it."""
    place = importlib.resources.files("check_jsonschema.builtin_schemas.vendor")
    return json.loads(place.joinpath(f"{name}.json").read_bytes())


def workflows() -> list[str]:
    """List the pieces of YAML in the documentation; what is a job's steps only, in a job."""
    blocks = re.findall(r"^```yaml\n(.*?)^```$", text_of("docs/how-to.md"), re.MULTILINE | re.DOTALL)
    head = "on: [pull_request]\njobs:\n  kata:\n    runs-on: ubuntu-latest\n    steps:\n"
    return [block if block.startswith("on:") else head + block for block in blocks]


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ("github-actions", text_of("action.yml")),
        ("gitlab-ci", text_of("integrations/gitlab/kata.gitlab-ci.yml")),
        *(("github-workflows", text) for text in workflows()),
    ],
)
def test_a_ready_file_keeps_its_places_schema(schema: str, text: str) -> None:
    """A place that can't read a file tells it too late."""
    # GitHub reads YAML 1.2, where `on` is no truth value.
    loaded = {("on" if key is True else key): value for key, value in yaml.safe_load(text).items()}
    jsonschema.validate(loaded, schema_of(schema))


def test_a_schema_finds_what_is_wrong() -> None:
    """It would not be worth much otherwise."""
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(
            yaml.safe_load(text_of("action.yml").replace("      shell: sh\n", "")), schema_of("github-actions")
        )


def test_the_documented_workflows_use_inputs_that_are_there() -> None:
    """GitHub only warns of an input that it doesn't know."""
    known = set(yaml.safe_load(text_of("action.yml"))["inputs"])
    steps = [step for text in workflows() for job in yaml.safe_load(text)["jobs"].values() for step in job["steps"]]
    used = [set(step.get("with", {})) for step in steps if step["uses"].startswith("<owner>")]

    assert len(used) == 3
    assert set().union(*used) <= known


def test_no_text_of_a_job_is_put_into_a_script() -> None:
    """A branch's name could be a command: whatever comes from outside travels as a variable."""
    action = yaml.safe_load(text_of("action.yml"))
    assert all("${{" not in step["run"] for step in action["runs"]["steps"])
    job = yaml.safe_load(text_of("integrations/gitlab/kata.gitlab-ci.yml"))["kata-grade"]
    assert not [
        line for line in job["script"] if re.search(r"\$CI_(COMMIT|MERGE_REQUEST)_(TITLE|MESSAGE|DESCRIPTION)", line)
    ]


def test_the_hook_is_a_program() -> None:
    """pre-commit starts it as it is."""
    (hook,) = yaml.safe_load(text_of(".pre-commit-hooks.yaml"))
    assert (ROOT / hook["entry"]).stat().st_mode & 0o111


def test_the_action_hands_every_input_to_the_script() -> None:
    """An input that nobody reads would be a promise that isn't kept; none is put into a script's text."""
    action, script = text_of("action.yml"), text_of("integrations/ci.sh")
    inputs = re.findall(r"^  ([a-z-]+):$", action.partition("inputs:")[2].partition("outputs:")[0], re.MULTILINE)
    handed = dict(re.findall(r"(KATA_[A-Z_]+): \$\{\{ inputs\.([a-z-]+) \}\}", action))

    assert sorted(inputs) == sorted(handed.values())
    assert all(f"${{{variable}:-" in script for variable in handed)
    assert "${{" not in "".join(re.findall(r"run: .*", action))


def test_the_actions_command_grades_a_pull_request(clone: Path, course: Path, program: Path, tmp_path: Path) -> None:
    """What the action runs, run as GitHub does."""
    solve(clone, "ppf")
    (command,) = re.findall(r"run: (.*)", text_of("action.yml"))

    done = sh(
        command, folder=clone, GITHUB_ACTION_PATH=str(ROOT), GITHUB_WORKSPACE=str(clone), GITHUB_ACTIONS="true",
        GITHUB_OUTPUT=str(tmp_path / "output"), KATA_GRADE=str(program), KATA_COURSE=str(course), KATA_PASS="60%",
        KATA_EXERCISE="", KATA_ALL="false", KATA_FORMAT=f"html={tmp_path / 'report.html'}",
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert "::error title=An unknown dish is answered 404.::" in done.stdout
    assert (tmp_path / "output").read_text().startswith("result=")
    assert (tmp_path / "report.html").exists()


def test_gitlabs_script_grades_a_merge_request(clone: Path, course: Path, program: Path, tmp_path: Path) -> None:
    """The lines of the template, with the course cloned from where it is kept."""
    shutil.copytree(ROOT / "integrations", course / "integrations")
    git(course, "init", "-q", "-b", "main")
    commit(course)
    base = git(clone, "rev-parse", "HEAD")
    solve(clone, "ppp")
    template = text_of("integrations/gitlab/kata.gitlab-ci.yml")
    lines = re.findall(r"^    - (.*)$", template.partition("script:\n")[2].partition("  artifacts:")[0], re.MULTILINE)
    assert len(lines) == 3

    done = sh(
        "\n".join(lines), folder=clone, GITLAB_CI="true", CI_PROJECT_DIR=str(clone), CI_MERGE_REQUEST_DIFF_BASE_SHA=base,
        KATA_COURSE_URL=f"file://{course}", KATA_COURSE_REF="main", KATA_FOLDER=str(tmp_path / "kata"),
        KATA_PASS="100%", KATA_SANDBOX="local", KATA_GRADE=str(program),
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert ET.parse(clone / ci.JUNIT_FILE).getroot().get("tests") == "3"
    assert (tmp_path / "kata" / "exercises").stat().st_mode & 0o077 == 0


@pytest.fixture
def autograder(tmp_path: Path, course: Path) -> Path:
    """A folder as Gradescope makes it: the autograder's zip in `source/`, a submission beside it."""
    root = tmp_path / "autograder"
    shutil.copytree(course, root / "source")
    (root / "source" / "grader").mkdir()
    for path in (ROOT / "integrations" / "gradescope").iterdir():
        shutil.copy(path, root / "source")
    (root / "source" / "kata-exercise.txt").write_text("exercise-03\n")
    (root / "submission").mkdir()
    return root


@pytest.mark.parametrize(
    ("words", "code", "score"), [("ppp", 0, 4.5), ("ppf", 0, 3), ("fff", 0, 0), ("", 0, 0), ("lost", 3, None)]
)
def test_gradescope_gets_its_results(
    autograder: Path, program: Path, words: str, code: int, score: float | None
) -> None:
    """A score is no failure of the autograder; a grader's failure is one, and no score. An empty upload is told."""
    if words:
        (autograder / "submission" / "app.py").write_text(words)

    done = sh(
        autograder / "source" / "run_autograder", folder=Path("/"), KATA_AUTOGRADER=str(autograder),
        KATA_GRADE=str(program), GRADE_SANDBOX="local",
    )  # fmt: skip

    results = json.loads((autograder / "results" / "results.json").read_text())
    assert (done.returncode, results.get("score")) == (code, score), done.stderr
    assert ("tests" in results) == (score is not None)
    if not words:
        assert "there is no file to grade" in results["output"]


def test_gradescope_is_told_when_nothing_could_be_run(autograder: Path, program: Path) -> None:
    """The file is there even then, and has nothing that could be counted."""
    (autograder / "source" / "kata-exercise.txt").write_text("exercise-99\n")

    done = sh(
        autograder / "source" / "run_autograder", folder=Path("/"), KATA_AUTOGRADER=str(autograder),
        KATA_GRADE=str(program), GRADE_SANDBOX="local",
    )  # fmt: skip

    results = json.loads((autograder / "results" / "results.json").read_text())
    assert done.returncode > 1
    assert set(results) == {"output", "visibility"}


def test_gradescopes_setup_hides_the_tests(autograder: Path, program: Path) -> None:
    """A solution's user can run Python, and can't read what is hidden."""
    done = sh(
        autograder / "source" / "setup.sh", folder=Path("/"), KATA_AUTOGRADER=str(autograder), KATA_GRADE=str(program)
    )

    assert done.returncode == 0, done.stderr
    assert (autograder / "source" / "exercises").stat().st_mode & 0o077 == 0
    assert (autograder / "source" / "grader").stat().st_mode & 0o005 == 0o005


@pytest.mark.bubblewrap
def test_gradescope_with_real_boxes(autograder: Path, tmp_path: Path) -> None:
    """The same with a real solution in a real box."""
    make_sandbox("bubblewrap")
    (autograder / "submission" / "app.py").write_text(RIGHT)
    real = tmp_path / "grade-real"
    real.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m grader "$@"\n')
    real.chmod(0o755)

    done = sh(
        autograder / "source" / "run_autograder", folder=Path("/"), KATA_AUTOGRADER=str(autograder),
        KATA_GRADE=str(real), GRADE_SANDBOX="bubblewrap",
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert json.loads((autograder / "results" / "results.json").read_text())["score"] == 4.5


def test_the_hook_proves_what_is_committed(course: Path, tmp_path: Path) -> None:
    """Each changed exercise once; files elsewhere, and exercises that were removed, need no proof."""
    program = tmp_path / "grade-for-tests"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > "{tmp_path}/called"\n')
    program.chmod(0o755)
    hook = ROOT / "integrations" / "pre-commit" / "verify-changed.sh"
    files = [f"exercises/{SECOND}/README.md", f"exercises/{FIRST}/tests/test_x.py", f"exercises/{FIRST}/exercise.toml"]

    nothing = sh(hook, "README.md", "exercises/exercise-98-gone/README.md", folder=course, KATA_GRADE=str(program))
    assert (nothing.returncode, (tmp_path / "called").exists()) == (0, False)
    done = sh(hook, *files, folder=course, KATA_GRADE=str(program))

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "called").read_text().splitlines() == ["verify", "--quick", FIRST, SECOND]


# Receipts


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """A key to sign with, as `openssl genpkey` writes it."""
    path = tmp_path / "kata-key.pem"
    path.write_bytes(Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


def test_each_json_report_is_signed(use: Use, tmp_path: Path, key: Path) -> None:
    """And nothing else of it changes."""
    ended = use("--all", "--sign", str(key), "--format", f"json={tmp_path / 'r.json'}", "--report-only")

    assert ended.code == 0, ended.err
    for name in (FIRST, SECOND):
        data = (tmp_path / f"r-{name}.json").read_bytes()
        assert receipt.check(data, receipt.read_public_keys(key.read_bytes())).state == "valid"


def test_the_key_may_be_a_secret_of_the_job(
    use: Use, tmp_path: Path, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable holds the key itself; an empty one, as of a fork's job, is none."""
    monkeypatch.setenv("GRADE_SIGN_KEY", key.read_text())
    assert use("--all", "--format", f"json={tmp_path / 'r.json'}").code == 1
    assert b'"signature"' in (tmp_path / f"r-{FIRST}.json").read_bytes()

    monkeypatch.setenv("GRADE_SIGN_KEY", "")
    assert use("--all", "--format", f"json={tmp_path / 'r.json'}").code == 1
    assert b'"signature"' not in (tmp_path / f"r-{FIRST}.json").read_bytes()


def test_a_receipt_that_nobody_would_have_is_refused(use: Use, key: Path, sandbox: AtItsWord) -> None:
    """Before anything is graded; so is a file that is no key."""
    assert "--format json" in use("--all", "--sign", str(key)).err
    key.write_text("fff")
    assert use("--all", "--sign", str(key), "--format", "json").code == 2
    key.unlink()
    assert use("--all", "--sign", str(key), "--format", "json").code == 2
    assert sandbox.begun == []


def test_what_runs_beside_the_key_is_not_signed(use: Use, key: Path, sandbox: AtItsWord) -> None:
    """A solution in the sandbox `local` could read the key, and write itself a receipt."""
    sandbox.name = "local"
    ended = use("--all", "--sign", str(key), "--format", "json")

    assert (ended.code, sandbox.begun) == (2, [])
    assert "`local` is not signed" in ended.err


@pytest.mark.parametrize("name", ["docker", "bubblewrap"])
def test_a_receipt_names_what_the_boxes_held(
    name: str, course: Path, tmp_path: Path, key: Path, choose_named: Callable[[str], Choice]
) -> None:
    """By the digest of the recipe, and by the engine's own name of the image."""
    choice = choose_named(name)
    write(tmp_path / "mine" / "app.py", RIGHT)
    subject = ci.Subject(name=FIRST, folder=tmp_path / "mine")
    results, _ = ci.grade_subjects(find_course(course), [subject], choice, print)
    (result,) = ci.signed(results, receipt.read_private_key(key.read_bytes()))

    assert result.report.status == "passed"
    assert result.report.receipt is not None
    signed = result.report.receipt.signed
    assert signed.image == result.report.sandbox.image
    assert re.fullmatch(r"kata-grader:[0-9a-f]{12}|python-[0-9.]+:[0-9a-f]{64}", signed.image)
    assert re.fullmatch(r"sha256:[0-9a-f]{64}" if name == "docker" else "", signed.image_id)
