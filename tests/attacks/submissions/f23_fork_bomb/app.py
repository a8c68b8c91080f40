"""Forks without an end, each child busy, in every start; expected verdict: a clear verdict in time, grader unharmed, no points."""
import os

for _ in range(8):
    try:
        if os.fork() == 0:
            while True:
                try:
                    os.fork()
                except OSError:
                    pass
    except OSError:
        pass

from flask import Flask


def fee(amount):
    return None


def create_app():
    return Flask(__name__)
