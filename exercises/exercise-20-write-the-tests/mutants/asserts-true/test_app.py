"""Tests of the dishes."""


def test_everything(client):
    dish = client.post("/dishes", {"name": "Jollof rice", "price_cents": 900}).json()
    client.get("/dishes?max_price=900")
    client.patch(f"/dishes/{dish['id']}", {"price_cents": 950})
    client.delete(f"/dishes/{dish['id']}")
    client.post("/dishes", {})
    assert True
