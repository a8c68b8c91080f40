"""The settings of a kitchen."""

import sys
from dataclasses import dataclass

ON = {"true", "1"}


@dataclass(frozen=True)
class Settings:
    """What differs from town to town. The names are those of the variables."""

    SECRET_KEY: str
    PORT: int = 8000
    GREETING: str = "Welcome, take a seat!"
    DEBUG: bool = False
    DATABASE_URL: str = "sqlite:///kitchen.db"


def load_settings(environ):
    """Give the settings for an environment: a mapping from names to texts, such as os.environ."""
    given = {name: environ[name] for name in Settings.__dataclass_fields__ if name in environ}
    if "SECRET_KEY" not in given:
        print("error: the kitchen has no SECRET_KEY", file=sys.stderr)
        sys.exit(2)
    if "PORT" in given:
        given["PORT"] = int(given["PORT"])
    given["DEBUG"] = given.get("DEBUG") in ON
    return Settings(**given)
