"""Hidden tests: tokens are handed out, looked at, and refused when they are forged or over."""

import base64
import hashlib
import json

import jwt
import pytest

LIFETIME_S = 15 * 60

# The members in the starter's app.py, and their passwords in the README.
GIVEN = [
    ({"id": 7, "name": "Wanjiru Kamau", "role": "member"}, "wanjiru@club.example", "door-of-oak-41"),
    ({"id": 19, "name": "Tomáš Novák", "role": "treasurer"}, "tomas@club.example", "seven-blue-keys"),
]


class Door:
    """The learner's door with drawn members, a drawn key and a clock that stands still."""

    def __init__(self, app, client, fake, rng):
        self.app = app
        self.client = client
        self.key = fake.token(80)
        self.clock = rng.randrange(2_000_000_000, 4_000_000_000)  # from 2033 on: later than any machine's own clock
        self.passwords = {}
        self.members = []
        for number in fake.ids(3, 100, 9000):
            person = fake.member()
            self.passwords[number] = person["password"]
            self.members.append(
                {
                    "id": number,
                    "name": person["name"],
                    "email": person["email"],
                    "role": f"{fake.word()}-keeper",
                    "password_hash": self.quick_hash(person["password"], fake.token(16)),
                }
            )

    @staticmethod
    def quick_hash(password, salt):
        """A hash in Werkzeug's form with few rounds: what is tested here isn't the hash, and it must not cost time."""
        digest = hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), 1000)
        return f"pbkdf2:sha256:1000${salt}${digest.hex()}"

    def start(self, *, key=None, clock=None, zone=None, again=False):
        """Start the app, or start it again, with the members, the key and the clock."""
        env = {"SECRET_KEY": key or self.key, "CLOCK": str(clock or self.clock), "TZ": zone or "UTC"}
        begin = self.app.restart if again else self.app.start
        begin(env=env, config={"MEMBERS": self.members})

    def log_in(self, member):
        """Log a member in, and give the token."""
        form = {"email": member["email"], "password": self.passwords[member["id"]]}
        reply = self.client.post("/login", data=form)
        assert reply.status_code == 200
        return reply.json()["token"]

    def show(self, token):
        """Show a token at the door."""
        return self.client.get("/me", headers={"Authorization": f"Bearer {token}"})

    def claims(self, member, **changes):
        """What a right token for a member says, with changes; a change to None leaves the claim out."""
        claims = {"sub": str(member["id"]), "exp": self.clock + LIFETIME_S} | changes
        return {name: value for name, value in claims.items() if value is not None}

    def admits(self, token, member):
        """Check that this token opens the door to this member."""
        reply = self.show(token)
        assert reply.status_code == 200
        assert reply.json() == {name: member[name] for name in ("id", "name", "role")}
        return True


@pytest.fixture
def door(app, client, fake, rng):
    """The door, not yet started."""
    return Door(app, client, fake, rng)


@pytest.fixture
def member(door, rng):
    """One of the door's members."""
    return rng.choice(door.members)


def read(token, key):
    """Give the header and the claims of a token that this key signed by HS256, without a look at the machine's clock."""
    try:
        claims = json.loads(jwt.PyJWS().decode(token, key, algorithms=["HS256"]))
    except (jwt.PyJWTError, ValueError) as problem:
        pytest.fail(f"this is no token that the key from SECRET_KEY signed by HS256: {problem}")
    return jwt.get_unverified_header(token), claims


@pytest.mark.task("hand-out", points=2)
def test_a_right_login_gets_a_signed_token(door, member):
    """A right login gets a token for its own member, signed by HS256 with the key from the environment."""
    door.start()

    token = door.log_in(member)

    assert isinstance(token, str)
    _, claims = read(token, door.key)
    assert claims.get("sub") == str(member["id"])


@pytest.mark.task("hand-out", points=1)
def test_a_token_ends_after_15_minutes(door, member):
    """A token says that it ends 15 minutes after it was handed out, by the door's own clock."""
    door.start()

    _, claims = read(door.log_in(member), door.key)

    assert claims.get("exp") == door.clock + LIFETIME_S


