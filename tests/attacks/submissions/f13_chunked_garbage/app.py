"""Chunks of negative, huge or no size, endless extensions and trailers; expected verdict: a clear verdict in time, grader unharmed, no points."""
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


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
BODIES = [
    b"-5\r\nhello\r\n0\r\n\r\n",
    b"FFFFFFFFFFFFFFFFFFFFFFFF\r\nhello",
    b"zz\r\nhello\r\n",
    b"5;" + b"x" * 200000 + b"\r\nhello\r\n0\r\n\r\n",
    b"0\r\n" + b"X-Trailer: 1\r\n" * 200000,
    b"\r\n\r\n\r\n",
    b"1\r\n{\r\n" * 100000 + b"0\r\n\r\n",
    b"5\r\nhel",
]


def answer(connection, number):
    connection.sendall(HEAD + BODIES[number % len(BODIES)])


def create_app():
    serve(answer)
