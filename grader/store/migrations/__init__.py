"""The steps from each shape of the database to the next. They run by themselves when a history is opened.

To add one: a module in `versions/` (the next number, `down_revision` the last one), the same change in
`grader.store.model`, and `REVISION` in `grader.store.glance`. The tests compare the three, and lead a database from the
first revision on.
"""
