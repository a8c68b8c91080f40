"""The posts: reading, writing, changing and deleting them."""

from flask import Blueprint

bp = Blueprint("blog", __name__)

# TODO: /, /create, /<id>/update, /<id>/delete
