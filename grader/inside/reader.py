"""Read and seed the learner's database, in a process of its own: what lies in the file may hang or crash its reader."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
from collections.abc import Mapping
from typing import Any, NoReturn

from . import processes, values, wire
from .confine import confine

MAX_ROWS_BYTES = 2 * 1024 * 1024

Reply = dict[str, Any]


def make(database: str, limits: Mapping[str, Any]) -> Reader:
    """Fork a process that reads this file, with the limits of a learner's process.

    Raises:
        OSError: the box has no room for it.
    """
    ours, theirs = socket.socketpair()
    try:
        pid = os.fork()
    except OSError:
        ours.close()
        theirs.close()
        raise
    if pid == 0:
        _read(database, theirs, limits)
    theirs.close()
    return Reader(pid, ours)


def unreadable(why: str) -> Reply:
    """Give the reply to steps that could not be done at all."""
    return {"failed": {"type": "Unreadable", "message": why}}


def _read(database: str, asked: socket.socket, limits: Mapping[str, Any]) -> NoReturn:
    """Do the steps that are asked for in this fork, which has left all that is the keeper's."""
    try:
        os.dup2(asked.fileno(), 3)
        nothing = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(nothing, fd)
        os.closerange(4, 1024)
        confine(limits)
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


class Reader:
    """A process that reads the learner's database, and the socket over which it is asked."""

    def __init__(self, pid: int, asked: socket.socket) -> None:
        self._pid = pid
        self._socket = asked

    def ask(self, message: bytes, deadline: float) -> Reply | None:
        """Give its answer; `None` where it ended, says what is no answer, or takes too long."""
        decoder = wire.Decoder(2 * MAX_ROWS_BYTES)
        try:
            for data in wire.exchange(self._socket, message, deadline):
                for answer in decoder.feed(data):
                    return answer
        except (OSError, wire.BadFrame):
            pass
        return None

    def kill(self) -> None:
        """Have it end, without waiting for that: its memory takes a while to be given back."""
        processes.kill_child(self._pid)

    def end(self) -> None:
        """End it where it still runs, and wait for that."""
        self._socket.close()
        processes.end_child(self._pid)


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
