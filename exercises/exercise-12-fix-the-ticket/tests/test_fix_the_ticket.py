"""Hidden tests: what the ticket reports is mended for every date, the rest is as it was, and a test stays behind."""

from datetime import date, timedelta

import pytest
from lending import Lending


class Desk:
    """A desk at which the learner's app and a mended one are asked the same, and have to answer the same."""

    def __init__(self, client):
        self.client = client
        self.mended = Lending()
        self.count = 0

    def ask(self, method, path, payload=None, *, query=None):
        """Ask both; give the answer."""
        options = {} if payload is None else {"json": payload}
        reply = self.client.request(method, path, params=query, **options)
        status, headers, content = self.mended.answer(method, path, query or {}, payload)
        self.count += 1
        assert reply.status_code == status
        assert reply.json() == content
        assert reply.headers.get("Latest-Loan") == headers.get("Latest-Loan")
        return reply.json()

    def book(self, fake):
        """Add a book, and give its id."""
        return self.ask("POST", "/books", {"title": fake.title()})["id"]

    def member(self, fake):
        """Add a member, and give the id."""
        return self.ask("POST", "/members", {"name": fake.name()})["id"]

    def lend(self, member, book, day):
        """Lend a book, and give the loan's id."""
        return self.ask("POST", f"/members/{member}/loans", {"book_id": book, "lent_on": str(day)})["id"]

    def take_back(self, loan, day):
        """Take a book back, and give the answer."""
        return self.ask("POST", f"/loans/{loan}/return", {"returned_on": str(day)})


@pytest.fixture
def desk(client):
    """A desk."""
    return Desk(client)


@pytest.fixture
def fee(desk, fake):
    """Lend a book and take it back so many days after its due date; give the fee."""
    member, book = desk.member(fake), desk.book(fake)

    def charged(lent_on, days_late):
        loan = desk.lend(member, book, lent_on)
        return desk.take_back(loan, lent_on + timedelta(14 + days_late))["fee_cents"]

    return charged


@pytest.mark.task("ticket", points=2)
def test_the_steps_of_the_ticket(fee):
    """The steps of the ticket now give the answer that it expects."""
    assert fee(date(2025, 3, 3), 0) == 0


@pytest.mark.task("ticket", points=2)
def test_the_due_date_costs_nothing(fee, fake):
    """A book that comes back on its due date costs nothing, whatever the date is."""
    for _ in range(4):
        assert fee(fake.date(), 0) == 0


@pytest.mark.task("ticket", points=1)
def test_the_last_of_february(fee, rng):
    """The same holds for a due date on the 29th of February, and for one on the 1st of March."""
    for year in rng.sample([2004, 2008, 2012, 2016, 2020, 2024, 2028], 2):
        assert fee(date(year, 2, 15), 0) == 0
        assert fee(date(year, 2, 16), 0) == 0


@pytest.mark.task("ticket", points=2)
def test_late_books_cost_what_they_did(fee, fake, rng):
    """A book that is a day late costs 50 cents, one that is later 20 cents more for each day, and an early one nothing."""
    assert fee(fake.date(), 1) == 50
    for days in rng.sample(range(2, 90), 3):
        assert fee(fake.date(), days) == 30 + 20 * days
    assert fee(fake.date(), -rng.randrange(1, 13)) == 0


