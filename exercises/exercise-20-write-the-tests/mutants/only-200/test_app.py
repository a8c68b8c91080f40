"""Tests of the dishes."""


def test_the_dishes_are_answered(client):
    assert client.get("/dishes").status_code == 200


def test_the_cheap_dishes_are_answered(client):
    assert client.get("/dishes?max_price=900").status_code == 200


def test_a_dish_is_answered(client):
    dish = client.post("/dishes", {"name": "Jollof rice", "price_cents": 900}).json()
    assert client.get(f"/dishes/{dish['id']}").status_code == 200
    assert client.patch(f"/dishes/{dish['id']}", {"price_cents": 950}).status_code == 200
