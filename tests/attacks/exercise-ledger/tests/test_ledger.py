# HIDDEN-CANARY-TOP-5d1c9a (no output that a learner sees may hold this line)
"""Ten tests of one point each."""

from decimal import Decimal

import pytest


@pytest.mark.task("ledger", points=1)
def test_the_front_page_leads_to_the_entries(client):
    """The front page leads to the entries."""
    # HIDDEN-CANARY-BODY-77e0b2
    reply = client.get("/", follow=True)

    assert reply.status_code == 200
    assert reply.json() == []


@pytest.mark.task("ledger", points=1)
def test_visits_are_counted(client):
    """A visitor's visits are counted in a cookie."""
    for visit in range(1, 31):
        assert client.post("/visits").json()["visits"] == visit
    assert client.cookies["visits"] == "30"


@pytest.mark.task("ledger", points=1)
def test_a_second_visitor_starts_at_one(client):
    """A second visitor starts at one."""
    client.post("/visits")

    assert client.another().post("/visits").json() == {"visits": 1}


@pytest.mark.task("ledger", points=1)
def test_an_entry_is_stored(client, db, fake):
    """An entry is stored in the database."""
    name, cents = fake.dish(), fake.price_cents()

    reply = client.post("/entries", json={"name": name, "cents": cents})

    assert reply.status_code == 201
    assert db.tables() == ["entries"]
    assert db.rows("SELECT name, cents FROM entries") == [{"name": name, "cents": cents}]


@pytest.mark.task("ledger", points=1)
def test_older_entries_are_listed(app, client, db, fake):
    """Entries that were there before are listed."""
    app.start()
    rows = [{"id": number, "name": fake.dish(), "cents": fake.price_cents()} for number in fake.ids(5, 10, 1000)]
    db.insert("entries", *rows)

    assert client.get("/entries").json() == sorted(rows, key=lambda row: row["id"])


@pytest.mark.task("ledger", points=1)
def test_the_database_refuses_an_empty_name(app, db):
    """The database refuses an empty name."""
    app.start()
    assert db.refuses("INSERT INTO entries (name, cents) VALUES ('', 1)")
    assert db.value("SELECT count(*) FROM entries") + 1 == 1
    assert {column["name"] for column in db.columns("entries")} == {"id", "name", "cents"}


@pytest.mark.task("ledger", points=1)
def test_twelve_at_once(client, db):
    """Twelve entries at once are all stored."""
    replies = client.together([("POST", "/entries", {"json": {"name": "tea", "cents": n}}) for n in range(12)])

    assert [reply.status_code for reply in replies] == [201] * 12
    assert {reply.json()["cents"] for reply in replies} == set(range(12))
    assert db.value("SELECT sum(cents) FROM entries") == 66


@pytest.mark.task("ledger", points=1)
def test_few_statements(client, db):
    """All entries come with at most two statements."""
    client.get("/entries")
    db.insert("entries", *[{"name": "tea", "cents": number} for number in range(20)])
    with db.budget(2):
        assert len(client.get("/entries").json()) == 20


@pytest.mark.task("ledger", points=1)
def test_entries_survive_a_restart(app, client, db):
    """Entries survive a restart, and the app says that it starts."""
    client.post("/entries", json={"name": "tea", "cents": 250})
    before = db.digest()
    app.restart(env={"COLOUR": "red"})

    assert db.digest() == before
    assert client.get("/entries").json() == [{"id": 1, "name": "tea", "cents": 250}]
    assert "the ledger starts" in app.output()


@pytest.mark.task("ledger", points=1)
def test_sums_are_exact(call):
    """Sums are exact, and an empty name is a ValueError."""
    assert call("app.total", [Decimal("0.10"), Decimal("0.20")]) == Decimal("0.30")
    assert round(call("app.total", [Decimal("10.00"), Decimal("0.05")]) * 100) == 1005
    for name in ("", " ", "  "):
        raised = call.error("app.check", name)
        assert (raised.type, len(raised.message) > 3) == ("ValueError", True)
