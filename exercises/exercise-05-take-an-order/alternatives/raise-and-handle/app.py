"""The waiter takes orders to the kitchen."""

from flask import Flask, request
from werkzeug.exceptions import HTTPException


class Refused(Exception):
    """An order that the kitchen can't cook."""


def validate(payload):
    """Return what is wrong with an order, a list of texts; an empty list means that the order is good."""
    wrong = {
        "dish": not isinstance(payload.get("dish"), str) or payload["dish"].isspace() or not payload["dish"],
        "quantity": not isinstance(payload.get("quantity"), int)
        or isinstance(payload["quantity"], bool)
        or payload["quantity"] <= 0,
    }
    return [field for field in wrong if wrong[field]]


def create_app():
    """Build the app, with an empty list of orders of its own."""
    app = Flask(__name__)
    orders = []

    @app.errorhandler(Refused)
    def refused(error):
        return {"error": str(error)}, 400

    @app.errorhandler(HTTPException)
    def failed(error):
        return {"error": error.description}, error.code

    @app.get("/orders")
    def all_orders():
        return orders

    @app.get("/orders/<int:order_id>")
    def one_order(order_id):
        found = [order for order in orders if order["id"] == order_id]
        return (found[0], 200) if found else ({"error": "order not found"}, 404)

    @app.post("/orders")
    def take_order():
        payload = request.get_json()
        if not isinstance(payload, dict):
            raise Refused("an order is a JSON object")
        if fields := validate(payload):
            raise Refused("please look again at: " + " and ".join(fields))
        last = orders[-1]["id"] if orders else 0
        orders.append({"id": last + 1, "dish": payload["dish"], "quantity": payload["quantity"]})
        return orders[-1], 201, {"Location": f"/orders/{last + 1}"}

    return app
