"""The kitchen's menu, for programs to read."""

from flask import Flask

# The menu, dish by dish.
MENU = [
    {"id": 11, "name": "Shakshuka", "price_cents": 890, "vegetarian": True},
    {"id": 14, "name": "Mjölkstuvad potatis", "price_cents": 640, "vegetarian": True},
    {"id": 27, "name": "Caldo verde com chouriço", "price_cents": 720, "vegetarian": False},
    {"id": 52, "name": "Mapo tofu", "price_cents": 1080, "vegetarian": False},
]


def create_app(config=None):
    """Build the app; another menu may come in as config["MENU"]."""
    app = Flask(__name__)
    app.config["MENU"] = MENU
    app.config.update(config or {})

    @app.get("/menu")
    def menu_as_json():
        menu = app.config["MENU"]  # the menu in use, always take it from here
        return str(menu)

    return app
