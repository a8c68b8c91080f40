"""Hidden tests: the pages, redirects and messages of the blog from Flask's own tutorial, read as a browser reads them."""

import hashlib
from datetime import UTC, datetime, timedelta
from urllib.parse import urljoin, urlsplit

import pytest
from werkzeug.security import check_password_hash

REDIRECTS = (301, 302, 303)


def quick_hash(password, salt):
    """A hash in Werkzeug's form with few rounds: what is tested here isn't the hash, and it must not cost time."""
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), 1000)
    return f"pbkdf2:sha256:1000${salt}${digest.hex()}"


class Blog:
    """The learner's blog with authors and their posts, and a browser before it."""

    def __init__(self, client, db, fake, rng):
        self.client, self.db, self.fake = client, db, fake
        client.get("/")
        self.minutes = rng.sample(range(900_000), 20)
        self.author, self.other = self.add_user(), self.add_user()

    def add_user(self):
        """Put a user into the table."""
        user = {"id": self.fake.ids(1, 10, 9000)[0], "username": f"{self.fake.first()}{self.fake.token(3)}"}
        password = self.fake.password()
        self.db.insert("user", user | {"password": quick_hash(password, self.fake.token(16))})
        return user | {"password": password}

    def add_post(self, author, **values):
        """Put a post into the table, from some day of the last years."""
        fake = self.fake
        created = datetime(2024, 1, 1) + timedelta(minutes=self.minutes.pop())
        post = {
            "id": fake.ids(1, 10, 9000)[0],
            "author_id": author["id"],
            "created": f"{created:%Y-%m-%d %H:%M:%S}",
            "title": fake.title(),
            "body": fake.sentence(),
            **values,
        }
        self.db.insert("post", post)
        return post | {"username": author["username"]}

    def log_in(self, user, client=None, path="/auth/login"):
        """Fill in the login form and send it."""
        client = client or self.client
        form = client.get(path).page().form("username", "password")
        return form.send(client, {"username": user["username"], "password": user["password"]})

    def row(self, post):
        """Give a post as it is in the table now, None where it isn't."""
        found = self.db.rows("SELECT * FROM post WHERE id = ?", [post["id"]])
        return found[0] if found else None

    def is_unchanged(self, post):
        """Check that a post is in the table as it was."""
        assert self.row(post) == {name: value for name, value in post.items() if name != "username"}
        return True


@pytest.fixture
def blog(client, db, fake, rng):
    """The blog."""
    return Blog(client, db, fake, rng)


def leads_to(reply):
    """Give the path and the query that an answer redirects to, with the host where it is another one; None where it doesn't."""
    if reply.status_code not in REDIRECTS:
        return None
    parts = urlsplit(urljoin(f"http://127.0.0.1{reply.path}", reply.headers["Location"]))
    place = parts.path + (f"?{parts.query}" if parts.query else "")
    return place if parts.scheme == "http" and parts.hostname == "127.0.0.1" else reply.headers["Location"]


def has_post(page, post):
    """Check that a page shows a post with title, author, date and body."""
    about = f"by {post['username']} on {post['created'][:10]}"
    for text in (post["title"], about, post["body"]):
        assert text in page.text
    return True


def markup(word):
    """Give a title and a body that look like parts of a page, with a word in them."""
    return {
        "title": f'<em>{word}</em> & "{word}"',
        "body": f"<script>alert('{word}')</script> <em>{word}</em></textarea>",
    }


def made_of(page, word):
    """Give the names of the elements that such a title or body has become."""
    return [each.tag for each in page.all("em") + page.all("script") if word in each.raw_text]


@pytest.mark.task("register", points=3)
def test_registering_leads_to_the_login(blog, fake):
    """Registering leads to the login page, and adds the user."""
    user = {"username": f"{fake.first()} {fake.token(4)}", "password": fake.password()}
    page = blog.client.get("/auth/register").page()

    reply = page.form("username", "password").send(blog.client, user)

    assert page.title == "Register - Flaskr"
    assert leads_to(reply) == "/auth/login"
    names = [row["username"] for row in blog.db.rows("SELECT username FROM user ORDER BY username")]
    assert names == sorted([blog.author["username"], blog.other["username"], user["username"]])


@pytest.mark.task("register", points=2)
def test_a_password_is_hashed(blog, fake):
    """What is kept of a password is a hash of it that Werkzeug made."""
    user = {"username": fake.first(), "password": fake.password()}

    blog.client.get("/auth/register").page().form("username", "password").send(blog.client, user)

    kept = blog.db.value("SELECT password FROM user WHERE username = ?", [user["username"]])
    assert user["password"] not in str(kept)
    assert str(kept).partition(":")[0] in ("scrypt", "pbkdf2")
    assert check_password_hash(kept, user["password"])


