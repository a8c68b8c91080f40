"""The rules of three colleagues, in one language. The originals are in `rules/`."""

import math
from decimal import Decimal


def divide(number, by):
    """Divide as JavaScript and Java do: the quotient is cut toward zero, and the rest has the sign of `number`."""
    rest = int(math.fmod(number, by))
    return (number - rest) // by, rest


def late_fee(days):
    """The late fee in øre, as `rules/late-fee.js` has it."""
    weeks, rest = divide(days, 7)
    fee = weeks * 90 + rest * 15
    if days > 14:
        fee += 100
    return min(fee, 3000)


def instalments(cents, percent, parts):
    """What is due, one part of it, and what the parts leave over, as `rules/Instalments.java` has it."""
    exact = Decimal(cents) * (100 - percent) / 100
    due = round(exact)
    return [due, *divide(due, parts)]


def username(name):
    """The name for the computers, as `rules/username.php` has it."""
    name = name.strip().lower()
    # PHP's `empty` holds for "0" too.
    if name in ("", "0"):
        return "guest"
    name = name.replace(" ", ".")
    return f"{name[:8]}{len(name)}"
