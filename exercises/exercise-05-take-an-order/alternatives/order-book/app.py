"""The waiter takes orders to the kitchen."""

from itertools import count

from flask import Flask, jsonify, request, url_for


def validate(payload):
    """Return what is wrong with an order, a list of texts; an empty list means that the order is good."""
    if payload is None or type(payload) is not dict:
        return ["send the order as a JSON object"]
    match payload.get("dish"):
        case str() as name if name.strip() != "":
            problems = []
        case _:
            problems = ["dish: a text is needed"]
    match payload.get("quantity"):
        case bool():
            problems.append("quantity: true and false are no numbers")
        case int() as number if number > 0:
            pass
        case _:
            problems.append("quantity: a whole number of at least 1 is needed")
    return problems


def create_app():
    """Build the app, with an empty order book of its own."""
    app = Flask(__name__)
    book = {}
    numbers = count(500)

    @app.get("/orders")
    def all_orders():
        return jsonify(list(book.values()))

    @app.get("/orders/<int:order_id>")
    def one_order(order_id):
        if order_id in book:
            return jsonify(book[order_id])
        return jsonify(error="order not found"), 404

    @app.post("/orders")
    def take_order():
        if not request.is_json:
            return jsonify(error="send JSON"), 415
        payload = request.get_json(silent=True)
        if problems := validate(payload):
            return jsonify(error=", ".join(problems)), 400
        number = next(numbers)
        book[number] = {"dish": payload["dish"], "quantity": payload["quantity"], "id": number}
        answer = jsonify(book[number])
        answer.status_code = 201
        answer.headers["Location"] = url_for("one_order", order_id=number, _external=True)
        return answer

    return app
