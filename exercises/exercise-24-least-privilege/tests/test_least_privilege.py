"""Hidden tests: each role sees and does what it needs, and nothing else."""

import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest

TABLE = """
                           nobody  patient  doctor  admin
    GET    /me             401     200      200     200
    PATCH  /me             401     200      200     200
    GET    /visits/{visit} 401     200      200     200
    GET    /admin/users    401     403      403     200
    HEAD   /admin/users    401     403      403     200
    POST   /admin/users    401     403      403     201
    PUT    /admin/users/{user} 401 403      403     200
    DELETE /admin/users/{user} 401 403      403     204
"""
ROLES = ("patient", "doctor", "admin")
FIELDS = {
    "patient": ("id", "name", "appointment"),
    "doctor": ("id", "name", "appointment", "diagnosis", "treatment", "internal_note"),
    "admin": ("id", "name", "appointment", "insurance_no"),
}


def quick_hash(password, salt):
    """A hash in Werkzeug's form with few rounds: what is tested here isn't the hash, and it must not cost time."""
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), 1000)
    return f"pbkdf2:sha256:1000${salt}${digest.hex()}"


class Clinic:
    """The learner's clinic with somebody of each role, another patient and doctor, and a visit of each pair."""

    def __init__(self, client, db, fake):
        self.client, self.db, self.fake = client, db, fake
        client.get("/me")
        self.people, self.tokens = {}, {}
        numbers = fake.ids(5, 10, 9000)
        for who, number in zip((*ROLES, "other patient", "other doctor"), numbers, strict=True):
            person = fake.member()
            self.people[who] = {"id": number, "name": person["name"], "email": person["email"], "role": who.split()[-1]}
        self.add_users(*self.people.values())
        self.visit = self.new_visit("patient")
        self.foreign = self.new_visit("other patient")
        owners = (("patient", "doctor"), ("other patient", "other doctor"))
        rows = [
            {**visit, "patient_id": self.people[patient]["id"], "doctor_id": self.people[doctor]["id"]}
            for visit, (patient, doctor) in zip((self.visit, self.foreign), owners, strict=True)
        ]
        db.insert("visits", *rows)

    def add_users(self, *people):
        """Put users into the table; the password is the address turned round."""
        hashes = [quick_hash(person["email"][::-1], self.fake.token(16)) for person in people]
        rows = [{**person, "password_hash": kept} for person, kept in zip(people, hashes, strict=True)]
        self.db.insert("users", *rows)

    def new_visit(self, patient):
        """Make a visit."""
        fake = self.fake
        return {
            "id": fake.ids(1, 10, 9000)[0],
            "name": self.people[patient]["name"],
            "appointment": f"{fake.date()} at {fake.integer(8, 17)}",
            "diagnosis": f"{fake.words(2)} {fake.token(6)}",
            "treatment": f"{fake.words(2)} {fake.token(6)}",
            "internal_note": f"{fake.sentence()} {fake.token(6)}",
            "insurance_no": f"K-{fake.token(8)}",
        }

    def visitor(self, who, **claims):
        """Give how this person sends a request, and claims a role in it."""

        def ask(method, path, **options):
            if who not in self.tokens:
                email = self.people[who]["email"]
                reply = self.client.post("/login", json={"email": email, "password": email[::-1]})
                self.tokens[who] = reply.json()["token"]
            headers = {"Authorization": f"Bearer {self.tokens[who]}", **claims.get("headers", {})}
            return self.client.request(method, path, headers=headers, **options)

        return ask

    def ask(self, who, method, path, **options):
        """Send a request as this person."""
        return self.visitor(who)(method, path, **options)

    def new_person(self, **more):
        """What is sent for somebody who isn't there yet."""
        return {**self.fake.member(), **more}


@pytest.fixture
def clinic(client, db, fake):
    """The clinic, with its tables filled."""
    return Clinic(client, db, fake)


def seen(visit, role):
    """What this role sees of a visit."""
    return {name: visit[name] for name in FIELDS[role]}


