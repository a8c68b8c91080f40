"""What can be proven of an exercise without running it: its parts agree with one another, word for word.

What `load_exercise` refuses is told first. The rest is looked at even then, as far as it can be read, so that one run
tells everything.
"""

from __future__ import annotations

import os
import re
import stat
import tomllib
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.error import BrokenExercise, RefusedSubmission
from grader.exercise import Exercise, load_exercise
from grader.file_name import is_left_out
from grader.folder import TOML, name_parts
from grader.hidden_test import HiddenTest, is_test_file, read_tests
from grader.submission import kind_problem, read_regular, read_submission
from grader.toml_lines import toml_lines
from grader.verify.concept import Head, concept_clashes, head_of
from grader.verify.leak import given_away
from grader.verify.outcome import Finding
from grader.verify.remedy import remedy_of

HOW_TESTED = "How it will be tested"
MARK = "AUTHOR:"
"""Stands where `grade new` leaves something to write."""

_PARTS = {TOML, "README.md", "notes.md", "starter", "reference", "alternatives", "mutants", "tests", "solution"}
_SUBMITTED = ("starter", "reference", "alternatives", "mutants", "tests")
_LEFTOVER = re.compile(r".*~|#.*#|\.#.*|.*\.(?:orig|rej|bak|swp|swo|tmp)|Thumbs\.db|desktop\.ini|nohup\.out")
_PROBLEM = re.compile(r"(?P<where>[^\s:]+(?::[0-9]+)?): (?P<text>.*)", re.DOTALL)
_BULLET = re.compile(r"[-*+] +(?P<text>.*)")
_TASK_HEADING = re.compile(r"(?P<number>[0-9]+)\. +(?P<title>.+)")


@dataclass(frozen=True, kw_only=True)
class Examined:
    """An exercise's folder as it was read. `exercise` is None where it isn't sound enough to be run."""

    folder: Path
    exercise: Exercise | None
    findings: tuple[Finding, ...]


@dataclass(frozen=True, kw_only=True)
class _Outline:
    """What README and tests must agree on: as much of it as could be read."""

    title: str | None
    tasks: tuple[str, ...] | None
    tests: tuple[HiddenTest, ...]
    is_complete: bool


def examine(folder: Path) -> Examined:
    """Read an exercise's folder and find all that is wrong with it, short of running anything."""
    look = _Look(folder)
    exercise: Exercise | None = None
    try:
        exercise = load_exercise(folder)
    except BrokenExercise as broken:
        for problem in broken.problems:
            look.take(problem, broken.hint)
    outline = _outline_of(exercise) if exercise is not None else _outline_in(folder)
    look.strays()
    look.readme(outline)
    look.sentences(outline)
    if exercise is not None:
        look.variants(exercise)
        look.given_away(exercise)
        look.marks()
        if look.is_refused:
            exercise = None
    return Examined(folder=folder, exercise=exercise, findings=tuple(look.findings))


def exercise_folders(root: Path) -> list[Path]:
    """List every folder in `exercises/`, also those that are no exercises yet, or no more."""
    try:
        with os.scandir(root / "exercises") as found:
            names = sorted(each.name for each in found if each.is_dir() and not each.name.startswith("."))
    except OSError:
        return []
    return [root / "exercises" / name for name in names if not is_left_out(name)]


