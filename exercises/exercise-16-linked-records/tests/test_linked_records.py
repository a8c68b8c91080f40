"""Hidden tests: loans point at books and members that are there, and the tables see to it themselves."""

import pytest

LOANS = "SELECT id, book_id, member_id, returned_on FROM loans ORDER BY id"
LEND = "INSERT INTO loans (book_id, member_id, returned_on) VALUES (?, ?, ?)"


class Desk:
    """The learner's desk, with drawn books and members in its tables."""

    def __init__(self, client, db, fake):
        self.client = client
        self.db = db
        client.get("/members/1/loans")  # the app makes its tables when it starts
        self.books = [{"id": number, "title": fake.title()} for number in fake.ids(5, 10, 4000)]
        self.members = [{"id": number, "name": fake.name()} for number in fake.ids(3, 10, 4000)]
        db.insert("books", *self.books)
        db.insert("members", *self.members)

    def ask(self, book, member):
        """Ask to lend a book to a member."""
        return self.client.post("/loans", json={"book_id": book["id"], "member_id": member["id"]})

    def lend(self, book, member):
        """Lend a book that is in, and give the loan."""
        reply = self.ask(book, member)
        assert reply.status_code == 201
        return reply.json()

    def take_back(self, loan):
        """Take back a book that is out, and give the loan."""
        reply = self.client.post(f"/loans/{loan['id']}/return")
        assert reply.status_code == 200
        return reply.json()

    def loans(self):
        """The rows of the table."""
        return self.db.rows(LOANS)


@pytest.fixture
def desk(client, db, fake):
    """The desk, with five books and three members."""
    return Desk(client, db, fake)


def is_refused(reply, status, code):
    """Check that an answer is an error with this status and code."""
    assert reply.status_code == status
    assert reply.json()["error"]["code"] == code
    return True


@pytest.mark.task("what-is-there", points=2)
def test_an_unknown_book(desk, rng):
    """A loan of an unknown book is answered 404, and nothing is stored; a known one is lent."""
    assert is_refused(desk.ask({"id": rng.randrange(5000, 9000)}, desk.members[0]), 404, "book_not_found")
    assert desk.loans() == []

    loan = desk.lend(desk.books[1], desk.members[2])
    assert loan == {
        "id": loan["id"],
        "book_id": desk.books[1]["id"],
        "member_id": desk.members[2]["id"],
        "returned_on": None,
    }
    assert desk.loans() == [loan]


@pytest.mark.task("what-is-there", points=2)
def test_an_unknown_member(desk, rng):
    """A loan to an unknown member is answered 404, and nothing is stored; the same book is lent to a known one."""
    book = rng.choice(desk.books)

    assert is_refused(desk.ask(book, {"id": rng.randrange(5000, 9000)}), 404, "member_not_found")
    assert desk.loans() == []
    loan = desk.lend(book, desk.members[1])
    assert desk.loans() == [loan]


@pytest.mark.task("what-is-there", points=2)
def test_the_table_refuses_an_orphan(desk, db, rng):
    """The table of loans itself refuses a row that points at no book or at no member."""
    book, member = desk.books[0]["id"], desk.members[0]["id"]

    assert db.refuses(LEND, [rng.randrange(5000, 9000), member, None])
    assert db.refuses(LEND, [book, rng.randrange(5000, 9000), None])
    assert db.execute(LEND, [book, member, None]) == 1


@pytest.mark.task("one-at-a-time", points=2)
def test_a_book_that_is_out(desk, rng):
    """A book that is out isn't lent again, whoever asks: 409, and the first loan stays as it is."""
    book, other = rng.sample(desk.books, 2)
    loans = [desk.lend(book, desk.members[0]), desk.lend(other, desk.members[0])]

    for member in (desk.members[1], desk.members[0]):
        assert is_refused(desk.ask(book, member), 409, "book_is_out")
    assert desk.loans() == loans


@pytest.mark.task("one-at-a-time", points=2)
def test_the_table_refuses_a_second_open_loan(desk, db):
    """The table of loans itself refuses a second open loan of a book, and takes one beside loans that are over."""
    book, first, second = desk.books[0]["id"], desk.members[0]["id"], desk.members[1]["id"]

    db.execute(LEND, [book, first, "2021-03-04"])
    db.execute(LEND, [book, second, "2022-05-06"])
    db.execute(LEND, [book, first, None])
    assert db.refuses(LEND, [book, second, None])
    assert db.execute(LEND, [desk.books[1]["id"], first, None]) == 1


