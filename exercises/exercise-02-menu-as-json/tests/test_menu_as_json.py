"""Hidden tests: the menu in JSON, the given one and others."""

import pytest

# The menu in the starter's app.py, which the README asks to leave as it is.
GIVEN = [
    {"id": 11, "name": "Shakshuka", "price_cents": 890, "vegetarian": True},
    {"id": 14, "name": "Mjölkstuvad potatis", "price_cents": 640, "vegetarian": True},
    {"id": 27, "name": "Caldo verde com chouriço", "price_cents": 720, "vegetarian": False},
    {"id": 52, "name": "Mapo tofu", "price_cents": 1080, "vegetarian": False},
]
NAMES = ["Crème brûlée", "Żurek", "Bánh xèo", "寿司", "Soupe à l'oignon", "Pączki", "Gỏi cuốn", "天ぷら"]


def drawn_menu(fake, rng):
    """Another menu, of four to eight dishes, in no order."""
    return [
        {
            "id": number,
            "name": f"{fake.dish()} {fake.word()}",
            "price_cents": rng.randrange(300, 3000),
            "vegetarian": rng.choice([True, False]),
        }
        for number in fake.ids(rng.randrange(4, 9))
    ]


@pytest.fixture
def menu(fake, rng):
    """Another menu."""
    return drawn_menu(fake, rng)


@pytest.mark.task("menu", points=1)
def test_the_menu_is_answered(client):
    """Asking for `/menu` is answered with status 200, and with something in the answer."""
    reply = client.get("/menu")

    assert reply.status_code == 200
    assert reply.text.strip() != ""


@pytest.mark.task("menu", points=1)
def test_it_says_that_it_is_json(client):
    """The answer says that it is JSON."""
    assert client.get("/menu").content_type == "application/json"


@pytest.mark.task("menu", points=2)
def test_it_is_a_list_of_dishes(client):
    """The answer is a list that has every dish of the given menu, in order."""
    assert client.get("/menu").json() == GIVEN


@pytest.mark.task("menu", points=1)
def test_exactly_four_fields(client, app, menu):
    """Each dish has the fields `id`, `name`, `price_cents` and `vegetarian`, and no others."""
    app.start(config={"MENU": menu})

    found = [(dish["id"], sorted(dish)) for dish in client.get("/menu").json()]

    assert found == [(dish["id"], ["id", "name", "price_cents", "vegetarian"]) for dish in menu]


@pytest.mark.task("menu", points=1)
def test_letters_survive(client, app, menu, fake, rng):
    """Names keep their letters, whether French, Polish, Vietnamese or Japanese."""
    names = [f"{name} {fake.word()}" for name in rng.sample(NAMES, 4)]
    app.start(config={"MENU": [{**dish, "name": name} for dish, name in zip(menu, names, strict=False)]})

    assert [dish["name"] for dish in client.get("/menu").json()] == names


@pytest.mark.task("menu", points=1)
def test_prices_are_numbers_and_vegetarian_is_true_or_false(client, app, menu):
    """A price is a number, and `vegetarian` is true or false."""
    app.start(config={"MENU": menu})

    dishes = client.get("/menu").json()

    assert [dish["price_cents"] for dish in dishes] == [dish["price_cents"] for dish in menu]
    assert [repr(dish["vegetarian"]) for dish in dishes] == [repr(dish["vegetarian"]) for dish in menu]


@pytest.mark.task("menu-in-use", points=2)
def test_another_menu(client, app, fake, rng):
    """The dishes of another menu are answered where another one is in use."""
    first, second = drawn_menu(fake, rng), drawn_menu(fake, rng)

    app.start(config={"MENU": first})
    assert client.get("/menu").json() == first
    app.restart(config={"MENU": second})
    assert client.get("/menu").json() == second


@pytest.mark.task("menu-in-use", points=1)
def test_an_empty_menu(client, app):
    """A menu without dishes is answered with an empty list."""
    app.start(config={"MENU": []})

    assert client.get("/menu").json() == []
