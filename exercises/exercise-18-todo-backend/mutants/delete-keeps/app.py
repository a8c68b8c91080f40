"""A list of todos that any frontend can use."""

import os

from flask import Flask, abort, request, url_for
from sqlalchemy import create_engine, delete, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    """What all models have in common."""


class Todo(Base):
    """Something to be done."""

    __tablename__ = "todos"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    completed: Mapped[bool]
    order: Mapped[int | None]

    def as_dict(self):
        """Give the todo as it is answered."""
        url = url_for("show_todo", todo_id=self.id, _external=True)
        return {"title": self.title, "completed": self.completed, "order": self.order, "url": url}


def create_app():
    """Build the app on the database that DATABASE_URL names."""
    app = Flask(__name__)
    engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///todos.db"))
    Base.metadata.create_all(engine)

    @app.after_request
    def allow_every_frontend(response):
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Allow-Methods"] = "GET, POST, PATCH, DELETE"
        response.headers["Access-Control-Allow-Headers"] = "Content-Type"
        return response

    @app.get("/todos")
    def list_todos():
        with Session(engine) as session:
            return [todo.as_dict() for todo in session.scalars(select(Todo))]

    @app.post("/todos")
    def add_todo():
        body = request.get_json()
        with Session(engine) as session:
            todo = Todo(title=body["title"], completed=False, order=body.get("order"))
            session.add(todo)
            session.commit()
            return todo.as_dict(), 201

    @app.delete("/todos")
    def clear_todos():
        with Session(engine) as session:
            session.execute(delete(Todo))
            session.commit()
        return "", 204

    @app.get("/todos/<int:todo_id>")
    def show_todo(todo_id):
        with Session(engine) as session:
            todo = session.get(Todo, todo_id) or abort(404)
            return todo.as_dict()

    @app.patch("/todos/<int:todo_id>")
    def change_todo(todo_id):
        body = request.get_json()
        with Session(engine) as session:
            todo = session.get(Todo, todo_id) or abort(404)
            for name in ("title", "completed", "order"):
                if name in body:
                    setattr(todo, name, body[name])
            session.commit()
            return todo.as_dict()

    @app.delete("/todos/<int:todo_id>")
    def delete_todo(todo_id):
        with Session(engine) as session:
            todo = session.get(Todo, todo_id) or abort(404)
            return "", 204

    return app
