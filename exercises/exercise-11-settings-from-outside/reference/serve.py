"""Open two kitchens in one process: the main one at `/`, a branch at `/branch/`."""

import os

import waitress
from app import create_app
from config import load_settings
from werkzeug.middleware.dispatcher import DispatcherMiddleware


def environ_of_branch(environ):
    """Give the environment of the branch: there, BRANCH_GREETING wins over GREETING, and so on."""
    own = {name.removeprefix("BRANCH_"): value for name, value in environ.items() if name.startswith("BRANCH_")}
    return {**environ, **own}


if __name__ == "__main__":
    settings = load_settings(os.environ)
    kitchens = DispatcherMiddleware(create_app(os.environ), {"/branch": create_app(environ_of_branch(os.environ))})
    waitress.serve(kitchens, host="127.0.0.1", port=settings["PORT"])
