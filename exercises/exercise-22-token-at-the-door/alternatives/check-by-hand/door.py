"""The door: tokens are handed out here, and looked at."""

import os
from functools import wraps

import jwt
from clock import now
from errors import error
from flask import current_app, g, request


def seconds():
    """Return the time as whole seconds after the start of 1970."""
    return int(now().timestamp())


def issue_token(member):
    """Return a token for this member, good for 15 minutes."""
    return jwt.encode({"sub": str(member["id"]), "exp": seconds() + 15 * 60}, os.environ["SECRET_KEY"])


def shown_token():
    """Return the token in the request's header; an empty text when there is none."""
    header = request.headers.get("Authorization", "")
    return header.removeprefix("Bearer ") if header.startswith("Bearer ") else ""


def claims_of(token):
    """Return what a rightly signed token says; an empty dictionary for any other."""
    try:
        return jwt.decode(token, os.environ["SECRET_KEY"], algorithms=["HS256"], options={"verify_exp": False})
    except jwt.InvalidTokenError:
        return {}


def is_fresh(claims):
    """Say whether the claims have an end, and it isn't reached yet."""
    return isinstance(claims.get("exp"), int) and seconds() < claims["exp"]


def named_member(claims):
    """Return the member whom the claims name, or None."""
    return next((member for member in current_app.config["MEMBERS"] if str(member["id"]) == claims.get("sub")), None)


def require_token(view):
    """Let a view run only for a member with a right token, who is then in `g.member`; answer 401 to all others."""

    @wraps(view)
    def guarded(*args, **kwargs):
        claims = claims_of(shown_token())
        g.member = named_member(claims)
        if g.member and is_fresh(claims):
            return view(*args, **kwargs)
        body, status = error(401, "unauthorized", "Please log in.")
        return body, status, [("WWW-Authenticate", "Bearer")]

    return guarded
