"""The door: tokens are handed out here, and looked at."""

import os
from datetime import timedelta
from functools import wraps

import jwt
from clock import now
from errors import error
from flask import current_app, g, make_response, request

ALGORITHM = "HS256"
LIFETIME = timedelta(minutes=15)


class Refused(Exception):
    """Whoever stands at the door may not come in."""


def issue_token(member):
    """Return a token for this member, good for 15 minutes."""
    return jwt.encode({"exp": now() + LIFETIME, "sub": f"{member['id']}"}, key(), ALGORITHM)


def key():
    """Return the key that signs tokens."""
    return os.environ["SECRET_KEY"]


def admit():
    """Return the member who stands at the door.

    Raises:
        Refused: there is no right token.
    """
    shown = request.authorization
    if shown is None or shown.type != "bearer" or not shown.token:
        raise Refused
    try:
        claims = jwt.decode(shown.token, key(), [ALGORITHM], {"require": ["sub", "exp"], "verify_exp": False})
    except jwt.PyJWTError as reason:
        raise Refused from reason
    if now().timestamp() >= claims["exp"]:
        raise Refused
    by_id = {str(member["id"]): member for member in current_app.config["MEMBERS"]}
    if claims["sub"] not in by_id:
        raise Refused
    return by_id[claims["sub"]]


def require_token(view):
    """Let a view run only for a member with a right token, who is then in `g.member`; answer 401 to all others."""

    @wraps(view)
    def guarded(*args, **kwargs):
        try:
            g.member = admit()
        except Refused:
            answer = make_response(error(401, "unauthorized", "No right token was shown."))
            answer.headers["WWW-Authenticate"] = 'Bearer realm="club"'
            return answer
        return view(*args, **kwargs)

    return guarded
