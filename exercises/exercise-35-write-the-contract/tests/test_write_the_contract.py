"""Hidden tests: the document says what the server does, the first version stays, and the second one is there."""

import copy
import itertools
import re

import pytest

TOKEN = "a-token-that-only-the-tests-know"
DEPRECATION = "@1767225600"
SUNSET = "Wed, 30 Jun 2027 23:59:59 GMT"
ROUTES = {(method, f"/v{n}/loans{end}") for n in (1, 2) for method, end in (("GET", ""), ("POST", ""), ("GET", "/{}"))}


class Lending:
    """The learner's API over drawn loans."""

    def __init__(self, app, client, openapi, fake, rng):
        self.client, self.fake, self.openapi = client, fake, openapi
        numbers = sorted(fake.ids(rng.randrange(7, 12), 10, 9000))
        self.loans = [{"id": number, **self.new("who")} for number in numbers]
        app.start(env={"API_TOKEN": TOKEN}, config={"LOANS": self.loans})

    def new(self, name):
        """Make a loan that isn't there yet; `name` is what the field for the borrower is called."""
        due = self.fake.choice((None, self.fake.date().isoformat()))
        return {"title": self.fake.title(), name: self.fake.name(), "due": due}

    def contract(self):
        """Read the document."""
        reply = self.client.get("/openapi.json")
        assert reply.status_code == 200
        return self.openapi.read(reply.json())

    def post(self, version, body, *, token=TOKEN):
        """Send a new loan."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.client.post(f"/v{version}/loans", json=body, headers=headers)

    def answers(self):
        """Ask for an answer of every kind that there is, one after the other; give method, status and reply of each."""
        client, number, unknown = self.client, self.loans[0]["id"], self.fake.integer(9500, 9900)
        for version, name in ((1, "who"), (2, "borrower")):
            yield "GET", 200, client.get(f"/v{version}/loans")
            yield "GET", 200, client.get(f"/v{version}/loans/{number}")
            yield "GET", 404, client.get(f"/v{version}/loans/{unknown}")
            yield "POST", 201, self.post(version, self.new(name))
            yield "POST", 401, self.post(version, self.new(name), token=None)
            yield "POST", 422, self.post(version, {name: self.fake.name()})
        yield "GET", 400, client.get("/v2/loans", params={"page": 0})

    def bodies(self):
        """Read the document with more routes: what is sent to `POST /v1/loans` is what `GET /body-of/v1/loans` answers.

        So a contract, which knows what answers are right, knows what bodies are.
        """
        document = copy.deepcopy(self.contract().document)
        for path in ("/v1/loans", "/v2/loans"):
            operation = resolved(document, document["paths"][path])["post"]
            content = resolved(document, operation.get("requestBody", {})).get("content", {})
            assert "schema" in content.get("application/json", {}), f"POST {path} has no schema of its body"
            answer = {"description": "The body", "content": {"application/json": content["application/json"]}}
            document["paths"][f"/body-of{path}"] = {"get": {"responses": {"200": answer}}}
        return self.openapi.read(document)


@pytest.fixture
def lending(app, client, openapi, fake, rng):
    """The API, started."""
    return Lending(app, client, openapi, fake, rng)


def second(loan):
    """A loan as the second version gives it."""
    return {"borrower" if name == "who" else name: value for name, value in loan.items()}


def refusal(reply, code):
    """Give the fields of a refusal in the agreed shape with this code; None for any other answer."""
    error = reply.json()["error"]
    is_right = set(reply.json()) == {"error"} and set(error) == {"code", "message", "fields"} and error["code"] == code
    return set(error["fields"]) if is_right else None


def resolved(document, value):
    """Give what stands at the end of the references that a value consists of."""
    while "$ref" in value:
        steps = value["$ref"].removeprefix("#/").split("/")
        value = document
        for step in steps:
            value = value[step.replace("~1", "/").replace("~0", "~")]
    return value


def damaged(value):
    """Give copies of a JSON object with one damage each: a field away, of another type, or one too many."""
    found = []
    for name in value:
        without = {key: each for key, each in value.items() if key != name}
        found += [without, {**value, name: [[]]}]
        inner = value[name][0] if isinstance(value[name], list) and value[name] else value[name]
        if isinstance(inner, dict) and name != "fields":
            for bad in damaged(inner):
                found.append({**value, name: [bad] if isinstance(value[name], list) else bad})
    return [*found, {**value, "surplus": 1}]


@pytest.mark.task("document", points=1)
def test_the_document_is_valid(lending):
    """`GET /openapi.json` is answered with a valid OpenAPI document."""
    assert lending.contract().operations != []


@pytest.mark.task("document", points=3)
def test_every_route_is_in_the_document(lending):
    """Every route of both versions is in the document, and nothing else is."""
    operations = lending.contract().operations

    found = {(each.method, re.sub(r"\{[^{}]*\}", "{}", each.path)) for each in operations}
    assert sorted(found - {("GET", "/openapi.json")}) == sorted(ROUTES)


@pytest.mark.task("document", points=3)
def test_every_answer_is_as_documented(lending):
    """Every kind of answer, each refusal too, is in the document, with a schema that it is valid against."""
    contract = lending.contract()

    for method, status, reply in lending.answers():
        assert (reply.path, reply.status_code) == (reply.path, status)
        contract.check(method, reply)
        assert contract.accepts(method, reply.path, status, reply.json())


@pytest.mark.needs("test_every_answer_is_as_documented")
@pytest.mark.task("document", points=3)
def test_the_schemas_refuse_what_is_wrong(lending):
    """No schema takes an answer in which a field is missing, has another type, or is one too many."""
    contract = lending.contract()

    for method, status, reply in lending.answers():
        contract.check(method, reply)
        for body in damaged(reply.json()):
            if contract.accepts(method, reply.path, status, body):
                place = f"{method} {reply.path}, {status}"
                raise AssertionError(f"the schema of {place} takes a wrong answer, too: {body}")


@pytest.mark.task("document", points=2)
def test_the_token_is_asked_for_as_documented(lending):
    """The document asks for the token where the server does, and nowhere else."""
    contract = lending.contract()
    assert {(each.method, re.sub(r"\{[^{}]*\}", "{}", each.path)) for each in contract.operations} >= ROUTES

    for operation in contract.operations:
        path = re.sub(r"\{[^{}]*\}", str(lending.loans[0]["id"]), operation.path)
        options = {"json": lending.new("who") | lending.new("borrower")} if operation.method == "POST" else {}
        reply = lending.client.request(operation.method, path, **options)
        assert (operation.method, path, operation.is_guarded) == (operation.method, path, reply.status_code == 401)


@pytest.mark.task("document", points=2)
def test_examples_are_valid(lending):
    """Every answer 200 and 201 and every body that is sent has an example, and every example is valid."""
    contract = lending.contract()

    contract.examples()
    for version in (1, 2):
        one, all_of_them = f"/v{version}/loans/{lending.loans[0]['id']}", f"/v{version}/loans"
        for method, path, status in (("GET", one, 200), ("GET", all_of_them, 200), ("POST", all_of_them, 201)):
            assert (method, path, contract.has_example(method, path, status)) == (method, path, True)
        assert (f"the body of POST {all_of_them}", contract.has_example("POST", all_of_them)) == (
            f"the body of POST {all_of_them}",
            True,
        )


@pytest.mark.needs("test_every_route_is_in_the_document")
@pytest.mark.task("document", points=3)
def test_a_hundred_requests(lending, rng):
    """A hundred requests, right ones and wrong ones, most of them drawn from the document, are answered as it says."""
    contract, bodies = lending.contract(), lending.bodies()
    operations = [each for each in contract.operations if each.path != "/openapi.json"]
    known = {name: [loan["id"] for loan in lending.loans] for name in ("id", "loan_id", "number", "loanId")}

    def is_as_it_says(method, path, reply, body):
        contract.check(method, reply)
        if reply.status_code in (201, 422):
            is_right = bodies.accepts("GET", f"/body-of{path}", 200, body)
            told = f"by the document this body is {'right' if is_right else 'wrong'}"
            assert reply.status_code == (201 if is_right else 422), told

    for turn in range(88):
        operation = operations[turn % len(operations)]
        drawn = contract.draw(operation, rng, known=known, is_broken=rng.random() < 0.4)
        headers = {} if rng.random() < 0.1 else {"Authorization": f"Bearer {TOKEN}"}
        reply = lending.client.request(operation.method, drawn.path, headers=headers, **drawn.options)
        is_as_it_says(operation.method, drawn.path, reply, drawn.options.get("json"))
    for path, name in (("/v1/loans", "who"), ("/v2/loans", "borrower")):
        new = {**lending.new(name), "due": lending.fake.date().isoformat()}
        changes = ({}, {"due": None}, {"title": ""}, {name: ""}, {"due": "soon"}, {"due": new["due"].replace("-", "/")})
        for body in ({**new, **change} for change in changes):
            is_as_it_says("POST", path, lending.post(path[2], body), body)


@pytest.mark.task("second", points=3)
def test_the_second_version_says_borrower(lending):
    """In the second version a loan has `borrower` in place of `who`; it lists, shows and adds the same loans."""
    loan, body = lending.loans[-1], lending.new("borrower")

    shown = lending.client.get(f"/v2/loans/{loan['id']}")
    added = lending.post(2, body)
    new = added.json()

    assert shown.json() == second(loan)
    assert added.status_code == 201
    assert new == {"id": new["id"], **body}
    assert lending.client.get("/v2/loans").json()["items"] == [*map(second, lending.loans), new]
    assert lending.client.get(f"/v1/loans/{new['id']}").json() == {
        "id": new["id"],
        "title": body["title"],
        "who": body["borrower"],
        "due": body["due"],
    }
    assert lending.client.get(f"/v2/loans/{new['id'] + 1}").status_code == 404


@pytest.mark.task("second", points=3)
def test_the_second_version_has_pages(lending, rng):
    """The second version lists page by page, 20 at a time if nothing else is asked for."""
    per_page = rng.randrange(2, 5)

    found, page = [], 0
    for page in range(1, len(lending.loans) // per_page + 2):
        body = lending.client.get("/v2/loans", params={"page": page, "per_page": per_page}).json()
        assert {**body, "items": []} == {"items": [], "total": len(lending.loans), "page": page, "per_page": per_page}
        assert len(body["items"]) <= per_page
        found += body["items"]

    assert found == [second(loan) for loan in lending.loans]
    everything = {"items": found, "total": len(found), "page": 1, "per_page": 20}
    assert lending.client.get("/v2/loans").json() == everything
    assert lending.client.get("/v2/loans", params={"page": page + 1, "per_page": per_page}).json()["items"] == []


@pytest.mark.task("second", points=2)
def test_the_second_version_refuses_what_is_wrong(lending, fake):
    """The second version refuses what can't be, in the agreed shape: 400 for a page, 422 for a loan, 401 without the token."""
    for name, value in (("page", 0), ("page", -1), ("page", fake.word()), ("per_page", 0), ("per_page", 101), ("per_page", "")):
        reply = lending.client.get("/v2/loans", params={name: value})
        assert (name, value, reply.status_code) == (name, value, 400)
        assert refusal(reply, "invalid") == {name}
    assert lending.client.get("/v2/loans", params={"per_page": 100}).json()["items"] == list(map(second, lending.loans))

    body = lending.new("borrower")
    for wrong, field in (
        ({**body, "borrower": ""}, "borrower"),
        ({"title": body["title"], "who": fake.name()}, "borrower"),
        ({**body, "title": 7}, "title"),
        ({**body, "due": "soon"}, "due"),
    ):
        reply = lending.post(2, wrong)
        assert reply.status_code == 422
        assert refusal(reply, "invalid") == {field}
    assert lending.post(2, body, token=None).status_code == 401
    assert lending.post(2, body, token=fake.token(9)).status_code == 401
    assert lending.client.get("/v2/loans").json()["total"] == len(lending.loans)


