"""The first process of the solution box: it unpacks the learner's files, runs their code in forks of itself, and restarts it.

It speaks frames with the host on its standard streams: one request, one reply (`id` says which), and `{"event": "ended"}` when the
learner's process ends by itself. The host takes what it says as data. Against the learner it protects itself with what the kernel
has: it is process 1 of its namespace, it can't be read or traced (`PR_SET_DUMPABLE` 0), and the learner's processes are filtered.
"""

from __future__ import annotations

import base64
import collections
import ctypes
import gc
import importlib
import itertools
import json
import os
import resource
import secrets
import select
import signal
import socket
import sqlite3
import struct
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn

from . import learner, seccomp, suite, values, warm, wire

PR_SET_DUMPABLE = 4
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

OUTPUT_TAIL_BYTES = 16 * 1024
MAX_STATEMENTS = 5000
MAX_STATEMENT_CHARACTERS = 700_000
"""Of all statements that are remembered, so that the evidence fits a frame however they are written in JSON."""

MAX_NOTES_BYTES = 8 * 1024 * 1024
MAX_CRASH_DEPTH = 20
CONTROL_S = 2
MAX_ROWS_BYTES = 2 * 1024 * 1024
DATABASE_S = 5.0
NICE_STEP = 10
FOLDERS_AT_ONCE = 500
_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

Reply = dict[str, Any]


