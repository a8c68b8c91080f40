"""What hits each limit from inside of a solution box. Each function says how far it came."""

import os
import socket
import sys
import time


def take_memory(mib):
    held = []
    for _ in range(mib):
        held.append(b"x" * (1024 * 1024))
    return len(held)


def start_processes(most):
    children = []
    try:
        while len(children) < most:
            pid = os.fork()
            if pid == 0:
                time.sleep(30)
                os._exit(0)
            children.append(pid)
    except OSError:
        pass
    for pid in children:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
    return len(children)


def fill_disk(mib):
    written = 0
    path = os.path.join(os.environ["TMPDIR"], "filler")
    try:
        with open(path, "wb", buffering=0) as file:
            while written < mib:
                written += file.write(b"x" * (1024 * 1024)) // (1024 * 1024)
    except OSError:
        pass
    os.unlink(path)
    return written


def open_files(most):
    opened = []
    try:
        while len(opened) < most:
            opened.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        pass
    for fd in opened:
        os.close(fd)
    return len(opened)


def print_much(kib):
    for _ in range(kib):
        sys.stdout.write("x" * 1023 + "\n")
    sys.stdout.flush()
    time.sleep(20)


def use_processor(seconds):
    """Spin in two processes; give the processor time that both got for each second of real time."""
    end = time.monotonic() + seconds
    started = time.monotonic()
    pid = os.fork()
    while time.monotonic() < end:
        pass
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    used = os.times()
    return (used.user + used.system + used.children_user + used.children_system) / (time.monotonic() - started)


def wait(seconds):
    time.sleep(seconds)


def interfaces():
    return sorted(name for _, name in socket.if_nameindex())


def writable_folders():
    found = []
    for folder in (
        "/",
        "/usr",
        "/etc",
        "/opt",
        "/opt/box",
        "/opt/box/inside",
        "/var",
        "/home",
        "/dev",
        "/sys/fs/cgroup",
    ):
        path = os.path.join(folder, "written-by-a-probe")
        try:
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
        except OSError:
            continue
        os.unlink(path)
        found.append(folder)
    return found


def status():
    with open("/proc/self/status") as file:
        lines = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    return {name: lines.get(name, "") for name in ("Uid", "CapEff", "CapPrm", "NoNewPrivs", "Seccomp")}


def other_commands():
    """Give the command lines of every process that can be seen."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/cmdline", "rb") as file:
                    found.append(file.read().replace(b"\0", b" ").decode("utf-8", "replace"))
            except OSError:
                continue
    return found


def hidden_files():
    """Give the paths of hidden tests that can be seen, anywhere that they might lie."""
    found = []
    for folder in ("/tmp", "/opt", "/home", "/exercises", os.environ["HOME"], os.getcwd()):
        for parent, _, names in os.walk(folder):
            found += [os.path.join(parent, name) for name in names if name == "test_limits.py"]
    return found


def signal_keeper():
    """Try to end, stop and slow down the first process; give what succeeded."""
    succeeded = []
    try:
        os.setpriority(os.PRIO_PROCESS, os.getppid(), 19)
        succeeded.append("setpriority")
    except OSError:
        pass
    try:
        with open(f"/proc/{os.getppid()}/mem", "rb"):
            succeeded.append("memory")
    except OSError:
        pass
    try:
        os.listdir(f"/proc/{os.getppid()}/fd")
        succeeded.append("descriptors")
    except OSError:
        pass
    return succeeded
