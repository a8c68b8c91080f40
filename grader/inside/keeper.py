"""The first process of the solution box: it unpacks the learner's files, runs their code in forks of itself, and restarts it.

It speaks frames with the host on its standard streams: one request, one reply (`id` says which), and `{"event": "ended"}` when the
learner's process ends by itself. The host takes what it says as data. Against the learner it protects itself with what the kernel
has: it is process 1 of its namespace, it can't be read or traced (`PR_SET_DUMPABLE` 0), and the learner's processes are filtered.
"""

from __future__ import annotations

import base64
import collections
import gc
import importlib
import json
import os
import select
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from . import cgroup, clear, confine, fork, learner, processes, reader, statements, suite, warm, wire

OUTPUT_TAIL_BYTES = 16 * 1024
MAX_NOTES_BYTES = 8 * 1024 * 1024
MAX_CRASH_DEPTH = 20
DATABASE_S = 5.0

Reply = dict[str, Any]


class Keeper:
    """The state of the box: at most one process of the learner's, its pipes, and what it left behind."""

    def __init__(
        self, settings: Mapping[str, Any], files: Mapping[str, bytes], spares: Sequence[fork.Fork] = ()
    ) -> None:
        self._settings = settings
        self._files = files
        self._ended: dict[str, Any] | None = None
        self._root = settings["root"]
        self._code = os.path.join(self._root, "solution")
        self._database = os.path.join(self._root, "data", "app.db") if settings["database"] == "sqlite" else None
        self._poll = select.poll()
        self._handlers: dict[int, Callable[[], None]] = {}
        self._process: fork.Fork | None = None
        self._is_running = False
        self._spares = list(spares)
        self._wants_spare = False
        self._control_decoder = wire.Decoder()
        self._waiting_call: int | None = None
        self._is_ready_for_calls = False
        self._pending_call: Mapping[str, Any] | None = None
        self._answers_calls = False
        self._is_ahead = False
        self._reader: reader.Reader | None = None
        self._generation = 0
        self._cgroup = cgroup.Cgroup()
        self._can_count = self._is_alone()
        self._clear_evidence()
        self.watch(0, lambda: None)

    # What the host asks for

    def handle(self, request: Mapping[str, Any]) -> Reply | None:
        """Carry out one request. `None` when its reply comes later."""
        op = request["op"]
        is_clean = False
        if self._is_ahead and op not in ("evidence", "ahead", "spare"):
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
        elif op == "spare":
            self._wants_spare = True
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
            self._statements = statements.Statements()
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
                clear.empty(folder)
        for name in ("solution", "data", "home", "tmp"):
            os.makedirs(os.path.join(self._root, name), exist_ok=True)
        for name, content in self._files.items():
            path = os.path.join(self._code, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(content)

    def start(self, env: Mapping[str, str | None], config: Any, *, kind: str | None = None) -> None:
        """Start the learner's process; `kind` says what it does, where that isn't the exercise's own kind."""
        kind = kind or self._settings["kind"]
        command = self._settings.get("command") if kind != "suite" else None
        self._generation += 1
        process = self._take_spare()
        if process is None:
            try:
                process = fork.make(self._settings["limits"], is_warmed=False)
            except OSError as error:
                # Survivors of the learner's fill the box; nothing was started, and that is what is told.
                self._ended = {"code": 1, "signal": None}
                self._output += f"no process could be started: {error.strerror}\n".encode()
                return
        job = {
            "kind": kind,
            "code": self._code,
            "port": int(env.get("PORT") or self._settings["port"]),
            "module": self._settings["module"],
            "config": config,
            "database": self._database,
        }
        process.tell({"job": job, "env": self._environment(env), "command": command})
        self._process = process
        self._is_running = True
        self._ended = None
        self.watch(process.output, self._read_output)
        self.watch(process.notes, self._read_notes)
        self.watch(process.pidfd, self._note_end)
        self._answers_calls = not command
        if self._answers_calls:
            self._control_decoder = wire.Decoder(4 * 1024 * 1024)
            self._is_ready_for_calls = False
            self.watch(process.control.fileno(), self._read_control)

    def prepare(self) -> None:
        """Have a process wait for the next start, where the kernel's count tells whether any of the learner's is left."""
        self._wants_spare = False
        if not self._spares and self._can_count:
            try:
                self._spares.append(fork.make(self._settings["limits"], is_warmed=False))
            except OSError:
                pass  # the next start forks by itself

    def stop(self) -> None:
        """End every process of the learner's and wait until none is left."""
        self._drain()
        reading, self._reader = self._reader, None
        if reading is not None:
            reading.kill()  # it ends while the learner's process does
        can_count = self._can_count and bool(self._spares)
        if can_count and self._process is not None and self._is_running:
            self._process.kill()
        if reading is not None:
            reading.end()
        if not (can_count and self._is_alone()):
            # More than the learner's process may be left.
            processes.kill_everybody_else()
            for spare in self._spares:
                spare.close()
            self._spares.clear()
        self._forget_process()

    def _is_alone(self) -> bool:
        """Say whether the kernel counts none in this box but ours and the spares."""
        count = self._cgroup.processes()
        # In this order: a spare that lives now lived when it was counted, and no other process stood in its place.
        return count == self._settings.get("own_processes", 0) + len(self._spares) and all(
            spare.lives() for spare in self._spares
        )

    def _take_spare(self) -> fork.Fork | None:
        while self._spares:
            process = self._spares.pop()
            if process.lives() and process.answers():
                return process
            process.kill()
            process.close()
        return None

    def call(self, request: Mapping[str, Any]) -> Reply | None:
        """Hand a call to the learner's process, which is started where none runs."""
        if not self._is_running:
            if self._ended is not None:
                return {"ended": self._ended}
            self.start({}, None)
        if self._process is None or not self._answers_calls:
            return {"ended": self._ended or {"code": 1, "signal": None}}
        if self._is_ready_for_calls:
            self._send_call(request)
        else:
            self._pending_call = request
        self._waiting_call = request["id"]
        return None

    def _send_call(self, request: Mapping[str, Any]) -> None:
        assert self._process is not None
        self._process.tell({name: request[name] for name in ("function", "args", "kwargs")})

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
                    self._reader = reader.make(self._database, self._settings["limits"])
                except OSError as error:
                    return reader.unreadable(f"no process could be started to read the database: {error.strerror}")
            answer = self._reader.ask(message, deadline)
            if answer is not None:
                return answer
            self._reader.end()
            self._reader = None
            if time.monotonic() >= deadline:
                return reader.unreadable(f"the database gave no answer within {limit_s:g} s")
        return reader.unreadable("the process that read the database was ended")

    def evidence(self) -> Reply:
        """Give what the learner's process left: the tail of its output, statements, crashes, how it ended, limits it hit."""
        self._drain()
        return {
            "output": self._output.decode("utf-8", "replace"),
            "statements": self._statements.told(),
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
        # What the host asked for comes first; a fork takes a moment, and nobody waits for this one.
        ready = self._poll.poll(0 if self._wants_spare else None)
        if not ready:
            self.prepare()
        for fd, _ in ready:
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
        self._statements = statements.Statements()
        self._crashes: collections.deque[Any] = collections.deque(maxlen=5)
        self._notes_buffer = bytearray()
        self._notes_total = 0
        self._ended = None
        self._cgroup.mark()
        self._limits: set[str] = set()

    def _forget_process(self) -> None:
        self._is_running = False
        if self._process is not None:
            for fd in (self._process.output, self._process.notes, self._process.pidfd, self._process.control.fileno()):
                self.unwatch(fd)
            self._process.close()
            self._process = None
        self._pending_call = None
        self._waiting_call = None

    def _read_output(self) -> None:
        assert self._process is not None
        data = _read_some(self._process.output)
        if data == b"":
            self.unwatch(self._process.output)
        if not data:
            return
        self._output_total += len(data)
        self._output += data
        del self._output[:-OUTPUT_TAIL_BYTES]
        if self._output_total > self._settings["limits"]["output_kib"] * 1024 and not self._output_exceeded:
            self._output_exceeded = True
            self._limits.add("output")
            processes.kill_everybody_else(wait=False)

    def _read_notes(self) -> None:
        assert self._process is not None
        data = _read_some(self._process.notes)
        if data == b"":
            self.unwatch(self._process.notes)
        if not data:
            return
        self._notes_total += len(data)
        self._notes_buffer += data
        *lines, rest = self._notes_buffer.split(b"\n")
        self._notes_buffer = bytearray(rest[-learner.MAX_NOTE_BYTES :])
        for line in lines:
            self._take_note(bytes(line))
        if self._notes_total > MAX_NOTES_BYTES:
            self.unwatch(self._process.notes)

    def _take_note(self, line: bytes) -> None:
        if len(line) > learner.MAX_NOTE_BYTES:
            return  # none of ours is longer
        try:
            note = wire.decode(line)
        except wire.BadFrame:
            return
        self._statements.take(note)
        self._take_crash(note.get("crash"))

    def _take_crash(self, crash: Any) -> None:
        if not isinstance(crash, dict) or wire.is_deeper(crash, MAX_CRASH_DEPTH):
            return
        if len(json.dumps(crash)) <= 6 * learner.MAX_NOTE_BYTES:  # a character may take six in JSON
            self._crashes.append(crash)

    def _read_control(self) -> None:
        assert self._process is not None
        control = self._process.control.fileno()
        data = _read_some(control)
        if data == b"":
            self.unwatch(control)
        if not data:
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
            self.unwatch(control)
            self._answer_call({"result": {"unreadable": str(error)}})

    def _answer_call(self, reply: Reply) -> None:
        if self._waiting_call is not None:
            wire.write(1, {"id": self._waiting_call, **reply})
            self._waiting_call = None
            self._pending_call = None

    def _note_end(self) -> None:
        """The learner's process ended by itself, or a limit ended it."""
        if self._process is None or not self._is_running:
            return
        self.unwatch(self._process.pidfd)
        try:
            _, status = os.waitpid(self._process.pid, 0)
        except ChildProcessError:
            status = 0
        self._drain()
        code = os.waitstatus_to_exitcode(status)
        self._is_running = False
        self._ended = {"code": code if code >= 0 else None, "signal": -code if code < 0 else None}
        limits = self._limits_reached()
        wire.write(1, {"event": "ended", "generation": self._generation, **self._ended, "limits": limits})
        self._answer_call({"ended": self._ended})

    def _drain(self) -> None:
        """Take what already stands in the pipes."""
        if self._process is None:
            return
        for fd, read in ((self._process.output, self._read_output), (self._process.notes, self._read_notes)):
            turns = 0
            while fd in self._handlers and turns < 64:
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


def _read_some(fd: int) -> bytes | None:
    """Read what is there: `b""` at the end of the stream, `None` where nothing waits."""
    try:
        return os.read(fd, 65536)
    except BlockingIOError:
        return None
    except OSError:
        return b""


def preload(names: str) -> None:
    """Import what the learner's code will import, so that each fork of this process has it already."""
    if sys.flags.no_site:
        # Started without `site`, whose paths are this machine's own; `exit` and the like belong to Python all the same.
        import site

        site.setquit()
        site.sethelper()
        site.setcopyright()
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
    fork.prepare()
    _hide()


def _hide() -> None:
    """Take our own modules out of the learner's sight; a module of theirs may have the same name."""
    sys.path[:] = [entry for entry in sys.path if not os.path.isdir(os.path.join(entry, "inside"))]
    for name in [name for name in sys.modules if name == "inside" or name.startswith("inside.")]:
        del sys.modules[name]


def main() -> None:
    """Serve the host until it closes the stream.

    The first argument names modules to import ahead; the second is how many processes are to wait before there is a
    submission, the third their limits as JSON.
    """
    confine.protect()
    preload(sys.argv[1])  # without collecting garbage, as this was started
    wanted, limits = int(sys.argv[2]), json.loads(sys.argv[3])
    gc.freeze()
    gc.enable()
    serve(wanted, limits)


def serve(wanted: int = 0, limits: Mapping[str, Any] | None = None) -> None:
    """Serve the host until it closes the stream; see `main`."""
    spares: list[fork.Fork] = []
    decoder = wire.Decoder()
    keeper: Keeper | None = None
    wire.write(1, {"event": "up"})
    while True:
        if keeper is None and len(spares) < wanted and not select.select([0], [], [], 0)[0]:
            spares.append(fork.make(limits or {}, is_warmed=True))
            continue
        if keeper is not None and not keeper.wait():
            continue
        data = os.read(0, 1 << 20)
        if not data:
            processes.kill_everybody_else()
            return
        for message in decoder.feed(data):
            if message["op"] == "load":
                files = {name: base64.b64decode(content) for name, content in message["files"].items()}
                keeper = Keeper(message["settings"], files, spares)
                keeper.reset()
                if message["settings"]["ahead"]:
                    keeper.handle({"op": "ahead"})
                continue
            if keeper is None:
                continue
            reply = keeper.handle(message)
            if reply is not None:
                wire.write(1, {"id": message["id"], **reply})


if __name__ == "__main__":
    main()
