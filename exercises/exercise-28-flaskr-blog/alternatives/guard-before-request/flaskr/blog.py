"""The posts: reading, writing, changing and deleting them."""

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for

from .db import get_db

bp = Blueprint("blog", __name__)
OPEN = {"blog.index"}
POSTS = "SELECT post.*, username FROM post JOIN user ON user.id = author_id"


@bp.before_request
def guard():
    """Ask before every page of this blueprint: who is it, and whose post is it? A new page is guarded by itself."""
    if request.endpoint in OPEN:
        return None
    if g.user is None:
        return redirect("/auth/login")
    g.post = None
    if "post_id" in request.view_args:
        g.post = get_db().execute(f"{POSTS} WHERE post.id = :post_id", request.view_args).fetchone()
        if g.post is None:
            abort(404)
        if g.post["author_id"] != g.user["id"]:
            abort(403)
    return None


@bp.get("/")
def index():
    posts = get_db().execute(f"{POSTS} ORDER BY created DESC, post.id DESC")
    return render_template("blog/index.html", posts=posts)


@bp.get("/create")
def show_create():
    return render_template("blog/create.html", post={"title": "", "body": ""})


@bp.post("/create")
def create():
    title, body = request.form["title"], request.form["body"]
    if title == "":
        flash("Title is required.")
        return render_template("blog/create.html", post=request.form)
    db = get_db()
    db.execute("INSERT INTO post (author_id, title, body) VALUES (?, ?, ?)", (g.user["id"], title, body))
    db.commit()
    return redirect("/")


@bp.get("/<int:post_id>/update")
def show_update(post_id):
    return render_template("blog/update.html", post=g.post, post_id=post_id, name=g.post["title"])


@bp.post("/<int:post_id>/update")
def update(post_id):
    title, body = request.form["title"], request.form["body"]
    if title == "":
        flash("Title is required.")
        return render_template("blog/update.html", post=request.form, post_id=post_id, name=g.post["title"])
    db = get_db()
    db.execute("UPDATE post SET title = ?, body = ? WHERE id = ?", (title, body, post_id))
    db.commit()
    return redirect("/")


@bp.post("/<int:post_id>/delete")
def delete(post_id):
    db = get_db()
    db.execute("DELETE FROM post WHERE id = ?", (post_id,))
    db.commit()
    return redirect(url_for("blog.index"))
