"""A pipe, a link, a device, a socket, a folder in place of the database; expected verdict: a clear verdict in time, grader unharmed, what does not need the database is graded."""
import os
import shutil
import socket

from honest import check, create_app as _create, total

PATH = os.environ["DATABASE_URL"].removeprefix("sqlite:///")


def clear():
    for path in (PATH, PATH + "-wal", PATH + "-journal", PATH + "-shm"):
        try:
            os.unlink(path)
        except IsADirectoryError:
            shutil.rmtree(path)
        except OSError:
            pass


def replace(kind):
    clear()
    if kind == 0:
        os.mkfifo(PATH)
    elif kind == 1:
        os.symlink("/proc/self/mem", PATH)
    elif kind == 2:
        os.symlink("/dev/zero", PATH)
    elif kind == 3:
        os.mkdir(PATH)
    elif kind == 4:
        socket.socket(socket.AF_UNIX).bind(PATH)
    elif kind == 5:
        os.symlink("/proc/self/fd/1", PATH)
    elif kind == 6:
        with open(PATH, "wb") as file:
            file.write(b"SQLite format 3\0" + b"\xff" * 4000)
            file.truncate(1 << 40)
    elif kind == 7:
        os.symlink(PATH, PATH)
    elif kind == 8:
        os.symlink("/proc/1/fd/1", PATH)
    else:
        os.mkfifo(PATH + "-journal")


def create_app():
    app = _create()

    @app.after_request
    def swap(reply):
        replace(os.getpid() % 10)
        return reply

    if os.getpid() % 3 == 0:
        replace(os.getpid() % 10)
    return app