def clashes(folders: Sequence[Path]) -> dict[str, list[Finding]]:
    """Find what exercises have in common and must not: a number, a slug, a title, a concept. By the folder's name."""
    heads = [head_of(folder) for folder in folders]
    found: dict[str, list[Finding]] = {}
    titles: dict[str, list[Head]] = {}
    numbers: dict[int, list[str]] = {}
    slugs: dict[str, list[str]] = {}
    for head in heads:
        number, slug = name_parts(head.name)
        if number is not None:
            numbers.setdefault(number, []).append(head.name)
        slugs.setdefault(slug.casefold(), []).append(head.name)
        if head.title:
            titles.setdefault(head.title.casefold(), []).append(head)

    def note(name: str, where: str, text: str, remedy: str) -> None:
        found.setdefault(name, []).append(Finding(point="structure", where=where, text=text, remedy=remedy))

    free = max(numbers, default=0) + 1
    for number, names in numbers.items():
        for name in names if len(names) > 1 else ():
            text = f"has the number {number}, as {_others(names, name)} has"
            note(name, f"{name}/", text, f"give one of them another number; {free:02} is free")
    for slug, names in slugs.items():
        for name in names if len(names) > 1 else ():
            note(
                name,
                f"{name}/",
                f"has the slug `{slug}`, as {_others(names, name)} has",
                "give one of them another slug",
            )
    for same in titles.values():
        for head in same if len(same) > 1 else ():
            text = f"has the title that {_others([each.name for each in same], head.name)} has"
            note(head.name, head.where("title"), text, "titles tell exercises apart: change one of them")
    for name, finding in concept_clashes(heads):
        found.setdefault(name, []).append(finding)
    return found


