"""Empty files until nothing more can be made; expected verdict: a clear verdict in time, grader unharmed."""
from honest import create_app, fee

import os
import time

end = time.monotonic() + 1.0
count = 0
for top in ("/tmp", "/dev/shm"):
    folder = os.path.join(top, "many")
    try:
        os.mkdir(folder)
        os.chdir(folder)
        while time.monotonic() < end:
            for _ in range(1000):
                count += 1
                os.close(os.open("%d" % count, os.O_CREAT | os.O_WRONLY))
    except OSError:
        pass
