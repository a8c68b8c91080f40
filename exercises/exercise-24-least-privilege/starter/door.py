"""The door: it says who is asking. Nothing is left to do in this file."""

import os
from datetime import UTC, datetime, timedelta
from functools import wraps

import jwt
from errors import error
from flask import current_app, g, request
from werkzeug.security import generate_password_hash


def hash_password(password):
    """Return what is kept of a password. HASH_METHOD names another method: the tests take a quick one."""
    return generate_password_hash(password, method=os.environ.get("HASH_METHOD", "scrypt"))


def issue_token(user_id):
    """Return a token for the user with this id, good for an hour."""
    claims = {"sub": str(user_id), "exp": datetime.now(UTC) + timedelta(hours=1)}
    return jwt.encode(claims, os.environ["SECRET_KEY"], algorithm="HS256")


def require_token(view):
    """Let a view run only for a user with a right token, whose row is then in `g.user`; answer 401 to all others."""

    @wraps(view)
    def guarded(*args, **kwargs):
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        g.user = None
        try:
            key = os.environ["SECRET_KEY"]
            claims = jwt.decode(token, key, algorithms=["HS256"], options={"require": ["exp", "sub"]})
            if scheme == "Bearer":
                g.user = current_app.extensions["store"].find("users", id=int(claims["sub"]))
        except jwt.InvalidTokenError:
            pass
        if g.user is None:
            return *error(401, "unauthorized", "Show a token that is good."), {"WWW-Authenticate": "Bearer"}
        return view(*args, **kwargs)

    return guarded
