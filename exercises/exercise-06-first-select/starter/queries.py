"""Three questions to the library's filing cabinet, each as the text of one SQL query."""


def books_before_1950():
    """The title and the year of each book from before 1950, by year, then by title."""
    # TODO: write the query
    return "SELECT 'no query yet'"


def members_of_val_dor():
    """The name and the joining day of each member from Val-d'Or, the newest member first, then by name."""
    # TODO: write the query
    return "SELECT 'no query yet'"


def books_without_a_year():
    """The title and the author of each book whose year is unknown, by title, then by author."""
    # TODO: write the query
    return "SELECT 'no query yet'"
