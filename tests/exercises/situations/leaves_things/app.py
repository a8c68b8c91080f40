"""Prints what another box has left, and leaves the same: files, queues, daemons, sockets, locks."""
import fcntl
import os
import signal
import socket
import time

import flask

ABSTRACT = "\0left-by-a-box"
PORT = 8642
FILES = ["/tmp/left", "/var/tmp/left", "/dev/shm/left", "/dev/mqueue/left"]


def seen():
    found = [path for path in FILES if os.path.exists(path)]
    for family, address in ((socket.AF_UNIX, ABSTRACT), (socket.AF_INET, ("127.0.0.1", PORT))):
        with socket.socket(family) as connection:
            try:
                connection.connect(address)
                found.append(repr(address))
            except OSError:
                pass
    with open(flask.__file__) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            found.append("a lock")
    numbers = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    strangers = set(numbers) - {1, os.getpid(), os.getppid()}
    found += [open(f"/proc/{number}/stat").read() for number in strangers if number < os.getpid()]
    return found


def leave():
    for path in FILES:
        try:
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o666))
        except OSError:
            pass
    ready, told = os.pipe()
    for _ in range(3):
        if os.fork() == 0:
            os.setsid()
            if os.fork():
                os._exit(0)
            for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
                signal.signal(number, signal.SIG_IGN)
            stay(told)
    for _ in range(3):
        os.read(ready, 1)


def stay(told):
    held = []
    try:
        for family, address in ((socket.AF_UNIX, ABSTRACT), (socket.AF_INET, ("127.0.0.1", PORT))):
            listener = socket.socket(family)
            held.append(listener)
            listener.bind(address)
            listener.listen()
        file = open(flask.__file__)
        held.append(file)
        fcntl.flock(file, fcntl.LOCK_EX)
    except OSError:
        pass  # one of the three has it
    os.write(told, b".")
    while True:
        time.sleep(1000)


def create_app():
    print("seen:", seen())
    leave()
    app = flask.Flask(__name__)

    @app.get("/")
    def greet():
        found = [path for path in FILES if os.path.exists(path)]
        for family, address in ((socket.AF_UNIX, ABSTRACT), (socket.AF_INET, ("127.0.0.1", PORT))):
            with socket.socket(family) as connection:
                connection.connect(address)
        print("left:", " ".join(found))
        return "no greeting, so that the report shows what was printed"

    return app
