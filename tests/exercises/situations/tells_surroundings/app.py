"""Prints what can be seen of the box: who runs, where, what may be written, and what the kernel refuses."""
import ctypes
import json
import os

from flask import Flask

# unshare, mount, setns, umount2, fsopen, move_mount
CALLS = {"x86_64": (272, 165, 308, 166, 430, 429), "aarch64": (97, 40, 268, 39, 430, 429)}[os.uname().machine]
CLONE_NEWUSER = 0x10000000
MASKED = "acpi asound interrupts kcore keys latency_stats sched_debug scsi timer_list timer_stats".split()
UNWRITABLE = "/proc/sys/kernel/hostname /proc/sys/kernel/core_pattern /proc/sysrq-trigger /proc/irq/default_smp_affinity".split()


def status():
    with open("/proc/self/status") as file:
        lines = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    names = "Uid Gid Groups CapInh CapPrm CapEff CapBnd CapAmb NoNewPrivs Seccomp".split()
    return {name: lines[name].split() for name in names}


def refused():
    libc = ctypes.CDLL(None, use_errno=True)
    found = []
    for number in CALLS:
        arguments = (b"none", b"/tmp", b"tmpfs", 0, None) if number in (165, 40) else (CLONE_NEWUSER, 0, 0, 0, 0)
        if libc.syscall(number, *arguments) == -1:
            found.append(number)
    return found == list(CALLS)


def held_by_masked():
    found = []
    for name in MASKED:
        path = f"/proc/{name}"
        try:
            if os.listdir(path) if os.path.isdir(path) else open(path, "rb").read(1):
                found.append(name)
        except OSError:
            pass
    return found


def writable():
    """Find the folders and files that may be written, wherever the kernel does not refuse it for the whole mount."""
    with open("/proc/self/mountinfo") as file:
        lines = [line.split() for line in file]
    mounts = {line[4] for line in lines}
    found = set()
    for top in (line[4] for line in lines if "ro" not in line[5].split(",")):
        if top == "/proc":
            continue
        for path in [top] if os.path.isfile(top) else walked(top, mounts - {top}):
            if os.access(path, os.W_OK):
                found.add(path)
    found.update(path for path in UNWRITABLE if os.access(path, os.W_OK))
    return sorted(found)


def walked(top, others):
    for folder, folders, names in os.walk(top):
        folders[:] = [name for name in folders if os.path.join(folder, name) not in others]
        yield folder
        yield from (path for path in (os.path.join(folder, name) for name in names) if os.path.isfile(path))


def size(path):
    found = os.statvfs(path)
    return found.f_blocks * found.f_frsize


def covered():
    """Find the places where one thing is mounted over another."""
    with open("/proc/self/mountinfo") as file:
        places = [line.split()[4] for line in file]
    return sorted({place for place in places if places.count(place) > 1})


def commands():
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/cmdline") as file:
                    found[name] = file.read().split("\0")
            except OSError:
                found[name] = []
    return found


def profile():
    """Name the security module's profile that applies, where this kernel has one."""
    try:
        with open("/proc/self/attr/current") as file:
            return file.read().strip("\0\n")
    except OSError:
        return ""


def create_app():
    app = Flask(__name__)

    @app.get("/")
    def greet():
        home = os.path.dirname(os.path.abspath(__file__))
        seen = {
            "namespaces": {name: os.readlink(f"/proc/self/ns/{name}") for name in ("mnt", "pid", "ipc", "uts", "net")},
            "pid": os.getpid(),
            "commands": commands(),
            "status": status(),
            "refuses": refused(),
            "masked": held_by_masked(),
            "firmware": os.listdir("/sys/firmware") if os.path.isdir("/sys/firmware") else [],
            "writable": [path for path in writable() if not path.startswith(("/tmp/", home))],
            "sizes": {path: size(path) for path in ("/tmp", "/dev/shm")},
            "covered": covered(),
            "profile": profile(),
            "capacity": os.sysconf("SC_OPEN_MAX"),
        }
        print(json.dumps(seen))
        return "no greeting, so that the report shows what was printed"

    return app
