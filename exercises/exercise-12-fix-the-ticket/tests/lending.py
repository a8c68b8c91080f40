"""The lending app once more, as a WSGI app that keeps everything in memory: as it was, or mended.

It is held beside the learner's app, and the learner's own tests are run against it.
"""

import json
import re
from datetime import date, timedelta

STATUSES = {
    200: "OK",
    201: "CREATED",
    400: "BAD REQUEST",
    404: "NOT FOUND",
    409: "CONFLICT",
    500: "INTERNAL SERVER ERROR",
}


class Refused(Exception):
    """A status and the text that goes with it."""


class Lending:
    """Books, members and loans. `charges_on_time` and `needs_loans` are the two bugs; ids begin with `first_id`."""

    def __init__(self, *, charges_on_time=False, needs_loans=False, first_id=1):
        self.charges_on_time = charges_on_time
        self.needs_loans = needs_loans
        self.first_id = first_id
        self.books, self.members, self.loans = {}, {}, {}

    def __call__(self, environ, start_response):
        """Answer as a WSGI app does."""
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        try:
            payload = json.loads(body)
        except ValueError:
            payload = None
        query = dict(pair.partition("=")[::2] for pair in environ.get("QUERY_STRING", "").split("&"))
        status, headers, content = self.answer(environ["REQUEST_METHOD"], environ["PATH_INFO"], query, payload)
        start_response(f"{status} {STATUSES[status]}", [("Content-Type", "application/json"), *headers.items()])
        return [json.dumps(content).encode()]

    def answer(self, method, path, query, payload):
        """Give status, headers and content."""
        routes = (
            ("POST", r"/books", lambda: self._add(self.books, "title", payload)),
            ("GET", r"/books", lambda: self._list_books(query.get("q", ""))),
            ("POST", r"/members", lambda: self._add(self.members, "name", payload)),
            ("GET", r"/members/(\d+)/loans", lambda number: self._list_loans(number)),
            ("POST", r"/members/(\d+)/loans", lambda number: self._lend(number, payload)),
            ("POST", r"/loans/(\d+)/return", lambda number: self._take_back(number, payload)),
        )
        try:
            for verb, pattern, handle in routes:
                matched = re.fullmatch(pattern, path)
                if matched and verb == method:
                    return handle(*map(int, matched.groups()))
            raise Refused(404, "not found")
        except Refused as refused:
            status, text = refused.args
            return status, {}, {"error": text}

    def _new_id(self, rows):
        return max(rows, default=self.first_id - 1) + 1

    def _add(self, rows, field, payload):
        number = self._new_id(rows)
        row = {"id": number, field: text_of(payload, field)}
        rows[number] = row
        return 201, {}, self._book(row) if field == "title" else row

    def _book(self, row):
        return {**row, "available": not self._is_lent(row["id"])}

    def _is_lent(self, book_id):
        return any(loan["book_id"] == book_id and not loan["returned_on"] for loan in self.loans.values())

    def _list_books(self, wanted):
        books = sorted(self.books.values(), key=lambda row: (row["title"], row["id"]))
        return 200, {}, [self._book(row) for row in books if wanted.lower() in row["title"].lower()]

    def _list_loans(self, number):
        found(self.members, number, "member")
        loans = [loan for loan in self.loans.values() if loan["member_id"] == number]
        loans.sort(key=lambda loan: (loan["lent_on"], loan["id"]), reverse=True)
        if not loans:
            return (500, {}, {"error": "it broke"}) if self.needs_loans else (200, {}, [])
        return 200, {"Latest-Loan": str(loans[0]["lent_on"])}, [self._loan(loan) for loan in loans]

    def _lend(self, number, payload):
        found(self.members, number, "member")
        book = found(self.books, payload.get("book_id") if isinstance(payload, dict) else None, "book")
        if self._is_lent(book["id"]):
            raise Refused(409, "the book is lent already")
        number_of_loan = self._new_id(self.loans)
        loan = {"id": number_of_loan, "book_id": book["id"], "member_id": number}
        loan |= {"lent_on": day_of(payload, "lent_on"), "returned_on": None}
        self.loans[number_of_loan] = loan
        return 201, {}, self._loan(loan)

    def _take_back(self, number, payload):
        loan = found(self.loans, number, "loan")
        day = day_of(payload, "returned_on")
        if loan["returned_on"]:
            raise Refused(409, "the book is back already")
        if day < loan["lent_on"]:
            raise Refused(400, "returned_on is before lent_on")
        loan["returned_on"] = day
        return 200, {}, self._loan(loan)

    def _loan(self, loan):
        due_on = loan["lent_on"] + timedelta(14)
        late = (loan["returned_on"] - due_on).days if loan["returned_on"] else -1
        is_charged = late >= 0 if self.charges_on_time else late > 0
        told = {name: str(value) if isinstance(value, date) else value for name, value in loan.items()}
        return {**told, "due_on": str(due_on), "fee_cents": 30 + 20 * late if is_charged else 0}


def found(rows, number, what):
    """Give a row, or refuse."""
    if number not in rows:
        raise Refused(404, f"{what} not found")
    return rows[number]


def text_of(payload, name):
    """Give a text of the payload, or refuse."""
    value = payload.get(name) if isinstance(payload, dict) else None
    if not isinstance(value, str) or not value.strip():
        raise Refused(400, f"{name} is missing")
    return value.strip()


def day_of(payload, name):
    """Give a day of the payload, or refuse."""
    try:
        return date.fromisoformat(text_of(payload, name))
    except ValueError:
        raise Refused(400, f"{name} is no date") from None
