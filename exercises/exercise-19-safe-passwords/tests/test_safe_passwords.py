"""Hidden tests: passwords are told apart, and nobody who looks anywhere can read one."""

import base64
import hashlib
import re

import pytest

WHOLE_ROW = "SELECT * FROM users WHERE name = ?"
LEAST_ROUNDS = 100_000


@pytest.fixture
def register(client):
    """Give a function that registers a member who must be taken, and gives the answer."""

    def send(name, password):
        reply = client.post("/register", json={"name": name, "password": password})
        assert reply.status_code == 201
        return reply

    return send


@pytest.fixture
def is_right(client):
    """Give a function that asks whether a password is right, and looks whose it was."""

    def ask(name, password):
        reply = client.post("/check-password", json={"name": name, "password": password})
        assert reply.status_code == 200
        assert sorted(reply.json()) == ["correct", "name"]
        assert reply.json()["name"] == name
        return reply.json()["correct"]

    return ask


def in_other_clothes(password):
    """Forms in which a password can be read, or looked up in a list: all in small letters."""
    raw = password.encode()
    texts = [password, password[::-1], raw.hex(), base64.b64encode(raw).decode().rstrip("=")]
    hashes = [hashlib.new(method, raw).digest() for method in ("md5", "sha1", "sha256", "sha512")]
    texts += [form for each in hashes for form in (each.hex(), base64.b64encode(each).decode().rstrip("="))]
    return [text.lower() for text in texts]


@pytest.mark.task("register", points=2)
def test_the_answer_tells_no_password(client, db, register, fake):
    """Registering is answered 201 with `id` and `name`, and holds neither the password nor what is stored."""
    name = fake.name()

    reply = register(name, fake.password())

    row = db.rows(WHOLE_ROW, [name])[0]
    assert row["password_hash"] not in ("", None)
    assert reply.json() == {"id": row["id"], "name": name}


@pytest.mark.task("register", points=3)
def test_a_short_password_is_refused(client, db, register, fake):
    """A password of 7 characters is refused with 422 and nothing is stored; one of 8 characters is taken."""
    for short in (fake.token(7), "шестьда", "", fake.token(3)):
        reply = client.post("/register", json={"name": fake.name(), "password": short})
        assert reply.status_code == 422
        told = reply.json()["error"]
        assert (told["code"], list(told["fields"])) == ("invalid_fields", ["password"])
    assert db.value("SELECT count(*) FROM users") == 0

    register(fake.name(), fake.token(8))
    assert db.value("SELECT count(*) FROM users") == 1


@pytest.mark.task("keep", points=3)
def test_what_is_stored_cannot_be_read(db, register, fake):
    """The row in the table holds the password in no form that can be read or looked up."""
    name, password = fake.name(), fake.password()

    register(name, password)

    row = " ".join(map(str, db.rows(WHOLE_ROW, [name])[0].values())).lower()
    assert [form for form in in_other_clothes(password) if form in row] == []


@pytest.mark.task("keep", points=2)
def test_two_members_with_one_password(db, register, fake):
    """Two members who have the same password have different stored values."""
    names, password = [fake.name(), fake.name()], fake.password()

    for name in names:
        register(name, password)

    first, second = (db.rows(WHOLE_ROW, [name])[0]["password_hash"] for name in names)
    assert first != second


@pytest.mark.task("keep", points=2)
def test_the_method_is_a_slow_one(db, register, fake):
    """The stored value names a slow method: scrypt, argon2, bcrypt, or pbkdf2 with 100,000 rounds or more."""
    name = fake.name()

    register(name, fake.password())

    stored = db.rows(WHOLE_ROW, [name])[0]["password_hash"].lower()
    rounds = [int(part) for part in re.split(r"[^0-9a-z]+", stored) if re.fullmatch("[0-9]{1,9}", part)]
    is_slow = any(method in stored for method in ("scrypt", "argon2", "bcrypt")) or re.match(r"\$2[abxy]\$", stored)
    assert is_slow or ("pbkdf2" in stored and max(rounds, default=0) >= LEAST_ROUNDS)


@pytest.mark.task("keep", points=3)
def test_no_other_place_holds_it(app, client, db, register, is_right, fake):
    """No column of any table, no answer and no printed line holds a password, not even of a refused request."""
    name = fake.name()
    good, other, wrong = (fake.password() for _ in range(3))
    short = fake.token(7)

    replies = [register(name, good)]
    for tried, password in ((name, other), (fake.name(), short)):
        replies.append(client.post("/register", json={"name": tried, "password": password}))
    replies.append(client.post("/check-password", json={"name": name, "password": wrong}))

    assert [reply.status_code for reply in replies] == [201, 409, 422, 200]
    places = [reply.text + str(reply.headers.pairs) for reply in replies]
    places += [str(db.rows(f'SELECT * FROM "{table}"')) for table in db.tables()]
    places.append(app.output())
    assert [password for password in (good, other, wrong, short) for place in places if password in place] == []


@pytest.mark.task("check", points=3)
def test_right_and_wrong_passwords(register, is_right, fake):
    """The right password is correct; a wrong one, one in capitals, and any for an unknown name are not."""
    name, password = fake.name(), fake.password()
    register(name, password)

    assert is_right(name, password) is True
    assert is_right(name, fake.password()) is False
    assert is_right(name, password.upper()) is False
    assert is_right(fake.name(), password) is False


@pytest.mark.task("check", points=2)
def test_the_last_of_a_hundred_characters(register, is_right, fake):
    """Two passwords of 100 characters that differ in the last one only are told apart."""
    name, start = fake.name(), fake.token(99)

    register(name, start + "a")

    assert is_right(name, start + "a") is True
    assert is_right(name, start + "b") is False


@pytest.mark.task("check", points=2)
def test_passwords_in_any_script(register, is_right, fake):
    """Passwords in any script work, and are told apart by a letter of it."""
    name, number = fake.name(), fake.token(4)

    register(name, f"дом-木-🐋-{number}")

    assert is_right(name, f"дом-木-🐋-{number}") is True
    assert is_right(name, f"дым-木-🐋-{number}") is False
