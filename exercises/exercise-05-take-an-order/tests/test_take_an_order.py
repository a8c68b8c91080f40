"""Hidden tests: orders are taken, checked and kept."""

import json
from urllib.parse import urlsplit

import pytest


@pytest.fixture
def order(fake, rng):
    """Give a function that makes a good order, another one each time."""

    def make():
        return {"dish": f"{fake.dish()} {fake.word()} {rng.randrange(100, 1000)}", "quantity": rng.randrange(2, 60)}

    return make


@pytest.fixture
def take(client):
    """Give a function that sends a good order and returns what the server stored; 200 is a fault of one test only."""

    def send(order):
        reply = client.post("/orders", json=order)
        assert reply.status_code in (200, 201)
        stored = reply.json()
        assert {"dish": stored["dish"], "quantity": stored["quantity"]} == order
        return stored

    return send


@pytest.fixture
def refuse(client):
    """Give a function that sends a bad order and returns the error's text, when it was refused in the agreed way."""

    def send(**body):
        reply = client.post("/orders", **body)
        assert reply.status_code == 400
        assert reply.content_type == "application/json"
        return reply.json()["error"]

    return send


@pytest.mark.task("take", points=2)
def test_a_good_order_is_taken(client, order):
    """A good order is answered 201, with the order and the number that it got."""
    wanted = order()

    reply = client.post("/orders", json=wanted)

    assert reply.status_code == 201
    stored = reply.json()
    assert {"dish": stored["dish"], "quantity": stored["quantity"]} == wanted
    assert isinstance(stored["id"], int)


@pytest.mark.task("take", points=1)
def test_an_order_of_one_is_taken(client, take, order):
    """An order of a single dish is taken too."""
    stored = take(order() | {"quantity": 1})

    assert client.get("/orders").json() == [stored]


@pytest.mark.task("take", points=1)
def test_the_location_leads_to_the_order(client, order):
    """The answer's `Location` is `/orders/<id>`, and the order is found there with status 200."""
    client.post("/orders", json=order())
    wanted = order()
    reply = client.post("/orders", json=wanted)
    stored = reply.json()

    assert stored["dish"] == wanted["dish"]
    path = urlsplit(reply.headers.get("Location") or "").path
    assert path == f"/orders/{stored['id']}"
    found = client.get(path)
    assert found.status_code == 200
    assert found.json() == stored


@pytest.mark.task("take", points=1)
def test_two_orders_get_two_numbers(take, order):
    """Two orders get two different numbers, even when they ask for the same."""
    wanted = order()

    assert take(wanted)["id"] != take(wanted)["id"]


@pytest.mark.task("take", points=1)
def test_an_id_from_outside_is_ignored(client, order, rng):
    """An `id` that the guest sends along is ignored: the server gives the number."""
    theirs = rng.randrange(5000, 9000)
    wanted = order()

    stored = client.post("/orders", json={"id": theirs} | wanted).json()

    assert stored["id"] != theirs
    assert client.get(f"/orders/{theirs}").status_code == 404
    assert client.get(f"/orders/{stored['id']}").json()["dish"] == wanted["dish"]


@pytest.mark.task("take", points=1)
def test_all_orders_are_listed(client, take, order):
    """The list of orders holds every order that was taken, in the order of their arrival."""
    taken = [take(order()) for _ in range(3)]

    reply = client.get("/orders")

    assert reply.status_code == 200
    assert reply.json() == taken


@pytest.mark.task("take", points=1)
def test_an_unknown_number_is_404(client, take, order, rng):
    """A number that no order has is answered 404 with `order not found`, and a taken order still 200."""
    stored = take(order())

    missing = client.get(f"/orders/{rng.randrange(5000, 9000)}")

    assert missing.status_code == 404
    assert missing.json() == {"error": "order not found"}
    assert client.get(f"/orders/{stored['id']}").json() == stored


@pytest.mark.task("check-fields", points=1)
def test_a_missing_dish_is_refused(refuse, take, order):
    """An order without a dish is answered 400, and the error names `dish`; the next good order is taken."""
    bad = order()
    del bad["dish"]

    assert "dish" in refuse(json=bad)
    take(order())


@pytest.mark.task("check-fields", points=1)
def test_an_empty_dish_is_refused(refuse, take, order):
    """A dish that is empty, only blanks, or not a text is answered 400, and the error names `dish`."""
    take(order())
    for dish in ("", "   ", 12, None, ["soup"]):
        assert "dish" in refuse(json=order() | {"dish": dish})


@pytest.mark.task("check-fields", points=2)
def test_a_wrong_quantity_is_refused(refuse, take, order, rng):
    """A quantity that is not a whole number of 1 or more is answered 400, and the error names `quantity`."""
    take(order())
    for quantity in (0, -1, -rng.randrange(2, 50), rng.randrange(1, 9) + 0.5, str(rng.randrange(2, 50)), True, None):
        assert "quantity" in refuse(json=order() | {"quantity": quantity})


@pytest.mark.task("check-fields", points=1)
def test_a_missing_quantity_is_refused(refuse, take, order):
    """An order without a quantity is answered 400, and the error names `quantity` and not `dish`."""
    take(order())

    error = refuse(json={"dish": order()["dish"]})

    assert "quantity" in error
    assert "dish" not in error


@pytest.mark.task("check-fields", points=1)
def test_a_refused_order_is_not_kept(client, refuse, take, order):
    """An order that was refused is not in the list of orders afterwards."""
    taken = take(order())

    refuse(json=order() | {"quantity": 0})
    refuse(json={"quantity": order()["quantity"]})

    assert client.get("/orders").json() == [taken]


@pytest.mark.task("check-body", points=3)
def test_what_is_not_json_is_refused(client, take, order, fake):
    """A body that is not JSON is answered 400 or 415, with an error in JSON, and nothing is kept."""
    taken = take(order())
    words = f"{fake.integer(2, 9)} bowls of {fake.word()}, please"

    for body, kind in ((words, "text/plain"), (words, "application/json"), ('{"dish": ', "application/json")):
        reply = client.post("/orders", body=body, headers={"Content-Type": kind})
        assert reply.status_code in (400, 415)
        assert reply.content_type == "application/json"
        assert isinstance(reply.json()["error"], str)
    assert client.get("/orders").json() == [taken]


@pytest.mark.task("check-body", points=3)
def test_a_list_or_null_is_refused(client, refuse, take, order):
    """A JSON list, a text, a number or `null` in place of an order is answered 400, and nothing is kept."""
    taken = take(order())

    for body in ([], [order()], None, order()["dish"], order()["quantity"]):
        text = json.dumps(body)
        assert isinstance(refuse(body=text, headers={"Content-Type": "application/json"}), str)
    assert client.get("/orders").json() == [taken]
