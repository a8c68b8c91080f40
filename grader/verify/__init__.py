"""Prove an exercise: that it takes every right answer it knows, and no wrong one. And make, and release, exercises."""
