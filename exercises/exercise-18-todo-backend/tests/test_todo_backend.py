"""Hidden tests: the public todo-backend contract (https://todobackend.com), as a frontend from another place sees it."""

from urllib.parse import urlsplit

import pytest

ORIGIN = "https://frontend.example"
GOOD = range(200, 300)
"""The statuses that a browser takes for a success."""


class Frontend:
    """A frontend as the public contract's own: it knows the root, and follows the url that each todo has."""

    def __init__(self, client, fake):
        self.client = client
        self.fake = fake

    def ask(self, method, path, **options):
        """Send a request as a browser does from a page of another place: the type stands there without a body, too."""
        headers = {"Origin": ORIGIN, "Content-Type": "application/json", **options.pop("headers", {})}
        return self.client.request(method, path, headers=headers, **options)

    def words(self):
        """Give a new title."""
        return f"{self.fake.words(2)} {self.fake.token(4)}"

    def add(self, **values):
        """Add a todo, and give it as it was answered."""
        return self.ask("POST", "/todos", json={"title": self.words(), **values}).json()

    def list(self):
        """Give the whole list, in order of the titles."""
        reply = self.ask("GET", "/todos")
        assert reply.status_code == 200
        return by_title(reply.json())

    def sees(self, todo):
        """Check that the todo is answered so, at its url and in the list."""
        assert self.ask("GET", todo["url"]).json() == todo
        assert todo in self.list()
        return True


def by_title(todos):
    """The contract says nothing of an order, so every order is right."""
    return sorted(todos, key=lambda todo: todo["title"])


def names(header):
    """Give the names in a header, in small letters."""
    return {name.strip().lower() for name in header.split(",")}


@pytest.fixture
def frontend(client, fake):
    """A frontend that runs in a browser."""
    return Frontend(client, fake)


@pytest.mark.task("list", points=2)
def test_the_list_begins_empty(frontend):
    """At first `GET /todos` is answered 200 with an empty list, and so it is after `DELETE /todos`."""
    assert frontend.ask("GET", "/todos").status_code == 200
    assert frontend.list() == []
    assert frontend.ask("DELETE", "/todos").status_code in GOOD
    assert frontend.list() == []


@pytest.mark.task("list", points=3)
def test_a_new_todo_is_answered_and_listed(frontend, rng):
    """A new todo is answered with its title, a url, not completed, and is in the list as it was answered."""
    titles = [frontend.words() for _ in range(rng.randrange(2, 5))]

    replies = [frontend.ask("POST", "/todos", json={"title": title}) for title in titles]
    todos = [reply.json() for reply in replies]

    assert [reply.status_code for reply in replies if reply.status_code not in GOOD] == []
    assert [(todo["title"], todo["completed"]) for todo in todos] == [(title, False) for title in titles]
    assert [type(todo["url"]) for todo in todos] == [str] * len(titles)
    assert frontend.list() == by_title(todos)


@pytest.mark.task("list", points=2)
def test_deleting_the_list_empties_it(frontend, rng):
    """`DELETE /todos` empties the list, and a new todo can be added after that."""
    todos = [frontend.add() for _ in range(rng.randrange(2, 5))]

    assert frontend.ask("DELETE", "/todos").status_code in GOOD
    assert frontend.list() == []
    assert frontend.ask("GET", todos[0]["url"]).status_code == 404
    todo = frontend.add()
    assert frontend.list() == [todo]


@pytest.mark.task("todo", points=2)
def test_a_todo_is_found_at_its_url(frontend, rng):
    """Each todo is answered at its own url."""
    todos = [frontend.add() for _ in range(rng.randrange(2, 5))]

    assert [frontend.ask("GET", todo["url"]).json() for todo in todos] == todos
    assert len({todo["url"] for todo in todos}) == len(todos)


@pytest.mark.task("todo", points=4)
def test_each_field_can_be_changed_by_itself(frontend, fake, rng):
    """Title, completed and order can be changed one at a time; the others stay, and the change stays."""
    todo, other = frontend.add(order=fake.integer(1, 400)), frontend.add(order=fake.integer(1, 400))
    changes = [{"title": frontend.words()}, {"completed": True}, {"order": fake.integer(401, 999)}]
    rng.shuffle(changes)

    for change in [*changes, {"completed": False}]:
        todo = {**todo, **change}
        reply = frontend.ask("PATCH", todo["url"], json=change)
        assert reply.status_code in GOOD
        assert reply.json() == todo
        assert frontend.sees(todo)
    assert frontend.sees(other)


@pytest.mark.task("todo", points=2)
def test_a_new_todo_keeps_its_order(frontend, fake):
    """A todo that is added with an order has it in the answer, at its url and in the list."""
    order = fake.integer(1, 999)

    todo = frontend.add(order=order)

    assert todo["order"] == order
    assert frontend.sees(todo)


