"""The rules of three colleagues, in one language. The originals are in `rules/`."""


def late_fee(days):
    """The late fee in øre, as `rules/late-fee.js` has it."""
    # TODO: translate the JavaScript function
    return 0


def instalments(cents, percent, parts):
    """What is due, one part of it, and what the parts leave over, as `rules/Instalments.java` has it."""
    # TODO: translate the Java method
    return [0, 0, 0]


def username(name):
    """The name for the computers, as `rules/username.php` has it."""
    # TODO: translate the PHP function
    return ""
