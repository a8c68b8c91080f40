"""Headers without an end: many, long, folded, nameless; expected verdict: a clear verdict in time, grader unharmed, no points."""
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


def answer(connection, number):
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    kind = number % 4
    while True:
        if kind == 0:
            connection.sendall(b"X-A: 1\r\n" * 5000)
        elif kind == 1:
            connection.sendall(b"X" * 65536)
        elif kind == 2:
            connection.sendall(b" folded" * 100 + b"\r\n")
        else:
            connection.sendall(b": \r\n\xff\xfe\x00:\r\n")


def create_app():
    serve(answer, quick=True)
