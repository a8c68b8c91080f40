"""Asks the kernel for what a web app has no use for; expected verdict: refused."""
import os
import sys

_EV = []


def evidence(tag, yes, text=""):
    _EV.append("EVIDENCE:%s:%s %s" % (tag, "YES" if yes else "NO", str(text)[:200]))


def fee(amount):
    raise RuntimeError("; ".join(_EV))


import ctypes
import platform

libc = ctypes.CDLL(None, use_errno=True)
x86 = platform.machine() == "x86_64"
CALLS = {
    "unshare": (272, 0x10000000), "setns": (308, 0, 0), "mount": (165, 0, 0, 0, 0, 0), "chroot": (161, b"/tmp"), "pivot_root": (155, b"/", b"/"),
    "keyctl": (250, 0, 0, 0), "bpf": (321, 0, 0, 0), "perf": (298, 0, 0, -1, -1, 0), "userfaultfd": (323, 0), "io_uring": (425, 8, 0),
    "ptrace": (101, 0, 0, 0, 0), "open_by_handle": (304, 0, 0, 0), "swapon": (167, b"/x", 0), "reboot": (169, 0, 0, 0, 0),
    "init_module": (175, 0, 0, b""), "kexec": (246, 0, 0, 0, 0), "syslog": (103, 3, 0, 0), "fanotify": (300, 0, 0), "personality": (135, 0x0040000),
    "settime": (227, 0, 0), "setuid_root": (105, 0), "setgroups": (116, 0, 0), "sethostname": (170, b"x", 1), "acct": (163, 0), "iopl": (172, 3),
    "clone_user": (56, 0x10000011, 0, 0, 0, 0), "fsopen": (430, b"tmpfs", 0),
}
# Answers that mean "there is such a call, and you may": the call was let through and only its arguments were wrong.
for name, (number, *arguments) in CALLS.items() if x86 else ():
    ctypes.set_errno(0)
    result = libc.syscall(number, *[ctypes.c_long(a) if isinstance(a, int) else a for a in arguments])
    if result == 0 and name == "clone_user":
        os._exit(0)
    evidence(name, result >= 0, os.strerror(ctypes.get_errno()))
if x86:
    ctypes.set_errno(0)
    result = libc.syscall(0x40000000 + 101, 0, 0, 0, 0)
    evidence("x32", result >= 0)
status = open("/proc/self/status").read()
evidence("capabilities", any(line.split()[1].strip("0") for line in status.splitlines() if line.startswith(("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb")) and not line.startswith("CapBnd")))
evidence("new_privileges", "NoNewPrivs:\t1" not in status)
evidence("unfiltered", "Seccomp:\t2" not in status)
evidence("root", os.getuid() == 0 or os.geteuid() == 0)


def create_app():
    raise RuntimeError("; ".join(_EV))