@pytest.mark.task("hand-out", points=1)
def test_a_token_tells_nothing(door, member):
    """Whoever reads a token finds the member's number and an end, and no name, e-mail address, role or password."""
    door.start()

    header, claims = read(door.log_in(member), door.key)

    assert sorted(claims) == ["exp", "sub"]
    written = str((header, claims))
    secrets = [member["name"], member["email"], member["role"], member["password_hash"], door.passwords[member["id"]]]
    assert [secret for secret in secrets if secret in written] == []


@pytest.mark.task("hand-out", points=1)
def test_a_wrong_login_gets_no_token(door, member, fake):
    """A wrong password or an unknown e-mail address gets no token; the right ones get one that opens the door."""
    door.start()
    password = door.passwords[member["id"]]

    for email, word in ((member["email"], fake.password()), (fake.email(), password)):
        reply = door.client.post("/login", data={"email": email, "password": word})
        assert reply.status_code == 401
        assert reply.json()["error"]["code"] == "wrong_login"
    assert door.admits(door.log_in(member), member)


@pytest.mark.task("open", points=2)
def test_a_fresh_token_opens_the_door(app, client, door):
    """A fresh token opens `GET /me` and shows its own member there, the given members and others."""
    for person, email, password in GIVEN:
        token = client.post("/login", data={"email": email, "password": password}).json()["token"]
        assert door.show(token).json() == person

    door.start(again=True)
    tokens = [door.log_in(member) for member in door.members]
    for member, token in zip(door.members, tokens, strict=True):
        reply = door.show(token)
        assert reply.status_code == 200
        assert reply.json() == {"id": member["id"], "name": member["name"], "role": member["role"]}


@pytest.mark.task("open", points=1)
def test_without_a_token_the_door_stays_shut(door, member):
    """No header, half a header, or another scheme than Bearer is answered 401 with a `WWW-Authenticate` header."""
    door.start()
    token = door.log_in(member)
    assert door.admits(token, member)
    login = base64.b64encode(f"{member['email']}:{door.passwords[member['id']]}".encode()).decode()

    for header in (None, "", "Bearer", "Bearer ", token, f"Basic {login}", f"Basic {token}", f"Token {token}"):
        reply = door.client.get("/me", headers={} if header is None else {"Authorization": header})
        assert reply.status_code == 401
        assert (reply.headers.get("WWW-Authenticate") or "")[:6] == "Bearer"
        error = reply.json()["error"]
        assert sorted(error) == ["code", "fields", "message"]
        assert (error["code"], error["fields"]) == ("unauthorized", {})


@pytest.mark.task("open", points=1)
def test_a_token_in_the_address_is_ignored(door):
    """A token in the address is ignored, whether the header has another one or none."""
    door.start()
    member, other = door.members[:2]
    mine, theirs = door.log_in(member), door.log_in(other)

    for name in ("token", "access_token", "jwt"):
        assert door.client.get("/me", params={name: theirs}).status_code == 401
    reply = door.client.get("/me", params={"token": theirs}, headers={"Authorization": f"Bearer {mine}"})
    assert reply.status_code == 200
    assert reply.json()["id"] == member["id"]


@pytest.mark.task("open", points=1)
def test_garbage_is_refused(door, member, fake):
    """Garbage in place of a token is answered 401, never 500, and the next right token still opens the door."""
    door.start()
    token = door.log_in(member)
    assert door.admits(token, member)
    header, body, signature = token.split(".")

    garbage = [
        f"{header}.{body}",
        f"{header}.{body}.",
        f"{header}.{body[:-2]}.{signature}",
        f"{header}.{body}.{signature[:-3]}",
        "..",
        "🦊🔑🚪",
        f"🦊.{body}.{signature}",
        fake.token(10_000),
        f"{header}.{fake.token(10_000)}.{signature}",
        f"{fake.token(12)}.{fake.token(12)}.{fake.token(12)}",
        f"{token} {token}",
        "null",
    ]
    for each in garbage:
        assert door.show(each).status_code == 401
    assert door.admits(token, member)


