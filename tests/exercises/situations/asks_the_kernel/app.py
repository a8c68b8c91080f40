"""Asks the kernel for what no backend needs: namespaces, keys, rings, other families of sockets."""
import ctypes
import os
import socket
import subprocess
import threading

from flask import Flask

AF_ALG, AF_VSOCK = 38, 40
CLONE_NEWUSER = 0x10000000
# unshare, keyctl, io_uring_setup, ptrace, bpf
CALLS = {"x86_64": (272, 250, 425, 101, 321), "aarch64": (97, 219, 425, 117, 280)}[os.uname().machine]


def refuses_family(family):
    try:
        socket.socket(family, socket.SOCK_SEQPACKET).close()
    except OSError:
        return True
    return False


def create_app():
    app = Flask(__name__)

    @app.get("/")
    def greet():
        libc = ctypes.CDLL(None)
        done = [number for number in CALLS if libc.syscall(number, CLONE_NEWUSER, 0, 0, 0) >= 0]
        families = [family for family in (AF_ALG, AF_VSOCK) if not refuses_family(family)]
        # What an app may well need is there.
        worker = threading.Thread(target=socket.socketpair)
        worker.start()
        worker.join()
        subprocess.run(["/bin/true"], check=True)
        socket.getaddrinfo("127.0.0.1", 80)
        return "Welcome!" if not done and not families else f"{done} {families}"

    return app
