"""Takes every right off its folders, so that nobody can clear them; expected verdict: cleared for the next test all the same; the honest rest is graded."""
from honest import create_app, fee

import os

for top in (os.getcwd(), os.environ["HOME"], "/tmp", "/dev/shm"):
    path = top
    for depth in range(5):
        path = os.path.join(path, "locked%d" % depth)
        try:
            os.mkdir(path)
            open(os.path.join(path, "file"), "w").close()
        except OSError:
            break
for top in ("/dev/shm", "/tmp"):
    for folder, folders, names in os.walk(top, topdown=False):
        for name in names:
            try:
                os.chmod(os.path.join(folder, name), 0)
            except OSError:
                pass
        if "locked" in folder:
            os.chmod(folder, 0)
