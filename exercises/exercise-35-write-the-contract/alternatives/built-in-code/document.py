"""The OpenAPI document, put together out of parts, so that nothing is written down twice."""

TEXT = {"type": "string", "minLength": 1}
NUMBER = {"type": "integer", "minimum": 1}


def whole(**properties):
    """An object with exactly these fields."""
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def json_of(schema, description, **more):
    """An answer with a JSON body."""
    return {"description": description, "content": {"application/json": {"schema": schema, **more}}}


REFUSED = json_of(
    whole(error=whole(code=TEXT, message=TEXT, fields={"type": "object", "additionalProperties": TEXT})), "Refused"
)


def query(name, **limits):
    """A whole number in the address."""
    return {"name": name, "in": "query", "schema": {**NUMBER, **limits}}


def paths(prefix, name, *, has_pages):
    """The routes of one version; `name` is what it calls the borrower."""
    fields = {"title": TEXT, name: TEXT, "due": {"type": ["string", "null"], "format": "date"}}
    loan, new = whole(id=NUMBER, **fields), {**whole(**fields), "required": ["title", name], "additionalProperties": True}
    sample = {"id": 3, "title": "The Palm-Wine Drinkard", name: "Amos", "due": "2026-06-01"}
    listed = whole(loans={"type": "array", "items": loan})
    listing = {"responses": {"200": json_of(listed, "All loans", example={"loans": [sample]})}}
    if has_pages:
        shown = {"items": [sample], "total": 1, "page": 1, "per_page": 20}
        page = whole(items=listed["properties"]["loans"], total={"type": "integer"}, page=NUMBER, per_page=NUMBER)
        listing = {
            "parameters": [query("page"), query("per_page", maximum=100)],
            "responses": {"200": json_of(page, "A page of loans", example=shown), "400": REFUSED},
        }
    body = {"schema": new, "example": {"title": sample["title"], name: "Amos"}}
    return {
        f"{prefix}/loans": {
            "get": listing,
            "post": {
                "security": [{"bearer": []}],
                "requestBody": {"content": {"application/json": body}},
                "responses": {"201": json_of(loan, "The new loan", example=sample), "401": REFUSED, "422": REFUSED},
            },
        },
        f"{prefix}/loans/{{number}}": {
            "parameters": [{"name": "number", "in": "path", "required": True, "schema": {"type": "integer"}}],
            "get": {"responses": {"200": json_of(loan, "The loan", example=sample), "404": REFUSED}},
        },
    }


DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "The lending desk", "version": "2.0"},
    "paths": {**paths("/v1", "who", has_pages=False), **paths("/v2", "borrower", has_pages=True)},
    "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
}
