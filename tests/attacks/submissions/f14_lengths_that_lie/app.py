"""Content lengths that are huge, negative, doubled, no number, or more than what comes; expected verdict: a clear verdict in time, grader unharmed, no points."""
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


LENGTHS = [b"1000000000000000000", b"-1", b"9" * 5000, b"abc", b"2\r\nContent-Length: 4000000000", b"50", b"0x10", b""]


def answer(connection, number):
    length = LENGTHS[number % len(LENGTHS)]
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + length + b"\r\n\r\n{}")


def create_app():
    serve(answer)
