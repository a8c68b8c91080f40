"""Hidden tests: one dish by its number, and the answer for a dish that is missing."""

import pytest

# The menu in the starter's app.py, which the README asks to leave as it is.
GIVEN = [
    {"id": 12, "name": "Chana masala", "price_cents": 950, "vegetarian": True},
    {"id": 35, "name": "Bacalhau à Brás", "price_cents": 1390, "vegetarian": False},
    {"id": 61, "name": "Injera with lentils", "price_cents": 1120, "vegetarian": True},
]


@pytest.fixture
def menu(fake, rng):
    """Another menu: seven dishes whose numbers have gaps, by number; beyond 100, so none is a place in a list."""
    return {
        number: {
            "id": number,
            "name": f"{fake.dish()} {fake.word()}",
            "price_cents": rng.randrange(300, 3000),
            "vegetarian": rng.choice([True, False]),
        }
        for number in fake.ids(7, 100, 9000)
    }


def unknown(menu, rng):
    """A number between 100 and 9000 that is on neither menu."""
    return rng.choice([number for number in range(100, 9000) if number not in menu])


@pytest.mark.task("known-dish", points=2)
def test_a_known_dish_is_found(client, app, menu, rng):
    """A dish on the menu is answered 200, with everything that the menu says about it."""
    app.start(config={"DISHES": menu})
    number = rng.choice(list(menu))

    reply = client.get(f"/dishes/{number}")

    assert reply.status_code == 200
    assert reply.json() == menu[number]


@pytest.mark.task("known-dish", points=2)
def test_every_dish_can_be_fetched(client, app, menu):
    """Every dish can be fetched by its number, from the given menu and from another one."""
    for dish in GIVEN:
        assert client.get(f"/dishes/{dish['id']}").json() == dish

    app.restart(config={"DISHES": menu})
    for number, dish in menu.items():
        assert client.get(f"/dishes/{number}").json() == dish


@pytest.mark.task("known-dish", points=1)
def test_looking_changes_nothing(client, app, menu):
    """Looking at the dishes changes nothing: whoever looks a second time finds the same."""
    app.start(config={"DISHES": menu})

    for _ in range(2):
        for number, dish in menu.items():
            assert client.get(f"/dishes/{number}").json() == dish


@pytest.mark.task("missing-dish", points=2)
def test_an_unknown_dish_is_missing(client, app, menu, rng):
    """A number that is not on the menu is answered 404, and one that is on it still 200."""
    app.start(config={"DISHES": menu})

    assert client.get(f"/dishes/{unknown(menu, rng)}").status_code == 404
    known = rng.choice(list(menu))
    assert client.get(f"/dishes/{known}").json() == menu[known]


@pytest.mark.task("missing-dish", points=1)
def test_a_missing_dish_is_said_in_json(client, app, menu, rng):
    """The answer for a missing dish is JSON that says `dish not found`, and 404."""
    app.start(config={"DISHES": menu})

    reply = client.get(f"/dishes/{unknown(menu, rng)}")

    assert reply.status_code == 404
    assert reply.content_type == "application/json"
    assert reply.json() == {"error": "dish not found"}


@pytest.mark.task("missing-dish", points=1)
def test_a_word_is_missing(client, app, menu, fake, rng):
    """A word in place of the number is answered 404, and the next real dish is still served."""
    app.start(config={"DISHES": menu})

    assert client.get(f"/dishes/{fake.slug()}").status_code == 404
    known = rng.choice(list(menu))
    assert client.get(f"/dishes/{known}").json() == menu[known]


@pytest.mark.task("missing-dish", points=1)
def test_zero_and_a_huge_number_are_missing(client, app, menu, rng):
    """Zero and a very large number are answered 404, and the next real dish is still served."""
    app.start(config={"DISHES": menu})

    assert client.get("/dishes/0").status_code == 404
    assert client.get(f"/dishes/{10 ** 30 + rng.randrange(10 ** 9)}").status_code == 404
    known = rng.choice(list(menu))
    assert client.get(f"/dishes/{known}").json() == menu[known]
