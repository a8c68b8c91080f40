"""A list of todos that any frontend can use."""

import os

from flask import Flask, jsonify, request
from flask.views import MethodView
from sqlalchemy import Column, Integer, MetaData, String, Table, create_engine

METADATA = MetaData()
TODOS = Table(
    "todos",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("title", String, nullable=False),
    Column("completed", Integer, nullable=False, server_default="0"),
    Column("order", Integer),
)
FIELDS = {"title", "completed", "order"}


def shown(row):
    """Give a row as a todo, with an address below the one that was asked."""
    url = f"{request.host_url}todos/{row.id}"
    return {"title": row.title, "completed": bool(row.completed), "order": row.order, "url": url}


class View(MethodView):
    """What both addresses have in common."""

    init_every_request = False

    def __init__(self, engine):
        self.engine = engine


class AllTodos(View):
    """The whole list."""

    def get(self):
        with self.engine.connect() as connection:
            return jsonify([shown(row) for row in connection.execute(TODOS.select())])

    def post(self):
        body = request.get_json()
        if set(body) - FIELDS:
            return {"error": f"a todo has {', '.join(sorted(FIELDS))} and nothing else"}, 400
        with self.engine.begin() as connection:
            insert = TODOS.insert().values(title=body["title"], order=body.get("order")).returning(TODOS)
            return shown(connection.execute(insert).one()), 201

    def delete(self):
        with self.engine.begin() as connection:
            connection.execute(TODOS.delete())
        return []


class OneTodo(View):
    """One of them."""

    def find(self, connection, todo_id):
        row = connection.execute(TODOS.select().where(TODOS.c.id == todo_id)).one_or_none()
        return ({"error": "no such todo"}, 404) if row is None else shown(row)

    def get(self, todo_id):
        with self.engine.connect() as connection:
            return self.find(connection, todo_id)

    def patch(self, todo_id):
        body = request.get_json()
        if set(body) - FIELDS:
            return {"error": f"a todo has {', '.join(sorted(FIELDS))} and nothing else"}, 400
        with self.engine.begin() as connection:
            if body:
                connection.execute(TODOS.update().where(TODOS.c.id == todo_id).values(**body))
            return self.find(connection, todo_id)

    def delete(self, todo_id):
        with self.engine.begin() as connection:
            found = self.find(connection, todo_id)
            connection.execute(TODOS.delete().where(TODOS.c.id == todo_id))
            return found


def create_app():
    """Build the app on the database that DATABASE_URL names."""
    app = Flask(__name__)
    engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///todos.db"))
    METADATA.create_all(engine)
    app.add_url_rule("/todos", view_func=AllTodos.as_view("todos", engine))
    app.add_url_rule("/todos/<int:todo_id>", view_func=OneTodo.as_view("todo", engine))

    @app.after_request
    def allow_every_frontend(response):
        response.headers["Access-Control-Allow-Origin"] = "*"
        if request.method == "OPTIONS":
            response.headers["Access-Control-Allow-Methods"] = response.headers.get("Allow", "*")
            response.headers["Access-Control-Allow-Headers"] = "Content-Type"
        return response

    return app
