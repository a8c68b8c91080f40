"""Tests of the dishes."""


def test_the_dishes_are_a_list(client):
    reply = client.get("/dishes")

    assert reply.status_code == 200
    assert isinstance(reply.json(), list)


# TODO: this test knows more than the rules promise. Mend it, then write those that are missing.
def test_a_dish_is_added(client):
    reply = client.post("/dishes", {"name": "Jollof rice", "price_cents": 900})

    assert reply.json() == {"id": 1, "name": "Jollof rice", "price_cents": 900, "note": None}
