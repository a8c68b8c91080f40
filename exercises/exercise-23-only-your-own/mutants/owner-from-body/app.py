"""The patients' notebook."""

import os

from door import issue_token, require_token
from errors import error
from flask import Flask, abort, g, request
from models import Base, File, Member, Note, add_samples
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import Session
from werkzeug.security import check_password_hash


def own_note(session, note_id):
    """Return a note of the member who asks; answer 404 where there is none, whether it is another's or nobody's."""
    mine = select(Note).where(Note.id == note_id, Note.owner_id == g.member_id)
    return session.scalar(mine) or abort(404)


def own_file(session, note_id, file_id):
    """Return a file of a note of the member who asks; answer 404 where there is none."""
    note = own_note(session, note_id)
    return session.scalar(select(File).where(File.id == file_id, File.note_id == note.id)) or abort(404)


def create_app():
    """Build the app on the database that DATABASE_URL names."""
    app = Flask(__name__)
    engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///notebook.db"))
    Base.metadata.create_all(engine)
    if "DATABASE_URL" not in os.environ:
        add_samples(engine)

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
        is_mine = Note.owner_id == g.member_id
        with Session(engine) as session:
            notes = session.scalars(select(Note).where(is_mine).order_by(Note.id)).all()
            total = session.scalar(select(func.count()).select_from(Note).where(is_mine))
            return {"items": [note.as_dict() for note in notes], "total": total}

    @app.post("/notes")
    @require_token
    def add_note():
        body = request.get_json()
        with Session(engine) as session:
            note = Note(owner_id=body.get("owner_id", g.member_id), title=body["title"], text=body["text"])
            session.add(note)
            session.commit()
            return note.as_dict(), 201

    @app.get("/notes/<int:note_id>")
    @require_token
    def show_note(note_id):
        with Session(engine) as session:
            note = own_note(session, note_id)
            return note.as_dict()

    @app.put("/notes/<int:note_id>")
    @require_token
    def replace_note(note_id):
        body = request.get_json()
        with Session(engine) as session:
            note = own_note(session, note_id)
            note.title = body["title"]
            note.text = body["text"]
            session.commit()
            return note.as_dict()

    @app.patch("/notes/<int:note_id>")
    @require_token
    def change_note(note_id):
        body = request.get_json()
        with Session(engine) as session:
            note = own_note(session, note_id)
            note.title = body.get("title", note.title)
            note.text = body.get("text", note.text)
            session.commit()
            return note.as_dict()

    @app.delete("/notes/<int:note_id>")
    @require_token
    def delete_note(note_id):
        with Session(engine) as session:
            note = own_note(session, note_id)
            for file in session.scalars(select(File).where(File.note_id == note_id)):
                session.delete(file)
            session.delete(note)
            session.commit()
            return "", 204

    @app.get("/notes/<int:note_id>/files")
    @require_token
    def list_files(note_id):
        with Session(engine) as session:
            note = own_note(session, note_id)
            files = session.scalars(select(File).where(File.note_id == note.id).order_by(File.id))
            return {"items": [file.as_dict() for file in files]}

    @app.post("/notes/<int:note_id>/files")
    @require_token
    def add_file(note_id):
        body = request.get_json()
        with Session(engine) as session:
            note = own_note(session, note_id)
            file = File(note_id=note.id, name=body["name"], content=body["content"])
            session.add(file)
            session.commit()
            return file.as_dict(), 201

    @app.get("/notes/<int:note_id>/files/<int:file_id>")
    @require_token
    def show_file(note_id, file_id):
        with Session(engine) as session:
            file = own_file(session, note_id, file_id)
            return file.as_dict()

    @app.delete("/notes/<int:note_id>/files/<int:file_id>")
    @require_token
    def delete_file(note_id, file_id):
        with Session(engine) as session:
            file = own_file(session, note_id, file_id)
            session.delete(file)
            session.commit()
            return "", 204

    return app
