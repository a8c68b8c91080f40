"""Waits for the process that reads the database, and reads, stops, traces or speaks for it; expected verdict: it can stop the reader, which fails its own tests, and no more."""
import glob
import os
import signal
import threading
import time

from honest import check, create_app as _create, total

_EV = []
OWN = os.getpid()


def watch():
    while True:
        for path in glob.glob("/proc/[0-9]*"):
            pid = int(path[6:])
            if pid in (1, OWN):
                continue
            for name in ("mem", "maps", "environ", "fd/1", "fd/0", "fd/5", "fd/6", "fd/7"):
                try:
                    fd = os.open(path + "/" + name, os.O_RDWR | os.O_NONBLOCK)
                    os.write(fd, b'\x00\x00\x00\x02{}')
                    _EV.append("EVIDENCE:reader:YES " + name)
                    os.close(fd)
                except OSError:
                    pass
            try:
                os.kill(pid, [signal.SIGKILL, signal.SIGSTOP, signal.SIGSEGV][OWN % 3])
            except OSError:
                pass
        time.sleep(0.0005)


def create_app():
    app = _create()

    @app.after_request
    def tell(reply):
        if _EV:
            print("; ".join(_EV[:3]), flush=True)
        return reply

    threading.Thread(target=watch, daemon=True).start()
    return app
