"""An OpenAPI document is read as data, and answers are held against it."""

from __future__ import annotations

import copy
import json
import random
import time
from typing import Any

import pytest

from grader.inside.client import Headers, Reply
from grader.inside.contract import Contract, OpenAPI
from grader.inside.fault import Wrong

BOOK = {
    "type": "object",
    "required": ["id", "title"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "integer", "minimum": 1},
        "title": {"type": "string", "minLength": 1},
        "due": {"type": ["string", "null"], "format": "date"},
    },
}
NUMBER = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 1}}

_GET = {"responses": {"200": {"description": "d"}}}


def _answer(schema: Any, **more: Any) -> dict[str, Any]:
    return {"description": "d", "content": {"application/json": {"schema": schema, **more}}}


def _document(**more: Any) -> dict[str, Any]:
    return {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {
            "/books": {
                "get": {
                    "parameters": [{"name": "page", "in": "query", "schema": {"type": "integer", "minimum": 1}}],
                    "responses": {"200": _answer({"type": "array", "items": {"$ref": "#/components/schemas/Book"}})},
                },
                "post": {
                    "security": [{"token": []}],
                    "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Book"}}}},
                    "responses": {"201": {"$ref": "#/components/responses/Book"}, "4XX": {"description": "refused"}},
                },
            },
            "/books/{id}": {
                "parameters": [NUMBER],
                "get": {"responses": {"200": {"$ref": "#/components/responses/Book"}}},
                "delete": {"responses": {"204": {"description": "gone"}}},
            },
        },
        "components": {
            "schemas": {"Book": copy.deepcopy(BOOK)},
            "responses": {"Book": _answer({"$ref": "#/components/schemas/Book"}, example={"id": 1, "title": "T"})},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        **more,
    }


@pytest.fixture(scope="module")
def contract() -> Contract:
    """The document above."""
    return OpenAPI().read(_document())


def _reply(status: int, value: Any, path: str, kind: str = "application/json") -> Reply:
    body = b"" if value is None else json.dumps(value).encode()
    return Reply(status, "", Headers([("Content-Type", kind)]), body, 0.0, path)


@pytest.mark.parametrize(
    "document",
    [None, [], {}, {"openapi": 3}, {"swagger": "2.0"}, {"openapi": "4.0.0"}, {"openapi": "3.1.0", "info": 7}],
)
def test_what_is_no_document_is_refused(document: Any) -> None:
    """Whatever comes over HTTP, the test fails and the examiner doesn't."""
    with pytest.raises(Wrong):
        OpenAPI().read(document)


@pytest.mark.parametrize("reference", ["file:///etc/passwd", "http://example.org/x", "other.json", "//example.org", ""])
def test_nothing_outside_of_the_document_is_read(reference: str) -> None:
    """A validator that followed such a reference would read files of the examiner and show them in its message."""
    document = _document()
    document["components"]["schemas"]["Bad"] = {"$ref": reference}

    with pytest.raises(Wrong, match="outside"):
        OpenAPI().read(document)


def test_a_reference_in_a_circle_is_no_trap() -> None:
    """It is refused or read; it doesn't hang."""
    document = _document()
    document["components"]["schemas"]["Book"] = {"$ref": "#/components/schemas/Book"}
    document["paths"]["/books/{id}"] = {"$ref": "#/paths/~1books~1%7Bid%7D"}
    try:
        contract = OpenAPI().read(document)
    except Wrong:
        return
    for operation in contract.operations:
        contract.draw(operation, random.Random(1))


def test_operations_are_listed_with_what_guards_them(contract: Contract) -> None:
    """In the order of the document; a 4XX stands for all of them."""
    assert [(each.method, each.path, each.answers, each.is_guarded) for each in contract.operations] == [
        ("GET", "/books", ("200",), False),
        ("POST", "/books", ("201", "4XX"), True),
        ("GET", "/books/{id}", ("200",), False),
        ("DELETE", "/books/{id}", ("204",), False),
    ]
    assert contract.find("get", "/books/7?x=1").path == "/books/{id}"
    with pytest.raises(Wrong, match="not in the document"):
        contract.find("GET", "/books/7/pages")


def test_a_right_answer_is_given_back(contract: Contract) -> None:
    """Bodies by reference, no body for 204, and nothing said of a refusal's body."""
    for method, reply in (
        ("GET", _reply(200, [{"id": 1, "title": "T", "due": None}], "/books?page=1")),
        ("GET", _reply(200, {"id": 1, "title": "T", "due": "2026-01-31"}, "/books/1")),
        ("DELETE", _reply(204, None, "/books/1")),
        ("POST", _reply(422, None, "/books")),
    ):
        assert contract.check(method, reply) is reply


@pytest.mark.parametrize(
    ("method", "reply", "problem"),
    [
        ("GET", _reply(200, {"id": 1}, "/books/1"), "title"),
        ("GET", _reply(200, {"id": "1", "title": "T"}, "/books/1"), "'1'"),
        ("GET", _reply(200, {"id": 1, "title": "T", "due": "soon"}, "/books/1"), "soon"),
        ("GET", _reply(200, [], "/books", "text/html"), "type"),
        ("GET", _reply(404, {}, "/books/1"), "answers 404"),
        ("PUT", _reply(200, {}, "/books/1"), "not in the document"),
        ("DELETE", _reply(204, {"id": 1}, "/books/1"), "no body"),
    ],
)
def test_a_wrong_answer_is_told(contract: Contract, method: str, reply: Reply, problem: str) -> None:
    """With the place at which it differs."""
    with pytest.raises(Wrong, match=problem):
        contract.check(method, reply)


