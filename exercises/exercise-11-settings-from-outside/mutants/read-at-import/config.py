"""The settings of a kitchen."""

import os

if not os.environ.get("SECRET_KEY"):
    raise SystemExit("SECRET_KEY is missing: set it before you start the kitchen")

SETTINGS = {
    "DATABASE_URL": os.environ.get("DATABASE_URL", "sqlite:///kitchen.db"),
    "PORT": int(os.environ.get("PORT", "8000")),
    "GREETING": os.environ.get("GREETING", "Welcome, take a seat!"),
    "DEBUG": os.environ.get("DEBUG", "") in ("true", "1"),
    "SECRET_KEY": os.environ["SECRET_KEY"],
}


def load_settings(environ):
    """Give the settings for an environment: a mapping from names to texts, such as os.environ."""
    return SETTINGS
