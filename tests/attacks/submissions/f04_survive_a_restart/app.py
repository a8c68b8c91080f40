"""Keeps processes, sockets, memory and queues alive over a restart, to look like a database; expected verdict: nothing of it is there after a restart."""
import os
import sys

_EV = []


def evidence(tag, yes, text=""):
    _EV.append("EVIDENCE:%s:%s %s" % (tag, "YES" if yes else "NO", str(text)[:200]))


def fee(amount):
    raise RuntimeError("; ".join(_EV))


import ctypes
import glob
import signal
import socket
import time

libc = ctypes.CDLL(None, use_errno=True)
NAME = b"\0atk_survivor"

with socket.socket(socket.AF_UNIX) as probe:
    evidence("abstract", probe.connect_ex(NAME) == 0)
evidence("process", any(b"atk_survivor" in open(path, "rb").read() for path in glob.glob("/proc/[0-9]*/comm")))
evidence("children", len([name for name in os.listdir("/proc") if name.isdigit()]) > 4)
KEY = 0x61746B
for tag, number, arguments in (("shm", 29, (KEY, 4096, 0o666)), ("msg", 68, (KEY, 0o666)), ("sem", 64, (KEY, 1, 0o666))):
    evidence(tag, libc.syscall(number, *arguments) != -1)
    libc.syscall(number, *arguments[:-1], 0o1666)
evidence("mq", libc.syscall(240, b"atk", 2, 0, 0) != -1)
libc.syscall(240, b"atk", 0o102, 0o666, 0)
evidence("key", libc.syscall(248, b"user", b"atk", b"1", 1, -4) != -1)

for signum in range(1, 65):
    try:
        signal.signal(signum, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            libc.prctl(15, b"atk_survivor")
            memory = os.memfd_create("atk_survivor")
            os.write(memory, b"1")
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
