"""What is remembered: reports, hints that were shown, submissions. The only part that knows SQLAlchemy.

`inbox`, `hint`, `submissions` and `glance` are the fast ways, without a database library; `history` is the whole.
"""
