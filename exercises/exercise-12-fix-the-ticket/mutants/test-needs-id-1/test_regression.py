"""Tests of what once was wrong. Each failed before it was mended."""


def test_a_book_that_is_a_day_late_costs_50_cents(client):
    member = client.post("/members", {"name": "Ana"}).json()
    book = client.post("/books", {"title": "Pedro Páramo"}).json()
    loan = client.post(f"/members/{member['id']}/loans", {"book_id": book["id"], "lent_on": "2024-05-06"}).json()

    reply = client.post(f"/loans/{loan['id']}/return", {"returned_on": "2024-05-21"})

    assert reply.json()["fee_cents"] == 50


def test_the_steps_of_the_ticket(client):
    client.post("/members", {"name": "Ana"})
    client.post("/books", {"title": "Pedro Páramo"})
    client.post("/members/1/loans", {"book_id": 1, "lent_on": "2025-03-03"})

    assert client.post("/loans/1/return", {"returned_on": "2025-03-17"}).json()["fee_cents"] == 0
