"""An OpenAPI document as a contract: is it one, and does the app keep to it?

The document is the learner's, so it is data that may try things: it refers to nothing outside of itself, nothing in it is run, and
its schemas are applied in a process that has limits. The validator is imported when a test asks for it first, because it costs more
than most gradings.
"""

from __future__ import annotations

import copy
import hashlib
import json
import random
import re
import string
import urllib.parse
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .aside import Aside, TookTooLong
from .client import Reply
from .fault import Wrong
from .fixture import show

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
MAX_DEPTH = 40
MAX_SHOWN = 6
MAX_VALUES = 20_000
"""Of one request that is drawn. A schema may ask for more than there is time for."""
_BASE = "urn:the-document"
_OTHERS: tuple[Any, ...] = (None, True, -1, 10**12, 0.5, "", "a" * 300, [], {}, [None])


@dataclass(frozen=True)
class Operation:
    """A method at a path, as the document has it: `path` with its names in braces, `answers` are the documented statuses."""

    method: str
    path: str
    answers: tuple[str, ...]
    is_guarded: bool
    """Whether the document says that a request must show who it comes from."""


@dataclass(frozen=True)
class Drawn:
    """A request that was drawn from an operation. `options` are those of `client.request`."""

    operation: Operation
    path: str
    options: dict[str, Any] = field(default_factory=dict)
    is_broken: bool = False
    """Whether something in it is not as the document asks for."""


