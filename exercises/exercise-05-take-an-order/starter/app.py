"""The waiter takes orders to the kitchen."""

from flask import Flask, request


def validate(payload):
    """Return what is wrong with an order, a list of texts; an empty list means that the order is good."""
    # TODO: check the dish and the quantity, and whether this is an order at all
    return []


def create_app():
    """Build the app, with an empty list of orders of its own."""
    app = Flask(__name__)
    orders = []

    @app.get("/orders")
    def all_orders():
        return orders

    @app.get("/orders/<int:order_id>")
    def one_order(order_id):
        for order in orders:
            if order["id"] == order_id:
                return order
        return {"error": "order not found"}, 404

    @app.post("/orders")
    def take_order():
        payload = request.get_json()
        # TODO: refuse a bad order; give a good one a number, keep it, and answer with it
        return {"error": "the waiter can't take orders yet"}, 501

    return app
