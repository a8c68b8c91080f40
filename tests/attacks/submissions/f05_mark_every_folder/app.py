"""Leaves a mark in every folder that can be written, for the next test to find; expected verdict: every test begins with fresh folders."""
import os
import sys

_EV = []


def evidence(tag, yes, text=""):
    _EV.append("EVIDENCE:%s:%s %s" % (tag, "YES" if yes else "NO", str(text)[:200]))


def fee(amount):
    raise RuntimeError("; ".join(_EV))


found = []
for top in ("/tmp", "/dev", "/run", "/var", "/etc", "/opt", "/srv", "/home", "/mnt", "/sys/fs"):
    for folder, folders, names in os.walk(top):
        found += [os.path.join(folder, name) for name in names + folders if name.startswith(".atk_mark")]
        for path in (os.path.join(folder, ".atk_mark"), os.path.join(folder, "atk_mark")):
            try:
                os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            except OSError:
                pass
        try:
            if "user.atk" in os.listxattr(folder):
                found.append(folder)
            os.setxattr(folder, "user.atk", b"1")
        except OSError:
            pass
        found += [os.path.join(folder, name) for name in names if name == "atk_mark" and folder == "/dev/mqueue"]
evidence("mark", bool(found), found[:3])

from flask import Flask


def create_app():
    return Flask(__name__)