@pytest.mark.task("ticket", points=2)
def test_thirty_answers_are_as_before(desk, fake, rng):
    """Thirty requests that were answered rightly before get the same answers as before."""
    members, books = [desk.member(fake) for _ in range(2)], [desk.book(fake) for _ in range(4)]
    first = fake.date()
    loans = [desk.lend(rng.choice(members), book, first + timedelta(rng.randrange(40))) for book in books]
    desk.ask("GET", "/books")
    desk.ask("GET", "/books", query={"q": fake.word()})
    desk.ask("GET", "/books", query={"q": desk.mended.books[books[0]]["title"].upper()})
    for loan, days in zip(loans[:2], (rng.randrange(2, 14), rng.randrange(15, 50)), strict=True):
        desk.take_back(loan, desk.mended.loans[loan]["lent_on"] + timedelta(days))
    desk.take_back(loans[0], first + timedelta(99))
    desk.take_back(loans[2], first - timedelta(99))
    desk.ask("POST", f"/members/{members[0]}/loans", {"book_id": books[3], "lent_on": str(first)})
    for payload in ({}, {"title": ""}, {"title": 7}, [fake.word()]):
        desk.ask("POST", "/books", payload)
    desk.ask("POST", "/members", {"name": rng.choice(["  ", None])})
    for payload in ({"returned_on": fake.word()}, {"returned_on": "2025-02-30"}, {}):
        desk.ask("POST", f"/loans/{loans[3]}/return", payload)
    desk.ask("POST", f"/loans/{rng.randrange(50, 90)}/return", {"returned_on": str(first)})
    desk.ask("POST", f"/members/{members[1]}/loans", {"book_id": books[0], "lent_on": fake.word()})
    desk.ask("POST", f"/members/{members[1]}/loans", {"book_id": 99, "lent_on": str(first)})
    desk.ask("GET", "/books")
    assert desk.count == 30


@pytest.mark.task("comment", points=2)
def test_a_member_without_loans(desk, fake):
    """A member without loans has an empty list, before others have borrowed something and after it."""
    one, other = desk.member(fake), desk.member(fake)

    assert desk.ask("GET", f"/members/{one}/loans") == []
    desk.lend(other, desk.book(fake), fake.date())
    assert desk.ask("GET", f"/members/{one}/loans") == []


@pytest.mark.task("comment", points=2)
def test_a_member_with_loans(desk, fake):
    """A member with loans still gets all of them, the newest first, and the header with its day."""
    member, day = desk.member(fake), fake.date()
    for days in (3, 0, 31):
        desk.lend(member, desk.book(fake), day + timedelta(days))

    found = desk.ask("GET", f"/members/{member}/loans")

    assert [loan["lent_on"] for loan in found] == [str(day + timedelta(days)) for days in (31, 3, 0)]


@pytest.mark.task("comment", points=1)
def test_nobody_is_no_member(client, desk, fake, rng):
    """The loans of a member that there isn't are still answered 404."""
    assert desk.ask("GET", f"/members/{desk.member(fake)}/loans") == []
    assert client.get(f"/members/{rng.randrange(50, 999)}/loans").status_code == 404


@pytest.mark.task("comment", points=1)
def test_real_errors_are_heard_of(client, db, desk, fake):
    """When the table of loans is gone, a list of loans is still answered 500."""
    member = desk.member(fake)
    assert desk.ask("GET", f"/members/{member}/loans") == []
    db.execute("DROP TABLE loans")
    assert client.get(f"/members/{member}/loans").status_code == 500


@pytest.mark.task("test", points=3)
def test_the_regression_test_fails_on_what_was(suite, rng):
    """Your tests fail on the app as it was, and where only the comment's bug is mended; on a mended app they pass."""
    bugs = [{"charges_on_time": True, "needs_loans": True}, {"charges_on_time": True}, {}]
    for each in rng.sample(bugs, 3):
        assert suite.run(Lending(**each)).passed == (each == {})


@pytest.mark.task("test", points=2)
def test_the_regression_test_minds_its_own(suite, fake, rng):
    """Your tests also tell the two apart when there are members, books and loans already, and in another order."""
    for charges_on_time in rng.sample([True, False], 2):
        app = Lending(charges_on_time=charges_on_time, first_id=rng.randrange(20, 900))
        book = app.answer("POST", "/books", {}, {"title": fake.title()})[2]["id"]
        member = app.answer("POST", "/members", {}, {"name": fake.name()})[2]["id"]
        app.answer("POST", f"/members/{member}/loans", {}, {"book_id": book, "lent_on": str(fake.date())})
        assert suite.run(app, order="backward").passed != charges_on_time
