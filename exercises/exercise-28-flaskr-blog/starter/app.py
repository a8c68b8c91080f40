"""Where the server begins: it makes the app of the package next door. Nothing is left to do in this file."""

from flaskr import create_app  # noqa: F401
