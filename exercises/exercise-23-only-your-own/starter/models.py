"""What is kept: members, their notes, and the files that belong to a note. Nothing is left to do in this file."""

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from werkzeug.security import generate_password_hash


class Base(DeclarativeBase):
    """What all models have in common."""


class Member(Base):
    """A patient who keeps notes."""

    __tablename__ = "members"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    email: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]


class Note(Base):
    """One note, and whose it is."""

    __tablename__ = "notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    title: Mapped[str]
    text: Mapped[str]

    def as_dict(self):
        """Give the note as it is answered."""
        return {"id": self.id, "owner_id": self.owner_id, "title": self.title, "text": self.text}


class File(Base):
    """A file that is attached to a note."""

    __tablename__ = "files"

    id: Mapped[int] = mapped_column(primary_key=True)
    note_id: Mapped[int] = mapped_column(ForeignKey("notes.id"))
    name: Mapped[str]
    content: Mapped[str]

    def as_dict(self):
        """Give the file as it is answered."""
        return {"id": self.id, "name": self.name, "content": self.content}


def add_samples(engine):
    """Put two members and a note of each into an empty database, to try things out."""
    with Session(engine) as session:
        if session.scalars(select(Member)).first() is None:
            for name, email, password in (
                ("Keala Medeiros", "keala@patient.example", "salt-on-the-wind-8"),
                ("Rasmus Holm", "rasmus@patient.example", "eleven-grey-geese"),
            ):
                member = Member(name=name, email=email, password_hash=generate_password_hash(password))
                session.add(member)
                session.flush()
                session.add(Note(owner_id=member.id, title="The knee", text="Better after the walk."))
            session.commit()
