CREATE TABLE authors (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT NOT NULL UNIQUE, year INTEGER);
CREATE TABLE authorships (
    author_id INTEGER NOT NULL REFERENCES authors (id),
    book_id INTEGER NOT NULL REFERENCES books (id),
    PRIMARY KEY (author_id, book_id)
);
CREATE TABLE loans (id INTEGER PRIMARY KEY, book_id INTEGER NOT NULL REFERENCES books (id), lent_on TEXT NOT NULL);

INSERT INTO authors (id, name) VALUES
    (1, 'Mariama Bâ'), (2, 'Neil Gaiman'), (3, 'Terry Pratchett'), (4, 'Bessie Head'), (5, 'Yaa Gyasi');
INSERT INTO books (id, title, year) VALUES
    (1, 'So Long a Letter', 1979), (2, 'Good Omens', 1990), (3, 'Mort', 1987), (4, 'Scarlet Song', 1981),
    (5, 'Homegoing', 2016), (6, 'American Gods', 2001), (7, 'Thief of Time', 2001);
INSERT INTO authorships (author_id, book_id) VALUES
    (1, 1), (1, 4), (2, 2), (3, 2), (3, 3), (5, 5), (2, 6), (3, 7);
INSERT INTO loans (book_id, lent_on) VALUES
    (2, '2024-01-09'), (5, '2024-02-11'), (2, '2024-03-30'), (1, '2024-04-02'), (5, '2024-06-17'), (2, '2024-09-05');
