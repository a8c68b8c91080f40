"""The documentation says what the code does: nothing is missing, nothing is out of date, nothing leads nowhere."""

from __future__ import annotations

import contextlib
import html
import importlib.util
import io
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import click
import msgspec
import pytest

from grader import report
from grader.cli.main import COMMANDS, cli
from grader.cli.result import EXIT_CODES
from grader.error import GraderError
from grader.exercise import known_keys, load_exercise
from grader.grading import grade
from grader.inside import client, fake, fixture
from grader.render import FORMATS
from grader.sandbox import image
from grader.sandbox.choose import Choice
from grader.submission import submission_of
from grader.verify import outcome
from grader.verify.structure import examine
from tests.conftest import ROOT

DOCS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BY_HAND = [path for path in DOCS if path.name in ("README.md", "tutorial.md", "how-to.md", "reference.md")]
REFERENCE = (ROOT / "docs/reference.md").read_text("utf-8")
HOW_TO = (ROOT / "docs/how-to.md").read_text("utf-8")
README = (ROOT / "README.md").read_text("utf-8")
PICTURE = ROOT / "docs/images/report.svg"


def _maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_reference", ROOT / "docs/make_reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MAKER = _maker()


def _code_blocks(text: str) -> list[str]:
    return [found[2] for found in re.finditer(r"^(`{3,})[^\n]*\n(.*?)^\1$", text, re.MULTILINE | re.DOTALL)]


