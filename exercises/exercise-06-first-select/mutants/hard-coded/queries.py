"""Three questions to the library's filing cabinet, each as the text of one SQL query."""


def books_before_1950():
    """The title and the year of each book from before 1950, by year, then by title."""
    return (
        "SELECT column1 AS title, column2 AS year FROM (VALUES ('The Home and the World', 1916),"
        " ('The Garden Party', 1922), ('A Passage to India', 1924), ('Mrs Dalloway', 1925), ('Snow Country', 1948))"
    )


def members_of_val_dor():
    """The name and the joining day of each member from Val-d'Or, the newest member first, then by name."""
    return (
        "SELECT column1 AS name, column2 AS joined FROM (VALUES ('Émile Gagnon', '2022-01-20'),"
        " ('Mateo Quispe', '2019-04-11'), ('Adaeze Nwosu', '2017-09-02'))"
    )


def books_without_a_year():
    """The title and the author of each book whose year is unknown, by title, then by author."""
    return (
        "SELECT column1 AS title, column2 AS author FROM (VALUES ('Songs of the Marsh', 'unknown'),"
        " ('The Miller''s Almanac', 'J. Whitlock'))"
    )
