"""Namespaces, file systems and rights of a box that is made from inside of another one.

Sources: namespaces(7), user_namespaces(7), mount(2), capabilities(7), and the paths that engines mask in `/proc`: `defaults.go` of
the Open Containers Initiative's part of Moby.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from collections.abc import Mapping
from contextlib import suppress

from .libc import PR_CAPBSET_DROP, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS, call, prctl

_NEW_MOUNTS, _NEW_HOST_NAME, _NEW_IPC, _NEW_USER, _NEW_PROCESSES = 0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000
_READ_ONLY, _NO_SETUID, _NO_DEVICES, _NO_PROGRAMS, _REMOUNT, _BIND = 1, 2, 4, 8, 32, 4096
_ALL_BELOW, _SLAVE = 16384, 1 << 19
_NOTHING = _NO_SETUID | _NO_DEVICES | _NO_PROGRAMS

_CAPABILITY_VERSION_3 = 0x20080522
_MOST_CAPABILITIES = 64

_MASKED = "acpi asound interrupts kcore keys latency_stats sched_debug scsi timer_list timer_stats"
_UNWRITABLE = "bus fs irq sys sysrq-trigger"


def leave() -> None:
    """Have the next fork of this process be process 1 of new namespaces. The network stays the one that there is.

    Whoever isn't root gets a user namespace too, in which their own number is the only one.

    Raises:
        OSError: the kernel, or a filter, doesn't allow it.
    """
    flags = _NEW_MOUNTS | _NEW_HOST_NAME | _NEW_IPC | _NEW_PROCESSES
    user, group = os.geteuid(), os.getegid()
    if user == 0:
        call("unshare", flags)
    else:
        # The files that say who is who in it are root's while this process can't be dumped.
        prctl(PR_SET_DUMPABLE, 1)
        call("unshare", flags | _NEW_USER)
        for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(text)
    _mount("none", "/", flags=_ALL_BELOW | _SLAVE)


def furnish(writable: Mapping[str, int]) -> None:
    """Mount what a box has for its own: its processes, its queues, and empty folders to write to (path to bytes).

    Raises:
        OSError: the kernel doesn't allow it.
    """
    _mount("proc", "/proc", "proc", _NOTHING)
    for name in _MASKED.split():
        path = f"/proc/{name}"
        if os.path.isdir(path):
            _mount("tmpfs", path, "tmpfs", _NOTHING | _READ_ONLY, "size=4k")
        elif os.path.exists(path):
            _mount("/dev/null", path, flags=_BIND)
    for name in _UNWRITABLE.split():
        path = f"/proc/{name}"
        if os.path.exists(path):
            _mount(path, path, flags=_BIND | _ALL_BELOW)
            _mount("none", path, flags=_BIND | _REMOUNT | _READ_ONLY | _NOTHING)
    if os.path.isdir("/dev/mqueue"):
        _mount("mqueue", "/dev/mqueue", "mqueue", _NOTHING)
    for path, size in writable.items():
        _mount("tmpfs", path, "tmpfs", _NO_SETUID | _NO_DEVICES, f"size={size},mode=1777")


def take_profile(name: str) -> None:
    """Be confined by this profile of AppArmor from here on, with all that is forked. Who is confined can't choose again.

    Where the kernel has no such profile, nobody is confined by it: an engine names its profile also where it can't load it.
    Source: aa_change_profile(2), which writes the same.

    Raises:
        OSError: this kernel has no AppArmor, or doesn't allow it.
    """
    # Kernels before 5.8 have one such file for all security modules.
    folder = "/proc/self/attr"
    path = f"{folder}/apparmor/current" if os.path.isdir(f"{folder}/apparmor") else f"{folder}/current"
    try:
        with open(path, "wb", buffering=0) as file, suppress(FileNotFoundError):
            file.write(b"changeprofile " + name.encode())
    except OSError as error:
        raise OSError(error.errno, f"AppArmor's profile {name} can't be taken: {error.strerror}") from None


def give_up_rights(user: int) -> None:
    """Become this user, where this process is root's, and be able to do nothing that any process can't, for good.

    Raises:
        OSError: the kernel doesn't allow it.
    """
    for capability in range(_MOST_CAPABILITIES):
        try:
            call("prctl", PR_CAPBSET_DROP, capability, 0, 0, 0)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            break  # the kernel knows no more of them
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    call("capset", ctypes.create_string_buffer(header, len(header)), ctypes.create_string_buffer(24))
    call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def _mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    try:
        call("mount", source.encode(), target.encode(), kind.encode() or None, flags, options.encode() or None)
    except OSError as error:
        raise OSError(error.errno, f"{target} can't be mounted: {error.strerror}") from None
