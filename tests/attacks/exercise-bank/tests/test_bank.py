# HIDDEN-CANARY-TOP-5d1c9a (no output that a learner sees may hold this line)
"""Ten tests of one point each."""

import pytest


@pytest.mark.task("bank", points=1)
def test_fee_has_a_minimum(call):
    """The smallest fee is one cent."""
    # HIDDEN-CANARY-BODY-77e0b2
    assert call("app.fee", 37) == 1


@pytest.mark.task("bank", points=1)
def test_fee_is_rounded_up(call):
    """A fee is rounded up to a whole cent."""
    assert call("app.fee", 1234) == 13


@pytest.mark.task("bank", points=1)
def test_fee_has_a_cap(call):
    """No fee is above 500 cents."""
    assert call("app.fee", 987654) == 500


@pytest.mark.task("bank", points=1)
def test_negative_amount_is_refused(call):
    """A fee for a negative amount is a ValueError."""
    assert call.raises("app.fee", -3) == "ValueError"


@pytest.mark.task("bank", points=1)
def test_balance_at_the_start(client):
    """A known account answers its balance."""
    reply = client.get("/balance", params={"account": "bob"})

    assert reply.status_code == 200
    assert reply.json() == {"account": "bob", "balance": 2500}


@pytest.mark.task("bank", points=1)
def test_unknown_account(client):
    """An unknown account is answered 404."""
    reply = client.get("/balance", params={"account": "mallory"})

    assert reply.status_code == 404
    assert reply.json() == {"error": "no such account"}


@pytest.mark.task("bank", points=1)
def test_transfer_moves_money(client):
    """A transfer moves the amount, and the sender pays the fee."""
    reply = client.post("/transfer", json={"from": "alice", "to": "bob", "amount": 3333})

    assert reply.status_code == 200
    assert reply.json() == {"fee": 34, "from_balance": 6633, "to_balance": 5833}
    assert client.get("/balance", params={"account": "alice"}).json()["balance"] == 6633


@pytest.mark.task("bank", points=1)
def test_too_little_money(client):
    """A transfer that the sender can't pay is answered 409 and moves nothing."""
    reply = client.post("/transfer", json={"from": "bob", "to": "alice", "amount": 2490})

    assert reply.status_code == 409
    assert reply.json() == {"error": "insufficient funds"}
    assert client.get("/balance", params={"account": "bob"}).json()["balance"] == 2500


@pytest.mark.task("bank", points=1)
def test_bad_amounts(client):
    """An amount that is not a positive whole number is answered 400."""
    for amount in (0, -5, "7", 1.5, None):
        reply = client.post("/transfer", json={"from": "bob", "to": "alice", "amount": amount})
        assert reply.status_code == 400
        assert reply.json() == {"error": "bad amount"}


@pytest.mark.task("bank", points=1)
def test_every_start_is_fresh(client, app):
    """Every start of the app begins with the same balances."""
    client.post("/transfer", json={"from": "alice", "to": "bob", "amount": 1000})
    app.restart()

    reply = client.get("/balance", params={"account": "alice"})

    assert reply.json() == {"account": "alice", "balance": 10000}
