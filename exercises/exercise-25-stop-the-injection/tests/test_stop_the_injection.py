"""Hidden tests: honest visitors find what they found before, and unfriendly ones get nothing."""

import hashlib

import pytest

COUNTING = "(WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 9000000000) SELECT max(x) FROM c)"


def hash_of(password, salt):
    """Give the hash of a password as werkzeug writes it, made with few rounds."""
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), 1).hex()
    return f"pbkdf2:sha256:1${salt}${digest}"


@pytest.fixture
def firms(client, db, fake, rng):
    """Fill the directory, and give its firms."""
    client.get("/firms")
    names = [f"{fake.last()} & {fake.last()} {fake.token(4)}" for _ in range(6)]
    names += [f"{fake.city()} Credit Union {fake.token(3)}", f"Nuts -- and {fake.word()}s"]
    names += [f"{name} {fake.word()}" for name in ("O'Brien", "100% Wool", "1000 Sheep", "a_b Print", "axb Prints")]
    names += [f"Wait! {fake.word()}", f"Back\\slash {fake.word()}"]
    towns = rng.sample(["Rosario", "Ouagadougou", "Chiang Mai", "Tromsø", "Busan"], 3)
    rows = [
        {"id": number, "name": name, "town": rng.choice(towns), "founded": rng.randrange(1850, 1870)}
        for number, name in zip(fake.ids(len(names)), rng.sample(names, len(names)), strict=True)
    ]
    db.insert("firms", *rows)
    return rows


@pytest.fixture
def users(client, db, fake):
    """Add two users, and give name and password of each."""
    client.get("/firms")
    pairs = [("admin", fake.password()), (f"{fake.word()} o'{fake.word()}", fake.password())]
    rows = [
        {"id": number, "name": name, "password_hash": hash_of(password, fake.token(8))}
        for number, (name, password) in zip(fake.ids(2), pairs, strict=True)
    ]
    db.insert("users", *rows)
    return rows, pairs


@pytest.fixture
def found(client):
    """Search, and give the firms that were found."""

    def search(**wishes):
        reply = client.get("/firms", params=wishes)
        assert reply.status_code == 200
        return reply.json()

    return search


def by(field, rows):
    """Give the rows in the order of a field, then by id."""
    return sorted(rows, key=lambda row: (row[field], row["id"]))


def folded(text):
    """Give a text as SQLite's LIKE compares it: only the letters from A to Z are alike in both cases."""
    return "".join(letter.lower() if letter.isascii() else letter for letter in text)


def having(part, rows):
    """Give the rows with a text in their name, sorted by name."""
    return by("name", [row for row in rows if folded(part) in folded(row["name"])])


@pytest.mark.task("search", points=2)
def test_honest_searches(found, firms, rng):
    """Honest searches find what they found before: by a part of the name, by the town, and by both."""
    town = rng.choice(firms)["town"]
    part = rng.choice([part for firm in firms if (part := firm["name"][:3]).isascii() and part.isalpha()])

    assert found() == by("name", firms)
    assert found(q=part.upper()) == having(part, firms)
    assert found(town=town) == by("name", [row for row in firms if row["town"] == town])
    assert found(q="a", town=town) == having("a", [row for row in firms if row["town"] == town])
    assert found(q=part, town=f"{town}x") == []


@pytest.mark.task("search", points=1)
def test_an_apostrophe(found, firms, db):
    """A firm with an apostrophe in its name is found by it, and so are those of a town with one."""
    db.insert("firms", {"id": 99999, "name": "Bakery", "town": "L'Aquila", "founded": 1900})

    assert found(q="O'Brien") == having("O'Brien", firms)
    assert [row["id"] for row in found(town="L'Aquila")] == [99999]


@pytest.mark.task("search", points=2)
def test_a_condition_finds_nothing(found, firms, rng):
    """A condition that is typed as a search finds nothing."""
    name = rng.choice(firms)["name"].replace("'", "''")
    for payload in ("' OR '1'='1", "' OR 1=1 --", f"x' OR name = '{name}", "x%' OR 'a' LIKE 'a", "\\' OR 1=1 --"):
        assert found(q=payload) == []
        assert found(town=payload) == []
    assert found(town="\x00") == []
    assert found() == by("name", firms)


@pytest.mark.task("search", points=2)
def test_no_passwords_are_found(client, firms, users):
    """A search that asks for the users' passwords as well gets none of them."""
    rows, _pairs = users
    for part in ("id, name, password_hash, 1", "1, password_hash, name, id"):
        payload = f"nobody' UNION SELECT {part} FROM users --"
        for wishes in ({"q": payload}, {"town": payload}):
            reply = client.get("/firms", params=wishes)
            assert reply.status_code == 200
            assert [row["name"] for row in rows if row["password_hash"] in reply.text] == []
            assert reply.json() == []
    assert client.get("/firms").json() == by("name", firms)


