"""Ask the sample library: `python ask.py books_per_author` prints what that function gives."""

import sys
from pathlib import Path

import queries
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool


def main(name):
    """Run the function `name` on the sample, and print its rows."""
    engine = create_engine("sqlite://", poolclass=StaticPool)
    with engine.begin() as connection:
        connection.connection.executescript(Path(__file__).with_name("sample.sql").read_text("utf-8"))
    with Session(engine) as session:
        for row in getattr(queries, name)(session):
            print(" | ".join("NULL" if value is None else str(value) for value in row))


if __name__ == "__main__":
    main(sys.argv[1])
