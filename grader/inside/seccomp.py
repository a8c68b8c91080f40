"""A system call filter for the learner's processes: what a backend never needs, and what would reach its keeper.

Beside what the sandbox already forbids. Kernel documentation: `Documentation/userspace-api/seccomp_filter.rst`; numbers from
`arch/x86/entry/syscalls/syscall_64.tbl` and `include/uapi/asm-generic/unistd.h`.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import os
import struct
from typing import Any

from .libc import PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, prctl

_MODE_FILTER = 2

_ALLOW = 0x7FFF0000
_ERRNO = 0x00050000
_KILL = 0x80000000

_LOAD, _JUMP_EQUAL, _JUMP_ANY_BIT, _JUMP_GREATER_EQUAL, _RETURN = 0x20, 0x15, 0x45, 0x35, 0x06
_OFFSET_NUMBER, _OFFSET_ARCH, _OFFSET_ARGUMENT_0 = 0, 4, 16

_CLONE_NEW_ANY = 0x7E020080
"""CLONE_NEWTIME, NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET."""

# name: (x86_64, aarch64)
_DENIED = {
    # another process's memory, descriptors or limits
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "pidfd_getfd": (438, 438),
    "kcmp": (312, 272),
    # another process's turn on the processor: a learner must not slow its keeper down
    "setpriority": (141, 140),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "sched_setaffinity": (203, 122),
    "sched_setattr": (314, 274),
    "ioprio_set": (251, 30),
    # namespaces, mounts and the machine
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "reboot": (169, 142),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "adjtimex": (159, 171),
    "clock_adjtime": (305, 266),
    "syslog": (103, 116),
    "personality": (135, 92),
    # wide parts of the kernel that a web app has no use for
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "fanotify_init": (300, 262),
    "mbind": (237, 235),
    "set_mempolicy": (238, 237),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    # memory that outlives its process, where the keeper could not clear it between two tests
    "shmget": (29, 194),
    "shmat": (30, 196),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
}
_CLONE = (56, 220)
_CLONE3 = (435, 435)
_PRLIMIT = (302, 261)
_SOCKET = (41, 198)
_FAMILIES = (1, 2, 10, 16)
"""AF_UNIX, AF_INET, AF_INET6 and AF_NETLINK. Others reach past the box's network, as AF_VSOCK does, or wide parts of the kernel."""

_X32_BIT = 0x40000000
_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}


def _instruction(code: int, operand: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("<HBBI", code, if_true, if_false, operand)


@functools.cache
def program(machine: str) -> bytes | None:
    """Give the filter for a machine as the kernel reads it, or `None` where its numbers aren't known here."""
    if machine not in _ARCHITECTURES:
        return None
    column, architecture = _ARCHITECTURES[machine]
    refuse = _instruction(_RETURN, _ERRNO | errno.EPERM)
    allow = _instruction(_RETURN, _ALLOW)
    code = [
        _instruction(_LOAD, _OFFSET_ARCH),
        _instruction(_JUMP_EQUAL, architecture, 1, 0),
        _instruction(_RETURN, _KILL),  # 32-bit calls have numbers of their own
        _instruction(_LOAD, _OFFSET_NUMBER),
    ]
    if machine == "x86_64":
        code += [_instruction(_JUMP_GREATER_EQUAL, _X32_BIT, 0, 1), refuse]
    for numbers in _DENIED.values():
        code += [_instruction(_JUMP_EQUAL, numbers[column], 0, 1), refuse]
    # glibc falls back to clone(), whose flags can be read here; those of clone3() lie behind a pointer.
    code += [
        _instruction(_JUMP_EQUAL, _CLONE3[column], 0, 1),
        _instruction(_RETURN, _ERRNO | errno.ENOSYS),
        _instruction(_JUMP_EQUAL, _CLONE[column], 0, 4),
        _instruction(_LOAD, _OFFSET_ARGUMENT_0),
        _instruction(_JUMP_ANY_BIT, _CLONE_NEW_ANY, 0, 1),
        refuse,
        allow,
        _instruction(_JUMP_EQUAL, _SOCKET[column], 0, len(_FAMILIES) + 3),
        _instruction(_LOAD, _OFFSET_ARGUMENT_0),
        *(_instruction(_JUMP_EQUAL, family, len(_FAMILIES) - place) for place, family in enumerate(_FAMILIES)),
        _instruction(_RETURN, _ERRNO | errno.EAFNOSUPPORT),
        allow,
        # prlimit() on oneself is setrlimit(); on another process it would reach the keeper.
        _instruction(_JUMP_EQUAL, _PRLIMIT[column], 0, 3),
        _instruction(_LOAD, _OFFSET_ARGUMENT_0),
        _instruction(_JUMP_EQUAL, 0, 1, 0),
        refuse,
        allow,
    ]
    return b"".join(code)


@functools.cache
def prepare() -> Any:
    """Give the filter of this machine as the kernel takes it, made once for all forks; `None` where its numbers aren't known."""
    code = program(os.uname().machine)
    if code is None:
        return None
    buffer = ctypes.create_string_buffer(code, len(code))
    header = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(buffer))
    prepared = ctypes.create_string_buffer(header, len(header))
    setattr(prepared, "code", buffer)  # noqa: B010  which it holds the address of
    return prepared


def apply() -> bool:
    """Filter this process and all that it starts, for good. `False` where the kernel or the machine can't."""
    prepared = prepare()
    if prepared is None or not prctl(PR_SET_NO_NEW_PRIVS, 1):
        return False
    return prctl(PR_SET_SECCOMP, _MODE_FILTER, prepared)
