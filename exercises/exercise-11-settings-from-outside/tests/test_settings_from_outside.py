"""Hidden tests: the same program in environments of many kinds."""

import pytest

DEFAULT_GREETING = "Welcome, take a seat!"


@pytest.fixture
def greeting(fake):
    """A greeting that is not in anybody's code."""
    return f"{fake.word().title()} and {fake.word()} from {fake.city()} {fake.token(4)}"


@pytest.mark.task("town", points=2)
def test_it_listens_on_the_port(client, app, greeting, rng):
    """The server listens on the port that stands in `PORT`."""
    app.start(env={"PORT": str(rng.randrange(9000, 30000)), "GREETING": greeting})

    assert client.get("/").status_code == 200


@pytest.mark.task("town", points=2)
def test_the_greeting_comes_from_outside(client, app, greeting):
    """The greeting is the text in `GREETING`."""
    app.start(env={"GREETING": greeting})

    assert client.get("/").text == greeting


@pytest.mark.task("town", points=2)
def test_the_default_greeting(client, app):
    """Without `GREETING`, the greeting is the default in the table."""
    app.start(env={"GREETING": None})

    assert client.get("/").text == DEFAULT_GREETING


@pytest.mark.task("town", points=2)
def test_two_kitchens_in_one_process(client, app, greeting, fake):
    """Two kitchens in one process each greet in their own words."""
    of_branch = f"{fake.sentence()} {fake.token(4)}"
    app.start(env={"GREETING": greeting, "BRANCH_GREETING": of_branch})

    assert client.get("/").text == greeting
    assert client.get("/branch/").text == of_branch


@pytest.mark.task("debugging", points=2)
def test_words_for_off(client, app):
    """With `DEBUG=false` or `DEBUG=0`, an error is answered 500 without a traceback."""
    app.start(env={"DEBUG": "false", "BRANCH_DEBUG": "0"})

    for path in ("/oven", "/branch/oven"):
        reply = client.get(path)
        assert reply.status_code == 500
        assert "Traceback" not in reply.text


@pytest.mark.task("debugging", points=1)
def test_words_for_on(client, app):
    """With `DEBUG=true` or `DEBUG=1`, the answer for an error shows the traceback."""
    app.start(env={"DEBUG": "true", "BRANCH_DEBUG": "1"})

    for path in ("/oven", "/branch/oven"):
        reply = client.get(path)
        assert reply.status_code == 500
        assert "Traceback" in reply.text


@pytest.mark.task("debugging", points=2)
def test_no_traceback_by_default(client, app):
    """Without `DEBUG`, an error is answered 500 without a traceback, and the next guest is greeted."""
    app.start(env={"DEBUG": None})

    reply = client.get("/oven")

    assert reply.status_code == 500
    assert "Traceback" not in reply.text
    assert client.get("/").status_code == 200


@pytest.mark.task("secret", points=3)
def test_no_start_without_a_secret(app):
    """Without `SECRET_KEY` the program ends, with a message that names it and an exit code other than 0."""
    ended = app.start_fails(env={"SECRET_KEY": None})

    assert "SECRET_KEY" in ended.output
    assert ended.code not in (0, None)


@pytest.mark.task("secret", points=2)
def test_nothing_shows_the_secret(client, app, fake, greeting):
    """No answer and no printed line shows the secret, whatever is asked."""
    secret = fake.token(24)
    app.start(env={"SECRET_KEY": secret, "GREETING": greeting})

    assert client.get("/").text == greeting
    for path in ("/", "/oven", "/healthz", "/config", "/settings", "/env", "/environ", "/debug", f"/{fake.slug()}"):
        reply = client.get(path)
        assert secret not in reply.text
        assert secret not in str(reply.headers.pairs)
    assert secret not in app.output()


@pytest.mark.task("health", points=2)
def test_the_kitchen_is_healthy(client, app):
    """Asking for `/healthz` is answered 200 with the JSON that says `ok`."""
    app.start(env={})

    reply = client.get("/healthz")

    assert reply.status_code == 200
    assert reply.json() == {"status": "ok"}