@pytest.mark.task("register", points=2)
def test_a_registration_that_can_not_be(blog, fake):
    """Without a username, without a password, and with a username that is taken, the page says so and adds nobody."""
    taken, password = blog.author["username"], fake.password()
    before = blog.db.rows("SELECT * FROM user")

    for user, message in (
        ({"username": "", "password": password}, "Username is required."),
        ({"username": fake.first(), "password": ""}, "Password is required."),
        ({"username": taken, "password": password}, f"User {taken} is already registered."),
    ):
        form = blog.client.get("/auth/register").page().form("username", "password")
        page = form.send(blog.client, user).page()
        assert page.title == "Register - Flaskr"
        assert message in page.text
    assert blog.db.rows("SELECT * FROM user") == before


@pytest.mark.task("login", points=2)
def test_a_wrong_login_is_told(blog, fake):
    """With a wrong username or password the login page says which, and nobody is logged in."""
    page = blog.client.get("/auth/login").page()
    assert page.title == "Log In - Flaskr"

    for user, message in (
        ({"username": fake.token(8), "password": blog.author["password"]}, "Incorrect username."),
        ({"username": blog.author["username"], "password": fake.password()}, "Incorrect password."),
        ({"username": blog.author["username"], "password": blog.other["password"]}, "Incorrect password."),
    ):
        page = page.form("username", "password").send(blog.client, user).page()
        assert page.title == "Log In - Flaskr"
        assert message in page.text
        assert blog.author["username"] not in blog.client.get("/").page().text


@pytest.mark.task("login", points=2)
def test_logging_out(blog, fake):
    """Login and logout lead to the list: after the one it has the username, after the other not, and others stay logged in."""
    second = blog.client.another()
    user = {"username": f"{fake.first()} {fake.token(4)}", "password": fake.password()}
    blog.client.get("/auth/register").page().form("username", "password").send(blog.client, user)

    assert leads_to(blog.log_in(user)) == "/"
    assert leads_to(blog.log_in(blog.other, second)) == "/"
    assert user["username"] in blog.client.get("/").page().text
    assert leads_to(blog.client.get("/auth/logout")) == "/"
    assert user["username"] not in blog.client.get("/").page().text
    assert blog.other["username"] in second.get("/").page().text


@pytest.mark.task("login", points=2)
def test_next_stays_on_this_site(blog, fake):
    """After the login `next` leads to a page of the blog, and never to another site."""
    site = f"{fake.slug()}.example"

    for wanted, place in (
        ("/create", "/create"),
        (f"/{fake.integer(1, 99)}/update", None),
        (f"https://{site}/", "/"),
        (f"//{site}/create", "/"),
        (f"/\\{site}", "/"),
        (f"/\t/{site}", "/"),
        (f"\\\\{site}", "/"),
        (f"javascript:alert('{site}')", "/"),
        (site, "/"),
        ("", "/"),
    ):
        visitor = blog.client.another()
        form = visitor.get("/auth/login", params={"next": wanted}).page().form("username", "password")
        reply = form.send(visitor, {name: blog.author[name] for name in ("username", "password")})
        assert (wanted, leads_to(reply)) == (wanted, wanted if place is None else place)


@pytest.mark.task("read", points=3)
def test_posts_come_newest_first(blog, rng):
    """The list shows every post with title, author, date and body, the newest first."""
    posts = [blog.add_post(rng.choice((blog.author, blog.other))) for _ in range(rng.randrange(4, 8))]

    reply = blog.client.get("/")
    page = reply.page()

    assert reply.status_code == 200
    assert page.title == "Posts - Flaskr"
    assert [has_post(page, post) for post in posts] == [True] * len(posts)
    posts.sort(key=lambda post: post["created"], reverse=True)
    assert sorted(posts, key=lambda post: page.text.index(post["title"])) == posts


@pytest.mark.task("read", points=2)
def test_what_people_typed_is_text(blog, fake):
    """Title and body are shown as they were typed, and no markup comes out of them."""
    word = fake.token(6)
    post = blog.add_post(blog.author, **markup(word))

    page = blog.client.get("/").page()

    assert made_of(page, word) == []
    assert has_post(page, post)


@pytest.mark.task("read", points=2)
def test_the_list_has_the_right_links(blog):
    """A visitor finds Register and Log In; a member finds Log Out and New, and Edit at own posts only."""
    own, foreign = blog.add_post(blog.author), blog.add_post(blog.other)

    visitor = blog.client.get("/").page().links
    blog.log_in(blog.author)
    page = blog.client.get("/").page()

    assert (visitor.get("Register"), visitor.get("Log In")) == ("/auth/register", "/auth/login")
    assert [name for name in ("Log Out", "New", "Edit") if name in visitor] == []
    assert (page.links.get("Log Out"), page.links.get("New")) == ("/auth/logout", "/create")
    assert [name for name in ("Register", "Log In") if name in page.links] == []
    edits = [link.get("href") for link in page.all("a") if link.text == "Edit"]
    assert edits == [f"/{own['id']}/update"]
    assert f"/{foreign['id']}/update" not in page.links.values()


