"""The clinic's server."""

import os
from functools import wraps

from door import hash_password, issue_token, require_token
from errors import error
from flask import Flask, abort, current_app, g, request
from store import Store, now
from werkzeug.security import check_password_hash

USER_FIELDS = ["id", "name", "email", "role"]
VISIT_FIELDS = {
    "patient": ["id", "name", "appointment"],
    "doctor": ["id", "name", "appointment", "diagnosis", "treatment", "internal_note"],
    "admin": ["id", "name", "appointment", "insurance_no"],
}


def shown(row, fields):
    """Return of a row what may be seen."""
    return {field: row[field] for field in fields}


def allowed(body, *fields):
    """Return of a body what may be set."""
    return {field: body[field] for field in fields if field in body}


def refuse():
    """Write down who tried what, and answer 403."""
    action = f"{request.method} {request.path}"
    current_app.extensions["store"].add("audit", user_id=g.user["id"], action=action, at=now())
    abort(403)


def require_admin(view):
    """Let a view run only for an admin with a right token."""

    @wraps(view)
    def guarded(*args, **kwargs):
        if g.user["role"] != "admin":
            refuse()
        return view(*args, **kwargs)

    return require_token(guarded)


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

    @app.post("/register")
    def register():
        body = request.get_json()
        password_hash = hash_password(body["password"])
        user = store.add("users", **allowed(body, "name", "email"), password_hash=password_hash, role="patient")
        return shown(user, USER_FIELDS), 201

    @app.get("/me")
    @require_token
    def show_me():
        return shown(g.user, USER_FIELDS)

    @app.patch("/me")
    @require_token
    def change_me():
        user = store.change("users", g.user["id"], **allowed(request.get_json(), "name", "email"))
        return shown(user, USER_FIELDS)

    @app.get("/visits/<int:visit_id>")
    @require_token
    def show_visit(visit_id):
        visit = store.find("visits", id=visit_id) or abort(404)
        role = g.user["role"]
        if role == "doctor" and visit["doctor_id"] != g.user["id"]:
            refuse()
        return shown(visit, VISIT_FIELDS[role])

    @app.get("/admin/users")
    @require_admin
    def list_users():
        return {"items": [shown(user, USER_FIELDS) for user in store.rows("users")]}

    @app.post("/admin/users")
    @require_admin
    def add_user():
        body = request.get_json()
        password_hash = hash_password(body["password"])
        user = store.add("users", **allowed(body, "name", "email", "role"), password_hash=password_hash)
        return shown(user, USER_FIELDS), 201

    @app.put("/admin/users/<int:user_id>")
    @require_admin
    def replace_user(user_id):
        store.find("users", id=user_id) or abort(404)
        user = store.change("users", user_id, **allowed(request.get_json(), "name", "email", "role"))
        return shown(user, USER_FIELDS)

    @app.delete("/admin/users/<int:user_id>")
    @require_admin
    def delete_user(user_id):
        store.find("users", id=user_id) or abort(404)
        store.remove("users", user_id)
        return "", 204

    return app
