"""Tests of what once was wrong. Each failed before it was mended."""


def test_a_book_that_is_a_day_late_costs_50_cents(client):
    member = client.post("/members", {"name": "Ana"}).json()
    book = client.post("/books", {"title": "Pedro Páramo"}).json()
    loan = client.post(f"/members/{member['id']}/loans", {"book_id": book["id"], "lent_on": "2024-05-06"}).json()

    reply = client.post(f"/loans/{loan['id']}/return", {"returned_on": "2024-05-21"})

    assert reply.json()["fee_cents"] == 50


def test_the_ticket(client):
    """Issue 47: the due date is the last day on which a book may come back, also in a leap year."""
    member = client.post("/members", {"name": "Iman"}).json()["id"]
    for lent_on, due_on in (("2025-03-03", "2025-03-17"), ("2024-02-15", "2024-02-29")):
        book = client.post("/books", {"title": f"Due on {due_on}"}).json()["id"]
        loan = client.post(f"/members/{member}/loans", {"book_id": book, "lent_on": lent_on}).json()
        assert loan["due_on"] == due_on

        returned = client.post(f"/loans/{loan['id']}/return", {"returned_on": due_on}).json()

        assert returned["fee_cents"] == 0, f"a book that was due on {due_on} came back on that day"
