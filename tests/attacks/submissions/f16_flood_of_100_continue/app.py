"""Interim answers without an end; expected verdict: a clear verdict in time, grader unharmed, no points."""
import os
import socket
import threading


def fee(amount):
    return None


def serve(answer, read_first=True, quick=False):
    """Be the server on $PORT, in this process, without any framework. `quick`: only part of the requests is attacked."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", int(os.environ["PORT"])))
    listener.listen(64)
    number = os.getpid()

    def attend(connection, number):
        try:
            if read_first:
                request = connection.recv(65536)
                if not request:
                    return
                if quick and b"/transfer" in request:
                    connection.sendall(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")
                    return
            answer(connection, number)
        except OSError:
            pass
        finally:
            connection.close()

    while True:
        connection, _ = listener.accept()
        number += 1
        threading.Thread(target=attend, args=(connection, number), daemon=True).start()


FLOOD = b"HTTP/1.1 100 Continue\r\nX: 1\r\n\r\n" * 2000


def answer(connection, number):
    while True:
        connection.sendall(FLOOD)


def create_app():
    serve(answer, quick=True)
