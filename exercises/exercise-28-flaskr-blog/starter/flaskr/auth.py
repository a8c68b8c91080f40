"""Who is who: registering, logging in and out, and the guard for pages of members."""

from flask import Blueprint

bp = Blueprint("auth", __name__, url_prefix="/auth")

# TODO: /auth/register, /auth/login, /auth/logout, and what tells each page who is logged in