@pytest.mark.task("first", points=3)
def test_the_first_version_is_as_it_was(lending):
    """The first version answers as it did before: the same fields, everything at once, the same refusals."""
    loan, body = lending.loans[0], lending.new("who")
    before = copy.deepcopy(lending.loans)

    assert lending.client.get("/v1/loans").json() == {"loans": before}
    assert lending.client.get("/v1/loans", params={"page": 2, "per_page": 1}).json() == {"loans": before}
    assert lending.client.get(f"/v1/loans/{loan['id']}").json() == loan
    assert refusal(lending.post(1, {"title": body["title"], "borrower": body["who"]}), "invalid") == {"who"}
    assert refusal(lending.post(1, body, token=None), "unauthorized") == set()
    added = lending.post(1, body)
    assert added.status_code == 201
    assert added.json() == {"id": added.json()["id"], **body}
    assert lending.client.get("/v1/loans").json() == {"loans": [*before, added.json()]}


@pytest.mark.task("first", points=2)
def test_the_first_version_announces_its_end(lending):
    """Every answer of the first version, a refusal too, has the headers Deprecation and Sunset; no other answer has."""
    other = ("GET", 200, lending.client.get("/openapi.json"))

    for _, _, reply in itertools.chain([other], lending.answers()):
        announced = (reply.headers.get("Deprecation"), reply.headers.get("Sunset"))
        wanted = (DEPRECATION, SUNSET) if reply.path.startswith("/v1/") else (None, None)
        assert (reply.path, *announced) == (reply.path, *wanted)


@pytest.mark.task("first", points=1)
def test_an_unknown_version_is_not_found(lending, fake):
    """An unknown version, and whatever else isn't there, is answered 404 in the agreed shape."""
    number = lending.loans[0]["id"]

    for path in (f"/v{fake.integer(3, 99)}/loans", f"/v0/loans/{number}", f"/loans/{number}", f"/v2/{fake.token(6)}"):
        reply = lending.client.get(path)
        assert (path, reply.status_code) == (path, 404)
        assert refusal(reply, "not_found") == set()
