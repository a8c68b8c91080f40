"""What holds for all formats: found by name, imported when used, bounded, safe, and never a zero by our own fault."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module

import pytest

from grader.error import UsageError
from grader.render import FORMATS, render
from tests.render import sample

EVERY = pytest.mark.parametrize("name", FORMATS)
# What no output may hold raw: everything that a terminal obeys, that XML forbids, or that turns text round.
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


@EVERY
@pytest.mark.parametrize("situation", sample.ALL)
def test_every_format_holds_every_report(name: str, situation: str) -> None:
    """No report is beyond a format, and none makes it too large."""
    output = render(sample.ALL[situation](), name)
    assert output.endswith(b"\n")
    limit = getattr(import_module(FORMATS[name].module), "LIMIT_BYTES", None)
    if limit is not None:
        assert len(output) <= limit


@EVERY
def test_no_hidden_character_of_a_learner_passes(name: str) -> None:
    """A terminal, a browser and an XML parser are all safe from what a learner printed."""
    text = render(sample.hostile(), name).decode()
    if name == "csv":
        text = text.replace("\r\n", "\n")
    assert not FORBIDDEN.search(text)
    assert "\r" not in text
    assert "x1b" in text.lower() or "u001b" in text.lower(), "the escape is shown, not dropped"


@EVERY
def test_a_format_has_a_line_about_it_and_a_suffix(name: str) -> None:
    """Help texts and file names are made from the table."""
    module, about, suffix = FORMATS[name]
    assert module.startswith("grader.render.")
    assert about
    assert "\n" not in about
    assert suffix.startswith(".")


def test_an_unknown_format_is_refused_with_a_suggestion() -> None:
    """A slip of the hand gets the name that was meant."""
    with pytest.raises(UsageError) as caught:
        render(sample.passed(), "gradscope")
    assert caught.value.hint == "did you mean `gradescope`?"


def test_importing_the_table_imports_no_format() -> None:
    """`grade --help` does not pay for any of them."""
    code = (
        "import sys, grader.render; "
        "print([name for name in sys.modules if name.startswith('grader.render.') or name in ('rich', 'msgspec')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_terminal_form_does_without_rich_and_difflib_while_all_is_well() -> None:
    """A passing grading is shown without a slow import."""
    code = (
        "import sys; from grader.render import render; from tests.render import sample; "
        "render(sample.passed(), 'text'); print('rich' in sys.modules, 'difflib' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
