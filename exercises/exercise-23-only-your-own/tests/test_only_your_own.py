"""Hidden tests: members touch their own notes, and nothing of anybody else's."""

import hashlib

import pytest

NOT_FOUND = (404, "not_found")


def quick_hash(password, salt):
    """A hash in Werkzeug's form with few rounds: what is tested here isn't the hash, and it must not cost time."""
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), 1000)
    return f"pbkdf2:sha256:1000${salt}${digest.hex()}"


class Patient:
    """A member who has logged in, and the notes that the grader wrote for them."""

    def __init__(self, client, member_id, token):
        self.client = client
        self.id = member_id
        self.headers = {"Authorization": f"Bearer {token}"}
        self.notes = []

    def ask(self, method, path, **options):
        """Send a request with this member's token."""
        return self.client.request(method, path, headers=self.headers, **options)

    def shown(self, note):
        """Give a note as this member is shown it, or the status where that isn't 200."""
        reply = self.ask("GET", f"/notes/{note['id']}")
        return reply.json() if reply.status_code == 200 else reply.status_code


def told(reply):
    """Give the status of an answer, and the code in it where it is 404."""
    return reply.status_code, reply.json()["error"]["code"] if reply.status_code == 404 else None


@pytest.fixture
def make(fake):
    """Make a new text for a note, or a file."""

    class Make:
        def text(self):
            return {"title": f"{fake.title()} {fake.token(4)}", "text": fake.sentence()}

        def file(self):
            return {"name": f"{fake.slug()}.txt", "content": fake.sentence()}

    return Make()


@pytest.fixture
def patients(client, db, fake, rng, make):
    """Two members who are logged in, with some notes each, mixed in the table; a file stands at every note."""
    client.get("/notes")
    members = [{"id": number, **fake.member()} for number in fake.ids(2, 10, 9000)]
    rows = [{**member, "password_hash": quick_hash(member["password"], fake.token(16))} for member in members]
    db.insert("members", *[{name: row[name] for name in ("id", "name", "email", "password_hash")} for row in rows])
    people = []
    for member in members:
        login = {"email": member["email"], "password": member["password"]}
        people.append(Patient(client, member["id"], client.post("/login", json=login).json()["token"]))
    count = rng.randrange(5, 9)
    owners = people + people + [rng.choice(people) for _ in range(count - 4)]
    rng.shuffle(owners)
    numbers, file_numbers = fake.ids(count, 1, 200), fake.ids(count, 1, 900)
    for owner, number in zip(owners, sorted(numbers), strict=True):
        owner.notes.append({"id": number, "owner_id": owner.id, **make.text()})
    notes = sorted((note for person in people for note in person.notes), key=lambda note: note["id"])
    db.insert("notes", *notes)
    files = {
        note["id"]: {"id": number, **make.file()} for note, number in zip(notes, file_numbers, strict=True)
    }
    db.insert("files", *[{"note_id": number, **file} for number, file in files.items()])
    for person in people:
        person.files = {note["id"]: files[note["id"]] for note in person.notes}
    return people


@pytest.mark.task("notes", points=1)
def test_the_owner_may_do_everything(patients, make, rng):
    """The owner can read, replace, change and delete a note."""
    owner = patients[0]
    note, other = owner.notes[:2]
    text, word = make.text(), make.text()["title"]

    read = owner.ask("GET", f"/notes/{note['id']}")
    replaced = owner.ask("PUT", f"/notes/{note['id']}", json=text)
    changed = owner.ask("PATCH", f"/notes/{note['id']}", json={"title": word})
    deleted = owner.ask("DELETE", f"/notes/{other['id']}")

    assert read.json() == note
    assert replaced.json() == {**note, **text}
    assert changed.json() == {**note, **text, "title": word}
    assert deleted.status_code == 204
    assert told(owner.ask("GET", f"/notes/{other['id']}")) == NOT_FOUND
    assert owner.shown({**note, **text, "title": word}) == {**note, **text, "title": word}
    word = make.text()["text"]
    assert owner.ask("PATCH", f"/notes/{note['id']}", json={"text": word}).json()["text"] == word


@pytest.mark.task("notes", points=3)
def test_a_strangers_request_is_not_found(patients, make, fake):
    """A stranger's GET, PUT, PATCH and DELETE are answered 404, as for a note that isn't there."""
    owner, stranger = patients
    note = owner.notes[-1]

    for number in (note["id"], fake.integer(1000, 5000)):
        for method in ("GET", "PUT", "PATCH", "DELETE"):
            options = {} if method in ("GET", "DELETE") else {"json": make.text()}
            reply = stranger.ask(method, f"/notes/{number}", **options)
            assert (method, reply.status_code) == (method, 404)
            assert reply.json()["error"]["code"] == "not_found"


@pytest.mark.task("notes", points=2)
def test_a_refused_note_is_unchanged(patients, make, rng):
    """After a stranger's PUT, PATCH and DELETE the note is still there for its owner, as it was."""
    owner, stranger = patients
    note = rng.choice(owner.notes)

    for method in ("PUT", "PATCH", "DELETE"):
        stranger.ask(method, f"/notes/{note['id']}", json=make.text())
        assert owner.shown(note) == note


@pytest.mark.task("notes", points=1)
def test_without_a_token_nothing_is_told(client, patients, make, rng, fake):
    """Without a token the answer is 401, whether the note is there or not."""
    note = rng.choice(patients[0].notes)

    for number in (note["id"], fake.integer(1000, 5000)):
        for method in ("GET", "PUT", "PATCH", "DELETE"):
            options = {} if method in ("GET", "DELETE") else {"json": make.text()}
            reply = client.request(method, f"/notes/{number}", **options)
            assert (method, reply.status_code) == (method, 401)
        assert client.get(f"/notes/{number}/files").status_code == 401
    assert client.get("/notes").status_code == 401
    assert patients[0].shown(note) == note


