"""The patients' notebook."""

import os
from functools import wraps

from door import issue_token, require_token
from errors import error
from flask import Flask, abort, g, request
from models import Base, File, Member, Note, add_samples
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session
from werkzeug.security import check_password_hash


def create_app():
    """Build the app on the database that DATABASE_URL names."""
    app = Flask(__name__)
    engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///notebook.db"))
    Base.metadata.create_all(engine)
    if "DATABASE_URL" not in os.environ:
        add_samples(engine)

    def note_route(path, method):
        """Make a route below one note: the view runs for the note's owner only, and gets the session and the note."""

        def decorate(view):
            @app.route("/notes/<int:note_id>" + path, methods=[method])
            @require_token
            @wraps(view)
            def guarded(note_id, **rest):
                with Session(engine) as session:
                    note = session.get(Note, note_id)
                    if note is None or note.owner_id != g.member_id:
                        abort(404)
                    return view(session, note, **rest)

            return guarded

        return decorate

    @app.errorhandler(404)
    def not_found(problem):
        return error(404, "not_found", "There is nothing here.")

    @app.post("/login")
    def login():
        body = request.get_json()
        with Session(engine) as session:
            member = session.scalar(select(Member).where(Member.email == body["email"]))
            if member is None or not check_password_hash(member.password_hash, body["password"]):
                return error(401, "wrong_login", "The e-mail address or the password is wrong.")
            return {"token": issue_token(member.id)}

    @app.get("/notes")
    @require_token
    def list_notes():
        with Session(engine) as session:
            notes = session.scalars(select(Note).filter_by(owner_id=g.member_id).order_by(Note.id))
            items = [note.as_dict() for note in notes]
        return {"items": items, "total": len(items)}

    @app.post("/notes")
    @require_token
    def add_note():
        body = request.get_json()
        with Session(engine) as session:
            note = Note(owner_id=g.member_id, title=body["title"], text=body["text"])
            session.add(note)
            session.commit()
            return note.as_dict(), 201

    @note_route("", "GET")
    def show_note(session, note):
        return note.as_dict()

    @note_route("", "PUT")
    def replace_note(session, note):
        body = request.get_json()
        note.title, note.text = body["title"], body["text"]
        session.commit()
        return note.as_dict()

    @note_route("", "PATCH")
    def change_note(session, note):
        body = request.get_json()
        for name in body.keys() & {"title", "text"}:
            setattr(note, name, body[name])
        session.commit()
        return note.as_dict()

    @note_route("", "DELETE")
    def delete_note(session, note):
        for file in session.scalars(select(File).filter_by(note_id=note.id)):
            session.delete(file)
        session.delete(note)
        session.commit()
        return "", 204

    @note_route("/files", "GET")
    def list_files(session, note):
        files = session.scalars(select(File).filter_by(note_id=note.id).order_by(File.id))
        return {"items": [file.as_dict() for file in files]}

    @note_route("/files", "POST")
    def add_file(session, note):
        body = request.get_json()
        file = File(note_id=note.id, name=body["name"], content=body["content"])
        session.add(file)
        session.commit()
        return file.as_dict(), 201

    def file_of(session, note, file_id):
        file = session.get(File, file_id)
        if file is None or file.note_id != note.id:
            abort(404)
        return file

    @note_route("/files/<int:file_id>", "GET")
    def show_file(session, note, file_id):
        return file_of(session, note, file_id).as_dict()

    @note_route("/files/<int:file_id>", "DELETE")
    def delete_file(session, note, file_id):
        session.delete(file_of(session, note, file_id))
        session.commit()
        return "", 204

    return app
