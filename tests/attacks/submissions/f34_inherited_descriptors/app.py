"""Looks for descriptors that were left open for it; expected verdict: nothing but its own."""
import os
import sys

_EV = []


def evidence(tag, yes, text=""):
    _EV.append("EVIDENCE:%s:%s %s" % (tag, "YES" if yes else "NO", str(text)[:200]))


def fee(amount):
    raise RuntimeError("; ".join(_EV))


known = {0, 1, 2, 3, 4}
for name in os.listdir("/proc/self/fd"):
    number = int(name)
    try:
        target = os.readlink("/proc/self/fd/" + name)
    except OSError:
        continue
    if number not in known and not target.startswith(("/proc/", "/tmp/solution")):
        evidence("descriptor", True, target)
for number in (0, 1, 2, 3, 4):
    try:
        evidence("rights", os.readlink("/proc/self/fd/%d" % number).startswith("/") and number > 0, os.readlink("/proc/self/fd/%d" % number))
    except OSError:
        pass


def create_app():
    raise RuntimeError("; ".join(_EV))
