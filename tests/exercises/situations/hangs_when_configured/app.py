import time

from flask import Flask


def create_app(config=None):
    if config is not None:
        time.sleep(1000)
    return Flask(__name__)
