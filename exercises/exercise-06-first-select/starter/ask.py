"""Ask the sample library: `python ask.py books_before_1950` prints what that query gives."""

import sqlite3
import sys
from pathlib import Path

import queries


def main(name):
    """Run the query that the function `name` returns, on library.db, and print its rows."""
    library = sqlite3.connect(Path(__file__).with_name("library.db").as_uri() + "?mode=ro", uri=True)
    answer = library.execute(getattr(queries, name)())
    print(" | ".join(column[0] for column in answer.description))
    for row in answer:
        print(" | ".join("NULL" if value is None else str(value) for value in row))


if __name__ == "__main__":
    main(sys.argv[1])
