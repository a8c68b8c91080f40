"""The settings of a kitchen."""


def load_settings(environ):
    """Give the settings for an environment: a mapping from names to texts, such as os.environ."""
    return {
        "DATABASE_URL": environ.get("DATABASE_URL", "sqlite:///kitchen.db"),
        # TODO: take these from the environment as well
        "PORT": 8000,
        "GREETING": "Good day from Ouagadougou!",
        "DEBUG": True,
        "SECRET_KEY": "cash-box",
    }
