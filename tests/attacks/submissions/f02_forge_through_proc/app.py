"""Looks for a way to speak as process 1: its descriptors, memory, threads, root, ptrace, pidfd_getfd; expected verdict: process 1 can neither be read nor spoken for."""
import os
import sys

_EV = []


def evidence(tag, yes, text=""):
    _EV.append("EVIDENCE:%s:%s %s" % (tag, "YES" if yes else "NO", str(text)[:200]))


def fee(amount):
    raise RuntimeError("; ".join(_EV))


import ctypes
import glob

libc = ctypes.CDLL(None, use_errno=True)


def attempt(tag, action):
    try:
        got = action()
        evidence(tag, got not in (None, -1, []), got)
    except (OSError, ValueError) as error:
        evidence(tag, False, error)


parent = os.getppid()
for pid in {1, parent}:
    attempt("fd_list", lambda: os.listdir("/proc/%d/fd" % pid))
    for number in range(12):
        attempt("fd", lambda: os.write(os.open("/proc/%d/fd/%d" % (pid, number), os.O_WRONLY | os.O_NONBLOCK), b"x"))
    attempt("mem", lambda: open("/proc/%d/mem" % pid, "r+b", 0).fileno())
    attempt("maps", lambda: open("/proc/%d/maps" % pid).read() or None)
    attempt("environ", lambda: open("/proc/%d/environ" % pid).read() or None)
    attempt("root", lambda: os.listdir("/proc/%d/root" % pid))
    attempt("cwd", lambda: os.readlink("/proc/%d/cwd" % pid))
    attempt("task_mem", lambda: [open(path, "r+b", 0).fileno() for path in glob.glob("/proc/%d/task/*/mem" % pid)])
    attempt("ptrace", lambda: libc.ptrace(16, pid, 0, 0))
    attempt("seize", lambda: libc.ptrace(0x4206, pid, 0, 0))
    buffer = ctypes.create_string_buffer(64)
    attempt("vm_readv", lambda: libc.process_vm_readv(pid, buffer, 1, buffer, 1, 0))
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        continue
    for number in range(8):
        attempt("pidfd_getfd", lambda: libc.syscall(438, handle, number, 0))


def create_app():
    raise RuntimeError("; ".join(_EV))