class Keeper:
    """The state of the box: at most one process of the learner's, its pipes, and what it left behind."""

    def __init__(self, settings: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
        self._settings = settings
        self._files = files
        self._ended: dict[str, Any] | None = None
        self._output_fd: int | None = None
        self._notes_fd: int | None = None
        self._pidfd: int | None = None
        self._root = settings["root"]
        self._code = os.path.join(self._root, "solution")
        self._database = os.path.join(self._root, "data", "app.db") if settings["database"] == "sqlite" else None
        self._poll = select.poll()
        self._handlers: dict[int, Callable[[], None]] = {}
        self._pid: int | None = None
        self._control: socket.socket | None = None
        self._control_decoder = wire.Decoder()
        self._waiting_call: int | None = None
        self._is_ready_for_calls = False
        self._pending_call: Mapping[str, Any] | None = None
        self._is_ahead = False
        self._reader: _Reader | None = None
        self._generation = 0
        self._cgroup = _Cgroup()
        self._clear_evidence()
        self.watch(0, lambda: None)

    # What the host asks for

    def handle(self, request: Mapping[str, Any]) -> Reply | None:
        """Carry out one request. `None` when its reply comes later."""
        op = request["op"]
        is_clean = False
        if self._is_ahead and op not in ("evidence", "ahead"):
            self._is_ahead = False
            if op == "start" and request["fresh"] and not request["env"] and request["config"] is None:
                return self._started()
            if self._settings["kind"] != "function":
                # An app that was started ahead, for a test that wants something else first, was never there.
                self.reset()
                is_clean = True
        if op == "reset":
            self.reset()
        elif op == "ahead":
            self.reset()
            self.start({}, None)
            self._is_ahead = True
        elif op == "start":
            if not request["fresh"]:
                self.stop()
            elif not is_clean:
                self.reset()
            self.start(request["env"], request["config"])
            return self._started()
        elif op == "stop":
            self.stop()
        elif op == "call":
            return self.call(request)
        elif op == "suite":
            self.start({"BASE_URL": request["address"], **request["env"]}, None, kind="suite")
            return self.call({**request, "function": "", "args": [request["order"]], "kwargs": {}})
        elif op == "sql":
            return self.sql(request["steps"])
        elif op == "evidence":
            return self.evidence()
        elif op == "forget":
            self._drain()
            self._statements.clear()
            self._statement_characters = 0
            self._dropped_statements = 0
        else:
            return {"error": f"no operation `{op}`"}
        return {"ok": True}

    def _started(self) -> Reply:
        return {"ok": True, "generation": self._generation, "ended": self._ended, "limits": self._limits_reached()}

    def reset(self) -> None:
        """End all that runs, clear all that can be written, and lay the learner's files out anew."""
        self.stop()
        self._clear_evidence()
        for folder in (self._root, *self._settings.get("also_clear", ())):
            if os.path.isdir(folder):
                _empty(folder)
        for name in ("solution", "data", "home", "tmp"):
            os.makedirs(os.path.join(self._root, name), exist_ok=True)
        for name, content in self._files.items():
            path = os.path.join(self._code, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(content)

    def start(self, env: Mapping[str, str | None], config: Any, *, kind: str | None = None) -> None:
        """Fork the learner's process; `kind` says what it does, where that isn't the exercise's own kind."""
        kind = kind or self._settings["kind"]
        command = self._settings.get("command") if kind != "suite" else None
        self._generation += 1
        output_read, output_write = os.pipe()
        notes_read, notes_write = os.pipe()
        ours: socket.socket | None = None
        theirs: socket.socket | None = None
        if not command:
            ours, theirs = socket.socketpair()
            # A learner's process that never reads must not hold its keeper.
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", CONTROL_S, 0))
        try:
            pid = os.fork()
        except OSError as error:
            # Survivors of the learner's fill the box; nothing was started, and that is what is told.
            for fd in (output_read, output_write, notes_read, notes_write):
                os.close(fd)
            self._ended = {"code": 1, "signal": None}
            self._output += f"no process could be started: {error.strerror}\n".encode()
            return
        if pid == 0:
            job = learner.Job(
                kind=kind,
                code=self._code,
                port=int(env.get("PORT") or self._settings["port"]),
                module=self._settings["module"],
                config=config,
                database=self._database,
                notes=3,
                control=None if theirs is None else 4,
            )
            self._become_learner(job, env, output_write, notes_write, theirs, command)
        os.close(output_write)
        os.close(notes_write)
        self._pid = pid
        self._ended = None
        self._output_fd, self._notes_fd = output_read, notes_read
        for fd in (output_read, notes_read):
            os.set_blocking(fd, False)
        self.watch(output_read, self._read_output)
        self.watch(notes_read, self._read_notes)
        self._pidfd = os.pidfd_open(pid)
        self.watch(self._pidfd, self._note_end)
        if ours is not None and theirs is not None:
            theirs.close()
            self._control = ours
            self._control_decoder = wire.Decoder(4 * 1024 * 1024)
            self._is_ready_for_calls = False
            self.watch(ours.fileno(), self._read_control)

    def stop(self) -> None:
        """End every process of the learner's and wait until none is left."""
        self._drain()
        if self._pid is None and not self._settings.get("always_kill", True):
            return
        kill_everybody_else()
        self._pid = None
        self._forget_pipes()

    def call(self, request: Mapping[str, Any]) -> Reply | None:
        """Hand a call to the learner's process, which is started where none runs."""
        if self._pid is None:
            if self._ended is not None:
                return {"ended": self._ended}
            self.start({}, None)
        if self._control is None:
            return {"ended": self._ended or {"code": 1, "signal": None}}
        if self._is_ready_for_calls:
            self._send_call(request)
        else:
            self._pending_call = request
        self._waiting_call = request["id"]
        return None

    def _send_call(self, request: Mapping[str, Any]) -> None:
        assert self._control is not None
        message = {name: request[name] for name in ("function", "args", "kwargs")}
        try:
            wire.write(self._control.fileno(), message)
        except OSError:
            pass  # the process ended, which is told on its own way, or it doesn't read, and the test's time runs out

    def sql(self, steps: list[Mapping[str, Any]]) -> Reply:
        """Do database steps in a process of their own: what lies in the learner's file may hang or crash its reader."""
        if self._database is None:
            return {"error": "this exercise has no database"}
        message = wire.encode({"steps": steps})
        limit_s = min(DATABASE_S, self._settings["limits"].get("test_s", DATABASE_S))
        deadline = time.monotonic() + limit_s
        # One reader serves all that is asked until the box is cleared. Where it was ended meanwhile, as by a limit or a
        # signal of the learner's, another one takes its place; where that ends too, it is the file.
        for _ in range(2):
            if self._reader is None:
                try:
                    self._reader = self._fork_reader(self._database)
                except OSError as error:
                    return _unreadable(f"no process could be started to read the database: {error.strerror}")
            answer = self._reader.ask(message, deadline)
            if answer is not None:
                return answer
            self._reader.end()
            self._reader = None
            if time.monotonic() >= deadline:
                return _unreadable(f"the database gave no answer within {limit_s:g} s")
        return _unreadable("the process that read the database was ended")

    def _fork_reader(self, database: str) -> _Reader:
        ours, theirs = socket.socketpair()
        try:
            pid = os.fork()
        except OSError:
            ours.close()
            theirs.close()
            raise
        if pid == 0:
            self._read_database(database, theirs)
        theirs.close()
        return _Reader(pid, ours)

    def _read_database(self, database: str, asked: socket.socket) -> NoReturn:
        """Do the steps that are asked for in this fork, which has left all that is the keeper's."""
        try:
            os.dup2(asked.fileno(), 3)
            nothing = os.open(os.devnull, os.O_RDWR)
            for fd in (0, 1, 2):
                os.dup2(nothing, fd)
            os.closerange(4, 1024)
            _confine(self._settings)
            decoder = wire.Decoder()
            while data := os.read(3, 1 << 20):
                for message in decoder.feed(data):
                    try:
                        answer = _do_steps(database, message["steps"])
                    except BaseException as error:  # noqa: BLE001  whatever it is, it is told, not raised in a fork
                        answer = {"failed": {"type": type(error).__name__, "message": str(error)[:500]}}
                    wire.write(3, answer)
        finally:
            os._exit(0)

    def evidence(self) -> Reply:
        """Give what the learner's process left: the tail of its output, statements, crashes, how it ended, limits it hit."""
        self._drain()
        return {
            "output": self._output.decode("utf-8", "replace"),
            "statements": list(self._statements),
            "dropped_statements": self._dropped_statements,
            "crashes": list(self._crashes),
            "ended": self._ended,
            "limits": self._limits_reached(),
        }

    # What the learner's process does

    def watch(self, fd: int, handler: Callable[[], None]) -> None:
        self._handlers[fd] = handler
        self._poll.register(fd, select.POLLIN)

    def unwatch(self, fd: int) -> None:
        if self._handlers.pop(fd, None) is not None:
            self._poll.unregister(fd)

    def wait(self) -> bool:
        """Attend to the learner's process until the host has something to say; `True` then."""
        for fd, _ in self._poll.poll():
            if fd == 0:
                return True
            handler = self._handlers.get(fd)
            if handler is not None:
                handler()
        return False

    def _clear_evidence(self) -> None:
        self._output = bytearray()
        self._output_total = 0
        self._output_exceeded = False
        self._statements: collections.deque[str] = collections.deque()
        self._statement_characters = 0
        self._dropped_statements = 0
        self._crashes: collections.deque[Any] = collections.deque(maxlen=5)
        self._notes_buffer = bytearray()
        self._notes_total = 0
        self._ended = None
        self._cgroup.mark()
        self._limits: set[str] = set()

    def _forget_pipes(self) -> None:
        for fd in (self._output_fd, self._notes_fd, self._pidfd):
            if fd is not None:
                self.unwatch(fd)
                os.close(fd)
        self._output_fd = self._notes_fd = self._pidfd = None
        if self._control is not None:
            self.unwatch(self._control.fileno())
            self._control.close()
            self._control = None
        if self._reader is not None:
            self._reader.end()
            self._reader = None
        self._pending_call = None
        self._waiting_call = None

    def _read_output(self) -> None:
        data = _read_some(self._output_fd)
        if data == b"" and self._output_fd is not None:
            self.unwatch(self._output_fd)
        if not data:
            return
        self._output_total += len(data)
        self._output += data
        del self._output[:-OUTPUT_TAIL_BYTES]
        if self._output_total > self._settings["limits"]["output_kib"] * 1024 and not self._output_exceeded:
            self._output_exceeded = True
            self._limits.add("output")
            kill_everybody_else(wait=False)

    def _read_notes(self) -> None:
        data = _read_some(self._notes_fd)
        if not data:
            if data == b"" and self._notes_fd is not None:
                self.unwatch(self._notes_fd)
            return
        self._notes_total += len(data)
        self._notes_buffer += data
        *lines, rest = self._notes_buffer.split(b"\n")
        self._notes_buffer = bytearray(rest[-learner.MAX_NOTE_BYTES :])
        for line in lines:
            self._take_note(bytes(line))
        if self._notes_total > MAX_NOTES_BYTES and self._notes_fd is not None:
            self.unwatch(self._notes_fd)

    def _take_note(self, line: bytes) -> None:
        if len(line) > learner.MAX_NOTE_BYTES:
            return  # none of ours is longer
        try:
            note = wire.decode(line)
        except wire.BadFrame:
            return
        if isinstance(note.get("sql"), str):
            self._statements.append(note["sql"])
            self._statement_characters += len(note["sql"])
            while len(self._statements) > MAX_STATEMENTS or self._statement_characters > MAX_STATEMENT_CHARACTERS:
                self._statement_characters -= len(self._statements.popleft())
                self._dropped_statements += 1
        else:
            self._take_crash(note.get("crash"))

    def _take_crash(self, crash: Any) -> None:
        if not isinstance(crash, dict) or wire.is_deeper(crash, MAX_CRASH_DEPTH):
            return
        if len(json.dumps(crash)) <= 6 * learner.MAX_NOTE_BYTES:  # a character may take six in JSON
            self._crashes.append(crash)

    def _read_control(self) -> None:
        assert self._control is not None
        data = _read_some(self._control.fileno())
        if not data:
            if data == b"":
                self.unwatch(self._control.fileno())
            return
        try:
            for message in self._control_decoder.feed(data):
                if message.get("ready") is True and not self._is_ready_for_calls:
                    self._is_ready_for_calls = True
                    if self._pending_call is not None:
                        self._send_call(self._pending_call)
                        self._pending_call = None
                elif self._waiting_call is not None:
                    self._take_crash(message.get("raised"))
                    self._answer_call({"result": message})
        except wire.BadFrame as error:
            self.unwatch(self._control.fileno())
            self._answer_call({"result": {"unreadable": str(error)}})

    def _answer_call(self, reply: Reply) -> None:
        if self._waiting_call is not None:
            wire.write(1, {"id": self._waiting_call, **reply})
            self._waiting_call = None
            self._pending_call = None

    def _note_end(self) -> None:
        """The learner's process ended by itself, or a limit ended it."""
        if self._pid is None or self._pidfd is None:
            return
        self.unwatch(self._pidfd)
        try:
            _, status = os.waitpid(self._pid, 0)
        except ChildProcessError:
            status = 0
        self._drain()
        code = os.waitstatus_to_exitcode(status)
        self._pid = None
        self._ended = {"code": code if code >= 0 else None, "signal": -code if code < 0 else None}
        limits = self._limits_reached()
        wire.write(1, {"event": "ended", "generation": self._generation, **self._ended, "limits": limits})
        self._answer_call({"ended": self._ended})

    def _drain(self) -> None:
        """Take what already stands in the pipes."""
        for fd, read in ((self._output_fd, self._read_output), (self._notes_fd, self._read_notes)):
            turns = 0
            while fd is not None and fd in self._handlers and turns < 64:
                before = self._output_total + self._notes_total
                read()
                turns += 1
                if self._output_total + self._notes_total == before:
                    break

    def _limits_reached(self) -> list[str]:
        limits = set(self._limits) | self._cgroup.reached()
        try:
            found = os.statvfs(self._root)
            if self._settings["limits"].get("disk_mib") and found.f_bavail * found.f_frsize < 128 * 1024:
                limits.add("disk")
        except OSError:
            pass
        if any(crash.get("type") == "MemoryError" for crash in self._crashes):
            limits.add("memory")
        self._limits |= limits
        return sorted(limits)

    def _become_learner(
        self,
        job: learner.Job,
        env: Mapping[str, str | None],
        output: int,
        notes: int,
        control: socket.socket | None,
        command: list[str] | None,
    ) -> NoReturn:
        try:
            os.setsid()
            nothing = os.open("/dev/null", os.O_RDONLY)
            wanted = [nothing, output, output, notes]
            if control is not None:
                wanted.append(control.fileno())
            # Lifted above all of the targets first, so that no copy lands on a source that is still needed.
            lifted = [os.dup2(fd, 100 + place) for place, fd in enumerate(wanted)]
            for place, fd in enumerate(lifted):
                os.dup2(fd, place)
            os.closerange(len(wanted), 1024)
            os.environ.clear()
            os.environ.update(self._environment(env))
            time.tzset()  # `TZ` counts from here on, as it would for a program that was started with it
            sys.stdin = open(0, encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
            sys.stdout = open(1, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
            sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
            sys.argv = [os.path.join(self._code, "app.py")]
            _be_first_when_memory_ends()
            _confine(self._settings)
            if command:
                os.chdir(self._code)
                try:
                    os.execvpe(command[0], command, dict(os.environ))
                except OSError as error:
                    reason = {"type": "CannotStart", "own": True, "phase": "start", "frames": []}
                    reason["message"] = f"`{command[0]}` could not be started: {error.strerror}"
                    os.write(job.notes, json.dumps({"crash": reason}).encode() + b"\n")
                    os._exit(127)
            learner.run(job)
        finally:
            os._exit(1)

    def _environment(self, env: Mapping[str, str | None]) -> dict[str, str]:
        environment = {
            "PATH": os.path.dirname(sys.executable) + ":/usr/local/bin:/usr/bin:/bin",
            "HOME": os.path.join(self._root, "home"),
            "TMPDIR": os.path.join(self._root, "tmp"),
            "LANG": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": self._settings.get("pythonpath", ""),
            "PORT": str(self._settings["port"]),
            **self._settings["env"],
        }
        if self._database is not None:
            environment["DATABASE_URL"] = f"sqlite:///{self._database}"
        for name, value in env.items():
            if value is None:
                environment.pop(name, None)
            else:
                environment[name] = value
        return environment


class _Reader:
    """A process that reads the learner's database, and the socket over which it is asked."""

    def __init__(self, pid: int, asked: socket.socket) -> None:
        self._pid = pid
        self._socket = asked

    def ask(self, message: bytes, deadline: float) -> Reply | None:
        """Give its answer; `None` where it ended, says what is no answer, or takes too long."""
        decoder = wire.Decoder(2 * MAX_ROWS_BYTES)
        try:
            while (left := deadline - time.monotonic()) > 0:
                self._socket.settimeout(left)
                if message:
                    message = message[self._socket.send(message) :]
                    continue
                data = self._socket.recv(1 << 20)
                if not data:
                    return None
                for answer in decoder.feed(data):
                    return answer
        except (OSError, wire.BadFrame):
            pass
        return None

    def end(self) -> None:
        """End it where it still runs."""
        self._socket.close()
        try:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass  # it was ended with all the others


class _Cgroup:
    """How often the kernel refused something to this box, as far as it lets the box see that (cgroup v1 or v2)."""

    _SOURCES = (
        ("memory", ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control"), "oom_kill"),
        ("processes", ("/sys/fs/cgroup/pids.events", "/sys/fs/cgroup/pids/pids.events"), "max"),
    )

    def __init__(self) -> None:
        self._marks: dict[str, int] = {}

    def mark(self) -> None:
        self._marks = self._counts()

    def reached(self) -> set[str]:
        return {name for name, count in self._counts().items() if count > self._marks.get(name, 0)}

    def _counts(self) -> dict[str, int]:
        counts = {}
        for name, paths, key in self._SOURCES:
            for path in paths:
                try:
                    with open(path, encoding="ascii") as file:
                        lines = [line.split() for line in file]
                except OSError:
                    continue
                counts[name] = sum(int(line[1]) for line in lines if len(line) == 2 and line[0] == key)
                break
        return counts


def _read_some(fd: int | None) -> bytes | None:
    """Read what is there: `b""` at the end of the stream, `None` where nothing waits."""
    if fd is None:
        return None
    try:
        return os.read(fd, 65536)
    except BlockingIOError:
        return None
    except OSError:
        return b""


def _empty(folder: str) -> None:
    """Remove what lies in a folder, whatever rights it has and however deep it goes.

    Nothing of the learner's runs meanwhile. What lies deeper is moved up, one level a turn, so that neither Python's
    recursion, nor the length of a path, nor the number of open descriptors ends it.
    """
    _restore(folder)
    top = os.open(folder, _FOLDER_FLAGS)
    token = secrets.token_hex(8)
    names = (f"{token}-{number}" for number in itertools.count())
    stuck: set[str] = set()
    try:
        while inner := _empty_level(top, stuck):
            while inner:
                name = inner.pop()
                try:
                    inner += _flatten(top, name, names)
                except OSError:
                    stuck.add(name)  # a mount, or another user's: it stays
    finally:
        os.close(top)


def _restore(folder: str) -> None:
    """Take off what a learner did to the folder itself, where it is their user's."""
    try:
        os.chmod(folder, 0o700)
        for name in os.listxattr(folder):
            os.removexattr(folder, name)
    except OSError:
        pass


def _empty_level(top: int, stuck: set[str]) -> list[str]:
    """Remove the files of a folder; give some of the folders in it, none when it is empty."""
    inner: list[str] = []
    with os.scandir(top) as entries:
        for entry in entries:
            if entry.name in stuck:
                continue
            if entry.is_dir(follow_symlinks=False):
                inner.append(entry.name)
                if len(inner) == FOLDERS_AT_ONCE:
                    break
                continue
            try:
                os.unlink(entry.name, dir_fd=top)
            except OSError:
                stuck.add(entry.name)
    return inner


def _flatten(top: int, name: str, names: Iterator[str]) -> list[str]:
    """Remove the folder `name` of `top`; what folders it has are moved to `top`. Give the names of some of them."""
    moved: list[str] = []
    os.chmod(name, 0o700, dir_fd=top)
    here = os.open(name, _FOLDER_FLAGS, dir_fd=top)
    try:
        with os.scandir(here) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    os.chmod(entry.name, 0o700, dir_fd=here)  # to move a folder is to write in it
                    new_name = next(names)
                    os.rename(entry.name, new_name, src_dir_fd=here, dst_dir_fd=top)
                    if len(moved) < FOLDERS_AT_ONCE:
                        moved.append(new_name)
                else:
                    os.unlink(entry.name, dir_fd=here)
    finally:
        os.close(here)
    os.rmdir(name, dir_fd=top)
    return moved


def _confine(settings: Mapping[str, Any]) -> None:
    """Put this process, a fork that will run what is the learner's, under its limits."""
    limits = settings["limits"]
    hard = [(resource.RLIMIT_CORE, 0), (resource.RLIMIT_NOFILE, limits["open_files"])]
    if "rlimit_memory_mib" in limits:
        hard.append((resource.RLIMIT_DATA, limits["rlimit_memory_mib"] * 1024 * 1024))
    if "rlimit_processes" in limits:
        hard.append((resource.RLIMIT_NPROC, limits["rlimit_processes"]))
    if "rlimit_file_mib" in limits:
        hard.append((resource.RLIMIT_FSIZE, limits["rlimit_file_mib"] * 1024 * 1024))
    for which, value in hard:
        resource.setrlimit(which, (value, value))
    os.nice(NICE_STEP)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    seccomp.apply()


def _be_first_when_memory_ends() -> None:
    """Make this process the one that the kernel ends when memory runs out, and not its keeper."""
    # A fork of the keeper can't be read either, and its own files in /proc are root's, until it says otherwise.
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)
    try:
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
            file.write("1000")
    except OSError:
        pass


def _unreadable(why: str) -> Reply:
    return {"failed": {"type": "Unreadable", "message": why}}


def _do_steps(database: str, steps: list[Mapping[str, Any]]) -> Reply:
    """Do SQL steps on the database, each `{"sql", "params", "mode"}`; give one result a step."""
    connection = sqlite3.connect(database, timeout=2.0, isolation_level=None)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 2 * MAX_ROWS_BYTES)
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA foreign_keys = ON")
    results: list[Any] = []
    size = 0
    for step in steps:
        try:
            if step["mode"] == "script":
                connection.executescript(step["sql"])
                results.append({"rowcount": -1})
                continue
            params = [values.decode(value) for value in step["params"]]
            if step["mode"] == "many":
                rows = [[values.decode(value) for value in row] for row in step["rows"]]
                connection.execute("BEGIN")
                connection.executemany(step["sql"], rows)
                connection.execute("COMMIT")
                results.append({"rowcount": len(rows)})
                continue
            if step["mode"] == "read":
                connection.execute("PRAGMA query_only = ON")
            cursor = connection.execute(step["sql"], params)
            columns = [column[0] for column in cursor.description or ()]
            found: list[Any] = []
            for row in cursor:
                encoded = values.encode(list(row))
                size += len(json.dumps(encoded))
                if size > MAX_ROWS_BYTES:
                    return {"failed": {"type": "TooLarge", "message": "the rows are larger than 2 MiB"}}
                found.append(encoded)
            results.append({"rowcount": cursor.rowcount, "columns": columns, "rows": found})
            if step["mode"] == "read":
                connection.execute("PRAGMA query_only = OFF")
        except sqlite3.Error as error:
            if connection.in_transaction:
                connection.rollback()
            results.append({"error": {"type": type(error).__name__, "message": str(error)[:500]}})
            if not step.get("may_fail"):
                break
    connection.close()
    return {"results": results}


def kill_everybody_else(*, wait: bool = True) -> None:
    """End every process of the box but this one; with `wait`, until none of them is left."""
    if os.getpid() == 1:
        try:
            os.kill(-1, signal.SIGKILL)
        except ProcessLookupError:
            pass
        if wait:
            _reap(block=True)
        return
    # Without a namespace of our own: this process adopts what its children leave, so all of it is below it.
    while children := descendants(os.getpid()):
        for pid in children:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if not wait:
            return
        _reap(block=False)
        time.sleep(0.001)
    _reap(block=False)


def _reap(*, block: bool) -> None:
    while True:
        try:
            pid, _ = os.waitpid(-1, 0 if block else os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return


def descendants(root: int) -> list[int]:
    """Give the processes below one, without those that have wholly ended."""
    parents: dict[int, int] = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        # Its first thread may have ended while others still run, and hold its sockets. Source: proc(5), `num_threads`.
        if fields and (fields[0] != "Z" or int(fields[17]) > 1):
            parents[int(name)] = int(fields[1])
    found: list[int] = []
    layer = {root}
    while layer:
        layer = {pid for pid, parent in parents.items() if parent in layer and pid != root}
        found += layer
    return found


def protect() -> None:
    """Keep the learner's processes, which have the same user, from reading, tracing or signalling this one."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    # Process 1 is immune to signals that it doesn't handle, and Python handles this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def preload(names: str) -> None:
    """Import what the learner's code will import, so that each fork of this process has it already."""
    wanted = [name for name in names.split(",") if name]
    for name in wanted:
        try:
            importlib.import_module(name)
        except ImportError:
            pass  # the learner's process will tell of it, where it is the learner's
    if "waitress.server" in wanted:
        warm.warm_server()
    if "sqlalchemy.orm" in wanted:
        warm.warm_database()
    if "pytest" in wanted:
        suite.warm()
    seccomp.program(os.uname().machine)


def main() -> None:
    """Serve the host until it closes the stream. The first argument names modules to import ahead."""
    protect()
    preload(sys.argv[1] if len(sys.argv) > 1 else "")
    gc.collect()
    gc.freeze()
    decoder = wire.Decoder()
    keeper: Keeper | None = None
    wire.write(1, {"event": "up"})
    while True:
        if keeper is not None and not keeper.wait():
            continue
        data = os.read(0, 1 << 20)
        if not data:
            kill_everybody_else()
            return
        for message in decoder.feed(data):
            if message["op"] == "load":
                files = {name: base64.b64decode(content) for name, content in message["files"].items()}
                keeper = Keeper(message["settings"], files)
                keeper.reset()
                if message["settings"].get("ahead", True):
                    keeper.handle({"op": "ahead"})
                continue
            if keeper is None:
                continue
            reply = keeper.handle(message)
            if reply is not None:
                wire.write(1, {"id": message["id"], **reply})


if __name__ == "__main__":
    main()
