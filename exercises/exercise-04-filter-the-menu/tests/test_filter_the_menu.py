"""Hidden tests: the menu, filtered by what stands in the query string."""

import pytest


@pytest.fixture
def price(rng):
    """The highest price that is asked for: four digits, so that prices of three digits are smaller only as numbers."""
    return rng.randrange(1010, 1990)


@pytest.fixture
def menu(price, fake, rng):
    """A menu with dishes of both kinds at, above and below the price, and none cheaper than 300."""
    prices = [price, price + 1, price - 1, rng.randrange(300, 999), rng.randrange(2000, 9000)]
    dishes = [(cents, vegetarian) for cents in prices for vegetarian in (True, False)]
    while dishes in (sorted(dishes), sorted(dishes, reverse=True)) or dishes[0][0] in (min(prices), max(prices)):
        rng.shuffle(dishes)
    return [
        {
            "id": number,
            "name": f"{fake.dish()} {fake.word()}",
            "price_cents": cents,
            "vegetarian": vegetarian,
        }
        for number, (cents, vegetarian) in zip(fake.ids(len(dishes)), dishes, strict=True)
    ]


@pytest.fixture
def ask(client, app, menu):
    """Ask the app, with the menu in use, for dishes."""
    app.start(config={"MENU": menu})
    return lambda **wishes: client.get("/dishes", params=wishes)


@pytest.mark.task("vegetarian", points=1)
def test_everything_without_filters(ask, menu):
    """Without parameters every dish is answered, in the order of the menu."""
    reply = ask()

    assert reply.status_code == 200
    assert reply.json() == menu


@pytest.mark.task("vegetarian", points=1)
def test_only_vegetarian(ask, menu):
    """With `vegetarian=true` the vegetarian dishes are answered, in the order of the menu."""
    assert ask(vegetarian="true").json() == [dish for dish in menu if dish["vegetarian"]]


@pytest.mark.task("vegetarian", points=2)
def test_only_the_others(ask, menu):
    """With `vegetarian=false` the other dishes are answered, in the order of the menu."""
    assert ask(vegetarian="false").json() == [dish for dish in menu if not dish["vegetarian"]]


@pytest.mark.task("max-price", points=2)
def test_the_highest_price_is_included(ask, menu, price):
    """A dish that costs exactly `max_price` is answered, and one that costs a cent more is not."""
    assert ask(max_price=price).json() == [dish for dish in menu if dish["price_cents"] <= price]


@pytest.mark.task("max-price", points=2)
def test_a_price_is_compared_as_a_number(ask, menu):
    """Prices are compared as numbers: a price of three digits is less than one of four."""
    assert ask(max_price=1000).json() == [dish for dish in menu if dish["price_cents"] < 1000]


@pytest.mark.task("max-price", points=1)
def test_no_match_is_an_empty_list(ask, menu, rng):
    """Where no dish is cheap enough, the answer is an empty list and status 200."""
    reply = ask(max_price=rng.randrange(100, 300))

    assert reply.status_code == 200
    assert reply.json() == []


@pytest.mark.task("both", points=3)
def test_both_filters_hold(ask, menu, price):
    """With both parameters, each dish that is answered fits both."""
    for word, vegetarian in (("true", True), ("false", False)):
        wanted = [dish for dish in menu if dish["vegetarian"] is vegetarian and dish["price_cents"] <= price]
        assert ask(vegetarian=word, max_price=price).json() == wanted


@pytest.mark.task("no-number", points=2)
def test_no_number_is_refused(ask, menu, fake):
    """A word in place of the price is answered 400, and the next guest gets the whole menu."""
    assert ask(max_price=fake.word()).status_code == 400
    assert ask().json() == menu


@pytest.mark.task("no-number", points=1)
def test_the_refusal_names_the_parameter(ask, fake):
    """The refusal is JSON, with an error that names `max_price`."""
    reply = ask(max_price=fake.word())

    assert reply.status_code == 400
    assert reply.content_type == "application/json"
    assert "max_price" in reply.json()["error"]
