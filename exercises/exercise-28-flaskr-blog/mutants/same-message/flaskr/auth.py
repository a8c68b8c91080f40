"""Who is who: registering, logging in and out, and the guard for pages of members."""

import re
import sqlite3
from functools import wraps

from flask import Blueprint, flash, g, redirect, render_template, request, session, url_for
from werkzeug.security import check_password_hash, generate_password_hash

from .db import get_db

bp = Blueprint("auth", __name__, url_prefix="/auth")


def find_user(column, value):
    """Return the user with this id or username, or None. `column` is never a text that somebody sent."""
    return get_db().execute(f"SELECT * FROM user WHERE {column} = ?", (value,)).fetchone()


@bp.before_app_request
def load_user():
    """Put whoever is logged in into `g.user`, else None."""
    g.user = find_user("id", session.get("user_id"))


def login_required(view):
    """Send whoever isn't logged in to the login page."""

    @wraps(view)
    def guarded(**kwargs):
        if g.user is None:
            return redirect(url_for("auth.login"))
        return view(**kwargs)

    return guarded


def problem_with(username, password):
    """Return what keeps this registration from being taken, or None."""
    if not username:
        return "Username is required."
    if not password:
        return "Password is required."
    try:
        with get_db() as db:
            values = (username, generate_password_hash(password))
            db.execute("INSERT INTO user (username, password) VALUES (?, ?)", values)
    except sqlite3.IntegrityError:
        return f"User {username} is already registered."
    return None


@bp.route("/register", methods=["GET", "POST"])
def register():
    if request.method == "POST":
        problem = problem_with(request.form["username"], request.form["password"])
        if problem is None:
            return redirect(url_for("auth.login"))
        flash(problem)
    return render_template("auth/register.html")


def next_page():
    """Return where a login leads: the page that `next` names, if it is one of ours."""
    target = request.args.get("next", "")
    return target if re.fullmatch(r"/(?!/)[\w/-]*", target, re.ASCII) else url_for("blog.index")


@bp.route("/login", methods=["GET", "POST"])
def login():
    if request.method == "POST":
        user = find_user("username", request.form["username"])
        if user is None:
            flash("Incorrect username or password.")
        elif not check_password_hash(user["password"], request.form["password"]):
            flash("Incorrect username or password.")
        else:
            session.clear()
            session["user_id"] = user["id"]
            return redirect(next_page())
    return render_template("auth/login.html")


@bp.get("/logout")
def logout():
    session.clear()
    return redirect(url_for("blog.index"))
