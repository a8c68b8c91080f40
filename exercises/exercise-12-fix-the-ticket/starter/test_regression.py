"""Tests of what once was wrong. Each failed before it was mended."""


def test_a_book_that_is_a_day_late_costs_50_cents(client):
    member = client.post("/members", {"name": "Ana"}).json()
    book = client.post("/books", {"title": "Pedro Páramo"}).json()
    loan = client.post(f"/members/{member['id']}/loans", {"book_id": book["id"], "lent_on": "2024-05-06"}).json()

    reply = client.post(f"/loans/{loan['id']}/return", {"returned_on": "2024-05-21"})

    assert reply.json()["fee_cents"] == 50


# TODO: write a test that fails before you mend what the ticket reports
