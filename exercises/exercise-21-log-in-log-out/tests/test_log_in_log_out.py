"""Hidden tests: a member is known by a cookie that the server handed out, until the visit is over."""

import hashlib

import pytest

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def quick_hash(password, salt):
    """A hash in Werkzeug's form with few rounds: what is tested here isn't the hash, and it must not cost time."""
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), 1000)
    return f"pbkdf2:sha256:1000${salt}${digest.hex()}"


class Entrance:
    """The learner's entrance with drawn members, and a clock that stands still."""

    def __init__(self, app, client, db, fake, rng):
        self.app = app
        self.fake = fake
        self.browser = client
        self.clock = rng.randrange(1_500_000_000, 2_500_000_000)
        self.start(self.clock)
        self.members = [
            {"id": number, "name": fake.name(), "password": fake.password()} for number in fake.ids(3, 10, 9000)
        ]
        rows = [
            {"id": each["id"], "name": each["name"], "password_hash": quick_hash(each["password"], fake.token(16))}
            for each in self.members
        ]
        db.insert("users", *rows)

    def start(self, clock, *, again=False):
        """Start the app, or start it again, at this time."""
        (self.app.restart if again else self.app.start)(env={"CLOCK": str(clock)})

    def try_to_log_in(self, member, *, by=None, **changes):
        """Send a member's name and password, with changes."""
        sent = {"name": member["name"], "password": member["password"]} | changes
        return (by or self.browser).post("/login", json=sent)

    def log_in(self, member, *, by=None):
        """Log a member in."""
        reply = self.try_to_log_in(member, by=by)
        assert reply.status_code == 200
        return reply

    def who(self, browser=None):
        """Who this browser's visitor is: a member's name, or None where the server answers 401."""
        reply = (browser or self.browser).get("/me")
        if reply.status_code == 401:
            assert reply.json()["error"]["code"] == "not_logged_in"
            return None
        assert reply.status_code == 200
        return reply.json()["name"]

    def with_cookies(self, cookies):
        """A browser of somebody else, who got hold of these cookies."""
        browser = self.browser.another()
        for name, value in cookies.items():
            browser.set_cookie(name, value)
        return browser


@pytest.fixture
def entrance(app, client, db, fake, rng):
    """The entrance, with three members and nobody logged in."""
    return Entrance(app, client, db, fake, rng)


@pytest.fixture
def member(entrance, rng):
    """One of the members."""
    return rng.choice(entrance.members)


@pytest.mark.task("in", points=2)
def test_a_right_login(entrance, member):
    """A right login is answered 200 with `id` and `name`, and sets a cookie."""
    reply = entrance.log_in(member)

    assert reply.json() == {"id": member["id"], "name": member["name"]}
    assert reply.cookies_set != []
    assert "" not in entrance.browser.cookies.values()


@pytest.mark.task("in", points=3)
def test_wrong_and_unknown_look_alike(entrance, member, fake):
    """A wrong password and an unknown name are answered 401 with the same body, and let nobody in."""
    wrong = entrance.try_to_log_in(member, password=fake.password())
    unknown = entrance.try_to_log_in(member, name=fake.name())

    assert (wrong.status_code, unknown.status_code) == (401, 401)
    assert wrong.json()["error"]["code"] == "wrong_login"
    assert wrong.body == unknown.body
    assert entrance.who() is None
    entrance.log_in(member)
    assert entrance.who() == member["name"]


@pytest.mark.task("again", points=2)
def test_the_cookie_names_the_member(entrance, member):
    """With the cookie `GET /me` is answered with `id` and `name`, without it 401."""
    entrance.log_in(member)

    assert entrance.browser.get("/me").json() == {"id": member["id"], "name": member["name"]}
    assert entrance.who(entrance.browser.another()) is None
    assert entrance.who(entrance.with_cookies(entrance.browser.cookies)) == member["name"]


@pytest.mark.task("again", points=1)
def test_a_visit_outlives_a_restart(entrance, member):
    """Who is logged in stays so when the server is started again."""
    entrance.log_in(member)

    entrance.start(entrance.clock, again=True)

    assert entrance.who() == member["name"]


@pytest.mark.task("again", points=2)
def test_the_cookie_is_kept_from_scripts_and_sites(entrance, member):
    """The cookie is `HttpOnly`, and its `SameSite` is `Lax` or `Strict`."""
    cookies = entrance.log_in(member).cookies_set

    assert cookies != []
    for cookie in cookies:
        attributes = dict(part.strip().lower().partition("=")[::2] for part in cookie.split(";")[1:])
        assert "httponly" in attributes
        assert attributes.get("samesite") in ("lax", "strict")


