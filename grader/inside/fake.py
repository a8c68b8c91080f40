"""Seeded data for hidden tests: people, books, dishes, numbers. The same seed gives the same data."""

from __future__ import annotations

import datetime
import random
import string
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")

_FIRST = (
    "Amina Anouk Aiko Arjun Béatrice Bruno Chinwe Citlali Dmitri Elif Emeka Esperanza Farid Fatoumata Freya Giulia Haruto "
    "Hye-jin Ines Ivana Jamal João Kwame Lakshmi Leilani Linh Mahmoud Małgorzata Mateo Mei Ngozi Noor Olena Oisín Paulo "
    "Priya Quỳnh Rafael Rania Saoirse Sanjay Siobhán Søren Tariq Thandiwe Tomáš Uyen Wanjiru Ximena Yusuf Zanele Zoë"
).split()
_LAST = (
    "Achebe Andersen Bianchi Castillo Chowdhury Dlamini Đặng Eriksson Fernández Fofana Gupta Haddad Hernández Ivanova "
    "Johansson Kamau Kaplan Kim Kovač Łukasik Mäkinen Mbeki Moreau Müller Nakamura Nguyễn Nowak O'Brien Okafor Oliveira Öztürk "
    "Pereira Petrov Rahman Rossi Sørensen Santos Silva Suzuki Tanaka Traoré Tshabalala Vasquez Wang Yamamoto Zhang"
).split()
_NOUNS = (
    "anchor apple autumn bamboo basket beacon bridge candle canyon castle cedar comet compass copper coral cotton desert dragon "
    "ember falcon feather forest garden glacier harbour hazel island ivory jasmine kettle lantern lemon lichen maple marble "
    "meadow mirror monsoon mountain nectar oasis orchid otter paper pebble pepper pigeon planet plum quartz rain river saffron "
    "salt sandal shadow silver spruce stone sugar summer tailor thistle thunder tiger timber tulip valley velvet violin walnut "
    "water willow window winter"
).split()
_ADJECTIVES = (
    "amber ancient bitter blue bright broken calm clever cold curious distant early empty faithful gentle golden green hidden "
    "honest humble late little lonely long lost lucky narrow open patient plain proud quiet red restless round silent simple "
    "slow small soft stubborn tall tender warm wandering white wild young"
).split()
_DISH_NAMES = [
    "Bibimbap", "Borscht", "Bouillabaisse", "Bún chả", "Ceviche", "Couscous", "Dal makhani", "Empanadas", "Falafel", "Feijoada",
    "Gazpacho", "Goulash", "Gyoza", "Injera", "Jollof rice", "Kimchi stew", "Laksa", "Lahmacun", "Mapo tofu", "Massaman curry",
    "Moussaka", "Okonomiyaki", "Paella", "Phở", "Pierogi", "Poutine", "Ramen", "Ratatouille", "Risotto", "Rösti", "Shakshuka",
    "Sushi", "Tabbouleh", "Tagine", "Tamales", "Tteokbokki", "Waakye", "Yassa",
]  # fmt: skip
_CITIES = (
    "Accra Almaty Antwerp Bogotá Busan Cusco Dakar Dhaka Essaouira Gdańsk Hanoi Ibadan İzmir Jaipur Kigali Kraków Lagos Lima "
    "Malmö Medellín Mombasa Nairobi Oaxaca Osaka Porto Québec Reykjavík Salvador Tallinn Tbilisi Valparaíso Zürich"
).split()