@pytest.mark.task("one-at-a-time", points=2)
def test_requests_at_the_same_moment(desk, client):
    """Of six requests for one book at the same moment one is answered 201, and the others 409."""
    book = desk.books[0]["id"]

    wishes = [{"book_id": book, "member_id": desk.members[place % 3]["id"]} for place in range(6)]
    replies = client.together([("POST", "/loans", {"json": wish}) for wish in wishes])

    assert replies.outcomes == {201: 1, 409: 5}
    assert len(desk.loans()) == 1


@pytest.mark.task("take-back", points=2)
def test_a_returned_book_can_be_lent_again(desk):
    """A book that was brought back has a date on its loan, and is lent again."""
    book = desk.books[0]
    loan = desk.lend(book, desk.members[0])
    kept = desk.lend(desk.books[1], desk.members[0])

    over = desk.take_back(loan)

    assert over == {**loan, "returned_on": over["returned_on"]}
    assert len(over["returned_on"]) == len("2021-03-04")
    again = desk.lend(book, desk.members[1])
    assert desk.loans() == sorted([over, kept, again], key=lambda each: each["id"])


@pytest.mark.task("take-back", points=2)
def test_returning_twice(desk, db):
    """Bringing a book back twice is answered 409, and the date stays as it was."""
    db.execute(LEND, [desk.books[0]["id"], desk.members[0]["id"], "2021-03-04"])
    before = desk.loans()

    assert is_refused(desk.client.post(f"/loans/{before[0]['id']}/return"), 409, "already_returned")
    assert desk.loans() == before
    loan = desk.lend(desk.books[1], desk.members[0])
    desk.take_back(loan)
    assert is_refused(desk.client.post(f"/loans/{loan['id']}/return"), 409, "already_returned")


@pytest.mark.task("leave", points=2)
def test_a_member_with_a_book_stays(desk):
    """A member who has a book can't leave: 409, and member and loans stay as they were."""
    leaving = desk.members[0]
    over = desk.lend(desk.books[0], leaving)
    loans = [desk.take_back(over), desk.lend(desk.books[1], leaving)]

    assert is_refused(desk.client.delete(f"/members/{leaving['id']}"), 409, "member_has_loans")
    assert desk.loans() == loans
    assert desk.db.value("SELECT count(*) FROM members WHERE id = ?", [leaving["id"]]) == 1


@pytest.mark.task("leave", points=3)
def test_a_member_without_a_book_leaves(desk, rng):
    """A member who has brought everything back leaves: 204, the loans stay and name nobody, and no book is lost."""
    leaving, staying = rng.sample(desk.members, 2)
    mine = [desk.take_back(desk.lend(book, leaving)) for book in desk.books[:2]]
    other = desk.lend(desk.books[2], staying)

    reply = desk.client.delete(f"/members/{leaving['id']}")

    assert (reply.status_code, reply.body) == (204, b"")
    assert desk.loans() == [*({**loan, "member_id": None} for loan in mine), other]
    assert desk.db.value("SELECT count(*) FROM books") == len(desk.books)
    assert desk.db.rows("SELECT id FROM members WHERE id = ?", [leaving["id"]]) == []
    assert desk.db.value("SELECT count(*) FROM members") == len(desk.members) - 1


@pytest.mark.task("titles", points=3)
def test_a_members_loans_have_titles(desk):
    """A member's loans are listed with the books' titles, those that are over too, and nobody else's."""
    reader, other, idle = desk.members
    over = desk.take_back(desk.lend(desk.books[3], reader))
    theirs = desk.lend(desk.books[3], other)
    kept = desk.lend(desk.books[0], reader)

    reply = desk.client.get(f"/members/{reader['id']}/loans")

    assert reply.status_code == 200
    assert reply.json() == [{**over, "title": desk.books[3]["title"]}, {**kept, "title": desk.books[0]["title"]}]
    assert desk.client.get(f"/members/{other['id']}/loans").json() == [{**theirs, "title": desk.books[3]["title"]}]
    assert desk.client.get(f"/members/{idle['id']}/loans").json() == []