def _prose(text: str) -> str:
    return re.sub(r"^(`{3,})[^\n]*\n.*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)


def _commands(text: str) -> list[str]:
    """List the lines that a reader is to type."""
    lines = [line for block in _code_blocks(text) for line in block.splitlines()]
    prompted = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    bare = [line for line in lines if re.match(r"(\./grade|make)( |$)", line)]
    inline = [found for found in re.findall(r"`(\./grade[^`]*|make [a-z]+)`", _prose(text)) if "NAME" not in found]
    return [part for line in (*prompted, *bare, *inline) for part in re.split(r" && | &$", line)]


ALL_COMMANDS = sorted({(path.name, command) for path in BY_HAND for command in _commands(path.read_text("utf-8"))})


# What is generated


@pytest.mark.parametrize("name", MAKER.FILES)
def test_generated_parts_are_what_the_code_says(name: str) -> None:
    """A command, key or fixture that was added or changed is in the documentation after `make docs`."""
    text = (ROOT / name).read_text("utf-8")

    assert MAKER.renewed(text) == text, f"{name} is out of date: run `make docs`"


def test_each_generated_part_is_used_once() -> None:
    """Nothing is made that nobody reads."""
    texts = "".join((ROOT / name).read_text("utf-8") for name in MAKER.FILES)

    assert {name: texts.count(f"<!-- begin: {name} -->") for name in MAKER.PARTS} == dict.fromkeys(MAKER.PARTS, 1)


# What the reference must have, read from the code a second time


def _click_commands() -> Iterator[tuple[str, click.Command]]:
    context = cli.make_context("grade", ["show"], resilient_parsing=True)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        yield name, command


def test_the_reference_has_every_command_and_option() -> None:
    """What can be typed can be looked up."""
    for name, command in [*_click_commands(), ("", cli)]:
        if name:
            section = REFERENCE.partition(f"\n### grade {'EXERCISE' if name == 'exercise' else name}\n")[2]
            section = section.partition("\n### ")[0]
        else:
            section = REFERENCE.partition("\n## Commands\n")[2]
        assert section, f"no section of `grade {name}`"
        for parameter in command.params:
            for written in (*parameter.opts, *parameter.secondary_opts):
                shown = written if isinstance(parameter, click.Option) else parameter.metavar or written.upper()
                assert shown in section, f"`grade {name}` takes {shown}"


def test_the_reference_has_every_key_of_an_exercise() -> None:
    """What `exercise.toml` takes can be looked up, with what it takes."""
    for name, keys in known_keys().items():
        for key, takes in keys.items():
            assert re.search(rf"^\| `{key}` \| [^|]+ \| {re.escape(takes)} \| [^|]+ \|$", REFERENCE, re.MULTILINE), (
                name,
                key,
            )


@pytest.mark.parametrize(
    ("prefix", "kind"),
    [
        ("app", fixture.App),
        ("client", client.Client),
        ("call", fixture.Call),
        ("db", fixture.Database),
        ("fake", fake.Fake),
    ],
)
def test_the_reference_has_every_method_of_a_fixture(prefix: str, kind: type) -> None:
    """What a hidden test can do can be looked up."""
    internal = MAKER.INTERNAL.get(kind.__name__, set())
    for name in vars(kind):
        if not name.startswith("_") and name not in internal:
            assert re.search(rf"`{prefix}\.{name}[`(]", REFERENCE), f"{prefix}.{name}"


def test_the_reference_has_every_mark() -> None:
    """Both marks of hidden tests are described."""
    for name in ("task", "needs"):
        assert f"`@pytest.mark.{name}(" in REFERENCE


def test_the_reference_has_every_key_of_a_report() -> None:
    """What a report says can be looked up."""
    section = REFERENCE.partition("### Keys of the JSON report")[2]
    for kind in (report.Report, report.TaskResult, report.TestResult, report.Exchange, report.Statement, report.Frame):
        for field in msgspec.structs.fields(kind):
            assert f"| `{field.encode_name}` |" in section, f"{kind.__name__}.{field.name}"


def test_the_reference_has_every_key_of_a_proof() -> None:
    """What `grade verify --format json` says can be looked up."""
    section = REFERENCE.partition("### Keys of `grade verify --format json`")[2]
    for kind in (outcome.Verified, outcome.Point, outcome.Finding, outcome.Survivor, outcome.Machine):
        for field in msgspec.structs.fields(kind):
            assert f"| `{field.encode_name}` |" in section, f"{kind.__name__}.{field.name}"


def test_the_reference_has_every_format() -> None:
    """Each format, with what it is."""
    for name, each in FORMATS.items():
        assert f"| `{name}` | {each.about} |" in REFERENCE


def test_the_reference_has_every_exit_code() -> None:
    """Those of a grading, those of errors, and that of an interruption."""

    def errors(kind: type[GraderError]) -> Iterator[int]:
        yield kind.exit_code
        for each in kind.__subclasses__():
            yield from errors(each)

    for code in {*EXIT_CODES.values(), *errors(GraderError), 130}:
        assert f"| {code} | " in REFERENCE.partition("## Exit codes")[2]


def test_the_how_to_guide_explains_every_status() -> None:
    """With the exit code that the program gives."""
    for status, code in EXIT_CODES.items():
        assert re.search(rf"^\| `{status}` \| .* \| {code} \| (yes|no) \|$", HOW_TO, re.MULTILINE)


def _variables() -> set[str]:
    """Find the environment variables that are read, as the code reads them."""
    sources = [ROOT / "grade", ROOT / "tests/conftest.py", *(ROOT / "integrations").rglob("*")]
    sources += [
        path for path in (ROOT / "grader").rglob("*.py") if not {"inside", "diagnosis", "verify"} & {*path.parts}
    ]
    found: set[str] = set(image._PIP_ARGUMENTS + image._CA_VARIABLES + image._PROXY_ARGUMENTS[:3])
    for path in sources:
        if path.is_file():
            text = path.read_text("utf-8")
            found |= set(re.findall(r"(?<![A-Z_a-z])(?:GRADE|KATA)_[A-Z_]*[A-Z]", text))
            found |= set(re.findall(r'environ(?:\.get)?[(\[]"([A-Z_]+)"', text))
    return found


# Set by the places themselves, for any program that runs there.
_OF_THE_PLACE = re.compile(r"GITHUB_|CI$|CI_|GITLAB_|RUNNER_")


def test_the_reference_has_every_environment_variable() -> None:
    """What changes what the program does from outside can be looked up."""
    missing = {name for name in _variables() if f"`{name}`" not in REFERENCE and not _OF_THE_PLACE.match(name)}

    assert missing == set()


# What leads somewhere


def _anchors(text: str) -> set[str]:
    """Give the names that GitHub gives to headings."""
    headings = re.findall(
        r"^#+ +(.+?) *$", re.sub(r"^(`{3,})[^\n]*\n.*?^\1$", "", text, flags=re.M | re.S), re.MULTILINE
    )
    names = [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]
    return {
        name if names[:place].count(name) == 0 else f"{name}-{names[:place].count(name)}"
        for place, name in enumerate(names)
    }


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    """Files and headings that are linked to are there."""
    for target in re.findall(r"\]\(([^)\s]+)\)", _prose(path.read_text("utf-8"))):
        if target.startswith(("https://", "http://")):
            continue
        name, _, anchor = target.partition("#")
        file = path.parent / name if name else path
        assert file.exists(), f"{path.name} links to {target}"
        if anchor:
            assert anchor in _anchors(file.read_text("utf-8")), f"{path.name} links to {target}"


_MADE_LATER = re.compile(r"/solution/|split.the.bill|^\.grade|^\.venv|<|autograder\.zip|/\*\*?/")


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_paths_that_are_named_are_there(path: Path) -> None:
    """A file that moved is moved in the documentation too."""
    tops = "|".join(re.escape(each.name) for each in ROOT.iterdir() if each.name not in (".git", ".venv", ".grade"))
    named = re.findall(rf"`((?:{tops})/[^\s`]*)`", path.read_text("utf-8"))
    missing = [name for name in named if not _MADE_LATER.search(name) and not any(ROOT.glob(name.rstrip("/")))]

    assert missing == []


# What a reader types


def test_the_readme_has_the_two_commands_of_a_fresh_clone() -> None:
    """They are the script and the target that the repository has."""
    assert {"./grade exercise-01", "make test"} <= set(_commands(README))
    assert (ROOT / "grade").stat().st_mode & 0o111
    assert cli.get_command(cli.make_context("grade", ["show"], resilient_parsing=True), "exercise") is not None


@pytest.mark.parametrize(("name", "command"), ALL_COMMANDS)
def test_commands_can_be_typed_as_they_stand(name: str, command: str) -> None:
    """Each `./grade ...` is understood by the command line, each `make ...` is a target, each script is there."""
    words = [word for word in shlex.split(command) if not re.fullmatch(r"[A-Z_]+=.*", word)]
    if not words:
        return
    if words[0] == "make":
        targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
        assert words[1] in targets
    elif words[0].endswith("/grade") or words[0] == "grade":
        _parse(words[1:])
    elif words[0] == "sh":
        script = words[1].removeprefix("../katas/")
        assert (ROOT / script).is_file()
    elif words[0].startswith(".venv/") and words[1].endswith(".py"):
        assert (ROOT / words[1]).is_file()


def _parse(words: list[str]) -> None:
    """Let Click read a command line as far as it can without doing anything."""
    context = cli.make_context("grade", list(words))
    if not (context._protected_args or context.args):
        return
    name, command, rest = cli.resolve_command(context, [*context._protected_args, *context.args])
    assert command is not None
    with contextlib.redirect_stdout(io.StringIO()):
        command.make_context(name, rest, parent=context)


# What must not stand there


_REGISTRIES = r"py[p]i\.org|python[h]osted|docke[r]\.io|ghc[r]\.io|qua[y]\.io|gc[r]\.io|np[m]js|proxy\.[g]olang"
_MACHINE = r"/wor[k]/|/root/|/tmp/|/home/[a-z]|/var/tmp|site-packages|\blocalhost:[0-9]"


@pytest.mark.parametrize("path", [*DOCS, PICTURE, *sorted((ROOT / "docs").rglob("*.py"))], ids=lambda path: path.name)
def test_no_registry_and_no_path_of_a_machine_is_named(path: Path) -> None:
    """The documentation is true on every machine."""
    assert re.findall(rf"{_REGISTRIES}|{_MACHINE}", path.read_text("utf-8")) == []


@pytest.mark.parametrize("path", BY_HAND, ids=lambda path: path.name)
def test_nothing_is_called_simple(path: Path) -> None:
    """What is easy for its author may not be for its reader."""
    found = re.findall(
        r"\b(simply|just|easy|easily|obvious(?:ly)?|of course)\b", _prose(path.read_text("utf-8")).lower()
    )

    assert found == []


# The picture


def test_the_picture_brings_no_font_and_asks_for_nothing() -> None:
    """It is small, and a viewer sends no request to show it."""
    drawn = PICTURE.read_text("utf-8").replace('xmlns="http://www.w3.org/2000/svg"', "")

    assert PICTURE.stat().st_size < 30_000
    # The one address is in the report itself: the learner's own server.
    assert re.findall(r"https?://(?!127\.0\.0\.1:8000/)|@font-face|@import|url\(|href", drawn) == []


def test_the_picture_shows_the_exercise_as_it_is() -> None:
    """A sentence that changed in the exercise is old in the picture: run `docs/images/make.py`."""
    drawn = PICTURE.read_text("utf-8")
    lines = "\n".join(re.findall(r">([^<]*)</text>", drawn))
    shown = " ".join(html.unescape(lines).replace("\xa0", " ").split())
    exercise = load_exercise(ROOT / "exercises/exercise-03-one-dish")

    for title in (exercise.title, *(task.title for task in exercise.tasks), *(test.title for test in exercise.tests)):
        assert title in shown


# The worked example


@pytest.fixture(scope="module")
def kata(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kata of the how-to guide, as a reader gets it who copies each file."""
    folder = tmp_path_factory.mktemp("course") / "exercises" / "exercise-23-split-the-bill"
    files = re.findall(r"^<!-- file: (\S+) -->\n(`{3,})[a-z]*\n(.*?)^\2$", HOW_TO, re.MULTILINE | re.DOTALL)
    assert len(files) == len({name for name, _, _ in files}) > 8
    for name, _, content in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, "utf-8")
    return folder


def test_the_worked_example_is_whole(kata: Path) -> None:
    """Its form and its texts are what `grade verify` asks for."""
    assert examine(kata).findings == ()


def test_the_worked_example_proves_what_it_says(kata: Path, quick: Choice) -> None:
    """Starter, right answers and wrong answers end as the guide says."""
    exercise = load_exercise(kata)

    def failed(files: dict[str, bytes]) -> set[str]:
        graded = grade(exercise, submission_of(files), quick)
        return {test.name for test in graded.tests if test.status != "pass"}

    assert failed(exercise.files_of("starter")) == {test.name for test in exercise.tests}
    assert failed(exercise.files_of("reference")) == set()
    for alternative in exercise.alternatives:
        assert failed(exercise.variant("alternatives", alternative.id)) == set()
    for mutant in exercise.mutants:
        found = failed(exercise.variant("mutants", mutant.id))
        assert set(mutant.fails) <= found <= {*mutant.fails, *mutant.also}
