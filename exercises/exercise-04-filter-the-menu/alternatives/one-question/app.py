"""The kitchen's menu, as much of it as a guest wants to see."""

import re

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

        max_price = request.args.get("max_price")
        if max_price is not None and re.fullmatch("[0-9]+", max_price) is None:
            return {"error": "max_price takes digits only"}, 400
        kinds = {"true": [True], "false": [False]}.get(request.args.get("vegetarian"), [True, False])
        most = int(max_price) if max_price else float("inf")

        def is_wanted(dish):
            return dish["vegetarian"] in kinds and dish["price_cents"] <= most

        return [dish for dish in dishes if is_wanted(dish)]

    return app