@pytest.mark.task("write", points=3)
def test_a_new_post_is_on_the_list(blog, fake):
    """A new post leads to the list, and is on it with its author and today's date."""
    blog.log_in(blog.author)
    page = blog.client.get("/create").page()
    typed = {"title": fake.title(), "body": fake.sentence()}
    before = datetime.now(UTC)

    reply = page.form("title", "body").send(blog.client, typed)

    assert page.title == "New Post - Flaskr"
    assert leads_to(reply) == "/"
    index = blog.client.get("/").page()
    days = [f"{day:%Y-%m-%d}" for day in (before, datetime.now(UTC))]
    day = days[0] if days[0] in index.text else days[1]
    assert has_post(index, {**typed, "username": blog.author["username"], "created": day})


@pytest.mark.task("write", points=2)
def test_a_title_is_needed(blog, fake):
    """Without a title the page says so, keeps the body that was typed, and nothing is added or changed."""
    post = blog.add_post(blog.author)
    blog.log_in(blog.author)

    for path in ("/create", f"/{post['id']}/update"):
        typed = {"title": "", "body": f"{fake.sentence()} <{fake.token(4)}>"}
        page = blog.client.get(path).page().form("title", "body").send(blog.client, typed).page()
        assert "Title is required." in page.text
        assert page.form("title", "body").fields["body"] == typed["body"]
    assert blog.is_unchanged(post)
    assert blog.db.value("SELECT count(*) FROM post") == 1


@pytest.mark.task("write", points=3)
def test_an_author_changes_a_post(blog, fake):
    """The update page has the post in its form as it was typed; sending it leads to the list, and only that post is changed."""
    word = fake.token(6)
    post, other = blog.add_post(blog.author, **markup(word)), blog.add_post(blog.author)
    blog.log_in(blog.author)
    page = blog.client.get(f"/{post['id']}/update").page()
    form = page.form("title", "body")
    typed = {"title": fake.title(), "body": fake.sentence()}

    reply = form.send(blog.client, typed)

    assert page.title == f'Edit "{post["title"]}" - Flaskr'
    assert (form.fields["title"], form.fields["body"]) == (post["title"], post["body"])
    assert made_of(page, word) == []
    assert leads_to(reply) == "/"
    assert has_post(blog.client.get("/").page(), {**post, **typed})
    assert blog.is_unchanged({**post, **typed})
    assert blog.is_unchanged(other)


@pytest.mark.task("write", points=2)
def test_an_author_deletes_a_post(blog):
    """The button Delete on the update page leads to the list, and only that post is gone; a GET deletes nothing."""
    post, other = blog.add_post(blog.author), blog.add_post(blog.author)
    blog.log_in(blog.author)
    blog.client.get(f"/{post['id']}/delete")
    assert blog.is_unchanged(post)

    forms = [form for form in blog.client.get(f"/{post['id']}/update").page().forms if "Delete" in form.buttons]
    assert [(form.method, form.action) for form in forms] == [("POST", f"/{post['id']}/delete")]
    reply = forms[0].send(blog.client)

    assert leads_to(reply) == "/"
    assert blog.row(post) is None
    assert blog.is_unchanged(other)


@pytest.mark.task("guard", points=2)
def test_visitors_are_sent_to_the_login(blog, fake):
    """Whoever isn't logged in is sent to the login page by create, update and delete, and nothing changes."""
    post = blog.add_post(blog.author)
    typed = {"title": fake.title(), "body": fake.sentence()}
    was_there = blog.client.another()
    blog.log_in(blog.author, was_there)
    was_there.get("/auth/logout")

    for visitor in (blog.client, was_there):
        for path in ("/create", f"/{post['id']}/update"):
            assert (path, leads_to(visitor.get(path))) == (path, "/auth/login")
        for path in ("/create", f"/{post['id']}/update", f"/{post['id']}/delete"):
            assert (path, leads_to(visitor.post(path, data=typed))) == (path, "/auth/login")
    assert blog.is_unchanged(post)
    assert blog.db.value("SELECT count(*) FROM post") == 1


@pytest.mark.task("guard", points=3)
def test_another_authors_post_is_refused(blog, fake):
    """Another author's post is answered 403 by update and delete, and stays as it is."""
    post = blog.add_post(blog.author)
    typed = {"title": fake.title(), "body": fake.sentence()}
    blog.log_in(blog.other)

    assert blog.client.get(f"/{post['id']}/update").status_code == 403
    for action in ("update", "delete"):
        assert (action, blog.client.post(f"/{post['id']}/{action}", data=typed).status_code) == (action, 403)
        assert blog.is_unchanged(post)


@pytest.mark.task("guard", points=1)
def test_a_number_without_a_post(blog, fake):
    """A number that no post has is answered 404 by update and delete."""
    post = blog.add_post(blog.author)
    blog.log_in(blog.author)
    number = fake.integer(10_000, 90_000)

    assert blog.client.get(f"/{number}/update").status_code == 404
    for action in ("update", "delete"):
        reply = blog.client.post(f"/{number}/{action}", data={"title": fake.title(), "body": ""})
        assert (action, reply.status_code) == (action, 404)
    assert blog.is_unchanged(post)
