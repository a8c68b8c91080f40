"""The rules of three colleagues, in one language. The originals are in `rules/`."""


def sign_of(number):
    """Give -1 below zero, else 1."""
    return -1 if number < 0 else 1


def late_fee(days):
    """The late fee in øre, as `rules/late-fee.js` has it."""
    weeks, rest = divmod(abs(days), 7)
    fee = sign_of(days) * (weeks * 90 + rest * 15)
    return min(fee + 100 if days > 14 else fee, 3000)


def instalments(cents, percent, parts):
    """What is due, one part of it, and what the parts leave over, as `rules/Instalments.java` has it."""
    sign = sign_of(cents)
    # Half up, without a fraction: add half of the divisor, then cut.
    due = (abs(cents) * (100 - percent) + 50) // 100
    one, left = divmod(due, parts)
    return sign * due, sign * one, sign * left


def username(name):
    """The name for the computers, as `rules/username.php` has it."""
    name = ".".join(name.strip(" ").lower().split(" "))
    return name[:8] + str(len(name)) if name not in ("", "0") else "guest"