def test_a_schema_can_be_asked(contract: Contract) -> None:
    """So that a test can see whether it refuses anything at all."""
    assert contract.accepts("GET", "/books/1", 200, {"id": 1, "title": "T"})
    assert not contract.accepts("GET", "/books/1", 200, {"id": 1, "title": "T", "more": 1})
    with pytest.raises(Wrong, match="no schema"):
        contract.accepts("DELETE", "/books/1", 204, {})


def test_examples_are_held_against_their_schemas() -> None:
    """Wherever they stand; an answer by reference has the example of what it refers to."""
    contract = OpenAPI().read(_document())
    assert contract.examples() == [
        ("components > responses > Book > content > application/json", {"id": 1, "title": "T"})
    ]
    assert contract.has_example("GET", "/books/1", 200)
    assert not contract.has_example("GET", "/books", 200)
    assert not contract.has_example("POST", "/books")

    document = _document()
    media = document["paths"]["/books"]["post"]["requestBody"]["content"]["application/json"]
    media["examples"] = {"a": {"value": {"id": 0, "title": "T"}}}
    with pytest.raises(Wrong, match="1 of 2 examples"):
        OpenAPI().read(document).examples()


def test_the_older_version_is_read_too() -> None:
    """The old version of the form has `nullable`."""
    document = _document(openapi="3.0.3")
    document["components"]["schemas"]["Book"]["properties"]["due"] = {"type": "string", "nullable": True}
    contract = OpenAPI().read(document)

    assert contract.accepts("GET", "/books/1", 200, {"id": 1, "title": "T", "due": None})


def test_requests_are_drawn_from_the_document(contract: Contract) -> None:
    """The same seed draws the same; right ones are valid, broken ones differ in one thing."""
    post, get = contract.find("POST", "/books"), contract.find("GET", "/books/1")
    right = [contract.draw(post, random.Random(seed)) for seed in range(30)]
    broken = [contract.draw(post, random.Random(seed), is_broken=True) for seed in range(30)]

    assert all(contract.accepts("POST", "/books", 201, each.options["json"]) for each in right)
    assert all(each.is_broken for each in broken)
    assert sum(contract.accepts("POST", "/books", 201, each.options["json"]) for each in broken) < 10
    assert [each.options for each in right] == [contract.draw(post, random.Random(s)).options for s in range(30)]
    paths = {contract.draw(get, random.Random(seed), known={"id": [4711]}).path for seed in range(20)}
    assert "/books/4711" in paths
    assert len(paths) > 3


def test_the_path_of_the_server_counts() -> None:
    """A document may say once what all its paths begin with."""
    contract = OpenAPI().read(_document(servers=[{"url": "/v1"}]))

    assert contract.find("GET", "/v1/books").path == "/v1/books"


def test_a_path_is_found_in_no_time_however_many_names_it_has() -> None:
    """A template is the learner's too; each of its names stands for a character or more."""
    paths = {f"/{'{a}-' * 30}x": {"get": _GET}, "/p{a}q/{b}": {"get": _GET}, "/{a}{b}/z": {"get": _GET}}
    contract = Contract(_document(paths=paths), is_old=False, refuse=lambda: Wrong("openapi", "too long"))

    for path, found in (("/p1q/2", "/p{a}q/{b}"), ("/xy/z", "/{a}{b}/z"), (f"/{'1-' * 30}x", f"/{'{a}-' * 30}x")):
        assert contract.find("GET", path).path == found
    for path in (f"/{'-' * 3000}/", "/pq/2", "/x/z", "/p1/2"):
        with pytest.raises(Wrong, match="not in the document"):
            contract.find("GET", path)


def _layers(kind: str, count: int) -> dict[str, Any]:
    layers: dict[str, Any] = {f"L{n}": {kind: [{"$ref": f"#/components/schemas/L{n + 1}"}] * 2} for n in range(count)}
    return {**layers, f"L{count}": {"type": "object", "properties": {"id": {"type": "integer"}}}}


SLOW = {
    "combinations": _layers("allOf", 30)["L0"],
    "a pattern": {"type": "string", "pattern": "^(([a-z]+)*)+$"},
}


@pytest.mark.parametrize("schema", SLOW.values(), ids=SLOW)
@pytest.mark.parametrize("where", ["example", "body"])
def test_a_document_that_takes_too_long_is_refused(schema: Any, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither can be interrupted where it runs. Once refused, the document takes no more time of the other tests."""
    monkeypatch.setattr("grader.inside.aside.CPU_S", 1)
    document, reader = _document(), OpenAPI()
    document["components"]["schemas"] |= {**_layers("allOf", 30), "Book": schema}
    value = "a" * 40 + "!" if "pattern" in schema else {"id": 1}
    document["components"]["responses"]["Book"] = _answer(schema, **({"example": value} if where == "example" else {}))

    with pytest.raises(Wrong, match="takes too long to be read"):
        reader.read(document).accepts("GET", "/books/1", 200, value)
    began = time.monotonic()
    with pytest.raises(Wrong, match="takes too long to be read"):
        reader.read(document)
    assert time.monotonic() - began < 0.5


@pytest.mark.parametrize("schema", [{"$ref": "#/components/schemas/L0"}, {"type": "array", "minItems": 10**12}])
def test_a_request_that_takes_too_long_to_draw_is_refused(schema: Any) -> None:
    """What is drawn follows the learner's schemas, so its size is bounded."""
    document, refused = _document(), Wrong("openapi", "too long")
    document["components"]["schemas"] |= _layers("allOf", 30)
    document["components"]["schemas"]["Book"] = schema
    contract = Contract(document, is_old=False, refuse=lambda: refused)

    with pytest.raises(Wrong, match="too long"):
        contract.draw(contract.find("POST", "/books"), random.Random(1))
