"""Changes of SQL in the places where a query goes wrong: a boundary, a condition, an order, a join, a constraint."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_QUERY = re.compile(
    r"\s*(?:--[^\n]*\n\s*)*(?:SELECT|INSERT\s|UPDATE\s|DELETE\s+FROM|WITH\s|CREATE\s|REPLACE\s|ALTER\s|PRAGMA\s)", re.I
)
_TOKEN = re.compile(
    r"(?P<space>\s+|--[^\n]*|/\*.*?\*/)"
    r"|(?P<text>'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|\[[^\]]*\])"
    r"|(?P<number>\b[0-9]+(?:\.[0-9]+)?\b)"
    r"|(?P<word>[:@$]?[A-Za-z_][A-Za-z0-9_.]*)"
    r"|(?P<sign><>|!=|<=|>=|==|\|\||.)",
    re.DOTALL,
)

_SIGNS = {"=": "<>", "==": "<>", "<>": "=", "!=": "=", "<": "<=", "<=": "<", ">": ">=", ">=": ">"}
_CLAUSES = {"WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "OFFSET", "UNION", "EXCEPT", "INTERSECT", "RETURNING", "SET"}
_AGGREGATES = {"MAX": "MIN", "MIN": "MAX", "SUM": "COUNT", "AVG": "SUM"}


class Change(NamedTuple):
    """Put `new` in place of the characters from `start` to `end`; `old` and `shown` name the change."""

    start: int
    end: int
    new: str
    old: str
    shown: str


class _Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int
    depth: int

    @property
    def word(self) -> str:
        return self.text.upper() if self.kind == "word" else self.text


def is_query(text: str) -> bool:
    """Say whether a text begins as SQL does."""
    return _QUERY.match(text) is not None and len(text.split()) > 1


def changes(text: str) -> list[Change]:
    """Find every change of a text in SQL, or of a piece of one."""
    tokens = _tokens(text)
    return sorted(set(_Changes(text, tokens).all()))


def _tokens(text: str) -> list[_Token]:
    tokens = []
    depth = 0
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or "sign"
        if kind == "space":
            continue
        if match[0] == ")":
            depth -= 1
        tokens.append(_Token(kind, match[0], match.start(), match.end(), depth))
        if match[0] == "(":
            depth += 1
    return tokens


class _Changes:
    def __init__(self, text: str, tokens: Sequence[_Token]) -> None:
        self._text = text
        self._tokens = tokens
        self._words = [token.word for token in tokens]

    def all(self) -> Iterator[Change]:
        is_setting = False
        betweens: list[int] = []
        for place, token in enumerate(self._tokens):
            word = token.word
            if word == "SET":
                is_setting = True
            elif word in _CLAUSES:
                is_setting = False
            if word == "BETWEEN":
                betweens.append(token.depth)
            if token.kind == "sign" and word in _SIGNS and not is_setting:
                yield self._swap(place, place, _SIGNS[word])
            elif token.kind == "number":
                yield from self._number(place)
            elif word in ("AND", "OR"):
                if word == "AND" and betweens and betweens[-1] == token.depth:
                    betweens.pop()
                else:
                    yield self._swap(place, place, "OR" if word == "AND" else "AND")
            else:
                yield from self._keyword(place, word)

    def _keyword(self, place: int, word: str) -> Iterator[Change]:
        following = self._word(place + 1)
        match word:
            case "IS" if following == "NULL":
                yield self._swap(place, place, "IS NOT")
            case "IS" if following == "NOT":
                yield self._swap(place, place + 1, "IS")
            case "NOT" if self._word(place - 1) != "IS":
                is_constraint = following == "NULL"
                yield self._drop(place, place + 1 if is_constraint else place)
            case "IN" | "EXISTS" | "BETWEEN" if self._word(place - 1) != "NOT" and self._word(place - 1) != "IF":
                yield self._swap(place, place, f"NOT {word}")
            case "LIKE" | "GLOB":
                yield self._swap(place, place, "=")
            case "DESC":
                yield self._drop(place, place)
            case "ASC":
                yield self._swap(place, place, "DESC")
            case "DISTINCT" | "UNIQUE" if word != "UNIQUE" or following not in ("INDEX", "("):
                yield self._drop(place, place)
            case "UNIQUE" if following == "INDEX":
                yield self._drop(place, place)
            case "LEFT" if following in ("JOIN", "OUTER"):
                yield self._drop(place, place + 1 if following == "OUTER" else place)
            case "JOIN" if self._word(place - 1) not in ("LEFT", "OUTER", "CROSS", "NATURAL"):
                start = place - 1 if self._word(place - 1) == "INNER" else place
                yield self._swap(start, place, "LEFT JOIN")
            case "UNION" if following == "ALL":
                yield self._drop(place + 1, place + 1)
            case "UNION":
                yield self._swap(place, place, "UNION ALL")
            case "COUNT":
                yield from self._count(place)
            case "COALESCE" | "IFNULL":
                yield from self._first_argument(place)
            case "LOWER" | "UPPER" | "TRIM" | "ROUND" | "ABS":
                yield from self._first_argument(place)
            case _ if word in _AGGREGATES and following == "(":
                yield self._swap(place, place, _AGGREGATES[word])
            case "WHERE" | "HAVING":
                yield from self._conditions(place)
            case "ORDER" if following == "BY":
                yield from self._order(place)
            case "GROUP" if following == "BY":
                yield self._drop(place, self._clause_end(place + 1))
            case "LIMIT" | "OFFSET":
                yield self._drop(place, self._clause_end(place))
            case "ON" if following == "DELETE":
                yield self._drop(place, place + 2 + (self._word(place + 2) in ("SET", "NO")))
            case "REFERENCES" | "CHECK":
                opened = place + 1 if word == "CHECK" else place + 2
                if self._word(opened) == "(":
                    yield self._drop(place, self._closing(opened))
            case "AUTOINCREMENT":
                yield self._drop(place, place)

    def _number(self, place: int) -> Iterator[Change]:
        token = self._tokens[place]
        # `VARCHAR(80)`: SQLite keeps no sizes.
        if self._word(place - 1) == "(" and re.fullmatch(
            "VARCHAR|CHAR|NVARCHAR|DECIMAL|NUMERIC", self._word(place - 2)
        ):
            return
        new = str(int(token.text) + 1) if token.text.isdecimal() else f"{token.text}1"
        yield self._swap(place, place, new)

    def _conditions(self, place: int) -> Iterator[Change]:
        """Take out each condition of WHERE or HAVING, or the whole of it where there is one."""
        end = self._clause_end(place)
        depth = self._tokens[place].depth
        terms: list[tuple[int, int]] = []
        begin = place + 1
        is_between = False
        for at in range(place + 1, end + 1):
            word = self._words[at]
            if word == "BETWEEN" and self._tokens[at].depth == depth:
                is_between = True
            elif word in ("AND", "OR") and self._tokens[at].depth == depth:
                if word == "AND" and is_between:
                    is_between = False
                    continue
                if word == "OR":
                    terms = []  # what stands beside OR can't be taken out by itself without another meaning
                    break
                terms.append((begin, at - 1))
                begin = at + 1
        else:
            terms.append((begin, end))
        if end <= place:
            return
        if len(terms) < 2:
            yield self._drop(place, end)
            return
        for number, (first, last) in enumerate(terms):
            if number == 0:
                old = self._span(first, last)
                yield Change(self._tokens[first].start, self._tokens[terms[1][0]].start, "", old, "(nothing)")
            else:
                yield self._drop(first - 1, last)

    def _order(self, place: int) -> Iterator[Change]:
        """Take out the last key of several, or the whole; change the places of the first two."""
        end = self._clause_end(place + 1)
        depth = self._tokens[place].depth
        commas = [at for at in range(place + 2, end + 1) if self._words[at] == "," and self._tokens[at].depth == depth]
        if end < place + 2:
            return
        yield self._drop(place, end)
        if commas:
            yield self._drop(commas[-1], end)
            last = commas[1] - 1 if len(commas) > 1 else end
            first, second = self._span(place + 2, commas[0] - 1), self._span(commas[0] + 1, last)
            start, stop = self._tokens[place + 2].start, self._tokens[last].end
            yield Change(start, stop, f"{second}, {first}", f"{first}, {second}", f"{second}, {first}")

    def _count(self, place: int) -> Iterator[Change]:
        if self._word(place + 1) == "(" and self._word(place + 2) not in ("*", "DISTINCT"):
            yield self._swap(place + 1, self._closing(place + 1), "(*)")

    def _first_argument(self, place: int) -> Iterator[Change]:
        if self._word(place + 1) != "(":
            return
        closing = self._closing(place + 1)
        depth = self._tokens[place + 1].depth + 1
        comma = next(
            (at for at in range(place + 2, closing) if self._words[at] == "," and self._tokens[at].depth == depth),
            closing,
        )
        if comma > place + 2:
            yield self._swap(place, closing, self._span(place + 2, comma - 1))

    def _clause_end(self, place: int) -> int:
        """Give the last token of the clause that begins here."""
        depth = self._tokens[place].depth
        for at in range(place + 1, len(self._tokens)):
            token = self._tokens[at]
            if token.depth < depth or token.text == ";" or (token.depth == depth and token.word in _CLAUSES):
                return at - 1
        return len(self._tokens) - 1

    def _closing(self, place: int) -> int:
        depth = self._tokens[place].depth
        for at in range(place + 1, len(self._tokens)):
            if self._words[at] == ")" and self._tokens[at].depth == depth:
                return at
        return len(self._tokens) - 1

    def _word(self, place: int) -> str:
        return self._words[place] if 0 <= place < len(self._words) else ""

    def _span(self, first: int, last: int) -> str:
        return self._text[self._tokens[first].start : self._tokens[last].end]

    def _swap(self, first: int, last: int, new: str) -> Change:
        old = self._span(first, last)
        return Change(self._tokens[first].start, self._tokens[last].end, new, old, new)

    def _drop(self, first: int, last: int) -> Change:
        last = min(last, len(self._tokens) - 1)
        start = self._tokens[first].start
        if first and self._tokens[first - 1].end < start:
            start = self._tokens[first - 1].end  # with the space before it
        return Change(start, self._tokens[last].end, "", self._span(first, last), "(nothing)")
