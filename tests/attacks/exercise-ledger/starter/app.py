from flask import Flask


def total(amounts):
    return None


def check(name):
    return None


def create_app():
    return Flask(__name__)