class Fake:
    """A source of made-up data. What `unique` values were given once are not given again."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._given: set[str] = set()

    def _once(self, make: Callable[[], str]) -> str:
        for _ in range(1000):
            value = make()
            if value not in self._given:
                self._given.add(value)
                return value
        return f"{value} {self.token(4)}"

    def first(self) -> str:
        """Give a first name."""
        return self._rng.choice(_FIRST)

    def last(self) -> str:
        """Give a family name."""
        return self._rng.choice(_LAST)

    def name(self) -> str:
        """Give a person's whole name; no two are equal."""
        return self._once(lambda: f"{self.first()} {self.last()}")

    def word(self) -> str:
        """Give a plain English noun in lower case."""
        return self._rng.choice(_NOUNS)

    def words(self, count: int) -> str:
        """Give that many words, with a space between."""
        return " ".join(self._rng.choice(_NOUNS) for _ in range(count))

    def title(self) -> str:
        """Give a title such as a book has; no two are equal."""
        return self._once(self._title)

    def _title(self) -> str:
        noun, other = self._rng.sample(_NOUNS, 2)
        adjective = self._rng.choice(_ADJECTIVES)
        patterns = (
            f"The {adjective.title()} {noun.title()}",
            f"{noun.title()} and {other.title()}",
            f"A {adjective.title()} {noun.title()} of {other.title()}",
            f"The {noun.title()}'s {other.title()}",
        )
        return self._rng.choice(patterns)

    def sentence(self) -> str:
        """Give a sentence of a few words; no two are equal."""
        return self._once(
            lambda: (
                f"The {self._rng.choice(_ADJECTIVES)} {self.word()} met a {self._rng.choice(_ADJECTIVES)} {self.word()}."
            )
        )

    def email(self) -> str:
        """Give an address under a name that is reserved for examples; no two are equal."""
        return self._once(lambda: f"{self.word()}.{self.word()}{self._rng.randint(10, 9999)}@example.org")

    def password(self) -> str:
        """Give a password of three words and a number."""
        return f"{self.word()}-{self.word()}-{self.word()}-{self._rng.randint(100, 999)}"

    def member(self) -> dict[str, str]:
        """Give a new member: `name`, `email`, `password`."""
        return {"name": self.name(), "email": self.email(), "password": self.password()}

    def isbn(self) -> str:
        """Give an ISBN-13 with a right check digit; no two are equal."""

        def make() -> str:
            digits = "978" + "".join(self._rng.choice(string.digits) for _ in range(9))
            total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
            return digits + str(-total % 10)

        return self._once(make)

    def dish(self) -> str:
        """Give the name of a dish; no two are equal until all were given."""
        return self._once(lambda: self._rng.choice(_DISH_NAMES))

    def city(self) -> str:
        """Give the name of a city."""
        return self._rng.choice(_CITIES)

    def slug(self) -> str:
        """Give two words joined by a hyphen and a number; no two are equal."""
        return self._once(lambda: f"{self._rng.choice(_ADJECTIVES)}-{self.word()}-{self._rng.randint(10, 9999)}")

    def token(self, length: int = 16) -> str:
        """Give random letters and digits."""
        return "".join(self._rng.choice(string.ascii_lowercase + string.digits) for _ in range(length))

    def integer(self, low: int, high: int) -> int:
        """Give a whole number from `low` to `high`, both included."""
        return self._rng.randint(low, high)

    def price_cents(self) -> int:
        """Give a price in cents, from 100 to 9,999."""
        return self._rng.randint(100, 9999)

    def year(self) -> int:
        """Give a year from 1900 to 2025."""
        return self._rng.randint(1900, 2025)

    def date(self) -> datetime.date:
        """Give a date from 2000 to 2025."""
        return datetime.date(2000, 1, 1) + datetime.timedelta(days=self._rng.randint(0, 9496))

    def ids(self, count: int, low: int = 10, high: int = 9999) -> list[int]:
        """Give that many different numbers, not in order and with gaps."""
        return self._rng.sample(range(low, high + 1), count)

    def choice(self, options: Sequence[T]) -> T:
        """Give one of the options."""
        return self._rng.choice(options)

    def sample(self, options: Sequence[T], count: int) -> list[T]:
        """Give that many of the options, none twice."""
        return self._rng.sample(list(options), count)
