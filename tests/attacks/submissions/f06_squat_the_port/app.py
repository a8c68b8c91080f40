"""A child takes the port before the app is ready and answers every request with 200; expected verdict: no points."""
import json
import os
import signal
import socket
import time

if os.fork() == 0:
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", int(os.environ["PORT"])))
    listener.listen(64)
    body = json.dumps({"status": "pass", "score": 10, "passed": True}).encode()
    while True:
        connection, _ = listener.accept()
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        connection.close()
time.sleep(0.2)

from flask import Flask


def fee(amount):
    return None


def create_app():
    return Flask(__name__)
