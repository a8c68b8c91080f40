"""The settings of a kitchen."""


def load_settings(environ):
    """Give the settings for an environment: a mapping from names to texts, such as os.environ."""
    secret = environ.get("SECRET_KEY")
    if not secret:
        raise SystemExit("SECRET_KEY is missing: set it before you start the kitchen")
    return {
        "DATABASE_URL": environ.get("DATABASE_URL", "sqlite:///kitchen.db"),
        "PORT": int(environ.get("PORT", "8000")),
        "GREETING": environ.get("GREETING", "Welcome, take a seat!"),
        "DEBUG": bool(environ.get("DEBUG")),
        "SECRET_KEY": secret,
    }
