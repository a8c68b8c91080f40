"""The lending desk's API."""

import json
from pathlib import Path

from errors import error
from flask import Flask, request
from lending import LOANS, Desk, problems_with, require_token

DOCUMENT = Path(__file__).with_name("openapi.json")


def create_app(config=None):
    """Build the app; other loans may come in as config["LOANS"]."""
    app = Flask(__name__)
    app.config["LOANS"] = LOANS
    app.config.update(config or {})
    desk = Desk(app.config["LOANS"])

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

    # TODO: the second version, below /v2; the headers that announce the end of the first; 404 in the agreed shape

    return app
