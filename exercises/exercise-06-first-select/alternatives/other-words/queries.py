"""Three questions to the library's filing cabinet, each as the text of one SQL query."""


def books_before_1950():
    """The title and the year of each book from before 1950, by year, then by title."""
    return "select b.title, b.year from books as b where 1950 > b.year and b.year is not null order by 2, 1;"


def members_of_val_dor():
    """The name and the joining day of each member from Val-d'Or, the newest member first, then by name."""
    return "select m.name, m.joined from members as m where m.town in ('Val-d''Or') order by m.joined desc, m.name;"


def books_without_a_year():
    """The title and the author of each book whose year is unknown, by title, then by author."""
    return "select b.title, b.author from books as b where not (b.year is not null) order by b.title, b.author;"
