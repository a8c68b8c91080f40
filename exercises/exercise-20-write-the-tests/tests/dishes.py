"""Right and broken apps of the restaurant's dishes, as WSGI apps that keep everything in memory."""

import itertools
import json
import re

REASONS = {
    200: "OK",
    201: "CREATED",
    204: "NO CONTENT",
    400: "BAD REQUEST",
    404: "NOT FOUND",
    405: "METHOD NOT ALLOWED",
}
FIELDS = ("name", "price_cents", "note")
FLAWS = ("status", "boundary", "wipes", "keeps", "accepts")


class Dishes:
    """The app. `flaws` are what is wrong with it; a `plain` one does what the learner's copy does, where it may differ."""

    def __init__(self, *flaws, ids=(1, 1), is_plain=True):
        self.flaws = set(flaws)
        self.ids = itertools.count(*ids)
        self.is_plain = is_plain
        self.dishes = {}

    def add(self, name, price_cents, note=None):
        """Add a dish; give it."""
        dish = {"id": next(self.ids), "name": name, "price_cents": price_cents, "note": note}
        self.dishes[dish["id"]] = dish
        return dish

    def __call__(self, environ, start_response):
        """Answer as a WSGI app does."""
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        try:
            payload = json.loads(body)
        except ValueError:
            payload = None
        query = dict(pair.partition("=")[::2] for pair in environ.get("QUERY_STRING", "").split("&"))
        status, content = self._answer(environ["REQUEST_METHOD"], environ["PATH_INFO"], query, payload)
        start_response(f"{status} {REASONS[status]}", [("Content-Type", "application/json")])
        return [b"" if status == 204 else self._written(content)]

    def _written(self, content):
        if not self.is_plain:
            if isinstance(content, list):
                content = [dict(reversed(dish.items())) for dish in reversed(content)]
            elif "error" in content:
                content = {"error": f"{content['error'].upper()}!"}
            else:
                content = dict(reversed(content.items()))
        return json.dumps(content, indent=None if self.is_plain else 1).encode()

    def _answer(self, method, path, query, payload):
        one = re.fullmatch(r"/dishes/([0-9]+)", path)
        if path == "/dishes" and method == "GET":
            return 200, self._listed(query.get("max_price", ""))
        if path == "/dishes" and method == "POST":
            return self._added(payload)
        if one is None or int(one[1]) not in self.dishes:
            return 404, {"error": "dish not found"}
        return self._changed(method, self.dishes[int(one[1])], payload)

    def _listed(self, most):
        found = list(self.dishes.values())
        if most.isdecimal():
            limit = int(most) - ("boundary" in self.flaws)
            found = [dish for dish in found if dish["price_cents"] <= limit]
        return found

    def _added(self, payload):
        if "accepts" in self.flaws:
            payload = payload if isinstance(payload, dict) else {}
        elif problem(payload, FIELDS[:2]):
            return 400, {"error": problem(payload, FIELDS[:2])}
        dish = self.add(*(payload.get(name) for name in FIELDS))
        return 200 if "status" in self.flaws else 201, dish

    def _changed(self, method, dish, payload):
        if method == "GET":
            return 200, dish
        if method == "DELETE":
            if "keeps" not in self.flaws:
                del self.dishes[dish["id"]]
            return 204, None
        if method != "PATCH":
            return 405, {"error": "no such method"}
        sent = [name for name in FIELDS[:2] if isinstance(payload, dict) and name in payload]
        if problem(payload, sent):
            return 400, {"error": problem(payload, sent)}
        if "wipes" in self.flaws:
            dish["note"] = None
        dish.update({name: payload[name] for name in FIELDS if name in payload})
        return 200, dish


def problem(payload, names):
    """Say what is wrong with those fields, or give an empty text."""
    if not isinstance(payload, dict):
        return "a dish is an object"
    name, price = payload.get("name"), payload.get("price_cents")
    if "name" in names and (not isinstance(name, str) or not name.strip()):
        return "the name is missing"
    if "price_cents" in names and (type(price) is not int or price < 1):
        return "the price is no whole number from 1 on"
    if not isinstance(payload.get("note"), str | None):
        return "the note is no text"
    return ""
