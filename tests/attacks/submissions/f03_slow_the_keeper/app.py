"""Lowers process 1's limits and priority, pins it to no processor, makes it the victim when memory runs out; expected verdict: refused."""
import os
import sys

_EV = []


def evidence(tag, yes, text=""):
    _EV.append("EVIDENCE:%s:%s %s" % (tag, "YES" if yes else "NO", str(text)[:200]))


def fee(amount):
    raise RuntimeError("; ".join(_EV))


import ctypes
import resource

libc = ctypes.CDLL(None, use_errno=True)


def attempt(tag, action):
    try:
        got = action()
        evidence(tag, got != -1, got)
    except (OSError, ValueError) as error:
        evidence(tag, False, error)


attempt("prlimit", lambda: resource.prlimit(1, resource.RLIMIT_NOFILE, (3, 3)))
attempt("prlimit_cpu", lambda: resource.prlimit(1, resource.RLIMIT_CPU, (1, 1)))
attempt("renice", lambda: os.setpriority(os.PRIO_PROCESS, 1, 19))
attempt("renice_user", lambda: os.setpriority(os.PRIO_USER, os.getuid(), 19))
attempt("affinity", lambda: os.sched_setaffinity(1, {0}))
attempt("idle", lambda: os.sched_setscheduler(1, os.SCHED_IDLE, os.sched_param(0)))
attempt("ioprio", lambda: libc.syscall(251, 1, 1, 3 << 13))
for name, text in (("oom_score_adj", "1000"), ("timerslack_ns", "4000000000"), ("clear_refs", "1"), ("comm", "x"), ("coredump_filter", "0")):
    attempt(name, lambda: os.write(os.open("/proc/1/" + name, os.O_WRONLY), text.encode()))


def create_app():
    raise RuntimeError("; ".join(_EV))
