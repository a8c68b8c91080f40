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

        vegetarian = request.args.get("vegetarian")
        if vegetarian is not None:
            dishes = [dish for dish in dishes if dish["vegetarian"] == (vegetarian == "true")]

        max_price = request.args.get("max_price")
        if max_price is not None:
            if not max_price.isdecimal():
                return {"error": "max_price must be a whole number of cents"}, 400
            dishes = [dish for dish in dishes if dish["price_cents"] <= int(max_price)]

        return sorted(dishes, key=lambda dish: dish["price_cents"])

    return app