@pytest.mark.task("fields", points=2)
def test_a_patient_sees_the_appointment(clinic):
    """A patient sees the number, the name and the appointment of an own visit, and nothing else."""
    reply = clinic.ask("patient", "GET", f"/visits/{clinic.visit['id']}")

    assert reply.status_code == 200
    assert reply.json() == seen(clinic.visit, "patient")


@pytest.mark.task("fields", points=2)
def test_a_doctor_sees_what_is_medical(clinic):
    """A doctor sees what is medical of an own patient's visit, an admin the insurance number, and neither sees both."""
    for role in ("doctor", "admin"):
        assert clinic.ask(role, "GET", f"/visits/{clinic.visit['id']}").json() == seen(clinic.visit, role)


@pytest.mark.task("fields", points=2)
def test_visits_of_others_are_refused(clinic):
    """A patient and a doctor are refused other people's visits with 403; the other doctor and an admin see them."""
    path = f"/visits/{clinic.foreign['id']}"

    for role in ("patient", "doctor"):
        reply = clinic.ask(role, "GET", path)
        assert (role, reply.status_code) == (role, 403)
        assert reply.json()["error"]["code"] == "forbidden"
    assert clinic.ask("other doctor", "GET", path).json() == seen(clinic.foreign, "doctor")
    assert clinic.ask("admin", "GET", path).json() == seen(clinic.foreign, "admin")


@pytest.mark.task("fields", points=2)
def test_a_new_column_is_not_shown(clinic, db, fake):
    """A column that is added to the tables later is in no answer."""
    secret = fake.token(12)
    for table in ("users", "visits"):
        db.script(f"ALTER TABLE {table} ADD COLUMN {fake.word()}_{fake.token(4)} TEXT DEFAULT '{secret}'")

    for role in ROLES:
        assert clinic.ask(role, "GET", f"/visits/{clinic.visit['id']}").json() == seen(clinic.visit, role)
        assert clinic.ask(role, "GET", "/me").json() == clinic.people[role]
    listed = clinic.ask("admin", "GET", "/admin/users").json()["items"]
    assert listed == sorted(clinic.people.values(), key=lambda person: person["id"])


@pytest.mark.task("own-role", points=3)
def test_who_registers_becomes_a_patient(clinic, fake):
    """Whoever registers becomes a patient, whatever role is asked for, and can log in."""
    for more in ({}, {"role": fake.choice(("admin", "doctor"))}):
        person = clinic.new_person(**more)
        reply = clinic.client.post("/register", json=person)
        user = reply.json()

        assert reply.status_code == 201
        assert user == {"id": user["id"], "name": person["name"], "email": person["email"], "role": "patient"}
        login = {"email": person["email"], "password": person["password"]}
        headers = {"Authorization": f"Bearer {clinic.client.post('/login', json=login).json()['token']}"}
        assert clinic.client.get("/me", headers=headers).json() == user


@pytest.mark.task("own-role", points=3)
def test_nobody_changes_their_own_role(clinic, fake):
    """`PATCH /me` changes the name or the address and never the role, and `/me` says so."""
    for role in ("patient", "doctor"):
        name, email = fake.name(), fake.email()
        before = clinic.people[role]

        first = clinic.ask(role, "PATCH", "/me", json={"role": "admin", "name": name})
        second = clinic.ask(role, "PATCH", "/me", json={"email": email})

        assert first.json() == {**before, "name": name}
        assert second.json() == clinic.ask(role, "GET", "/me").json() == {**before, "name": name, "email": email}


@pytest.mark.task("admins", points=4)
def test_every_route_keeps_to_the_table(clinic, matrix, fake):
    """Every route and method answers each role as the table says."""
    people = [
        {"id": number, "name": fake.name(), "email": fake.email(), "role": "patient"}
        for number in fake.ids(40, 10_000, 99_000)
    ]
    clinic.add_users(*people)

    def names(route):
        return {"visit": clinic.visit["id"], "user": people.pop()["id"]}

    matrix.check(
        TABLE,
        {"nobody": clinic.client.request} | {role: clinic.visitor(role) for role in ROLES},
        names=names,
        options={
            "PATCH /me": {"json": {}},
            "POST /admin/users": {"json": clinic.new_person(role="doctor")},
            "PUT /admin/users/{user}": {"json": {"name": fake.name(), "email": fake.email(), "role": "patient"}},
        },
    )


