"""The lending desk's API."""

from document import DOCUMENT
from errors import error
from flask import Blueprint, Flask, request
from lending import LOANS, Desk, problems_with, require_token


def make_version(prefix, desk, name, list_loans):
    """Make the routes of one version, in which the borrower is called `name`."""
    bp = Blueprint(prefix, __name__, url_prefix=f"/{prefix}")

    def shown(loan):
        return {name if field == "who" else field: value for field, value in loan.items()}

    @bp.get("/loans")
    def all_loans():
        return list_loans([shown(loan) for loan in desk.loans])

    @bp.post("/loans")
    @require_token
    def add():
        body = request.get_json()
        problems = problems_with(body, name)
        if problems:
            return error(422, "invalid", "This is no loan.", problems)
        return shown(desk.lend(body["title"], body[name], body.get("due"))), 201

    @bp.get("/loans/<int:number>")
    def one(number):
        loan = desk.find(number)
        return shown(loan) if loan else error(404, "not_found", "There is no such loan.")

    return bp


def everything(loans):
    """List all loans at once, as the first version does."""
    return {"loans": loans}


def by_page(loans):
    """List a page of the loans, as the second version does."""
    asked, problems = {"page": 1, "per_page": 20}, {}
    for name in asked:
        try:
            asked[name] = int(request.args.get(name, asked[name]))
        except ValueError:
            asked[name] = 0
        if asked[name] < 1:
            problems[name] = "must be a whole number from 1 on"
    if asked["per_page"] > 100:
        problems["per_page"] = "must be at most 100"
    if problems:
        return error(400, "invalid", "There is no such page.", problems)
    begin = (asked["page"] - 1) * asked["per_page"]
    return {"items": loans[begin : begin + asked["per_page"]], "total": len(loans), **asked}


def create_app(config=None):
    """Build the app; other loans may come in as config["LOANS"]."""
    app = Flask(__name__)
    desk = Desk((config or {}).get("LOANS", LOANS))
    app.register_blueprint(make_version("v1", desk, "who", everything))
    app.register_blueprint(make_version("v2", desk, "borrower", by_page))

    @app.get("/openapi.json")
    def document():
        return DOCUMENT

    @app.errorhandler(404)
    def not_found(problem):
        return error(404, "not_found", "There is nothing here.")

    @app.after_request
    def announce_the_end(response):
        if request.blueprint == "v1":
            response.headers.update({"Deprecation": "@1767225600", "Sunset": "Wed, 30 Jun 2027 23:59:59 GMT"})
        return response

    return app
