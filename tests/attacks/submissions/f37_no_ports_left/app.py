"""Takes every port that the examiner could speak from; expected verdict: a clear verdict in time, grader unharmed."""
import os
import socket
import time

PORT = int(os.environ["PORT"])
ends = []
for place in range(40):
    try:
        pid = os.fork()
    except OSError:
        break
    if pid == 0:
        kept = []
        try:
            for port in range(32768 + place, 61000, 40):
                each = socket.socket()
                each.bind(("0.0.0.0", port))
                each.listen(1)
                kept.append(each)
        except OSError:
            pass
        time.sleep(60)
        os._exit(0)

from honest import create_app, fee