@pytest.mark.task("forged", points=1)
def test_another_key_is_refused(door, member, fake):
    """A token that another key signed is refused, though it says all the right things."""
    door.start()
    assert door.admits(door.log_in(member), member)

    for key in (fake.token(80), door.key[:-1], door.key.upper(), "secret"):
        assert door.show(jwt.encode(door.claims(member), key, algorithm="HS256")).status_code == 401


@pytest.mark.task("forged", points=1)
def test_another_algorithm_is_refused(door, member):
    """A token without a signature, or signed by another algorithm than HS256, is refused."""
    door.start()
    assert door.admits(door.log_in(member), member)
    claims = door.claims(member)

    assert door.show(jwt.encode(claims, None, algorithm="none")).status_code == 401
    for algorithm in ("HS384", "HS512"):
        assert door.show(jwt.encode(claims, door.key, algorithm=algorithm)).status_code == 401


@pytest.mark.task("forged", points=1)
def test_a_token_without_end_or_member_is_refused(door, member, fake):
    """A token that is signed rightly but has no end, no member, or an unknown one is refused, never answered 500."""
    door.start()
    assert door.admits(jwt.encode(door.claims(member), door.key, algorithm="HS256"), member)

    for change in ({"exp": None}, {"sub": None}, {"exp": None, "sub": None}, {"sub": "9999"}, {"sub": fake.word()}):
        assert door.show(jwt.encode(door.claims(member, **change), door.key, algorithm="HS256")).status_code == 401


@pytest.mark.task("forged", points=2)
def test_a_new_key_refuses_old_tokens(door, member, fake):
    """After a restart with another key the old tokens are refused, and new ones open the door."""
    door.start()
    old = door.log_in(member)
    assert door.admits(old, member)

    door.start(key=fake.token(80), again=True)

    assert door.show(old).status_code == 401
    assert door.admits(door.log_in(member), member)


@pytest.mark.task("over", points=2)
def test_a_token_is_over_at_its_end(door, member):
    """A token opens the door until one second before its end, and is refused at its end and one second after."""
    door.start()
    token = door.log_in(member)
    assert door.admits(token, member)

    door.start(clock=door.clock + LIFETIME_S - 1, again=True)
    assert door.admits(token, member)
    for late in (0, 1):
        door.start(clock=door.clock + LIFETIME_S + late, again=True)
        assert door.show(token).status_code == 401


@pytest.mark.task("over", points=1)
def test_the_time_zone_does_not_matter(door, member, rng):
    """The end of a token is the same in every time zone."""
    for zone in (f"EAST-{rng.randrange(2, 12)}", f"WEST+{rng.randrange(2, 11)}"):
        door.start(zone=zone)
        token = door.log_in(member)
        assert door.admits(token, member)
        _, claims = read(token, door.key)
        assert claims.get("exp") == door.clock + LIFETIME_S

        soon, past = (door.claims(member, exp=door.clock + seconds) for seconds in (1, -1))
        assert door.admits(jwt.encode(soon, door.key, algorithm="HS256"), member)
        assert door.show(jwt.encode(past, door.key, algorithm="HS256")).status_code == 401


@pytest.mark.task("over", points=2)
def test_a_member_who_left_is_refused(door):
    """A member who has left is refused, though the token isn't over; another member still comes in."""
    door.start()
    leaver, other = door.members[:2]
    left, kept = door.log_in(leaver), door.log_in(other)
    assert door.admits(left, leaver)

    assert door.client.delete("/me").status_code == 401
    assert door.admits(left, leaver)
    gone = door.client.delete("/me", headers={"Authorization": f"Bearer {left}"})

    assert (gone.status_code, gone.body) == (204, b"")
    assert door.show(left).status_code == 401
    assert door.admits(kept, other)
