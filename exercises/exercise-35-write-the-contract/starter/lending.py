"""The lending desk: what is lent, and what can be lent. Nothing is left to do in this file."""

import hmac
import os
import re
from datetime import date
from functools import wraps

from errors import error
from flask import request

LOANS = [
    {"id": 1, "title": "A Grain of Wheat", "who": "Akinyi", "due": "2026-05-04"},
    {"id": 2, "title": "Season of Migration to the North", "who": "Tayeb", "due": None},
]


class Desk:
    """The loans, by their id."""

    def __init__(self, loans):
        self.loans = [dict(loan) for loan in loans]

    def find(self, loan_id):
        """Return the loan with this id, or None."""
        return next((loan for loan in self.loans if loan["id"] == loan_id), None)

    def lend(self, title, who, due):
        """Add a loan, and return it."""
        loan = {"id": max((each["id"] for each in self.loans), default=0) + 1, "title": title, "who": who, "due": due}
        self.loans.append(loan)
        return loan


def is_text(value):
    """Say whether this is a text with something in it."""
    return isinstance(value, str) and value.strip() != ""


def is_day(value):
    """Say whether this is a day such as 2026-05-04."""
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def problems_with(body, name):
    """Return what is wrong with a new loan, by field. `name` is what the field for the borrower is called."""
    if not isinstance(body, dict):
        return {"body": "must be an object"}
    problems = {field: "must be a text" for field in ("title", name) if not is_text(body.get(field))}
    if body.get("due") is not None and not is_day(body["due"]):
        problems["due"] = "must be a day, or null"
    return problems


def require_token(view):
    """Let a view run only for who knows the token in API_TOKEN; answer 401 to all others."""

    @wraps(view)
    def guarded(*args, **kwargs):
        wanted = f"Bearer {os.environ['API_TOKEN']}"
        if not hmac.compare_digest(request.headers.get("Authorization", "").encode(), wanted.encode()):
            return *error(401, "unauthorized", "Show the token."), {"WWW-Authenticate": "Bearer"}
        return view(*args, **kwargs)

    return guarded
