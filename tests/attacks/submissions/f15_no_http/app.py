"""Answers in HTTP/0.9, with strange status lines, other protocols, or by a reset; expected verdict: a clear verdict in time, grader unharmed, no points."""
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


import struct

ANSWERS = [
    b"<html>hello",
    b"HTTP/1.1 999999 OK\r\n\r\n",
    b"HTTP/1.1 2\x00\x00 OK\r\n\r\n",
    b"HTTP/9.9 200 OK\r\n\r\n{}",
    b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello",
    b"SSH-2.0-OpenSSH\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00",
    b"HTTP/1.1 200 " + b"\xff\x1b[2J" * 5000 + b"\r\n\r\n{}",
    b"HTTP/1.1 -200 OK\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=punycode\r\n\r\n" + b"-" * 3000000,
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset*0*=x'y; charset*=utf-7''%00\r\n\r\n" + b"+2AA-" * 1000,
    None,
]


def answer(connection, number):
    content = ANSWERS[number % len(ANSWERS)]
    if content is None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    else:
        connection.sendall(content)


def create_app():
    serve(answer)