@pytest.mark.task("search", points=2)
def test_signs_are_searched_literally(found, firms):
    """A percent sign, an underscore, a backslash and an exclamation mark are searched as they stand."""
    for part in ("100%", "%", "a_b", "_", "k\\s", "\\", "t!", "!", "!%", "100\\%"):
        assert found(q=part) == having(part, firms)


@pytest.mark.task("search", points=1)
def test_words_of_sql_are_words(found, firms):
    """Words and signs of SQL are searched like any other: Credit Union is found, and a name with two hyphens is too."""
    for part in ("Credit Union", "nuts -- and", "--", "union"):
        assert found(q=part) == having(part, firms)
    for part in ("drop table", "select", ";"):
        assert found(q=part) == []


@pytest.mark.task("search", points=2)
def test_the_database_is_not_kept_busy(client, firms):
    """A search that tries to keep the database busy is answered as fast as any other."""
    for wishes in ({"q": f"' AND {COUNTING} > 0 --"}, {"town": f"' OR {COUNTING} > 0 --"}):
        reply = client.get("/firms", params=wishes, timeout=1.5)
        assert reply.status_code == 200
        assert reply.json() == []


@pytest.mark.task("sort", points=2)
def test_the_three_orders(found, firms):
    """The firms come by name, town or founding year, and those that are equal in it by id."""
    for field in ("name", "town", "founded"):
        assert found(sort=field) == by(field, firms)


@pytest.mark.task("sort", points=3)
def test_other_orders_are_refused(client, firms, users, db):
    """Any other order is answered 400 with the code bad_sort, and all tables are as they were."""
    before = db.digest()
    tricks = [
        "title; DROP TABLE firms",
        "name; DROP TABLE firms",
        "name DESC",
        "1",
        "id",
        "NAME",
        "name, town",
        "",
        "'name'",
    ]
    tricks.append("(SELECT CASE WHEN substr(password_hash, 1, 1) = 'p' THEN name ELSE id END FROM users)")
    for sort in tricks:
        reply = client.get("/firms", params={"sort": sort})
        assert reply.status_code == 400
        assert reply.json()["error"]["code"] == "bad_sort"
    assert db.digest() == before
    assert client.get("/firms", params={"sort": "town"}).json() == by("town", firms)


@pytest.mark.task("login", points=2)
def test_honest_logins(client, users, fake):
    """The right name and password are answered 200, also with an apostrophe in the name; a wrong password is 401."""
    rows, pairs = users
    for row, (name, password) in zip(rows, pairs, strict=True):
        reply = client.post("/login", json={"name": name, "password": password})
        assert reply.status_code == 200
        assert reply.json() == {"id": row["id"], "name": name}
        assert client.post("/login", json={"name": name, "password": fake.password()}).status_code == 401


@pytest.mark.task("login", points=3)
def test_tricky_logins(client, users, fake):
    """A name such as admin' -- is answered 401 with the code wrong_login, whatever the password is."""
    _rows, pairs = users
    own = fake.password()
    forged = f"x' UNION SELECT id, name, '{hash_of(own, 'salt')}' FROM users WHERE name = 'admin"
    for name in ("admin' --", "admin' OR '1'='1", "admin'; --", forged, forged + "' --", "' OR name LIKE 'adm%"):
        for password in (own, pairs[0][1], "' OR '1'='1"):
            reply = client.post("/login", json={"name": name, "password": password})
            assert reply.status_code == 401
            assert reply.json()["error"]["code"] == "wrong_login"
    assert client.post("/login", json=dict(zip(("name", "password"), pairs[0], strict=True))).status_code == 200


@pytest.mark.task("errors", points=2)
def test_no_sql_in_errors(client, firms, users, db):
    """When the database fails, the answer is 500 with the code internal_error, and tells nothing of tables or SQL."""
    db.script("ALTER TABLE firms RENAME TO firms_of_old; ALTER TABLE users RENAME TO users_of_old")
    login = {"name": "admin", "password": "a"}
    for reply in (client.get("/firms", params={"q": "wool"}), client.post("/login", json=login)):
        assert reply.status_code == 500
        assert reply.json()["error"]["code"] == "internal_error"
        told = [
            word
            for word in ("select", "firms", "users", "table", "sqlite", "wool", "hash")
            if word in reply.text.lower()
        ]
        assert told == []
