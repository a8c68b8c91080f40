"""Hidden tests: the kitchen greets whoever asks at its door, and only there."""

import pytest

GREETING = "Hello from the kitchen!"


@pytest.mark.task("greeting", points=2)
def test_the_kitchen_answers(client):
    """Asking for `/` is answered with status 200."""
    assert client.get("/").status_code == 200


@pytest.mark.task("greeting", points=4)
def test_the_greeting_is_exact(client):
    """The answer is the greeting, letter by letter, and nothing else."""
    assert client.get("/").text.removesuffix("\n") == GREETING


@pytest.mark.task("greeting", points=1)
def test_the_answer_is_text(client):
    """The answer says that it is text, so that a browser can show it."""
    reply = client.get("/")

    assert reply.status_code == 200
    assert reply.content_type.partition("/")[0] == "text"


@pytest.mark.task("greeting", points=2)
def test_an_undefined_address_is_404(client, fake):
    """An address that nobody defined is answered 404, while `/` still gives the greeting."""
    assert client.get(f"/pantry-{fake.token(8)}").status_code == 404
    assert client.get(f"/{fake.token(6)}/{fake.token(6)}").status_code == 404
    assert client.get("/").text.removesuffix("\n") == GREETING


@pytest.mark.task("greeting", points=1)
def test_asking_twice(client):
    """Asking twice gives the same answer twice, and both are right."""
    first, second = client.get("/"), client.get("/")

    assert [first.status_code, second.status_code] == [200, 200]
    assert first.text == second.text
    assert second.text.removesuffix("\n") == GREETING
