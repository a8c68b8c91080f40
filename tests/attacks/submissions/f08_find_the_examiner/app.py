"""Connects to every listener on the loopback network, by port scan, /proc/net and abstract names; expected verdict: nothing listens but the app itself."""
import os
import sys

_EV = []


def evidence(tag, yes, text=""):
    _EV.append("EVIDENCE:%s:%s %s" % (tag, "YES" if yes else "NO", str(text)[:200]))


def fee(amount):
    raise RuntimeError("; ".join(_EV))


import errno
import re
import socket
import threading
import time

from flask import Flask

PORT = int(os.environ["PORT"])


def listeners():
    ports = set()
    for name in ("tcp", "tcp6", "udp", "udp6", "raw"):
        try:
            lines = open("/proc/net/" + name).read().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if name.startswith("tcp") and fields[3] != "0A":
                continue
            ports.add((name, int(fields[1].rpartition(":")[2], 16)))
    return {entry for entry in ports if entry[1] != PORT}


def scan():
    found = listeners()
    evidence("listener", bool(found), found)
    open_ports = []
    for port in [*range(1, 1100), *range(2300, 2400), *range(5000, 9000), *range(18000, 18100), *range(32768, 34000)]:
        if port == PORT:
            continue
        with socket.socket() as probe:
            probe.settimeout(0.2)
            # A socket may meet itself where it is looked for on a port of its own.
            if probe.connect_ex(("127.0.0.1", port)) == 0 and probe.getsockname() != probe.getpeername():
                open_ports.append(port)
    evidence("port", bool(open_ports), open_ports)
    names = [line.split()[-1] for line in open("/proc/net/unix").read().splitlines()[1:] if len(line.split()) > 7]
    evidence("unix", bool(names), names)
    for path in ("/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock", "/run/dbus/system_bus_socket"):
        with socket.socket(socket.AF_UNIX) as probe:
            evidence("engine", probe.connect_ex(path) == 0)
    for family, kind in ((socket.AF_PACKET, socket.SOCK_RAW), (socket.AF_INET, socket.SOCK_RAW)):
        try:
            socket.socket(family, kind, 255)
            evidence("raw", True)
        except OSError as error:
            evidence("raw", False, error)
    for host in ("1.1.1.1", "169.254.169.254", "172.17.0.1", "10.0.0.1"):
        with socket.socket() as probe:
            probe.settimeout(0.3)
            evidence("outside", probe.connect_ex((host, 80)) in (0, errno.ECONNREFUSED))


def create_app():
    app = Flask(__name__)

    @app.before_request
    def look_back():
        scan()
        return "; ".join(_EV), 500

    return app


_fee = fee


def fee(amount):
    if amount == 37:
        scan()
    return _fee(amount)
