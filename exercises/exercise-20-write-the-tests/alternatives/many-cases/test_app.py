"""Tests of the dishes, one for each request and each thing that can happen to it."""

import uuid

import pytest


def added(client, price=1000, note=None):
    """Add a dish under a name that no other has."""
    reply = client.post("/dishes", {"name": f"Dish {uuid.uuid4()}", "price_cents": price, "note": note})
    assert reply.status_code == 201, f"a good dish was answered {reply.status_code}, not 201"
    return reply.json()


def ids(client, query=""):
    """Give the ids of the dishes that are listed."""
    return {dish["id"] for dish in client.get(f"/dishes{query}").json()}


class TestAdding:
    def test_fields(self, client):
        dish = added(client, price=450, note="cold")
        assert (dish["price_cents"], dish["note"]) == (450, "cold")

    def test_two_dishes_are_two(self, client):
        assert added(client)["id"] != added(client)["id"]

    @pytest.mark.parametrize("price", [0, -1, 1.5, "900", None, True])
    def test_bad_price(self, client, price):
        reply = client.post("/dishes", {"name": "Ceviche", "price_cents": price})
        assert reply.status_code == 400, f"price_cents {price!r} was answered {reply.status_code}, not 400"

    @pytest.mark.parametrize("name", ["", "  ", None, 7])
    def test_bad_name(self, client, name):
        reply = client.post("/dishes", {"name": name, "price_cents": 900})
        assert reply.status_code == 400, f"name {name!r} was answered {reply.status_code}, not 400"


class TestListing:
    @pytest.mark.parametrize(("most", "is_there"), [(999, False), (1000, True), (1001, True)])
    def test_most(self, client, most, is_there):
        dish = added(client, price=1000)
        assert (dish["id"] in ids(client, f"?max_price={most}")) == is_there


class TestOne:
    def test_change(self, client):
        dish = added(client, note="mild")
        changed = client.patch(f"/dishes/{dish['id']}", {"name": "Pho"})
        assert changed.status_code == 200
        assert changed.json() == {**dish, "name": "Pho"}

    def test_delete(self, client):
        dish = added(client)
        client.delete(f"/dishes/{dish['id']}")
        assert dish["id"] not in ids(client)
