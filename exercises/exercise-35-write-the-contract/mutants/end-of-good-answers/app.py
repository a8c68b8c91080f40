"""The lending desk's API."""

import json
from pathlib import Path

from errors import error
from flask import Flask, request
from lending import LOANS, Desk, problems_with, require_token

DOCUMENT = Path(__file__).with_name("openapi.json")


def second(loan):
    """Give a loan as the second version does: `who` is called `borrower`."""
    return {"id": loan["id"], "title": loan["title"], "borrower": loan["who"], "due": loan["due"]}


def is_counting(text):
    """Say whether a text is a whole number from 1 on."""
    return text.isdecimal() and int(text) > 0


def create_app(config=None):
    """Build the app; other loans may come in as config["LOANS"]."""
    app = Flask(__name__)
    app.config["LOANS"] = LOANS
    app.config.update(config or {})
    desk = Desk(app.config["LOANS"])

    @app.errorhandler(404)
    def not_found(problem):
        return error(404, "not_found", "There is nothing here.")

    @app.after_request
    def announce_the_end(response):
        if request.path.startswith("/v1/") and response.status_code < 400:
            response.headers["Deprecation"] = "@1767225600"
            response.headers["Sunset"] = "Wed, 30 Jun 2027 23:59:59 GMT"
        return response

    @app.get("/openapi.json")
    def document():
        return json.loads(DOCUMENT.read_text("utf-8"))

    @app.get("/v1/loans")
    def list_loans():
        return {"loans": desk.loans}

    @app.post("/v1/loans")
    @require_token
    def add_loan():
        body = request.get_json()
        problems = problems_with(body, "who")
        if problems:
            return error(422, "invalid", "This is no loan.", problems)
        return desk.lend(body["title"], body["who"], body.get("due")), 201

    @app.get("/v1/loans/<int:loan_id>")
    def show_loan(loan_id):
        loan = desk.find(loan_id)
        if loan is None:
            return error(404, "not_found", "There is no such loan.")
        return loan

    @app.get("/v2/loans")
    def list_second():
        page, per_page = request.args.get("page", "1"), request.args.get("per_page", "20")
        problems = {}
        if not is_counting(page):
            problems["page"] = "must be a whole number from 1 on"
        if not is_counting(per_page) or int(per_page) > 100:
            problems["per_page"] = "must be a whole number from 1 to 100"
        if problems:
            return error(400, "invalid", "There is no such page.", problems)
        page, per_page = int(page), int(per_page)
        items = [second(loan) for loan in desk.loans[(page - 1) * per_page : page * per_page]]
        return {"items": items, "total": len(desk.loans), "page": page, "per_page": per_page}

    @app.post("/v2/loans")
    @require_token
    def add_second():
        body = request.get_json()
        problems = problems_with(body, "borrower")
        if problems:
            return error(422, "invalid", "This is no loan.", problems)
        return second(desk.lend(body["title"], body["borrower"], body.get("due"))), 201

    @app.get("/v2/loans/<int:loan_id>")
    def show_second(loan_id):
        loan = desk.find(loan_id)
        if loan is None:
            return error(404, "not_found", "There is no such loan.")
        return second(loan)

    return app
