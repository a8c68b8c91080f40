import socket

from flask import Flask


def create_app():
    app = Flask(__name__)

    @app.get("/")
    def greet():
        with socket.create_connection(("stock.example", 80)) as connection:
            return connection.recv(100)

    return app
