"""The dishes of a restaurant, kept in memory. This app is right; it is here to be tested."""

from itertools import count

from flask import Flask, request


def problem_with(payload, *, needs_all):
    """Say what is wrong with the fields of a dish, or give None."""
    if not isinstance(payload, dict):
        return "a dish is a JSON object"
    if needs_all or "name" in payload:
        name = payload.get("name")
        if not isinstance(name, str) or not name.strip():
            return "name is missing"
    if needs_all or "price_cents" in payload:
        price = payload.get("price_cents")
        if not isinstance(price, int) or isinstance(price, bool) or price < 1:
            return "price_cents is a whole number from 1 on"
    if not isinstance(payload.get("note"), str | None):
        return "note is a text or null"
    return None


def create_app():
    """Build the app."""
    app = Flask(__name__)
    dishes = {}
    ids = count(1)

    @app.get("/dishes")
    def list_dishes():
        most = request.args.get("max_price", type=int)
        return [dish for dish in dishes.values() if most is None or dish["price_cents"] <= most]

    @app.post("/dishes")
    def add_dish():
        payload = request.get_json(silent=True)
        problem = problem_with(payload, needs_all=True)
        if problem:
            return {"error": problem}, 400
        dish = {"id": next(ids), "name": payload["name"], "price_cents": payload["price_cents"]}
        dish["note"] = payload.get("note")
        dishes[dish["id"]] = dish
        return dish, 201

    @app.get("/dishes/<int:dish_id>")
    def get_dish(dish_id):
        dish = dishes.get(dish_id)
        return dish or ({"error": "dish not found"}, 404)

    @app.patch("/dishes/<int:dish_id>")
    def change_dish(dish_id):
        dish = dishes.get(dish_id)
        if dish is None:
            return {"error": "dish not found"}, 404
        payload = request.get_json(silent=True)
        problem = problem_with(payload, needs_all=False)
        if problem:
            return {"error": problem}, 400
        dish.update({name: payload[name] for name in ("name", "price_cents", "note") if name in payload})
        return dish

    @app.delete("/dishes/<int:dish_id>")
    def delete_dish(dish_id):
        if dishes.pop(dish_id, None) is None:
            return {"error": "dish not found"}, 404
        return "", 204

    return app
