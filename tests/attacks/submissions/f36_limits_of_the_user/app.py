"""Uses up what the kernel counts by user: queued signals, watches, pipes, locks, timers; expected verdict: the examiner is not touched by it; the honest rest is graded."""
import ctypes
import fcntl
import os
import signal

libc = ctypes.CDLL(None, use_errno=True)
signal.pthread_sigmask(signal.SIG_BLOCK, range(34, 65))
for _ in range(150000 if os.getpid() < 12 else 1000):
    if libc.sigqueue(os.getpid(), 40, 0) != 0:
        break
kept = []
try:
    for _ in range(200):
        kept.append(libc.inotify_init())
    for _ in range(60):
        read, write = os.pipe()
        fcntl.fcntl(write, 1031, 1 << 20)
        kept += [read, write]
except OSError:
    pass
for fd in kept:
    if fd > 4:
        try:
            os.close(fd)
        except OSError:
            pass
timer = ctypes.c_long()
for _ in range(10000):
    if libc.syscall(222, 0, 0, ctypes.byref(timer)) != 0:
        break

from honest import create_app, fee
