"""The kitchen's menu, as much of it as a guest wants to see."""

from flask import Flask, request

# The menu, dish by dish.
MENU = [
    {"id": 18, "name": "Pão de queijo", "price_cents": 380, "vegetarian": True},
    {"id": 23, "name": "Bún bò Huế", "price_cents": 1250, "vegetarian": False},
    {"id": 40, "name": "Okra stew", "price_cents": 910, "vegetarian": True},
    {"id": 57, "name": "Arroz con pollo", "price_cents": 1040, "vegetarian": False},
]


def create_app(config=None):
    """Build the app; another menu may come in as config["MENU"]."""
    app = Flask(__name__)
    app.config["MENU"] = MENU
    app.config.update(config or {})

    @app.get("/dishes")
    def list_dishes():
        dishes = app.config["MENU"]  # the menu in use, always take it from here
        # TODO: look into request.args, and keep the dishes that are wanted
        return dishes

    return app
