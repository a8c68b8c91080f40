"""Hidden tests: browsers get the headers that let listed neighbours in, and nobody else."""

import pytest

ALLOW_ORIGIN = "Access-Control-Allow-Origin"
ALLOW_CREDENTIALS = "Access-Control-Allow-Credentials"


class House:
    """The learner's server with drawn neighbours on its list, and a visitor who has the key."""

    def __init__(self, app, client, fake, rng):
        self.client = client
        self.fake = fake
        self.key = fake.token(20)
        self.host = f"{fake.word()}-{fake.token(6).lower()}.example"
        self.neighbours = [
            f"https://{self.host}",
            f"http://localhost:{rng.randrange(3000, 9000)}",
            f"https://{fake.word()}-{fake.token(6).lower()}.example:{rng.randrange(9000, 9999)}",
        ]
        rng.shuffle(self.neighbours)
        app.start(env={"ALLOWED_ORIGINS": ", ".join(self.neighbours), "HOUSE_KEY": self.key})
        client.set_cookie("key", self.key)

    def product(self):
        """A product to send."""
        return {"name": self.fake.title(), "price_cents": self.fake.price_cents()}

    def add(self):
        """Add a product, and give it."""
        reply = self.client.post("/products", json=self.product())
        assert reply.status_code == 201
        return reply.json()

    def from_origin(self, origin, method="GET", path="/products", **options):
        """Ask as a page of this origin does."""
        return self.client.request(method, path, headers={"Origin": origin}, **options)

    def preflight(self, origin, method, path, *, by=None):
        """Send what a browser sends before the request itself: no cookies, and what it is about to do."""
        headers = {
            "Origin": origin,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "content-type",
        }
        return (by or self.client.another()).options(path, headers=headers)


@pytest.fixture
def house(app, client, fake, rng):
    """The server, started with three neighbours on its list."""
    return House(app, client, fake, rng)


def names(reply, header):
    """The names in a header that lists some, in small letters."""
    return {name.strip().lower() for value in reply.headers.get_all(header) for name in value.split(",")}


@pytest.mark.task("listed", points=3)
def test_a_listed_origin_may_read(house):
    """A page of each listed origin may read the answer: the header has exactly its origin."""
    product = house.add()

    for origin in house.neighbours:
        reply = house.from_origin(origin)
        assert reply.status_code == 200
        assert reply.json() == [product]
        assert reply.headers.get_all(ALLOW_ORIGIN) == [origin]


@pytest.mark.task("listed", points=2)
def test_cookies_may_come_along(house):
    """Cookies may come along: the answer to a listed origin says so, and never says `*`."""
    for method, sent in (("GET", None), ("POST", house.product())):
        for origin in house.neighbours:
            reply = house.from_origin(origin, method, **({"json": sent} if sent else {}))
            assert reply.headers.get(ALLOW_CREDENTIALS) == "true"
            assert reply.headers.get(ALLOW_ORIGIN) == origin


@pytest.mark.task("strangers", points=2)
def test_an_unlisted_origin_may_not(house):
    """A page of an origin that isn't listed gets the answer without such a header."""
    product = house.add()

    for origin in (f"https://{house.fake.slug()}.example", "http://localhost:2999", "null"):
        reply = house.from_origin(origin)
        assert reply.status_code == 200
        assert reply.json() == [product]
        assert reply.headers.get(ALLOW_ORIGIN) is None
    assert house.from_origin(house.neighbours[0]).headers.get(ALLOW_ORIGIN) == house.neighbours[0]


@pytest.mark.task("strangers", points=2)
def test_an_origin_that_looks_like_a_listed_one(house):
    """An origin that only looks like a listed one is not taken for it."""
    listed = f"https://{house.host}"

    for origin in (
        f"{listed}.evil.test",
        f"https://evil-{house.host}",
        f"https://www.{house.host}",
        f"http://{house.host}",
        f"{listed}:8443",
        listed[:-1],
        "https:",
        ", ".join(house.neighbours),
    ):
        assert house.from_origin(origin).headers.get(ALLOW_ORIGIN) is None
    assert house.from_origin(listed).headers.get(ALLOW_ORIGIN) == listed


@pytest.mark.task("strangers", points=1)
def test_the_list_comes_from_outside(app, house):
    """Who may read is what stands in `ALLOWED_ORIGINS` when the server starts, and without it nobody may."""
    old, new = house.neighbours[0], f"https://{house.fake.slug()}.example"

    app.restart(env={"ALLOWED_ORIGINS": new, "HOUSE_KEY": house.key})
    assert house.from_origin(new).headers.get(ALLOW_ORIGIN) == new
    assert house.from_origin(old).headers.get(ALLOW_ORIGIN) is None

    app.restart(env={"ALLOWED_ORIGINS": None, "HOUSE_KEY": house.key})
    for origin in (old, new):
        assert house.from_origin(origin).headers.get(ALLOW_ORIGIN) is None