@pytest.mark.task("again", points=2)
def test_a_changed_cookie(entrance, member, rng):
    """A cookie in which one character was changed is answered 401; as it was, it still works."""
    entrance.log_in(member)
    whole = entrance.browser.cookies

    for _ in range(3):
        changed = {}
        for name, value in whole.items():
            place = rng.randrange(max(1, len(value) // 2))
            letter = rng.choice([letter for letter in LETTERS if letter != value[place]])
            changed[name] = value[:place] + letter + value[place + 1 :]
        assert entrance.who(entrance.with_cookies(changed)) is None
    assert entrance.who(entrance.with_cookies(whole)) == member["name"]


@pytest.mark.task("again", points=2)
def test_a_made_up_cookie(entrance, fake):
    """A cookie that somebody made up, of a number or of random letters, is answered 401."""
    first, second, _ = entrance.members
    entrance.log_in(first)
    entrance.log_in(second, by=entrance.browser.another())

    for value in ("1", "2", *(str(each["id"]) for each in entrance.members), fake.token(40)):
        made_up = dict.fromkeys(entrance.browser.cookies, value)
        assert entrance.who(entrance.with_cookies(made_up)) is None
    assert entrance.who() == first["name"]


@pytest.mark.task("again", points=2)
def test_two_browsers_do_not_mix(entrance):
    """Two members in two browsers are never taken for each other, and a third browser is nobody's."""
    first, second, _ = entrance.members
    other = entrance.browser.another()

    entrance.log_in(first)
    entrance.log_in(second, by=other)

    for _ in range(2):
        assert entrance.who() == first["name"]
        assert entrance.who(other) == second["name"]
        assert entrance.who(entrance.browser.another()) is None


@pytest.mark.task("out", points=3)
def test_an_old_cookie_is_worth_nothing(entrance, member):
    """After `POST /logout` the visitor is out, and a copy of the old cookie is answered 401 as well."""
    entrance.log_in(member)
    copy = entrance.browser.cookies
    assert entrance.who(entrance.with_cookies(copy)) == member["name"]

    reply = entrance.browser.post("/logout")

    assert (reply.status_code, reply.body) == (204, b"")
    assert entrance.who() is None
    assert entrance.who(entrance.with_cookies(copy)) is None
    assert entrance.browser.post("/logout").status_code == 204
    entrance.log_in(member)
    assert entrance.who() == member["name"]


@pytest.mark.task("out", points=2)
def test_only_this_browser_is_out(entrance, member):
    """Logging out ends this visit only: the same member in another browser stays in, and so does everyone else."""
    other, third = entrance.browser.another(), entrance.browser.another()
    neighbour = next(each for each in entrance.members if each is not member)
    entrance.log_in(member)
    entrance.log_in(member, by=other)
    entrance.log_in(neighbour, by=third)

    assert entrance.browser.post("/logout").status_code == 204

    assert [entrance.who(), entrance.who(other), entrance.who(third)] == [None, member["name"], neighbour["name"]]


@pytest.mark.task("out", points=1)
def test_a_link_does_not_log_out(entrance, member):
    """`GET /logout` is answered 405, and the visitor is still in."""
    entrance.log_in(member)

    assert entrance.browser.get("/logout").status_code == 405
    assert entrance.who() == member["name"]


@pytest.mark.task("guessing", points=3)
def test_the_sixth_attempt(entrance, fake):
    """After five wrong passwords the sixth attempt is answered 429, also with the right one; other members come in."""
    member, other, _ = entrance.members

    for _ in range(5):
        assert entrance.try_to_log_in(member, password=fake.password()).status_code == 401
    entrance.log_in(other)
    for password in (member["password"], fake.password()):
        reply = entrance.try_to_log_in(member, by=entrance.browser.another(), password=password)
        assert reply.status_code == 429
        assert reply.json()["error"]["code"] == "too_many_attempts"


@pytest.mark.task("guessing", points=1)
def test_a_right_login_begins_anew(entrance, member, fake):
    """A right login after four wrong passwords is answered 200, and begins the count anew."""
    for _ in range(2):
        for _ in range(4):
            assert entrance.try_to_log_in(member, password=fake.password()).status_code == 401
        entrance.log_in(member)


@pytest.mark.task("guessing", points=2)
def test_a_minute_later(entrance, member, fake):
    """59 seconds later it is still 429, also when the server was started again; 60 seconds later the right one works."""
    for _ in range(5):
        assert entrance.try_to_log_in(member, password=fake.password()).status_code == 401

    entrance.start(entrance.clock + 59, again=True)
    assert entrance.try_to_log_in(member).status_code == 429
    entrance.start(entrance.clock + 60, again=True)
    entrance.log_in(member)
    assert entrance.who() == member["name"]


@pytest.mark.task("guessing", points=1)
def test_unknown_names_are_counted_too(entrance, member, fake):
    """A name that nobody has is answered in the same way: five times 401, then 429."""
    name = fake.name()

    statuses = [entrance.try_to_log_in(member, name=name).status_code for _ in range(6)]

    assert statuses == [401, 401, 401, 401, 401, 429]
    entrance.log_in(member)
