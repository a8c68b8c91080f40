"""The clinic's server."""

import os

from door import hash_password, issue_token, require_token
from errors import error
from flask import Flask, abort, g, request
from store import Store, now
from werkzeug.security import check_password_hash

EVERYBODY = {"patient", "doctor", "admin"}
# Who may use which view. What isn't named here isn't open to anybody, so a new view is closed until somebody thinks of it.
ALLOWED = {
    "show_me": EVERYBODY,
    "change_me": EVERYBODY,
    "show_visit": EVERYBODY,
    "list_users": {"admin"},
    "add_user": {"admin"},
    "replace_user": {"admin"},
    "delete_user": {"admin"},
}
OPEN = {"login", "register"}


def user_view(row):
    """Return of a user what may be seen."""
    return {"id": row["id"], "name": row["name"], "email": row["email"], "role": row["role"]}


def visit_view(row, role):
    """Return of a visit what this role may see."""
    seen = {"id": row["id"], "name": row["name"], "appointment": row["appointment"]}
    if role == "doctor":
        seen |= {name: row[name] for name in ("diagnosis", "treatment", "internal_note")}
    if role == "admin":
        seen["insurance_no"] = row["insurance_no"]
    return seen


def create_app():
    """Build the app on the database that DATABASE_URL names."""
    app = Flask(__name__)
    store = app.extensions["store"] = Store(os.environ.get("DATABASE_URL", "sqlite:///clinic.db"))
    if "DATABASE_URL" not in os.environ:
        store.add_samples()

    @app.before_request
    def guard():
        if request.endpoint in OPEN or request.endpoint not in app.view_functions:
            return None
        return check_role()

    @require_token
    def check_role():
        if g.user["role"] not in ALLOWED.get(request.endpoint, ()):
            abort(403)

    @app.errorhandler(403)
    def forbidden(problem):
        store.add("audit", user_id=g.user["id"], action=f"{request.method} {request.path}", at=now())
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
        user = store.add("users", name=body["name"], email=body["email"], password_hash=password_hash, role="patient")
        return user_view(user), 201

    @app.get("/me")
    def show_me():
        return user_view(g.user)

    @app.patch("/me")
    def change_me():
        body = request.get_json()
        values = {name: body.get(name, g.user[name]) for name in ("name", "email")}
        return user_view(store.change("users", g.user["id"], **values))

    @app.get("/visits/<int:visit_id>")
    def show_visit(visit_id):
        visit = store.find("visits", id=visit_id)
        if visit is None:
            abort(404)
        own = {"patient": visit["patient_id"], "doctor": visit["doctor_id"], "admin": g.user["id"]}
        if own[g.user["role"]] != g.user["id"]:
            abort(403)
        return visit_view(visit, g.user["role"])

    @app.get("/admin/users")
    def list_users():
        return {"items": [user_view(user) for user in store.rows("users")]}

    @app.post("/admin/users")
    def add_user():
        body = request.get_json()
        values = {name: body[name] for name in ("name", "email", "role")}
        user = store.add("users", **values, password_hash=hash_password(body["password"]))
        return user_view(user), 201

    @app.put("/admin/users/<int:user_id>")
    def replace_user(user_id):
        body = request.get_json()
        if store.find("users", id=user_id) is None:
            abort(404)
        values = {name: body[name] for name in ("name", "email", "role")}
        return user_view(store.change("users", user_id, **values))

    @app.delete("/admin/users/<int:user_id>")
    def delete_user(user_id):
        if store.find("users", id=user_id) is None:
            abort(404)
        store.remove("users", user_id)
        return "", 204

    return app