@pytest.mark.task("todo", points=2)
def test_a_deleted_todo_is_gone(frontend):
    """A deleted todo is gone from the list and answered 404 at its url; the others stay."""
    first, second, third = (frontend.add() for _ in range(3))

    assert frontend.ask("DELETE", second["url"]).status_code in GOOD
    assert frontend.list() == by_title([first, third])
    for method in ("GET", "PATCH", "DELETE"):
        options = {"json": {"title": frontend.words()}} if method == "PATCH" else {}
        reply = frontend.ask(method, second["url"], **options)
        assert (method, reply.status_code) == (method, 404)
    assert frontend.list() == by_title([first, third])


@pytest.mark.task("todo", points=1)
def test_an_unknown_field_is_no_accident(frontend, fake):
    """An unknown field is ignored or refused, and is never answered 500."""
    todo, name = frontend.add(), f"{fake.word()}_{fake.token(4)}"
    more = {name: fake.word()}

    added = frontend.ask("POST", "/todos", json={"title": frontend.words(), **more})
    changed = frontend.ask("PATCH", todo["url"], json={"title": todo["title"], **more})

    for reply in (added, changed):
        assert f"{reply.status_code // 100}xx" in ("2xx", "4xx")
    assert frontend.sees(todo)
    assert len(frontend.list()) == (2 if added.status_code in GOOD else 1)
    assert [todo for todo in frontend.list() if name in todo] == []


@pytest.mark.task("elsewhere", points=3)
def test_a_url_is_whole(frontend, fake):
    """A todo's url is whole and begins with the host name that was asked, whatever that is."""
    host = f"{fake.slug()}.example:{fake.integer(2000, 9000)}"

    todo = frontend.ask("POST", "/todos", json={"title": frontend.words()}, headers={"Host": host}).json()
    listed = frontend.ask("GET", "/todos", headers={"Host": host}).json()
    changed = frontend.ask("PATCH", todo["url"], json={"completed": True}, headers={"Host": host}).json()

    parts = urlsplit(todo["url"])
    assert f"{parts.scheme}://{parts.netloc}" == f"http://{host}"
    assert listed == [todo]
    assert frontend.ask("GET", todo["url"], headers={"Host": host}).json() == changed == {**todo, "completed": True}


@pytest.mark.task("elsewhere", points=2)
def test_todos_stay_after_a_restart(frontend, app, db, fake):
    """After a restart every todo is there as it was, at the same url, from the database of `DATABASE_URL`."""
    todos = [frontend.add(order=fake.integer(1, 99)), frontend.add()]
    todos[1] = frontend.ask("PATCH", todos[1]["url"], json={"completed": True, "title": frontend.words()}).json()

    app.restart()

    kept = [value for table in db.tables() for row in db.query(f'SELECT * FROM "{table}"').rows for value in row]
    assert sorted({todo["title"] for todo in todos} - set(kept)) == []
    assert frontend.list() == by_title(todos)
    assert frontend.ask("GET", todos[1]["url"]).json() == todos[1]


@pytest.mark.task("frontend", points=2)
def test_every_answer_may_be_read_from_anywhere(frontend):
    """Every answer has `Access-Control-Allow-Origin: *`, a 404 too."""
    title = frontend.words()
    todo = frontend.add(title=title)
    assert todo["title"] == title

    for method, path in (
        ("GET", "/todos"),
        ("POST", "/todos"),
        ("GET", todo["url"]),
        ("PATCH", todo["url"]),
        ("DELETE", todo["url"]),
        ("GET", todo["url"]),
        ("DELETE", "/todos"),
    ):
        options = {"json": {"title": frontend.words()}} if method in ("POST", "PATCH") else {}
        reply = frontend.ask(method, path, **options)
        assert (method, path, reply.headers.get("Access-Control-Allow-Origin")) == (method, path, "*")


@pytest.mark.task("frontend", points=3)
def test_a_browser_may_ask_first(frontend):
    """A browser that asks first, by OPTIONS, is allowed every method of the address, and the header Content-Type."""
    todo = frontend.add()

    for path, method in (
        ("/todos", "GET"),
        ("/todos", "POST"),
        ("/todos", "DELETE"),
        (todo["url"], "GET"),
        (todo["url"], "PATCH"),
        (todo["url"], "DELETE"),
    ):
        asked = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": "content-type"}
        reply = frontend.client.options(path, headers={"Origin": ORIGIN, **asked})
        assert reply.status_code in GOOD
        assert reply.headers.get("Access-Control-Allow-Origin") == "*"
        methods, headers = (names(reply.headers.get(f"Access-Control-Allow-{each}", "")) for each in ("Methods", "Headers"))
        assert "*" in methods or method.lower() in methods
        assert "*" in headers or "content-type" in headers
    assert frontend.sees(todo)
