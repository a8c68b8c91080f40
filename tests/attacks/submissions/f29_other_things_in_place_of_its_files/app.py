"""Links, sockets and pipes in place of its own files and folders; expected verdict: the next test has fresh files; all but the restart is graded."""
from honest import create_app, fee

import os
import shutil
import socket

HERE = os.getcwd()
ROOT = os.path.dirname(HERE)
for name in ("home", "tmp", "data"):
    try:
        shutil.rmtree(os.path.join(ROOT, name))
        os.symlink(["/proc", "/dev", "/"][len(name) % 3], os.path.join(ROOT, name))
    except OSError:
        pass
for name in ("conftest.py", "etc", "x.sock"):
    os.symlink("/", os.path.join(HERE, name + ".link"))
socket.socket(socket.AF_UNIX).bind(os.path.join(HERE, "x.sock"))
os.mkfifo(os.path.join(HERE, "pipe.py"))
os.rename(HERE, HERE + ".moved")
os.symlink("/proc/self", HERE)
try:
    os.link("/etc/passwd", os.path.join(ROOT, "passwd"))
except OSError:
    pass
for path in ("/dev/kmsg", "/dev/mem"):
    try:
        os.mknod(os.path.join(ROOT, "node"), 0o20666, os.makedev(1, 1))
    except OSError:
        pass
