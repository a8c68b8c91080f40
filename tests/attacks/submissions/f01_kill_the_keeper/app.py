"""Sends every signal to process 1, to its group and to everybody; expected verdict: process 1 lives on, and the honest rest is graded."""
import ctypes
import os
import signal

for number in range(1, 65):
    for send in (os.kill, os.killpg):
        try:
            send(1, number)
        except OSError:
            pass
for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM):
    if number == signal.SIGKILL:
        try:
            os.kill(-1, number)  # everybody but oneself and process 1
        except OSError:
            pass
try:
    keeper = os.pidfd_open(1)
    signal.pidfd_send_signal(keeper, signal.SIGKILL)
    signal.pidfd_send_signal(keeper, signal.SIGSTOP)
except OSError:
    pass
ctypes.CDLL(None).syscall(62, -1, 9)

from honest import create_app, fee
