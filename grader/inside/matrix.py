"""A table of roles and routes that an author writes down once, asked over HTTP and shown with the cells that are wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .client import Reply
from .fault import Wrong

NOT_ASKED = "-"

Visitor = Callable[..., Reply]
"""Sends a request as one role: `(method, path, **options) -> Reply`, as `client.request` does."""


@dataclass(frozen=True)
class Cell:
    """One cell of a table: who asked for what, which statuses are right, and the answer."""

    role: str
    route: str
    wanted: tuple[int, ...]
    reply: Reply

    @property
    def is_right(self) -> bool:
        """Whether the answer has one of the statuses that the table allows."""
        return self.reply.status_code in self.wanted


class Matrix:
    """A table of roles and routes, such as `GET /notes 401 200 200` below a line with the names of three roles."""

    def check(
        self,
        table: str,
        visitors: Mapping[str, Visitor],
        *,
        names: Mapping[str, Any] | Callable[[str], Mapping[str, Any]] | None = None,
        options: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> list[Cell]:
        """Ask for every route of a table as every role, line by line, and give the answers.

        The table's first line names the roles. Each other line has a method, a path and a cell for each role: a status, several
        with `|` between, or `-` for what is not asked. `visitors` say how each role asks; what one returns is called as
        `client.request` is. `names` fill `{name}` in a path; as a function of `METHOD /path` they are made anew for each cell.
        `options` are the options of the request, by `METHOD /path` as written in the table.

        Raises:
            Wrong: a cell is wrong; the whole table is shown, with each wrong cell marked.
            ValueError: the table, or what it is to be filled with, is not well-formed.
        """
        roles, lines = _read(table)
        missing = [role for role in roles if role not in visitors]
        if missing:
            raise ValueError(f"the table has the role `{missing[0]}`, and `visitors` have not")
        unknown = [route for route in options or () if route not in {route for route, _ in lines}]
        if unknown:
            raise ValueError(f"`options` has `{unknown[0]}`, and the table has not")
        cells: list[Cell] = []
        for route, wanted in lines:
            method, _, path = route.partition(" ")
            for role, statuses in zip(roles, wanted, strict=True):
                if statuses:
                    values = names(route) if callable(names) else names or {}
                    reply = visitors[role](method, path.format(**values), **(options or {}).get(route, {}))
                    cells.append(Cell(role, route, statuses, reply))
        wrong = [cell for cell in cells if not cell.is_right]
        if wrong:
            shown = {(cell.route, cell.role): _shown(cell) for cell in cells}
            raise Wrong(
                "matrix",
                f"{len(wrong)} of {len(cells)} cells of the table are wrong, first {wrong[0].role}'s {wrong[0].route}",
                expected=_drawn(roles, lines, {(c.route, c.role): "|".join(map(str, c.wanted)) for c in cells}),
                got=_drawn(roles, lines, shown),
                deciding=wrong[0].reply,
            )
        return cells


def _read(table: str) -> tuple[list[str], list[tuple[str, list[tuple[int, ...]]]]]:
    rows = [line.split() for line in table.splitlines() if line.strip()]
    if len(rows) < 2:
        raise ValueError("the table needs a line of roles, and at least one route")
    roles = rows[0]
    lines = []
    for row in rows[1:]:
        if len(row) != len(roles) + 2 or not row[1].startswith("/"):
            raise ValueError(f"a line of the table needs a method, a path and {len(roles)} cells: {' '.join(row)}")
        cells = [() if cell == NOT_ASKED else tuple(int(status) for status in cell.split("|")) for cell in row[2:]]
        lines.append((f"{row[0]} {row[1]}", cells))
    return roles, lines


def _shown(cell: Cell) -> str:
    status = str(cell.reply.status_code)
    return status if cell.is_right else f"[{status}]"


def _drawn(roles: list[str], lines: list[tuple[str, Any]], cells: Mapping[tuple[str, str], str]) -> str:
    width = max(len(route) for route, _ in lines)
    widths = [max(len(role), *(len(cells.get((route, role), NOT_ASKED)) for route, _ in lines)) for role in roles]
    drawn = [" " * width + "".join(f"  {role:<{size}}" for role, size in zip(roles, widths, strict=True))]
    for route, _ in lines:
        marks = (f"  {cells.get((route, role), NOT_ASKED):<{size}}" for role, size in zip(roles, widths, strict=True))
        drawn.append(f"{route:<{width}}" + "".join(marks))
    return "\n".join(line.rstrip() for line in drawn)
