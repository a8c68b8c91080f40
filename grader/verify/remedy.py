"""What an author does about a problem that `load_exercise` tells: the first rule that fits its file and its words."""

from __future__ import annotations

import re
from typing import NamedTuple

from grader.folder import TOML

_KEYS = f"`grade new` makes a whole `{TOML}` to compare with"
_HIDDEN_TEST = 'a hidden test is `@pytest.mark.task("id", points=1)` and `def test_...` with a sentence for a docstring'


class _Rule(NamedTuple):
    """For problems of files that begin with `file`, where `words` are found; groups of those may stand in the remedy."""

    file: str
    words: str
    remedy: str


_RULES = (
    _Rule("", r"; did you mean (`[^`]+`), which is there already", "take one of the two out"),
    _Rule("", r"; did you mean (.+)\?", r"write \1"),
    _Rule("", r"; (it belongs .+)", r"\1"),
    _Rule("", r"isn't UTF-8", "save it as UTF-8: an editor has that where it saves under another name"),
    _Rule("", r"can't be read", "put a file there that you may read"),
    _Rule("README.md", "", "write it: title, story, numbered tasks, how it will be tested"),
    _Rule("tests/", r"isn't valid Python", "make it a file that Python can read"),
    _Rule("tests/", r"needs an unknown test|doesn't come earlier", "name a test above it, or take the mark out"),
    _Rule("tests/", r"can't be parametrized", "take the mark out; loop inside the test, or write two tests"),
    _Rule("tests/", r"can't be (?:skipped|expected)", "take the mark out"),
    _Rule("tests/", r"has no docstring", "write below its `def` the sentence that the learner reads, in three quotes"),
    _Rule("tests/", r"is of an unknown task", f"write the id of a task in {TOML}"),
    _Rule("tests/", r"is there twice", "give one of them another name"),
    _Rule("tests/", r"must be (.+), written out, not .*", r"write \1"),
    _Rule("tests/", r"has no `points=`", "write what the test is worth: `points=1`"),
    _Rule("tests/", r"(?:is missing|holds no)", _HIDDEN_TEST),
    _Rule("tests/", r"(?:: |; )((?:write|put|import|begin|move|rename).+)", r"\1"),
    _Rule("tests/", "", _HIDDEN_TEST),
    _Rule("starter/", "", "put what the learner begins with there: it runs, has a TODO, and fails"),
    _Rule("reference/", "", "put an answer there that earns every point"),
    _Rule("", r"has no entry in [^;]+; (.+)", r"\1"),
    _Rule(
        "mutants/", "", "a mutant is a folder of the files that differ from the reference, and its `[[mutants]]` entry"
    ),
    _Rule("alternatives/", "", "an alternative is a folder of the files that differ from the reference, and its entry"),
    _Rule(TOML, r"isn't valid TOML", "correct the line; what TOML takes is at https://toml.io"),
    _Rule(TOML, r"is missing: an", f"{_KEYS}; a folder that is no exercise doesn't belong in `exercises/`"),
    _Rule(TOML, r"its tests together have (\S+)", r"write `points = \1`, or change the points of its tests"),
    _Rule(
        TOML, r"task (`[^`]+`) has no test", r"mark a test as one of \1: `@pytest.mark.task(...)`, or take the task out"
    ),
    _Rule(TOML, r"three hints: (.+), not ", r"write all three: \1"),
    _Rule(TOML, r"(`\w+`) is \S+, more than (`wall_s`)", r"raise \2, or lower \1"),
    _Rule(
        TOML,
        r"has no folder (`[^`]+`)",
        r"make \1 with the files that differ from the reference, or take the entry out",
    ),
    _Rule(TOML, r"names of the hidden tests that must catch it", "name at least one test that fails with this mutant"),
    _Rule(TOML, r"names an unknown test", "write the name of a function in `tests/`, or take it out"),
    _Rule(TOML, r"names .* twice", "write it once"),
    _Rule(TOML, r"is there twice", "give one of them another id"),
    _Rule(TOML, r"which this exercise itself teaches", "take it out: nobody has learned it before"),
    _Rule(TOML, r"unknown key", "take it out: nothing reads it"),
    _Rule(TOML, r"needs (`\[function\]`) with (.+), the module", r"write \1 and below it \2"),
    _Rule(TOML, r"is for kind (`\w+`) only", r"take it out, or write `kind` as \1"),
    _Rule(TOML, r"is set by the grader", "take it out"),
    _Rule(TOML, r"is no name for an environment variable", "use letters, digits and `_`, no digit first"),
    _Rule(TOML, r"(?:: |; )(write .+)", r"\1"),
    _Rule(TOML, r"must be (.+), not ", r"write \1"),
    _Rule(TOML, "", _KEYS),
)


def remedy_of(file: str, text: str) -> str:
    """Say what to do; `file` is relative to the exercise's folder, and empty for the folder itself."""
    if not file and "no such folder" not in text:
        return "rename the folder: `exercise-`, two digits, and a slug, such as `exercise-03-one-dish`"
    for rule in _RULES:
        if file.startswith(rule.file) and (found := re.search(rule.words, text, re.DOTALL)):
            return found.expand(rule.remedy)
    return ""
