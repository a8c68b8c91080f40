"""Fill a bookshop to try things out: `python fill.py 200` adds 200 authors to bookshop.db, with books and reviews."""

import sys

from app import Author, Base, Book, Review
from sqlalchemy import create_engine
from sqlalchemy.orm import Session


def main(count):
    """Add so many authors."""
    engine = create_engine("sqlite:///bookshop.db")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        for number in range(count):
            author = Author(name=f"Author {number:04}", country="PE" if number % 3 else "SN")
            author.books = [Book(title=f"Book {number:04}.{place}") for place in range(number % 4)]
            session.add(author)
            session.flush()
            for book in author.books:
                for stars in range(1, 1 + book.id % 4):
                    session.add(Review(book_id=book.id, stars=stars, written_on=f"2025-0{stars}-01"))
        session.commit()


if __name__ == "__main__":
    main(int(sys.argv[1]))
