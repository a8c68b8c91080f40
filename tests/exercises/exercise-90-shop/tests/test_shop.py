import pytest


@pytest.mark.task("greet", points=1)
def test_it_greets(client):
    """The shop greets."""
    reply = client.get("/")

    assert reply.status_code == 200
    assert reply.text == "Welcome!"


@pytest.mark.task("greet", points=1)
@pytest.mark.needs("test_it_greets")
def test_it_greets_again(client):
    """The greeting stays the same."""
    assert client.get("/").text == client.get("/").text


@pytest.mark.task("stock", points="0.5")
def test_items_are_listed(client, db, fake):
    """An item that was posted is listed."""
    name = fake.word()

    reply = client.post("/items", json={"name": name})

    assert reply.status_code == 201
    assert client.get("/items").json() == [name]
    assert db.value("SELECT count(*) FROM item") == 1


@pytest.mark.task("stock", points=1)
def test_items_survive_a_restart(client, app, fake):
    """Items survive a restart."""
    name = fake.word()
    client.post("/items", json={"name": name})
    app.restart()

    assert client.get("/items").json() == [name]
