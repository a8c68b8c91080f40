"""The kitchen's menu: one dish at a time."""

from flask import Flask

# The menu: the number of a dish -> the dish.
DISHES = {
    12: {"id": 12, "name": "Chana masala", "price_cents": 950, "vegetarian": True},
    35: {"id": 35, "name": "Bacalhau à Brás", "price_cents": 1390, "vegetarian": False},
    61: {"id": 61, "name": "Injera with lentils", "price_cents": 1120, "vegetarian": True},
}


def create_app(config=None):
    """Build the app; another menu may come in as config["DISHES"]."""
    app = Flask(__name__)
    app.config["DISHES"] = DISHES
    app.config.update(config or {})

    @app.get("/dishes/<int:dish_id>")
    def one_dish(dish_id):
        dish = DISHES.get(dish_id)
        if dish is None:
            return {"error": "dish not found"}, 404
        return dish

    return app
