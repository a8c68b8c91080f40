"""Tests of the dishes."""

import pytest


@pytest.fixture
def dish(client):
    """Add a dish, and give it as it was answered."""
    return client.post("/dishes", {"name": "Jollof rice", "price_cents": 900, "note": "hot"}).json()


def test_the_dishes_are_a_list(client):
    reply = client.get("/dishes")

    assert reply.status_code == 200
    assert isinstance(reply.json(), list)


def test_a_dish_is_added(client):
    reply = client.post("/dishes", {"name": "Jollof rice", "price_cents": 900})

    assert reply.status_code == 201
    added = reply.json()
    assert added == {"id": added["id"], "name": "Jollof rice", "price_cents": 900, "note": None}
    assert client.get(f"/dishes/{added['id']}").json() == added


def test_a_price_is_a_limit_that_is_included(client, dish):
    assert dish in client.get("/dishes?max_price=1000").json()
    assert dish not in client.get("/dishes?max_price=899").json()


def test_a_change_leaves_the_other_fields(client, dish):
    reply = client.patch(f"/dishes/{dish['id']}", {"price_cents": 950})

    assert reply.json() == {**dish, "price_cents": 950}
    assert client.get(f"/dishes/{dish['id']}").json() == {**dish, "price_cents": 950}


def test_a_deleted_dish_is_gone(client, dish):
    assert client.delete(f"/dishes/{dish['id']}").status_code == 204

    assert client.get(f"/dishes/{dish['id']}").status_code == 404


@pytest.mark.parametrize("payload", [{}, {"name": "Jollof rice", "price_cents": 0}])
def test_what_is_no_dish_is_refused(client, payload):
    assert client.post("/dishes", payload).status_code == 400


def test_nobody_knows_a_dish_that_is_not_there(client):
    assert client.get("/dishes/0").status_code == 404