class OpenAPI:
    """Reads OpenAPI documents, of the versions 3.0 and 3.1."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._slow: set[str] = set()

    def read(self, document: Any) -> Contract:
        """Check that this is a valid OpenAPI document, and give it as a contract.

        Raises:
            Wrong: it isn't; the first problems are named with their places.
        """
        version = document.get("openapi") if isinstance(document, dict) else None
        if not isinstance(version, str) or not re.fullmatch(r"3\.[01]\.\d+", version, re.ASCII):
            raise Wrong(
                "openapi",
                "this is not an OpenAPI document",
                expected='an object with "openapi": "3.1.0", or another version of 3.0 or 3.1',
                got=show(version if version is not None else document),
            )
        is_old = version.startswith("3.0")
        digest = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
        if digest in self._slow:
            raise _takes_too_long()  # once is enough: the other tests need the time

        def refuse() -> Wrong:
            self._slow.add(digest)
            return _takes_too_long()

        if digest not in self._known:
            self._validate(document, is_old=is_old, refuse=refuse)
            self._known.add(digest)  # each test may read it again, and validating takes its time
        return Contract(document, is_old=is_old, refuse=refuse)

    def _validate(self, document: dict[str, Any], *, is_old: bool, refuse: Callable[[], Wrong]) -> None:
        foreign = list(_foreign(document))[:MAX_SHOWN]
        if foreign:
            raise Wrong("openapi", "the document refers to something outside of itself", got="\n".join(foreign))
        from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator

        validator = OpenAPIV30SpecValidator if is_old else OpenAPIV31SpecValidator
        aside = Aside(lambda _: _faults(validator, document))
        try:
            problems = aside.ask(None)
        except TookTooLong:
            raise refuse() from None
        finally:
            aside.end()
        if problems:
            raise Wrong("openapi", "the document is not valid OpenAPI", got="\n".join(problems))


def _faults(validator: Any, document: dict[str, Any]) -> list[str]:
    problems = []
    try:
        for error in validator(copy.deepcopy(document)).iter_errors():
            problems.append(f"{_place(getattr(error, 'absolute_path', ()))}: {str(error.message)[:300]}")
            if len(problems) == MAX_SHOWN:
                break
    except Exception as error:  # noqa: BLE001  whatever the validator stumbles over stands in the learner's document
        problems.append(f"it can't be read: {type(error).__name__}: {str(error)[:300]}")
    return problems


def _takes_too_long() -> Wrong:
    return Wrong(
        "openapi",
        "the document takes too long to be read: its schemas have too many combinations, or a `pattern` too many ways to match",
    )


class Contract:
    """A valid OpenAPI document."""

    def __init__(self, document: dict[str, Any], *, is_old: bool, refuse: Callable[[], Wrong]) -> None:
        """`refuse` gives what is raised when the document takes too long."""
        from openapi_schema_validator import OAS30Validator, OAS31Validator, oas30_format_checker, oas31_format_checker
        from referencing import Registry
        from referencing.jsonschema import DRAFT4, DRAFT202012

        self.document = document
        kind = DRAFT4 if is_old else DRAFT202012
        self._registry: Any = Registry().with_resource(_BASE, kind.create_resource(document))
        self._validator: Any = OAS30Validator if is_old else OAS31Validator
        self._formats = oas30_format_checker if is_old else oas31_format_checker
        self._places: dict[tuple[str, str], tuple[str, ...]] = {}
        self._refuse = refuse
        self._aside: Aside | None = None
        self._values_left = 0

    @property
    def operations(self) -> list[Operation]:
        """Every operation, in the order of the document."""
        found = []
        for path, item, pointer in self._paths():
            for method in METHODS:
                if isinstance(item.get(method), dict):
                    security = item[method].get("security", self.document.get("security")) or []
                    answers = tuple(map(str, item[method].get("responses") or {}))
                    self._places[method.upper(), path] = (*pointer, method)
                    found.append(Operation(method.upper(), path, answers, bool(security) and {} not in security))
        return found

    def find(self, method: str, path: str) -> Operation:
        """Give the operation that stands for a request; `path` is a real one, without names.

        Raises:
            Wrong: the document has none.
        """
        bare = urllib.parse.urlsplit(path).path
        found = [each for each in self.operations if each.method == method.upper() and _matches(each.path, bare)]
        if not found:
            shown = "\n".join(f"{each.method} {each.path}" for each in self.operations) or "no operations"
            raise Wrong(
                "openapi", f"{method} {bare} is not in the document", expected=f"{method} {bare}", got=shown[:2000]
            )
        return min(found, key=lambda each: each.path.count("{"))

    def check(self, method: str, reply: Reply) -> Reply:
        """Check that an answer has a status, a type and a body as the document says, and give the answer.

        Raises:
            Wrong: the request isn't in the document, or the answer is another one.
        """
        operation = self.find(method, reply.path)
        pointer, answer = self._answer(operation, reply.status_code)
        content = answer.get("content") or {}
        if not content:
            if reply.body and method.upper() != "HEAD":
                raise Wrong(
                    "openapi",
                    f"the document has no body for {operation.method} {operation.path}, {reply.status_code}",
                    expected="no body",
                    got=reply.text[:1000],
                )
            return reply
        if method.upper() == "HEAD":
            return reply
        if reply.content_type not in content:
            raise Wrong(
                "openapi",
                f"{operation.method} {operation.path} answered {reply.status_code} with a type that the document hasn't",
                expected=" or ".join(content),
                got=reply.content_type or "no type",
            )
        if reply.content_type == "application/json":
            problems = self._problems((*pointer, "content", reply.content_type, "schema"), reply.json())
            if problems:
                raise Wrong(
                    "openapi",
                    f"{operation.method} {operation.path} answered {reply.status_code} with a body that isn't as documented:"
                    f" {problems[0]}",
                    expected=f"what the document says of {operation.method} {operation.path}, {reply.status_code}",
                    got=show(reply.json()),
                )
        return reply

    def accepts(self, method: str, path: str, status: int, value: Any) -> bool:
        """Say whether a JSON value is a right body of this answer, as far as the document says.

        Raises:
            Wrong: the document doesn't have the request, the status, or JSON for it.
        """
        operation = self.find(method, path)
        pointer, answer = self._answer(operation, status)
        if "schema" not in (answer.get("content") or {}).get("application/json", {}):
            raise Wrong(
                "openapi",
                f"the document has no schema for {operation.method} {operation.path}, {status}",
                expected="a schema for application/json",
                got=answer,
            )
        return not self._problems((*pointer, "content", "application/json", "schema"), value)

    def examples(self) -> list[tuple[str, Any]]:
        """Give every example of a body or a parameter, with its place.

        Raises:
            Wrong: an example is not valid against the schema beside it.
        """
        found, wrong = [], []
        for pointer, example in self._examples():
            found.append((_place(pointer), example))
            problems = self._problems((*pointer, "schema"), example)
            if problems:
                wrong.append(f"{_place(pointer)}: {problems[0]}")
        if wrong:
            raise Wrong(
                "openapi",
                f"{len(wrong)} of {len(found)} examples aren't valid against their schemas",
                got="\n".join(wrong[:MAX_SHOWN]),
            )
        return found

    def has_example(self, method: str, path: str, status: int | None = None) -> bool:
        """Say whether the JSON body of an answer, or of the request where there is no status, has an example."""
        operation = self.find(method, path)
        if status is None:
            pointer, _ = self._resolved((*self._places[operation.method, operation.path], "requestBody"))
        else:
            pointer, _ = self._answer(operation, status)
        at = (*pointer, "content", "application/json")
        return any(place[: len(at)] == at for place, _ in self._examples())

    def draw(
        self,
        operation: Operation,
        rng: random.Random,
        *,
        known: Mapping[str, Sequence[Any]] | None = None,
        is_broken: bool = False,
    ) -> Drawn:
        """Draw a request as the document describes it, or with one thing in it that is not.

        `known` gives values for parameters by name, such as numbers that exist; half of the time one of them is taken.
        """
        place = self._places.get((operation.method, operation.path))
        if place is None:
            self.operations  # noqa: B018  notes the places
            place = self._places[operation.method, operation.path]
        self._values_left = MAX_VALUES
        names: dict[str, str] = {}
        query: dict[str, Any] = {}
        for parameter in self._parameters(place):
            name, where = str(parameter.get("name")), parameter.get("in")
            if where == "query" and not parameter.get("required") and rng.random() < 0.4:
                continue
            if known and name in known and rng.random() < 0.5:
                value = rng.choice(known[name])
            else:
                value = self._value(parameter.get("schema") or {}, rng)
            if where == "path":
                names[name] = urllib.parse.quote(_text(value), safe="") or "0"
            elif where == "query":
                query[name] = _text(value)
        options: dict[str, Any] = {"params": query} if query else {}
        _, holder = self._resolved((*place, "requestBody"))
        media = (holder.get("content") or {}).get("application/json")
        if isinstance(media, dict):
            options["json"] = self._value(media.get("schema") or {}, rng)
        was_broken = is_broken and self._break(options, rng)
        path = re.sub(r"\{([^{}]*)\}", lambda match: names.get(match[1], "0"), operation.path)
        return Drawn(operation, path, options, was_broken)

    # What stands where

    def _paths(self) -> Iterator[tuple[str, dict[str, Any], tuple[str, ...]]]:
        prefix = ""
        for server in (self.document.get("servers") or [])[:1]:
            prefix = urllib.parse.urlsplit(str(server.get("url", ""))).path.rstrip("/")
        for path in self.document.get("paths") or {}:
            pointer, item = self._resolved(("paths", path))
            yield prefix + path, item, pointer

    def _resolved(self, pointer: tuple[str, ...]) -> tuple[tuple[str, ...], dict[str, Any]]:
        """Give the object at a place, and its place, after following references; an empty one where there is none."""
        for _ in range(MAX_DEPTH):
            value: Any = self.document
            for step in pointer:
                if isinstance(value, list) and step.isdecimal() and int(step) < len(value):
                    value = value[int(step)]
                elif isinstance(value, dict) and step in value:
                    value = value[step]
                else:
                    return pointer, {}
            if not isinstance(value, dict):
                return pointer, {}
            if "$ref" not in value:
                return pointer, value
            pointer = _steps(str(value["$ref"]))
        return pointer, {}

    def _answer(self, operation: Operation, status: int) -> tuple[tuple[str, ...], dict[str, Any]]:
        place = self._places[operation.method, operation.path]
        for name in (str(status), f"{status // 100}XX", "default"):
            if name in operation.answers:
                return self._resolved((*place, "responses", name))
        raise Wrong(
            "openapi",
            f"the document doesn't say that {operation.method} {operation.path} answers {status}",
            expected=f"one of {', '.join(operation.answers)}",
            got=status,
        )

    def _parameters(self, place: tuple[str, ...]) -> list[dict[str, Any]]:
        found: dict[tuple[Any, Any], dict[str, Any]] = {}
        for holder in (place[:-1], place):
            _, item = self._resolved(holder)
            for number in range(len(item.get("parameters") or ())):
                _, parameter = self._resolved((*holder, "parameters", str(number)))
                found[parameter.get("name"), parameter.get("in")] = parameter
        return list(found.values())

    def _examples(self) -> Iterator[tuple[tuple[str, ...], Any]]:
        """Give each example with the place of the object that has it beside a schema, or of the schema that has it."""
        waiting: list[tuple[tuple[str, ...], Any]] = [((), self.document)]
        while waiting:
            pointer, value = waiting.pop()
            if isinstance(value, list):
                waiting += [((*pointer, str(number)), each) for number, each in enumerate(value)]
            if not isinstance(value, dict):
                continue
            if isinstance(value.get("schema"), dict):
                if "example" in value:
                    yield pointer, value["example"]
                if isinstance(value.get("examples"), dict):
                    for name in value["examples"]:
                        _, example = self._resolved((*pointer, "examples", name))
                        if "value" in example:
                            yield pointer, example["value"]
            waiting += [((*pointer, str(k)), each) for k, each in value.items() if k not in ("example", "examples")]

    # Values and schemas

    def _problems(self, pointer: tuple[str, ...], value: Any) -> list[str]:
        if self._aside is None:
            aside = Aside(lambda question: self._problems_here(*question))
            weakref.finalize(self, aside.end)
            self._aside = aside
        try:
            found: list[str] = self._aside.ask([pointer, value])
        except TookTooLong:
            raise self._refuse() from None
        except (ValueError, RecursionError) as error:
            return [f"the value is nested too deeply: {type(error).__name__}"]
        return found

    def _problems_here(self, pointer: Sequence[str], value: Any) -> list[str]:
        parts = (step.replace("~", "~0").replace("/", "~1") for step in pointer)
        schema = {"$ref": f"{_BASE}#/{'/'.join(urllib.parse.quote(part) for part in parts)}"}
        try:
            validator = self._validator(schema, registry=self._registry, format_checker=self._formats)
            errors = sorted(validator.iter_errors(value), key=lambda error: len(list(error.absolute_path)))
        except Exception as error:  # noqa: BLE001  a schema that can't be applied stands in the learner's document
            return [f"the schema at {_place(pointer)} can't be applied: {type(error).__name__}: {str(error)[:200]}"]
        return [f"{_place(error.absolute_path)}: {str(error.message)[:300]}" for error in errors[:MAX_SHOWN]]

    def _value(self, schema: Any, rng: random.Random, depth: int = 0) -> Any:
        self._values_left -= 1
        if self._values_left < 0:
            raise self._refuse()
        for _ in range(MAX_DEPTH):
            if not isinstance(schema, dict) or "$ref" not in schema:
                break
            _, schema = self._resolved(_steps(str(schema["$ref"])))
        if not isinstance(schema, dict) or depth > MAX_DEPTH:
            return None
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return rng.choice(schema["enum"])
        for word in ("oneOf", "anyOf"):
            if schema.get(word):
                return self._value(rng.choice(schema[word]), rng, depth + 1)
        if schema.get("allOf"):
            parts = [self._value(part, rng, depth + 1) for part in schema["allOf"]]
            merged = {key: value for part in parts if isinstance(part, dict) for key, value in part.items()}
            return merged or parts[0]
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = rng.choice(kind)
        if kind is None:
            kind = "object" if "properties" in schema else "string"
        return self._of_kind(str(kind), schema, rng, depth)

    def _of_kind(self, kind: str, schema: Mapping[str, Any], rng: random.Random, depth: int) -> Any:
        if kind == "object":
            needed = schema.get("required") or ()
            return {
                name: self._value(part, rng, depth + 1)
                for name, part in (schema.get("properties") or {}).items()
                if name in needed or (depth < 4 and rng.random() < 0.7)
            }
        if kind == "array":
            low = _whole(schema.get("minItems"), 0)
            count = min(rng.randint(low, max(low, _whole(schema.get("maxItems"), low + 2))), low + 2)
            return [self._value(schema.get("items") or {}, rng, depth + 1) for _ in range(count if depth < 6 else low)]
        if kind in ("integer", "number"):
            low = _whole(schema.get("minimum"), _whole(schema.get("exclusiveMinimum"), -1) + 1)
            return rng.randint(low, max(low, min(_whole(schema.get("maximum"), low + 99), low + 9999)))
        if kind == "boolean":
            return rng.random() < 0.5
        if kind == "null":
            return None
        return _drawn_text(schema, rng)

    def _break(self, options: dict[str, Any], rng: random.Random) -> bool:
        """Make one thing wrong: a parameter, or something in the body. Give whether there was something to be broken."""
        body = options.get("json")
        if options.get("params") and (body is None or rng.random() < 0.5):
            name = rng.choice(sorted(options["params"]))
            options["params"] = {**options["params"], name: rng.choice(("", "-1", "0", "two", "1.5", "9" * 30))}
            return True
        if isinstance(body, dict) and body and rng.random() < 0.8:
            name = rng.choice(sorted(body))
            if rng.random() < 0.4:
                options["json"] = {key: value for key, value in body.items() if key != name}
            else:
                options["json"] = {**body, name: rng.choice(_OTHERS)}
            return True
        if "json" in options:
            options["json"] = rng.choice(_OTHERS)
            return True
        return False


def _foreign(value: Any) -> Iterator[str]:
    """Give every reference that leads out of the document."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, list):
            waiting += each
        elif isinstance(each, dict):
            for key, inner in each.items():
                if key in ("$ref", "$dynamicRef", "$recursiveRef") and not str(inner).startswith("#"):
                    yield str(inner)[:200]
                elif key == "$id" and isinstance(inner, str):
                    yield inner[:200]
            waiting += each.values()


