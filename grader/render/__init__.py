"""Reports in the forms that people and other programs read: one module a format, imported when it is used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from grader.report import Report


class Format(NamedTuple):
    """One format: the module with its `render`, one line on what it is, and the suffix of its files."""

    module: str
    about: str
    suffix: str


FORMATS: dict[str, Format] = {
    "text": Format("grader.render.text", "for a terminal or a pipe", ".txt"),
    "json": Format("grader.render.json", "the whole report, versioned, with a JSON Schema", ".json"),
    "html": Format("grader.render.html", "one self-contained page, light and dark, printable", ".html"),
    "markdown": Format("grader.render.markdown", "for a step summary, a comment or a wiki", ".md"),
    "csv": Format("grader.render.csv", "one row a test, for a spreadsheet", ".csv"),
    "junit": Format("grader.render.junit", "JUnit XML: GitLab, Jenkins, Artemis", ".xml"),
    "gradescope": Format("grader.render.gradescope", "Gradescope's results.json", ".json"),
    "exercism": Format("grader.render.exercism", "Exercism's results.json, version 3", ".json"),
    "classroom": Format("grader.render.classroom", "GitHub Classroom's autograding result", ".json"),
    "check50": Format("grader.render.check50", "check50's JSON", ".json"),
    "prairielearn": Format("grader.render.prairielearn", "PrairieLearn's results.json", ".json"),
    "autolab": Format("grader.render.autolab", "Autolab's last lines on stdout", ".txt"),
    "github": Format("grader.render.github", "annotations for GitHub Actions, as workflow commands", ".txt"),
}


def render(report: Report, format: str, **options: Any) -> bytes:
    """Put a report into a format of `FORMATS`; `options` are those of the format's own `render`.

    Raises:
        UsageError: there is no such format.
    """
    found = FORMATS.get(format)
    if found is None:
        from grader.error import UsageError

        raise UsageError(f"no format named `{format}`", hint=_suggestion(format))
    output = import_module(found.module).render(report, **options)
    assert isinstance(output, bytes)
    return output


def _suggestion(format: str) -> str:
    import difflib

    near = difflib.get_close_matches(format.lower(), FORMATS, n=1)
    return f"did you mean `{near[0]}`?" if near else f"the formats are {', '.join(FORMATS)}"
