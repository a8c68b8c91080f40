"""What is done once in the keeper, so that each of its forks finds it done.

Without `from __future__ import annotations`: SQLAlchemy reads those of a class, and finds no name of a function in a text.
"""

import io
import sys
from typing import Any


def _ignore(*_arguments: Any) -> Any:
    return None


def touch() -> None:
    """Do once more, in a fork that waits, what its job will do: each page of memory that this writes to is copied before."""
    if "flask" in sys.modules:
        warm_server()
    if "sqlalchemy.orm" in sys.modules:
        warm_database()


def warm_server() -> None:
    """Answer one request in this process, so that its forks find every module loaded and every cache filled."""
    import flask
    import waitress.server

    app = flask.Flask("warm")
    app.add_url_rule("/<int:number>", view_func=lambda number: ({"number": number}, 200))
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/1",
        "QUERY_STRING": "",
        "SCRIPT_NAME": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
    }
    list(app(environ, _ignore))
    server = waitress.server.create_server(app, host="127.0.0.1", port=0, threads=1)
    server.task_dispatcher.shutdown()  # its thread would go on in the keeper
    server.close()


def warm_database() -> None:
    """Keep and read rows by SQLAlchemy in this process, for the same reason as `warm_server`."""
    import sqlalchemy
    from sqlalchemy import orm
    from sqlalchemy.pool import StaticPool

    class Base(orm.DeclarativeBase):
        pass

    class Owner(Base):
        __tablename__ = "owner"
        id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
        name: orm.Mapped[str] = orm.mapped_column(sqlalchemy.String(80), unique=True)

    class Thing(Base):
        __tablename__ = "thing"
        id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
        owner_id: orm.Mapped[int] = orm.mapped_column(sqlalchemy.ForeignKey("owner.id"))
        owner: orm.Mapped[Owner] = orm.relationship()

    engine = sqlalchemy.create_engine("sqlite://", poolclass=StaticPool)
    Base.metadata.create_all(engine)
    with orm.Session(engine) as session:
        owner = Owner(name="warm")
        session.add(owner)
        session.flush()
        session.add(Thing(owner_id=owner.id))
        session.commit()
        query = sqlalchemy.select(Owner).where(Owner.name == "warm").order_by(Owner.id).limit(1)
        session.scalars(query).first()
        session.execute(sqlalchemy.select(sqlalchemy.func.count()).select_from(Thing).join(Owner)).scalar()
        session.get(Owner, owner.id)
        session.delete(session.scalars(sqlalchemy.select(Thing)).one())
        session.commit()
    engine.dispose()
    Base.registry.dispose()