def _steps(reference: str) -> tuple[str, ...]:
    parts = urllib.parse.unquote(reference.removeprefix("#")).split("/")[1:]
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in parts)


def _place(pointer: Any) -> str:
    return " > ".join(map(str, pointer)) or "the whole"


def _matches(template: str, path: str) -> bool:
    """Say whether a path is one of the template's, without a regular expression: the template is the learner's."""
    parts, wanted = path.split("/"), re.sub(r"\{[^{}]*\}", "{}", template).split("/")
    return len(parts) == len(wanted) and all(map(_matches_part, wanted, parts))


def _matches_part(wanted: str, part: str) -> bool:
    first, *others = wanted.split("{}")
    if not others:
        return part == first
    if not part.startswith(first):
        return False
    at = len(first)
    for piece in others[:-1]:
        # What stands for a name has a character at least; the earliest place leaves the most for those that follow.
        at = part.find(piece, at + 1)
        if at < 0:
            return False
        at += len(piece)
    return len(part) - len(others[-1]) > at and part.endswith(others[-1])


def _whole(value: Any, otherwise: int) -> int:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 10**15
    return int(value) if is_number else otherwise


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _drawn_text(schema: Mapping[str, Any], rng: random.Random) -> str:
    kind = schema.get("format")
    if kind == "date":
        return f"{rng.randint(2000, 2035)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
    if kind == "date-time":
        return (
            f"{rng.randint(2000, 2035)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}T{rng.randint(0, 23):02}:30:00Z"
        )
    if kind == "email":
        return f"somebody{rng.randint(1, 9999)}@example.org"
    if kind == "uuid":
        digits = f"{rng.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
    low = min(_whole(schema.get("minLength"), 1), 1000)
    high = max(low, min(_whole(schema.get("maxLength"), low + 12), low + 12))
    return "".join(rng.choice(string.ascii_letters) for _ in range(rng.randint(low, high)))
