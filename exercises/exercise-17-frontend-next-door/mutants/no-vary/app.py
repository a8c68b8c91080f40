"""The shop's products, for those who have the key of the house."""

import hmac
import os

from errors import error
from flask import Flask, request


def allowed_origins():
    """Give the origins in ALLOWED_ORIGINS, which are separated by commas."""
    return [origin.strip() for origin in os.environ.get("ALLOWED_ORIGINS", "").split(",") if origin.strip()]


def is_product(payload):
    """Say whether a payload has a name and a price, as a product needs them."""
    if not isinstance(payload, dict) or not isinstance(payload.get("name"), str):
        return False
    return payload["name"] != "" and type(payload.get("price_cents")) is int and payload["price_cents"] > 0


def create_app():
    """Build the app, with the settings from the environment."""
    app = Flask(__name__)
    allowed = allowed_origins()
    house_key = os.environ.get("HOUSE_KEY", "brass")
    products = {}

    @app.before_request
    def ask_for_the_key():
        if request.method == "OPTIONS":
            return None
        if not hmac.compare_digest(request.cookies.get("key", "").encode(), house_key.encode()):
            return error(401, "no_key", "Show the key of the house, in the cookie `key`.")
        return None

    @app.after_request
    def allow_the_neighbours(response):
        origin = request.headers.get("Origin")
        if origin in allowed:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Allow-Credentials"] = "true"
            if request.method == "OPTIONS":
                response.headers["Access-Control-Allow-Methods"] = ", ".join(response.allow)
                response.headers["Access-Control-Allow-Headers"] = "Content-Type"
        return response

    @app.get("/products")
    def list_products():
        return list(products.values())

    @app.post("/products")
    def add_product():
        payload = request.get_json()
        if not is_product(payload):
            return error(422, "invalid_fields", "A product has a name, and a price in whole cents.")
        product = {"id": len(products) + 1, "name": payload["name"], "price_cents": payload["price_cents"]}
        products[product["id"]] = product
        return product, 201

    @app.get("/products/<int:product_id>")
    def get_product(product_id):
        if product_id not in products:
            return error(404, "product_not_found", "There is no such product.")
        return products[product_id]

    @app.put("/products/<int:product_id>")
    def replace_product(product_id):
        payload = request.get_json()
        if product_id not in products:
            return error(404, "product_not_found", "There is no such product.")
        if not is_product(payload):
            return error(422, "invalid_fields", "A product has a name, and a price in whole cents.")
        products[product_id] |= {"name": payload["name"], "price_cents": payload["price_cents"]}
        return products[product_id]

    return app
