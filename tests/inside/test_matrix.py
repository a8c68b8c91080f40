"""A table of roles and routes is asked cell by cell, and shown with what is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from grader.inside.client import Headers, Reply
from grader.inside.fault import Wrong
from grader.inside.matrix import Matrix

TABLE = """
                    nobody  guest   owner
    GET    /notes   401     200     200
    DELETE /n/{id}  401     403|404 -
"""


def _visitors(statuses: dict[tuple[str, str], int], asked: list[Any]) -> dict[str, Any]:
    def visitor(role: str) -> Any:
        def ask(method: str, path: str, **options: Any) -> Reply:
            asked.append((role, method, path, options))
            return Reply(statuses.get((role, method), 200), "", Headers([]), b"", 0.0, path)

        return ask

    return {role: visitor(role) for role in ("nobody", "guest", "owner")}


RIGHT = {("nobody", "GET"): 401, ("nobody", "DELETE"): 401, ("guest", "DELETE"): 404}


def test_every_cell_is_asked_once() -> None:
    """Line by line, with names filled in and options added; a `-` isn't asked."""
    asked: list[Any] = []
    cells = Matrix().check(
        TABLE, _visitors(RIGHT, asked), names={"id": 7}, options={"GET /notes": {"params": {"a": 1}}}
    )

    assert asked == [
        *((role, "GET", "/notes", {"params": {"a": 1}}) for role in ("nobody", "guest", "owner")),
        *((role, "DELETE", "/n/7", {}) for role in ("nobody", "guest")),
    ]
    assert [(cell.role, cell.route) for cell in cells[-1:]] == [("guest", "DELETE /n/{id}")]
    assert all(cell.is_right for cell in cells)


def test_names_can_be_made_for_each_cell() -> None:
    """What one role deletes is not there for the next one."""
    asked: list[Any] = []
    numbers = iter(range(100))
    Matrix().check(TABLE, _visitors(RIGHT, asked), names=lambda _route: {"id": next(numbers)})

    assert [path for _, method, path, _ in asked if method == "DELETE"] == ["/n/3", "/n/4"]


def test_wrong_cells_are_marked_in_the_table() -> None:
    """All of them, in the form in which the author wrote it."""
    with pytest.raises(Wrong) as caught:
        Matrix().check(
            TABLE, _visitors({**RIGHT, ("guest", "GET"): 403, ("guest", "DELETE"): 204}, []), names={"id": 7}
        )

    assert caught.value.message == "2 of 5 cells of the table are wrong, first guest's GET /notes"
    assert caught.value.expected.splitlines() == [
        "                nobody  guest    owner",
        "GET /notes      401     200      200",
        "DELETE /n/{id}  401     403|404  -",
    ]
    assert caught.value.got.splitlines() == [
        "                nobody  guest  owner",
        "GET /notes      401     [403]  200",
        "DELETE /n/{id}  401     [204]  -",
    ]


@pytest.mark.parametrize(
    ("table", "more", "problem"),
    [
        ("nobody guest", {}, "at least one route"),
        ("nobody\nGET /a", {}, "1 cells"),
        ("nobody\nGET /a yes", {}, "yes"),
        ("nobody king\nGET /a 200 200", {}, "king"),
        ("nobody\nGET /a 200", {"options": {"GET /b": {}}}, "GET /b"),
    ],
)
def test_a_broken_table_is_the_authors_fault(table: str, more: dict[str, Any], problem: str) -> None:
    """It must not look like the learner's."""
    with pytest.raises(ValueError, match=problem):
        Matrix().check(table, _visitors({}, []), **more)
