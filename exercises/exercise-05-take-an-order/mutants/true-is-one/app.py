"""The waiter takes orders to the kitchen."""

from flask import Flask, request


def validate(payload):
    """Return what is wrong with an order, a list of texts; an empty list means that the order is good."""
    if not isinstance(payload, dict):
        return ["an order is a JSON object"]
    problems = []
    dish = payload.get("dish")
    if not isinstance(dish, str) or not dish.strip():
        problems.append("dish must be a text that isn't empty")
    quantity = payload.get("quantity")
    if not isinstance(quantity, int) or quantity < 1:
        problems.append("quantity must be a whole number of 1 or more")
    return problems


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
        payload = request.get_json(silent=True)
        problems = validate(payload)
        if problems:
            return {"error": "; ".join(problems)}, 400
        order = {"id": len(orders) + 1, "dish": payload["dish"], "quantity": payload["quantity"]}
        orders.append(order)
        return order, 201, {"Location": f"/orders/{order['id']}"}

    return app