@pytest.mark.task("notes", points=2)
def test_trying_every_number_finds_nothing(patients):
    """A stranger who tries every number from 1 to 200 finds only notes of their own."""
    stranger = patients[1]

    replies = {number: stranger.ask("GET", f"/notes/{number}") for number in range(1, 201)}
    own = {note["id"]: note for note in stranger.notes}

    others = [number for number, reply in replies.items() if number not in own and reply.status_code != 404]
    if others:
        stranger.ask("GET", f"/notes/{others[0]}")  # the last request is the one that a report shows
    assert others == [], "these numbers aren't notes of the one who asks, and aren't answered 404"
    for number, note in own.items():
        assert replies[number].json() == note


@pytest.mark.task("list", points=3)
def test_the_list_has_only_ones_own(patients):
    """The list shows only one's own notes, and `total` counts only those."""
    for person in patients:
        reply = person.ask("GET", "/notes")
        assert reply.status_code == 200
        assert reply.json() == {"items": person.notes, "total": len(person.notes)}


@pytest.mark.task("list", points=1)
def test_an_owner_in_the_address_is_ignored(patients):
    """`?owner=` with another member's number changes nothing."""
    one, other = patients

    found = one.ask("GET", "/notes", params={"owner": other.id}).json()

    assert found == {"items": one.notes, "total": len(one.notes)}


@pytest.mark.task("owner", points=2)
def test_a_new_note_belongs_to_who_wrote_it(patients, make):
    """A new note belongs to whoever wrote it, whatever `owner_id` in the body says."""
    one, other = patients
    plain, foisted = make.text(), make.text()

    first = one.ask("POST", "/notes", json=plain)
    second = one.ask("POST", "/notes", json={**foisted, "owner_id": other.id})

    assert (first.status_code, second.status_code) == (201, 201)
    for reply, text in ((first, plain), (second, foisted)):
        note = reply.json()
        assert note == {"id": note["id"], "owner_id": one.id, **text}
        assert one.shown(note) == note
        assert told(other.ask("GET", f"/notes/{note['id']}")) == NOT_FOUND
    assert other.ask("GET", "/notes").json()["items"] == other.notes


@pytest.mark.task("owner", points=2)
def test_a_note_cannot_be_given_away(patients, make, rng):
    """A note can't be given away: `owner_id` in a PUT or a PATCH is ignored, the rest of it counts."""
    one, other = patients
    note = rng.choice(one.notes)

    for method in ("PUT", "PATCH"):
        note = {**note, **make.text()}
        body = {"title": note["title"], "text": note["text"], "owner_id": other.id}
        assert one.ask(method, f"/notes/{note['id']}", json=body).json() == note
        assert one.shown(note) == note
        assert told(other.ask("GET", f"/notes/{note['id']}")) == NOT_FOUND


@pytest.mark.task("owner", points=1)
def test_a_note_cannot_be_taken(patients, make, rng):
    """A note can't be taken: a stranger who sends their own `owner_id` is answered 404, and nothing changes."""
    one, other = patients
    note = rng.choice(one.notes)

    for method in ("PUT", "PATCH"):
        body = {**make.text(), "owner_id": other.id}
        assert told(other.ask(method, f"/notes/{note['id']}", json=body)) == NOT_FOUND
        assert one.shown(note) == note


@pytest.mark.task("files", points=1)
def test_the_owner_keeps_files(patients, make, rng):
    """The owner can list, add, read and delete the files of a note."""
    owner = patients[0]
    note, other = owner.notes[:2]
    path = f"/notes/{note['id']}/files"
    file, old = make.file(), owner.files[note["id"]]

    listed = owner.ask("GET", path).json()
    added = owner.ask("POST", path, json=file)
    new = {"id": added.json()["id"], **file}

    assert listed == {"items": [old]}
    assert added.status_code == 201
    assert added.json() == new
    assert owner.ask("GET", f"{path}/{new['id']}").json() == new
    assert owner.ask("DELETE", f"{path}/{old['id']}").status_code == 204
    assert owner.ask("GET", path).json() == {"items": [new]}
    assert owner.ask("GET", f"/notes/{other['id']}/files").json() == {"items": [owner.files[other["id"]]]}


@pytest.mark.task("files", points=3)
def test_a_strangers_file_is_not_found(patients, make, rng):
    """A stranger's requests for a note's files are answered 404, and change nothing."""
    owner, stranger = patients
    note = rng.choice(owner.notes)
    path, file = f"/notes/{note['id']}/files", owner.files[note["id"]]

    for method, where in (("GET", path), ("POST", path), ("GET", f"{path}/{file['id']}"), ("DELETE", f"{path}/{file['id']}")):
        options = {"json": make.file()} if method == "POST" else {}
        reply = stranger.ask(method, where, **options)
        assert (method, reply.status_code) == (method, 404)
        assert reply.json()["error"]["code"] == "not_found"
        assert owner.ask("GET", path).json() == {"items": [file]}


@pytest.mark.task("files", points=2)
def test_a_file_is_found_at_its_own_note_only(patients, rng):
    """A file is found under its own note only: under any other one it is answered 404."""
    owner, stranger = patients
    note, mine = rng.choice(owner.notes), rng.choice(stranger.notes)
    file = owner.files[note["id"]]
    path = f"/notes/{mine['id']}/files/{file['id']}"

    assert told(stranger.ask("GET", path)) == NOT_FOUND
    assert told(stranger.ask("DELETE", path)) == NOT_FOUND
    assert owner.ask("GET", f"/notes/{note['id']}/files/{file['id']}").json() == file
