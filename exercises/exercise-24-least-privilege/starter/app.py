"""The clinic's server."""

import os

from door import hash_password, issue_token, require_token
from errors import error
from flask import Flask, abort, g, request
from store import Store, now
from werkzeug.security import check_password_hash


def create_app():
    """Build the app on the database that DATABASE_URL names."""
    app = Flask(__name__)
    store = app.extensions["store"] = Store(os.environ.get("DATABASE_URL", "sqlite:///clinic.db"))
    if "DATABASE_URL" not in os.environ:
        store.add_samples()

    @app.errorhandler(403)
    def forbidden(problem):
        return error(403, "forbidden", "This isn't for you.")

    @app.errorhandler(404)
    def not_found(problem):
        return error(404, "not_found", "There is nothing here.")

    @app.post("/login")
    def login():
        body = request.get_json()
        user = store.find("users", email=body["email"])
        if user is None or not check_password_hash(user["password_hash"], body["password"]):
            return error(401, "wrong_login", "The e-mail address or the password is wrong.")
        return {"token": issue_token(user["id"])}

    # TODO: everybody sees every column, may set every column, and may do everything

    @app.post("/register")
    def register():
        body = request.get_json()
        body["password_hash"] = hash_password(body.pop("password"))
        user = store.add("users", **{"role": "patient", **body})
        return user, 201

    @app.get("/me")
    @require_token
    def show_me():
        return g.user

    @app.patch("/me")
    @require_token
    def change_me():
        return store.change("users", g.user["id"], **request.get_json())

    @app.get("/visits/<int:visit_id>")
    @require_token
    def show_visit(visit_id):
        visit = store.find("visits", id=visit_id) or abort(404)
        return visit

    @app.get("/admin/users")
    @require_token
    def list_users():
        return {"items": store.rows("users")}

    @app.post("/admin/users")
    @require_token
    def add_user():
        body = request.get_json()
        body["password_hash"] = hash_password(body.pop("password"))
        return store.add("users", **body), 201

    @app.put("/admin/users/<int:user_id>")
    @require_token
    def replace_user(user_id):
        store.find("users", id=user_id) or abort(404)
        return store.change("users", user_id, **request.get_json())

    @app.delete("/admin/users/<int:user_id>")
    @require_token
    def delete_user(user_id):
        store.find("users", id=user_id) or abort(404)
        store.remove("users", user_id)
        return "", 204

    return app