@pytest.mark.task("preflight", points=2)
def test_a_preflight_is_answered(house):
    """A preflight of a listed origin is answered 2xx, with the methods that the address takes, and `Content-Type`."""
    for origin in house.neighbours[:2]:
        reply = house.preflight(origin, "POST", "/products")
        assert reply.status_code // 100 == 2
        assert reply.headers.get_all(ALLOW_ORIGIN) == [origin]
        assert reply.headers.get(ALLOW_CREDENTIALS) == "true"
        assert names(reply, "Access-Control-Allow-Methods") >= {"get", "post"}
        assert "content-type" in names(reply, "Access-Control-Allow-Headers")


@pytest.mark.task("preflight", points=3)
def test_a_preflight_needs_no_key(house):
    """A preflight needs no key, also where there is an id in the address; the request after it does."""
    product = house.add()
    path = f"/products/{product['id']}"
    origin = house.neighbours[1]
    keyless = house.client.another()

    reply = house.preflight(origin, "PUT", path, by=keyless)
    assert reply.status_code // 100 == 2
    assert reply.headers.get(ALLOW_ORIGIN) == origin
    assert names(reply, "Access-Control-Allow-Methods") >= {"get", "put"}

    assert keyless.put(path, json=house.product(), headers={"Origin": origin}).status_code == 401
    assert house.client.get(path).json() == product
    changed = house.product()
    assert house.from_origin(origin, "PUT", path, json=changed).json() == {"id": product["id"], **changed}


@pytest.mark.task("preflight", points=1)
def test_a_preflight_of_a_stranger(house):
    """A preflight of an origin that isn't listed gets no leave; that of a listed one does."""
    stranger = f"https://{house.fake.slug()}.example"

    assert house.preflight(stranger, "POST", "/products").headers.get(ALLOW_ORIGIN) is None
    reply = house.preflight(house.neighbours[0], "POST", "/products")
    assert reply.headers.get(ALLOW_ORIGIN) == house.neighbours[0]


@pytest.mark.task("every-answer", points=3)
def test_errors_can_be_read_too(house, rng):
    """Errors can be read by a listed origin too: 401, 404, 405 and 422 have the same headers."""
    origin = house.neighbours[2]
    keyless = house.client.another()

    for reply, status in (
        (keyless.get("/products", headers={"Origin": origin}), 401),
        (house.from_origin(origin, path=f"/products/{rng.randrange(50, 999)}"), 404),
        (house.from_origin(origin, path=f"/{house.fake.slug()}"), 404),
        (house.from_origin(origin, "DELETE"), 405),
        (house.from_origin(origin, "POST", json={"name": ""}), 422),
    ):
        assert reply.status_code == status
        assert reply.headers.get_all(ALLOW_ORIGIN) == [origin]
        assert reply.headers.get(ALLOW_CREDENTIALS) == "true"


@pytest.mark.task("every-answer", points=2)
def test_every_answer_varies(house, rng):
    """Every answer has `Origin` in its header `Vary`: to a listed origin, to another one, and where there is none."""
    missing = f"/products/{rng.randrange(50, 999)}"

    for reply in (
        house.from_origin(house.neighbours[0]),
        house.from_origin(f"https://{house.fake.slug()}.example"),
        house.client.get("/products"),
        house.client.get(missing),
        house.preflight(house.neighbours[1], "POST", "/products"),
    ):
        assert "origin" in names(reply, "Vary")


@pytest.mark.task("every-answer", points=2)
def test_pages_of_the_house_notice_nothing(house, rng):
    """A request without an `Origin` is answered as before, without a header that begins with `Access-Control`."""
    listed = house.from_origin(house.neighbours[0])
    sent = house.product()
    added = house.client.post("/products", json=sent)
    product = {"id": added.json()["id"], **sent}

    assert listed.headers.get(ALLOW_ORIGIN) == house.neighbours[0]
    assert (added.status_code, added.json()) == (201, product)
    for reply, status, body in (
        (house.client.get("/products"), 200, [product]),
        (house.client.get(f"/products/{product['id']}"), 200, product),
    ):
        assert (reply.status_code, reply.json()) == (status, body)
    missing = house.client.get(f"/products/{rng.randrange(50, 999)}")
    refused = house.client.another().get("/products")
    assert (missing.status_code, refused.status_code) == (404, 401)
    for reply in (added, missing, refused, house.client.get("/products")):
        assert [name for name, _ in reply.headers.pairs if name.lower().startswith("access-control")] == []
