"""The door: it says who is asking. Nothing is left to do in this file."""

import os
from datetime import UTC, datetime, timedelta
from functools import wraps

import jwt
from errors import error
from flask import g, request


def issue_token(member_id):
    """Return a token for the member with this id, good for an hour."""
    claims = {"sub": str(member_id), "exp": datetime.now(UTC) + timedelta(hours=1)}
    return jwt.encode(claims, os.environ["SECRET_KEY"], algorithm="HS256")


def require_token(view):
    """Let a view run only for a member with a right token, whose id is then in `g.member_id`; answer 401 to all others."""

    @wraps(view)
    def guarded(*args, **kwargs):
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        try:
            key = os.environ["SECRET_KEY"]
            claims = jwt.decode(token, key, algorithms=["HS256"], options={"require": ["exp", "sub"]})
        except jwt.InvalidTokenError:
            claims = None
        if scheme != "Bearer" or claims is None:
            return *error(401, "unauthorized", "Show a token that is good."), {"WWW-Authenticate": "Bearer"}
        g.member_id = int(claims["sub"])
        return view(*args, **kwargs)

    return guarded
