"""The posts: reading, writing, changing and deleting them."""

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for

from .auth import login_required
from .db import get_db

bp = Blueprint("blog", __name__)
POSTS = "SELECT post.*, username FROM post JOIN user ON user.id = author_id"


@bp.get("/")
def index():
    posts = get_db().execute(f"{POSTS} ORDER BY created DESC, post.id DESC").fetchall()
    return render_template("blog/index.html", posts=posts)


def own_post(post_id):
    """Return a post of whoever is logged in: 404 where there is none, 403 where it is another's."""
    post = get_db().execute(f"{POSTS} WHERE post.id = ?", (post_id,)).fetchone() or abort(404)
    if post["author_id"] != g.user["id"]:
        abort(403)
    return post


def store(statement, *more):
    """Write title and body of the form by this statement, and return whether the title was there."""
    if not request.form["title"]:
        flash("Title is required.")
        return False
    with get_db() as db:
        db.execute(statement, (request.form["title"], request.form["body"], *more))
    return True


@bp.route("/create", methods=["GET", "POST"])
@login_required
def create():
    insert = "INSERT INTO post (title, body, author_id) VALUES (?, ?, ?)"
    if request.method == "POST" and store(insert, g.user["id"]):
        return redirect(url_for("blog.index"))
    return render_template("blog/create.html", post=request.form)


@bp.route("/<int:post_id>/update", methods=["GET", "POST"])
@login_required
def update(post_id):
    post = own_post(post_id)
    if request.method == "POST":
        if store("UPDATE post SET title = ?, body = ? WHERE id = ?", post_id):
            return redirect(url_for("blog.index"))
        return render_template("blog/update.html", post=request.form, post_id=post_id, name=post["title"])
    return render_template("blog/update.html", post=post, post_id=post_id, name=post["title"])


@bp.post("/<int:post_id>/delete")
@login_required
def delete(post_id):
    with get_db() as db:
        db.execute("DELETE FROM post WHERE id = ?", (post_id,))
    return redirect(url_for("blog.index"))
