"""JUnit XML against junit-10.xsd of Jenkins's xunit plugin, as rules, and through a reader where there is one."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

import pytest

from grader.render import render
from tests.render import sample

TEXT = ({"type", "message"}, set[str](), set[str]())
# Element: attributes that may be there, those that must, and the elements inside.
RULES: dict[str, tuple[set[str], set[str], set[str]]] = {
    "testsuites": ({"name", "time", "tests", "failures", "errors"}, set(), {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors", "skipped", "time", "timestamp", "hostname", "id", "package", "file"},
        {"name", "tests", "failures", "errors"},
        {"properties", "testcase", "system-out", "system-err"},
    ),
    "testcase": (
        {"name", "time", "classname", "group"},
        {"name"},
        {"skipped", "error", "failure", "system-out", "system-err"},
    ),
    "properties": (set(), set(), {"property"}),
    "property": ({"name", "value"}, {"name", "value"}, set()),
    "failure": TEXT,
    "error": TEXT,
    "skipped": TEXT,
    "system-out": (set(), set(), set()),
    "system-err": (set(), set(), set()),
}
SUREFIRE_TIME = re.compile(r"(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?")


def document(name: str, **options: Any) -> ElementTree.Element:
    """The XML of a sample report, parsed."""
    return ElementTree.fromstring(render(sample.ALL[name](), "junit", **options))


def check(element: ElementTree.Element, *, has_test_properties: bool) -> None:
    """Hold one element and all inside it against the rules."""
    may, must, inside = RULES[element.tag]
    if has_test_properties and element.tag == "testcase":
        inside = inside | {"properties"}
    assert must <= set(element.attrib) <= may, element.tag
    if "time" in element.attrib:
        assert SUREFIRE_TIME.fullmatch(element.attrib["time"])
    for child in element:
        assert child.tag in inside, f"{child.tag} in {element.tag}"
        check(child, has_test_properties=has_test_properties)


@pytest.mark.parametrize("name", sample.ALL)
@pytest.mark.parametrize("strict", [False, True])
def test_keeps_the_schema(name: str, strict: bool) -> None:
    """With `strict` to the letter; otherwise with pytest's properties of a test besides."""
    root = document(name, strict=strict)
    assert root.tag == "testsuites"
    check(root, has_test_properties=not strict)


@pytest.mark.parametrize("name", sample.ALL)
def test_the_counts_are_those_of_the_cases(name: str) -> None:
    """Readers trust the attributes."""
    root = document(name)
    (suite,) = root
    cases = suite.findall("testcase")
    assert int(suite.attrib["tests"]) == int(root.attrib["tests"]) == len(cases)
    for attribute, tag in [("failures", "failure"), ("errors", "error"), ("skipped", "skipped")]:
        assert int(suite.attrib[attribute]) == sum(case.find(tag) is not None for case in cases)


def test_points_are_properties() -> None:
    """Of the suite, of its tasks, and of each test."""
    (suite,) = document("failed")
    facts = {each.attrib["name"]: each.attrib["value"] for each in suite.iterfind("properties/property")}
    assert (facts["points"], facts["points_max"]) == ("6", "10")
    assert (facts["task.known-dish.points"], facts["task.known-dish.points_max"]) == ("5", "6")
    case = suite.findall("testcase")[0]
    assert {each.attrib["name"]: each.attrib["value"] for each in case.iterfind("properties/property")} == {
        "test": "test_every_dish",
        "task": "known-dish",
        "points": "3",
        "points_max": "3",
    }


def test_failures_are_the_learners_and_errors_the_graders() -> None:
    """Whose fault it is, is never mixed up."""
    assert document("failed").find(".//error") is None
    assert document("broken").find(".//error") is None
    assert document("not_started").find(".//failure") is not None
    found = document("grader_error")
    assert found.find(".//failure") is None
    error = found.find(".//error")
    assert error is not None
    assert error.attrib["message"] == "the grader failed, not your code"
    assert not [each for each in found.iter("property") if each.attrib["name"].startswith("points")]


def test_text_comes_through_as_it_was_shown() -> None:
    """Markup and control characters in what a learner printed break nothing and start nothing."""
    output = document("hostile").find(".//testcase/system-out")
    assert output is not None
    assert "\\x1b[2J" in (output.text or "")
    assert "]]> </script><script>alert(1)</script>" in (output.text or "")


@pytest.mark.parametrize("name", sample.ALL)
def test_a_common_reader_reads_the_same(name: str) -> None:
    """junitparser, where it is installed."""
    junitparser = pytest.importorskip("junitparser")
    found = junitparser.JUnitXml.fromstring(render(sample.ALL[name](), "junit"))
    (suite,) = list(found)
    cases = list(suite)
    assert suite.tests == len(cases)
    assert suite.failures == sum(isinstance(each, junitparser.Failure) for case in cases for each in case.result)
    assert suite.errors == sum(isinstance(each, junitparser.Error) for case in cases for each in case.result)
