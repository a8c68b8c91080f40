"""The settings of a kitchen."""


def is_on(text):
    """Say whether a text means on."""
    return text == "true" or text == "1"


# name -> how it is read, and the text that holds where none was given
TABLE = {
    "PORT": (int, "8000"),
    "GREETING": (str, "Welcome, take a seat!"),
    "DEBUG": (is_on, "false"),
    "DATABASE_URL": (str, "sqlite:///kitchen.db"),
}


def load_settings(environ):
    """Give the settings for an environment: a mapping from names to texts, such as os.environ."""
    settings = {"SECRET_KEY": environ["SECRET_KEY"]}
    for name, (read, default) in TABLE.items():
        settings[name] = read(environ.get(name, default))
    return settings
