"""What the exercises of a course teach and need: each concept by one, each need met, and none in a circle."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grader.exercise import Place
from grader.folder import TOML
from grader.submission import read_regular
from grader.toml_lines import toml_lines
from grader.verify.outcome import Finding


@dataclass(frozen=True, kw_only=True)
class Head:
    """What exercises of a course have in common, as far as it could be read; empty where it couldn't."""

    name: str
    title: str = ""
    teaches: str = ""
    needs: tuple[str, ...] = ()
    lines: Mapping[Place, int] = field(default_factory=dict)

    def where(self, *place: str | int) -> str:
        """Give the place of a key in its file, as a finding has it."""
        line = self.lines.get(place) or self.lines.get(place[:1])
        return f"{self.name}/{TOML}" + (f":{line}" if line else "")


def head_of(folder: Path) -> Head:
    """Read the head of an exercise, sound or not."""
    try:
        source = read_regular(folder / TOML).decode("utf-8-sig")
        document = tomllib.loads(source)
    except (OSError, ValueError, RecursionError):
        return Head(name=folder.name)
    title, teaches, needs = document.get("title"), document.get("teaches"), document.get("needs")
    return Head(
        name=folder.name,
        title=title if isinstance(title, str) else "",
        teaches=teaches if isinstance(teaches, str) else "",
        needs=tuple(str(each) for each in needs) if isinstance(needs, list) else (),
        lines=toml_lines(source),
    )


def concept_clashes(heads: Sequence[Head]) -> Iterator[tuple[str, Finding]]:
    """Yield what is wrong with the concepts of a course, each with the name of the exercise that it is told of."""
    teachers: dict[str, list[Head]] = {}
    for head in heads:
        if head.teaches:
            teachers.setdefault(head.teaches, []).append(head)
    for concept, found in teachers.items():
        for head in found if len(found) > 1 else ():
            others = " and ".join(f"`{each.name}`" for each in found if each is not head)
            text = f"teaches `{concept}`, as {others} {'do' if len(found) > 2 else 'does'}"
            yield _told(
                head, head.where("teaches"), text, "a concept is taught by one exercise: name what this one adds"
            )
    for head in heads:
        for number, need in enumerate(head.needs):
            where = head.where("needs", number)
            if need not in teachers:
                remedy = "write a concept that another exercise has in `teaches`, or take it out"
                yield _told(head, where, f"`needs` names `{need}`, which no exercise teaches", remedy)
            elif need != head.teaches and (circle := _circle(head, need, teachers)):
                path = " -> ".join(f"`{name}`" for name in circle)
                text = f"`needs` goes in a circle, so nobody can unlock it: {path}"
                yield _told(head, where, text, "take one of these needs out")


def _told(head: Head, where: str, text: str, remedy: str) -> tuple[str, Finding]:
    return head.name, Finding(point="structure", where=where, text=text, remedy=remedy)


def _circle(start: Head, need: str, teachers: Mapping[str, Sequence[Head]]) -> list[str]:
    """Give the names on the shortest way by which a need leads back to where it stands; none where it doesn't."""
    ways = [[start, teacher] for teacher in teachers[need]]
    seen = {teacher.name for teacher in teachers[need]}
    for way in ways:
        if way[-1] is start:
            return [head.name for head in way]
        for following in way[-1].needs:
            for teacher in teachers.get(following, ()):
                if teacher.name not in seen:
                    seen.add(teacher.name)
                    ways.append([*way, teacher])
    return []
