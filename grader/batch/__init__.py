"""Grade a class: many submissions of one exercise, in a run that can be killed and goes on."""
