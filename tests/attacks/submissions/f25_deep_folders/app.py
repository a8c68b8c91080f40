"""Folders ten thousand deep, with names of 200 characters; expected verdict: cleared for the next test all the same; the honest rest is graded."""
from honest import create_app, fee

import os

here = os.getcwd()
first = os.getpid() < 8
for top, name, depth in (("/tmp", "d", 10000 if first else 1500), ("/tmp", "n" * 200, 100), ("/dev/shm", "d", 1100)):
    os.chdir(top)
    try:
        for _ in range(depth):
            os.mkdir(name)
            os.chdir(name)
        open("end", "w").close()
    except OSError:
        pass
os.chdir(here)