class _Look:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.findings: list[Finding] = []
        self.is_refused = False
        """Whether a part of it wouldn't be taken as a submission, so that it can't be run."""

    def take(self, problem: str, hint: str) -> None:
        """Take a problem as `load_exercise` tells it: `folder/file:line: text`."""
        found = _PROBLEM.fullmatch(problem)
        where, text = (found["where"], found["text"]) if found else (f"{self._folder.name}/", problem)
        self._add(where, text, hint or remedy_of(where.partition("/")[2], text))

    def strays(self) -> None:
        """Find files that nothing reads."""
        for name in _names(self._folder):
            if name not in _PARTS and not name.startswith(".solution-"):
                self._note(name, None, "is no part of an exercise", "remove it, or move it where it belongs")
        for path in self._files():
            base = path.rpartition("/")[2]
            if _LEFTOVER.fullmatch(base):
                self._note(path, None, "was left behind by a tool", "remove it")
            mode = os.lstat(self._folder / path).st_mode
            is_taken_as_a_whole = path.partition("/")[0] in _SUBMITTED  # and is refused there
            if not stat.S_ISREG(mode) and not stat.S_ISLNK(mode) and not is_taken_as_a_whole:
                self._note(path, None, kind_problem(mode), "remove it")
        if self._folder.is_dir() and not (self._folder / "notes.md").is_file():
            self._note(
                "notes.md", None, "is missing", "write for other authors what is out of scope, so that it stays so"
            )

    def readme(self, outline: _Outline) -> None:
        """Hold the README against title, tasks and tests."""
        try:
            text = read_regular(self._folder / "README.md").decode("utf-8")
        except (OSError, UnicodeDecodeError):
            return  # told already
        readme = _Readme(text)
        self._title(readme, outline)
        self._story(readme)
        self._headings(readme, outline)
        self._bullets(readme, outline)

    def _title(self, readme: _Readme, outline: _Outline) -> None:
        wanted = f"# {outline.title}" if outline.title else "# and the title"
        if readme.title is None:
            self._note("README.md", 1, "doesn't begin with a title", f"its first line is `{wanted}`")
        elif outline.title and readme.title != outline.title:
            self._note("README.md", 1, f"its title isn't the one in {TOML}", f"its first line is `{wanted}`")

    def _story(self, readme: _Readme) -> None:
        line, has_words, code_line = readme.story()
        if code_line is not None:
            self._note(
                "README.md", code_line, "has code before the story is told", "tell the story first, without code"
            )
        elif not has_words:
            self._note("README.md", line, "has no story", "tell below the title who needs what, and why")

    def _headings(self, readme: _Readme, outline: _Outline) -> None:
        if outline.tasks is None:
            return
        found = [(line, match) for line, text in readme.headings if (match := _TASK_HEADING.fullmatch(text))]
        for place, title in enumerate(outline.tasks):
            wanted = f"## {place + 1}. {title}"
            if place >= len(found):
                self._note("README.md", None, f"task {place + 1} has no heading", f"write `{wanted}`")
                continue
            line, match = found[place]
            if int(match["number"]) != place + 1 or match["title"] != title:
                self._note("README.md", line, f"the heading isn't that of task {place + 1}", f"write `{wanted}`")
        for line, match in found[len(outline.tasks) :]:
            text = f"`## {match['number']}. {match['title']}` belongs to no task"
            self._note("README.md", line, text, f"remove it, or add the task to {TOML}")
        last = max((line for line, _ in found), default=0)
        tested = readme.heading_line(HOW_TESTED)
        if tested is not None and tested < last:
            self._note("README.md", tested, f"`## {HOW_TESTED}` stands before a task", "move it below the last task")

    def _bullets(self, readme: _Readme, outline: _Outline) -> None:
        heading = readme.heading_line(HOW_TESTED)
        if heading is None:
            remedy = f"write `## {HOW_TESTED}` and below it one bullet a test"
            self._note("README.md", None, f"has no `## {HOW_TESTED}`", remedy)
            return
        if not outline.is_complete:
            return
        bullets = readme.bullets(heading)
        told = Counter(text for _, text in bullets)
        sentences = {test.title: test for test in outline.tests if test.title}
        for title, test in sentences.items():
            if title not in told:
                text = f"`{test.name}` promises what no bullet of the README says"
                self._note(test.file, test.line, text, f"add `- {title}` below `## {HOW_TESTED}`")
        seen: set[str] = set()
        for line, text in bullets:
            if text not in sentences:
                close = _close(text, sentences)
                remedy = f"word for word it is `- {close}`" if close else "remove it, or write the test"
                self._note("README.md", line, "no test has this sentence", remedy)
            elif text in seen:
                self._note("README.md", line, "the sentence is there twice", "remove one of them")
            seen.add(text)

    def sentences(self, outline: _Outline) -> None:
        """Find titles of tests that are no sentences, and titles that are there twice."""
        first: dict[str, HiddenTest] = {}
        for test in outline.tests:
            if not test.title:
                continue  # told already
            if not re.fullmatch(r"[^\W\d_a-z].*\.|[`\"'(0-9].*\.", test.title) or " " not in test.title:
                text = f"the title of `{test.name}` is no sentence: `{test.title}`"
                self._note(test.file, test.line, text, "begin it with a capital, end it with a full stop")
            earlier = first.setdefault(test.title.casefold(), test)
            if earlier is not test:
                text = f"`{test.name}` has the sentence that `{earlier.name}` has"
                self._note(test.file, test.line, text, "say what this test adds")
        tasks = outline.tasks or ()
        for place, title in enumerate(tasks):
            line = self._toml_line("tasks", place, "title")
            if title.casefold() in [each.casefold() for each in tasks[:place]]:
                self._note(TOML, line, f"task {place + 1} has the title of an earlier one", "say what this one adds")
            if title.endswith("."):
                self._note(TOML, line, f"the title of task {place + 1} is a heading", "take the full stop off its end")

    def variants(self, exercise: Exercise) -> None:
        """Find mutants and alternatives that say what the reference says."""
        reference, starter = self._read("reference"), self._read("starter")
        if reference is None or starter is None:
            return
        for kind, ids in (
            ("mutants", [mutant.id for mutant in exercise.mutants]),
            ("alternatives", [alternative.id for alternative in exercise.alternatives]),
        ):
            for id in ids:
                files = self._read(f"{kind}/{id}") or {}
                same = [name for name, content in files.items() if reference.get(name) == content]
                if files and len(same) == len(files):
                    remedy = "change what makes it another answer, or remove it"
                    self._note(f"{kind}/{id}/", None, "is the reference itself", remedy)
                    continue
                for name, content in files.items():
                    self._runs(f"{kind}/{id}/{name}", content)
                for name in same:
                    self._note(
                        f"{kind}/{id}/{name}", None, "is equal to the reference's", "remove it: it is laid over that"
                    )
        if not exercise.mutants:
            text = "names no wrong answer"
            self._note(TOML, None, text, "add `[[mutants]]` and its folder: the mistakes that a learner will make")
        if not any(b"TODO" in content for content in starter.values()):
            text = "has no TODO"
            self._note("starter/", None, text, "write `TODO` where the learner begins to type", point="starter")

    def _runs(self, path: str, content: bytes) -> None:
        """Note what isn't Python; an answer that never runs fails every test, whatever is wrong with it."""
        if not path.endswith(".py"):
            return
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                compile(content, path, "exec", dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            line = error.lineno if isinstance(error, SyntaxError) else None
            reason = error.msg if isinstance(error, SyntaxError) else str(error)
            text = f"isn't valid Python: {reason}; it never runs, so it proves nothing"
            self._note(path, line, text, "correct it, so that it is wrong in what it answers only")

    def given_away(self, exercise: Exercise) -> None:
        """Find the solution, or the notes, in what every learner sees; the first line of each file, and how many."""
        try:
            leaks = given_away(exercise)
        except BrokenExercise:
            return  # told already
        for file in dict.fromkeys(leak.file for leak in leaks):
            found = [leak for leak in leaks if leak.file == file]
            more = f", and {len(found) - 1} more" if len(found) > 1 else ""
            text = f"shows a line of {found[0].source}{more}: `{found[0].text[:70]}`"
            self._note(file, found[0].line, text, "take it out: every learner sees this file")

    def marks(self) -> None:
        """Find what `grade new` left for the author to write."""
        for path in self._files():
            if path.startswith("solution/"):
                continue
            try:
                lines = read_regular(self._folder / path).decode("utf-8").splitlines()
            except (OSError, UnicodeDecodeError):
                continue
            for number, line in enumerate(lines, 1):
                if MARK in line:
                    what = line.partition(MARK)[2].strip(" \"'*#.,)]-").strip() or "this line"
                    self._note(
                        path, number, f"is still to be written: {what}", f"write it, and remove `{MARK}`", "written"
                    )

    def _read(self, part: str) -> Mapping[str, bytes] | None:
        try:
            return read_submission(self._folder / part).files
        except RefusedSubmission as refused:
            self.is_refused = True
            for problem in refused.problems:
                self._note(f"{part}/", None, problem, "it must be such that it could be handed in")
            return None

    def _files(self) -> Iterator[str]:
        """Yield every file of the folder but the learner's own, by path relative to it."""
        for parent, folders, names in os.walk(self._folder):
            relative = os.path.relpath(parent, self._folder)
            folders[:] = sorted(
                each
                for each in folders
                if not is_left_out(each) and (relative != "." or not each.startswith((".", "solution")))
            )
            for name in sorted(names):
                if not is_left_out(name):
                    yield name if relative == "." else f"{relative}/{name}".replace(os.sep, "/")

    def _toml_line(self, *place: str | int) -> int | None:
        try:
            lines = toml_lines(read_regular(self._folder / TOML).decode("utf-8-sig"))
        except (OSError, UnicodeDecodeError):
            return None
        return lines.get(place)

    def _note(self, file: str, line: int | None, text: str, remedy: str, point: str = "structure") -> None:
        where = f"{self._folder.name}/{file}" + (f":{line}" if line else "")
        self._add(where, text, remedy, point)

    def _add(self, where: str, text: str, remedy: str, point: str = "structure") -> None:
        finding = Finding(point=point, where=where, text=text, remedy=remedy)  # type: ignore[arg-type]
        if finding not in self.findings:
            self.findings.append(finding)


class _Readme:
    """The lines of a README, those in code fences set apart."""

    def __init__(self, text: str) -> None:
        self.lines = text.splitlines()
        self.title: str | None = None
        self.headings: list[tuple[int, str]] = []
        self._is_code: list[bool] = []
        fence = ""
        for number, line in enumerate(self.lines, 1):
            opened = re.match(r" {0,3}(```+|~~~+)", line)
            is_fence = bool(opened) and (not fence or line.strip().startswith(fence))
            self._is_code.append(bool(fence) or is_fence)
            if opened and is_fence:
                fence = "" if fence else opened[1]
            elif not fence and line.startswith("## "):
                self.headings.append((number, line[3:].strip()))
        if self.lines and self.lines[0].startswith("# ") and self.lines[0][2:].strip():
            self.title = self.lines[0][2:].strip()

    def heading_line(self, text: str) -> int | None:
        return next((line for line, heading in self.headings if heading == text), None)

    def story(self) -> tuple[int, bool, int | None]:
        """Give the line of the first heading, whether there are words before it, and the first line of code there."""
        end = self.headings[0][0] if self.headings else len(self.lines) + 1
        has_words = False
        code_line = None
        for number in range(2, end):
            line = self.lines[number - 1]
            is_indented = line.startswith(("    ", "\t")) and bool(line.strip())
            if (self._is_code[number - 1] or is_indented) and code_line is None:
                code_line = number
            has_words = has_words or len(line.split()) > 2
        return min(end, len(self.lines)) or 1, has_words, code_line

    def bullets(self, heading: int) -> list[tuple[int, str]]:
        """Give the bullets of a section with the line of each; a bullet may go on in indented lines."""
        found: list[tuple[int, str]] = []
        is_open = False
        for number in range(heading + 1, len(self.lines) + 1):
            line = self.lines[number - 1]
            if self._is_code[number - 1]:
                is_open = False
                continue
            if re.match(r"#{1,2} ", line):
                break
            bullet = _BULLET.fullmatch(line.rstrip())
            if bullet:
                found.append((number, bullet["text"].strip()))
                is_open = True
            elif is_open and line.startswith(" ") and line.strip():
                begun, text = found.pop()
                found.append((begun, f"{text} {line.strip()}"))
            else:
                is_open = False
        return found


def _outline_of(exercise: Exercise) -> _Outline:
    titles = tuple(task.title for task in exercise.tasks)
    return _Outline(title=exercise.title, tasks=titles, tests=exercise.tests, is_complete=True)


def _outline_in(folder: Path) -> _Outline:
    """Read what can be read of a folder that isn't sound."""
    document: Mapping[str, object] = {}
    try:
        document = tomllib.loads(read_regular(folder / TOML).decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        pass
    title = document.get("title")
    tasks = document.get("tasks")
    titles: tuple[str, ...] | None = None
    if isinstance(tasks, list) and tasks and all(isinstance(task, dict) for task in tasks):
        given = [task.get("title") for task in tasks]
        if all(isinstance(each, str) and each for each in given):
            titles = tuple(given)
    contents: dict[str, bytes] = {}
    for name in _names(folder / "tests"):
        if is_test_file(name):
            try:
                contents[name] = read_regular(folder / "tests" / name)
            except OSError:
                continue
    read = read_tests(contents, None)
    is_complete = bool(contents) and read.is_complete and len(read.tests) == len(read.names)
    return _Outline(
        title=title if isinstance(title, str) else None, tasks=titles, tests=read.tests, is_complete=is_complete
    )


def _others(names: Sequence[str], name: str) -> str:
    return " and ".join(f"`{each}`" for each in names if each != name)


def _close(text: str, known: Iterable[str]) -> str:
    import difflib  # only a problem needs it

    found = difflib.get_close_matches(text, list(known), n=1, cutoff=0.7)
    return found[0] if found else ""


def _names(folder: Path) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if not is_left_out(name))
    except OSError:
        return []
