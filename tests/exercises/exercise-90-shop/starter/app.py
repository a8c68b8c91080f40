from flask import Flask


def create_app():
    app = Flask(__name__)
    # TODO: answer `/`, and keep items
    return app