@pytest.mark.task("admins", points=2)
def test_a_claimed_role_counts_for_nothing(clinic, db):
    """A role that a request claims, in a header, the address or the body, opens nothing and changes nothing."""
    for role in ("patient", "doctor"):
        ask = clinic.visitor(role, headers={"X-Role": "admin"})
        before = db.value("SELECT count(*) FROM users")
        for method, path in (("GET", "/admin/users"), ("POST", "/admin/users")):
            options = {"json": clinic.new_person(role="admin")} if method == "POST" else {}
            assert ask(method, path, params={"role": "admin"}, **options).status_code == 403
        assert ask("GET", f"/visits/{clinic.visit['id']}", params={"role": "admin"}).json() == seen(clinic.visit, role)
        assert db.value("SELECT count(*) FROM users") == before


@pytest.mark.task("admins", points=2)
def test_an_admin_can_work(clinic, fake):
    """An admin lists, adds, changes and removes users of every role."""
    person = clinic.new_person(role=fake.choice(("doctor", "admin")))
    new = {"name": fake.name(), "email": fake.email(), "role": "doctor"}

    added = clinic.ask("admin", "POST", "/admin/users", json=person)
    user = added.json()
    changed = clinic.ask("admin", "PUT", f"/admin/users/{user['id']}", json=new)
    listed = clinic.ask("admin", "GET", "/admin/users").json()["items"]
    removed = clinic.ask("admin", "DELETE", f"/admin/users/{user['id']}")

    assert user == {"id": user["id"], "name": person["name"], "email": person["email"], "role": person["role"]}
    assert changed.json() == {"id": user["id"], **new}
    assert {"id": user["id"], **new} in listed
    assert len(listed) == len(clinic.people) + 1
    assert removed.status_code == 204
    assert clinic.ask("admin", "PUT", f"/admin/users/{user['id']}", json=new).status_code == 404
    assert clinic.ask("admin", "DELETE", f"/admin/users/{user['id']}").status_code == 404


@pytest.mark.task("refusals", points=3)
def test_every_refusal_is_written_down(clinic, db, rng):
    """Each refused try is one line in `audit` with who, what and when; what was allowed is none."""
    tries = [
        ("patient", "GET", "/admin/users"),
        ("doctor", "DELETE", f"/admin/users/{clinic.people['other patient']['id']}"),
        ("doctor", "GET", f"/visits/{clinic.foreign['id']}"),
        ("patient", "GET", f"/visits/{clinic.foreign['id']}"),
    ]
    rng.shuffle(tries)
    begin = datetime.now(UTC) - timedelta(seconds=1)

    for who, method, path in tries:
        clinic.ask("admin", "GET", "/admin/users")
        clinic.ask(who, "GET", "/me")
        clinic.ask(who, method, path)

    rows = db.rows("SELECT user_id, action, at FROM audit ORDER BY id")
    wanted = [(clinic.people[who]["id"], f"{method} {path}") for who, method, path in tries]
    assert [(row["user_id"], row["action"]) for row in rows] == wanted
    for row in rows:
        at = datetime.fromisoformat(row["at"])
        assert at.utcoffset() == timedelta(0), f"`at` is {row['at']}, which is not a time in UTC"
        assert begin <= at <= datetime.now(UTC) + timedelta(seconds=1)


@pytest.mark.task("refusals", points=1)
def test_a_refusal_tells_nothing(clinic):
    """A refusal holds nothing of what it keeps back."""
    for role in ("patient", "doctor"):
        reply = clinic.ask(role, "GET", f"/visits/{clinic.foreign['id']}")
        assert reply.status_code == 403
        told = json.dumps(reply.json(), ensure_ascii=False)
        kept_back = [value for name, value in clinic.foreign.items() if name != "id"]
        assert [value for value in kept_back if value in told] == []
