"""Three questions to the library's filing cabinet, each as the text of one SQL query."""


def books_before_1950():
    """The title and the year of each book from before 1950, by year, then by title."""
    return "SELECT title, year FROM books WHERE year < 1950 ORDER BY year, title"


def members_of_val_dor():
    """The name and the joining day of each member from Val-d'Or, the newest member first, then by name."""
    return "SELECT name, joined FROM members WHERE town = 'Val-d''Or' ORDER BY joined DESC, name"


def books_without_a_year():
    """The title and the author of each book whose year is unknown, by title, then by author."""
    return "DELETE FROM books WHERE year IS NULL RETURNING title, author"
