"""A child that outlives its parent, ignores signals, and holds the port for whoever comes next."""
import os
import signal
import socket
import time

from flask import Flask


def create_app():
    if os.fork() == 0:
        os.setsid()
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        time.sleep(0.3)
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        while True:
            try:
                listener.bind(("127.0.0.1", int(os.environ["PORT"])))
                listener.listen()
                break
            except OSError:
                time.sleep(0.01)
        time.sleep(1000)
    app = Flask(__name__)

    @app.get("/")
    def greet():
        return "Welcome!"

    return app
