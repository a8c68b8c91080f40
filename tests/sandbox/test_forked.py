"""Boxes that are forked inside of another one: each as shut as one that was started, and none finds anything of the one before."""

from __future__ import annotations

import base64
import json
import os
import random
import select
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from grader.diagnosis import diagnose
from grader.error import SandboxError
from grader.grading import grade
from grader.inside import relay
from grader.inside.processes import descendants
from grader.report import Report
from grader.sandbox import bubblewrap, docker, engine
from grader.sandbox.channel import PipeChannel
from grader.sandbox.choose import Choice
from grader.sandbox.conduct import Solution
from grader.sandbox.forked import CannotFork, ForkedBox, Forks, ForkServer
from grader.sandbox.owner import owner_mark
from grader.sandbox.pod import Limits, Shape, WarmSandbox
from grader.sandbox.reused import SameExaminer
from grader.submission import Submission, read_submission, submission_of
from tests.situation import graded, of, reference, shop, situation, told, without_times

SECRET = b"what-another-learner-wrote-4711-"
MIB = 1024 * 1024

FILLS_THE_DISK = """
from flask import Flask

def create_app():
    app = Flask(__name__)

    @app.get("/")
    def greet():
        with open("/tmp/filler", "wb") as file:
            while True:
                file.write(b"x" * 65536)

    return app
"""
STARTS_PROCESSES = """
import os, time
from flask import Flask

def create_app():
    app = Flask(__name__)

    @app.get("/")
    def greet():
        while True:
            if os.fork() == 0:
                time.sleep(1000)
                os._exit(0)

    return app
"""
COUNTS_MEMORY = """
from flask import Flask

def create_app():
    app = Flask(__name__)

    @app.get("/items")
    @app.post("/items")
    def take():
        held = []
        while True:
            held.append(b"x" * 262144)
            print(len(held) / 4)

    return app
"""
READS_ITS_MEMORY = """
from flask import Flask

HIDDEN = {hidden!r}

def found():
    count = 0
    needles = [bytes(byte ^ 0x55 for byte in needle) for needle in HIDDEN]
    own = len(needles)
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
        for line in maps:
            place, rights, *_ = line.split()
            if rights.startswith("rw"):
                at, end = (int(number, 16) for number in place.split("-"))
                while at < end:
                    memory.seek(at)
                    try:
                        data = memory.read(end - at)
                    except OSError:  # a page that guards a stack
                        data = b""
                    count += sum(data.count(needle) for needle in needles)
                    at += len(data) or 4096
                    del data
    return count - own

def create_app():
    app = Flask(__name__)

    @app.get("/")
    def greet():
        return str(found())

    return app
"""


@pytest.fixture
def same(isolating: Choice, leaves_nothing: None) -> Iterator[Choice]:
    """A sandbox whose boxes are forked."""
    with SameExaminer(cast(WarmSandbox, isolating.sandbox)) as sandbox:
        yield Choice(sandbox, "a test asked for it")


def _forks(choice: Choice) -> Forks:
    """Give what makes the boxes of a sandbox whose examiner is reused."""
    return cast(Forks, cast(Any, cast(SameExaminer, choice.sandbox)._begun).forks)


def _server(choice: Choice) -> object:
    return _forks(choice)._server


def _seen(choice: Choice) -> dict[str, Any]:
    """Give what a submission tells of its surroundings."""
    report = graded(choice, "tells_surroundings")
    output = of(report, "test_it_greets").output
    assert output.startswith("{"), told(report)
    return cast(dict[str, Any], json.loads(output))


def _need_control_groups(report: Report) -> None:
    """Skip a test of what a box has together, where this machine limits each process alone."""
    assert report.status == "passed", told(report)
    if report.sandbox.notes:
        pytest.skip(report.sandbox.notes[0])


def _told(report: Report) -> str:
    """Give what a report tells. Whether an end is told, or the limit that brought it, is chance."""
    return repr(without_times(report)).replace("a limit was reached: ", "your app was stopped: ")


def _of(source: str) -> Submission:
    return submission_of({"app.py": source.encode()})


# What a box is


def test_a_box_is_a_fork_with_namespaces_of_its_own(same: Choice) -> None:
    """It shares the network with what makes it, and nothing else; it sees its own processes alone."""
    for _ in range(2):
        seen = _seen(same)

        assert all("inside.fork_server" in " ".join(words) for words in seen["commands"].values())
        assert set(map(int, seen["commands"])) <= set(range(1, 6)) >= {seen["pid"]}
        # What the box around it has there, which would outlive it, is out of its sight.
        assert {"/proc", "/tmp", "/dev/shm"} <= set(seen["covered"])
        own = seen["namespaces"]
        for path in Path("/proc").glob("[0-9]*/ns"):
            with suppress(OSError):
                other = {name: os.readlink(path / name) for name in own}
                if other["net"] == own["net"]:
                    assert not {other[name] for name in ("mnt", "pid", "ipc", "uts")} & set(own.values())


def test_a_box_that_was_forked_is_as_shut_as_one_that_was_started(same: Choice, isolating: Choice) -> None:
    """The same user without rights, the same refusals, the same places to write to, and as little room in them."""
    forked, started = _seen(same), _seen(isolating)

    assert _server(same) is not None
    for name in ("refuses", "firmware", "writable", "sizes", "profile", "capacity"):
        assert forked[name] == started[name], name
    assert forked["refuses"] is True
    assert forked["masked"] == forked["firmware"] == []
    places = ["/dev/mqueue", "/dev/shm", "/tmp"] if isolating.name == "docker" else ["/dev/shm", "/tmp"]
    # Who isn't root has the terminals of a box of bubblewrap for their own.
    assert [path for path in forked["writable"] if path != "/dev/pts"] == places
    assert forked["sizes"] == {"/tmp": 16 * MIB, "/dev/shm": MIB}
    status = forked["status"]
    assert "0" not in (*status["Uid"], *status["Gid"], *status["Groups"])
    assert {int(status[name][0], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}
    assert (status["NoNewPrivs"], status["Seccomp"]) == (["1"], ["2"])


# What is left for the next one


def test_nothing_that_a_submission_leaves_is_there_for_the_next(same: Choice) -> None:
    """No file, no process that ignores signals, no lock on a file that all can read, no socket by whatever name."""
    servers = []
    for _ in range(3):
        report = graded(same, "leaves_things")
        output = of(report, "test_it_greets").output
        assert "seen: []\n" in output, told(report)
        assert "left: /tmp/left /dev/shm/left" in output, told(report)
        servers.append(_server(same))

    assert servers[0] is servers[1] is servers[2] is not None


def test_a_box_holds_nothing_of_the_one_before_in_its_memory(same: Choice) -> None:
    """A fork has what its parent has freed too, so what forks must never have had it."""
    needles = [base64.b64encode(b"x" * shift + SECRET * 3)[8:48] for shift in range(3)] + [SECRET]
    reads = READS_ITS_MEMORY.format(hidden=[bytes(byte ^ 0x55 for byte in needle) for needle in needles])
    for times in (50, 100, 200, 400, 800):  # of what is freed, some sizes are overwritten at once
        written = reference().files["app.py"] + b'\nSECRET = """' + SECRET * times + b'"""\n'
        assert grade(shop(), submission_of({"app.py": written}), same).status == "passed"
        report = grade(shop(), _of(reads), same)
        assert of(report, "test_it_greets").got == '"0"', told(report)
    assert _server(same) is not None


# Limits


@pytest.mark.parametrize(
    ("submission", "words"),
    [
        (situation("eats_memory"), "it used more than 128 MiB of memory"),
        (situation("floods_output"), "it printed more than 256 KiB"),
        (_of(FILLS_THE_DISK), "it wrote more than 16 MiB"),
        (_of(STARTS_PROCESSES), "it started more than 32 processes and threads"),
    ],
    ids=["memory", "output", "disk", "processes"],
)
def test_a_limit_is_told_as_of_a_box_that_was_started(
    isolating: Choice, same: Choice, submission: Submission, words: str
) -> None:
    """With the same words and points, and it counts nothing of the box before it."""
    for _ in range(2):
        report = grade(shop(), submission, same)
        assert _told(report) == _told(grade(shop(), submission, isolating))
        if not report.sandbox.notes:  # else this machine enforces less
            assert words in of(report, "test_it_greets").message, told(report)
        assert grade(shop(), reference(), same).status == "passed"
    assert _server(same) is not None


def test_every_limit_holds_in_a_forked_box(same: Choice) -> None:
    """Memory, processes, disk, files, output, processor, network and files: each is hit, and each holds."""
    findings = diagnose(same.sandbox)

    missed = [finding for finding in findings if not finding.is_enforced]
    assert [finding for finding in missed if finding.seen != "this machine can't limit it"] == []
    assert len(findings) == 13
    assert _server(same) is not None


def test_the_time_for_all_ends_a_forked_box(same: Choice) -> None:
    """The box is ended, and what makes boxes makes the next one."""
    assert grade(shop(), reference(), same).status == "passed"
    assert graded(same, "hangs_at_import", wall_s=1.5).limit == "wall"
    assert grade(shop(), reference(), same).status == "passed"
    assert _server(same) is not None


def test_memory_that_ends_a_boxs_first_process_is_named(same: Choice) -> None:
    """That goes before what makes boxes. Here it is short of memory as it takes a submission in."""
    files = {f"{number}.bin": random.Random(number).randbytes(MIB * 9 // 10) for number in range(8)}
    large = submission_of({**reference().files, **files})
    little = msgspec.structs.replace(shop(), limits=replace(shop().limits, memory_mib=72))
    _need_control_groups(grade(little, reference(), same))
    report = grade(little, large, same)

    assert (report.status, report.limit) == ("broken", "memory"), told(report)
    assert report.message == "stopped: it used more than 72 MiB"
    assert grade(little, reference(), same).status == "passed"


def test_memory_that_ends_all_of_a_box_is_named(same: Choice, isolating: Choice) -> None:
    """What is killed frees its memory in its own time, and meanwhile the kernel may end what makes boxes, too."""
    kills_its_keeper = read_submission(Path(__file__).parents[1] / "attacks/submissions/f31_make_the_keeper_the_victim")
    _need_control_groups(grade(shop(), reference(), same))
    for choice in (isolating, same, same, same):
        report = grade(shop(), kills_its_keeper, choice)
        assert (report.status, report.limit, report.points) == ("broken", "memory", 0), told(report)
        assert report.message == "stopped: it used more than 128 MiB"
    assert grade(shop(), reference(), same).status == "passed"


def test_what_makes_boxes_is_replaced_after_one_that_was_short_of_memory(same: Choice) -> None:
    """The kernel may have ended the process that forks, and what an engine counts of the whole is to be of one box."""
    _need_control_groups(grade(shop(), reference(), same))
    server = _server(same)
    graded(same, "raises_in_view")
    assert _server(same) is server
    graded(same, "eats_memory")
    assert _server(same) is None
    assert grade(shop(), reference(), same).status == "passed"
    assert _server(same) is not None


def test_a_learners_process_has_as_much_memory_as_in_a_box_that_was_started(same: Choice, isolating: Choice) -> None:
    """What makes boxes has its own beside it, and a large submission takes no more of theirs."""
    files = {f"{number}.bin": random.Random(number).randbytes(MIB * 9 // 10) for number in range(8)}
    _need_control_groups(grade(shop(), reference(), same))
    for more in ({}, files):
        submission = submission_of({"app.py": COUNTS_MEMORY.encode(), **more})
        forked, started = (
            float(of(grade(shop(), submission, choice), "test_items_survive_a_restart").output.split()[-1])
            for choice in (same, isolating)
        )
        assert abs(forked - started) < 2


def test_a_box_that_ends_is_not_charged_with_the_memory_of_one_before(same: Choice) -> None:
    """An engine says of the whole that it was short of memory, and says so for as long as that lives."""
    graded(same, "eats_memory")
    assert grade(shop(), reference(), same).status == "passed"
    server = _server(same)
    report = grade(shop(), reference(), same, listen=_at_first_test(lambda: _kill(_box_pids(same))))

    assert (report.status, report.limit) == ("failed", None), told(report)
    assert grade(shop(), reference(), same).status == "passed"
    assert _server(same) is server


# What makes boxes may end


@pytest.mark.parametrize("which", [0, 1], ids=["its first process", "the one that forks"])
def test_what_makes_boxes_is_replaced_where_it_ended(same: Choice, which: int) -> None:
    """One grading fails for it, which is the grader's fault, and the next one doesn't."""
    assert grade(shop(), reference(), same).status == "passed"
    first = _server(same)
    _kill([_server_pids(same)[which]])
    with pytest.raises(SandboxError):
        grade(shop(), reference(), same)

    assert grade(shop(), reference(), same).status == "passed"
    assert _server(same) not in (None, first)


def test_what_makes_boxes_ends_in_the_middle_of_a_grading(same: Choice) -> None:
    """Nothing of the learner's can end it, so they aren't blamed."""
    with pytest.raises(SandboxError, match="the box that makes boxes ended"):
        grade(shop(), reference(), same, listen=_at_first_test(lambda: _kill(_server_pids(same)[:1])))

    assert grade(shop(), reference(), same).status == "passed"


def _at_first_test(do: Callable[[], None]) -> Callable[[object], None]:
    """Give what does this once, when a grading tells of its first test."""
    left = [do]
    return lambda _told: left.pop()() if left else None


def _server_pids(choice: Choice) -> list[int]:
    """Give the processes of what makes boxes: the first, and the one that forks; as root sees them from here."""
    first = _first_pid(choice)
    return [first, *(pid for pid in _children(first) if len(_numbers(pid)) == len(_numbers(first)))]


def _box_pids(choice: Choice) -> list[int]:
    """Give the first process of the box that there is."""
    first = _first_pid(choice)
    return [pid for pid in _children(first) if len(_numbers(pid)) > len(_numbers(first))]


def _first_pid(choice: Choice) -> int:
    if os.geteuid() != 0:
        pytest.skip("only root sees which process of another user's is which")
    if choice.name == "docker":
        with engine.connect() as api:
            mine = {"label": [f"{docker.LABEL}={owner_mark()}", f"{docker.HOST_LABEL}={socket.gethostname()}"]}
            inside = [each["Id"] for each in api.containers(filters=mine) if "-solution-" in each["Names"][0]]
            pids = [int(api.inspect_container(each)["State"]["Pid"]) for each in inside]
    else:
        pids = [
            pid
            for pid in descendants(os.getpid())
            if _numbers(pid)[1:] == [1] and b"inside.fork_server" in _command(pid)
        ]
    assert len(pids) == 1
    if not Path(f"/proc/{pids[0]}").exists():
        pytest.skip("the engine runs on another machine")
    return pids[0]


def _numbers(pid: int) -> list[int]:
    """Give a process's number in each namespace, the outermost first."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return []
    return [int(word) for line in lines if line.startswith("NSpid:") for word in line.split()[1:]]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _kill(pids: Sequence[int]) -> None:
    assert pids
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    while any(_state(pid) not in "ZX" for pid in pids):
        time.sleep(0.001)


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "X"


# Where none can be forked


def test_boxes_are_started_where_none_can_be_forked(
    isolating: Choice, leaves_nothing: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the same results; it is found out once."""
    monkeypatch.setattr(docker, "NAMESPACE_CALLS", ("mount",))
    monkeypatch.setattr(bubblewrap, "_inner", _without_namespaces(bubblewrap._inner))
    with SameExaminer(cast(WarmSandbox, isolating.sandbox)) as sandbox:
        same = Choice(sandbox, "a test asked for it")
        seen = _seen(same)

        assert "inside.keeper" in " ".join(seen["commands"]["1"])
        assert _server(same) is None
        for name in ("eats_memory", "survives", "greets_only"):
            assert _told(graded(same, name)) == _told(graded(isolating, name))
        assert grade(shop(), reference(), same).status == "passed"
        assert _server(same) is None


def test_boxes_are_started_where_memory_has_no_room_for_what_forks_them(same: Choice, isolating: Choice) -> None:
    """A small limit ends whatever begins in the box, and is told of as ever."""
    _need_control_groups(grade(shop(), reference(), same))
    little = msgspec.structs.replace(shop(), limits=replace(shop().limits, memory_mib=24))
    for _ in range(2):
        report = grade(little, reference(), same)
        assert report.status == "broken"
        assert _told(report) == _told(grade(little, reference(), isolating))
    assert _server(same) is None


@pytest.mark.docker
def test_boxes_are_started_where_they_cant_be_confined_as_the_engine_does(
    choose_named: Callable[[str], Choice], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What forks them isn't confined by AppArmor, so each box must be, before there is anything of a learner's in it.

    A kernel with AppArmor knows that it has no such profile, so that nobody is confined by it.
    """
    monkeypatch.setattr(docker._DockerExaminer, "_profile", lambda _self: "kata-no-such-profile")
    with SameExaminer(cast(WarmSandbox, choose_named("docker").sandbox)) as sandbox:
        same = Choice(sandbox, "a test asked for it")
        seen = _seen(same)

        words, problem = " ".join(seen["commands"]["1"]), cast(Any, sandbox._begun).fork_problem
        if Path("/sys/kernel/security/apparmor").is_dir():
            assert ("inside.fork_server" in words, seen["profile"], problem) == (True, docker.UNCONFINED, "")
        else:
            assert "inside.keeper" in words
            assert "AppArmor's profile kata-no-such-profile can't be taken" in problem


def _without_namespaces(inner: Callable[..., list[str]]) -> Callable[..., list[str]]:
    """Give what makes the command of a box that can't make namespaces itself."""

    def made(*arguments: Any, **named: Any) -> list[str]:
        argv = ["CAP_KILL" if word == "CAP_SYS_ADMIN" else word for word in inner(*arguments, **named)]
        return argv if os.geteuid() == 0 else [argv[0], "--disable-userns", *argv[1:]]

    return made


# The host's side alone, with a server that a test plays


class _Played:
    """A server whose every word is a test's: what it is told can be read, what it says is written ahead or in time."""

    def __init__(self) -> None:
        to_server, from_host = os.pipe()
        from_server, to_host = os.pipe()
        self.channel = PipeChannel(from_host, from_server)
        self._said_to = to_server
        self._says = to_host
        self._unpacker = relay.Unpacker()

    def say(self, *pieces: tuple[bytes, bytes]) -> None:
        """Have these pieces arrive at once."""
        self.say_bytes(b"".join(relay.pack(kind, content) for kind, content in pieces))

    def say_bytes(self, data: bytes) -> None:
        os.write(self._says, data)

    def told(self) -> list[tuple[bytes, bytes]]:
        """Give the pieces that it was told since the last time."""
        data = b""
        while select.select([self._said_to], [], [], 0)[0] and (more := os.read(self._said_to, 1 << 20)):
            data += more
        return list(self._unpacker.feed(data))

    def end(self) -> None:
        for fd in (self._says, self._said_to):
            with suppress(OSError):
                os.close(fd)

    def close(self) -> None:
        self.end()
        self.channel.close()


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Played]:
    """A server that a test plays, which nobody waits for very long."""
    for name in ("BEGIN_S", "END_S", "MORE_S"):
        monkeypatch.setattr(f"grader.sandbox.forked.{name}", 0.2)
    server = _Played()
    yield server
    server.close()


def _is_readable(box: ForkedBox) -> bool:
    return bool(select.select([box], [], [], 0)[0])


def _soon() -> float:
    return time.monotonic() + 5


def test_a_box_is_asked_for_used_and_ended(played: _Played) -> None:
    """What is said to it and by it arrives as it is, in order."""
    server = ForkServer(played.channel)
    played.say((relay.BEGUN, b""))
    with server.box() as box:
        assert played.told() == [(relay.BEGIN, b"")]
        box.send(b"one", _soon())
        box.send(b"two", _soon())
        assert played.told() == [(relay.DATA, b"one"), (relay.DATA, b"two")]
        played.say((relay.DATA, b"three"), (relay.DATA, b"four"))
        assert box.receive() == b"threefour"
        assert not _is_readable(box)
        played.say((relay.GONE, b"[]"))
    assert played.told() == [(relay.END, b"")]
    assert not server.is_spent


def test_a_box_that_can_not_be_made_says_why(played: _Played) -> None:
    """Such a server is no worse for it."""
    server = ForkServer(played.channel)
    played.say((relay.CANNOT, b"unshare: Operation not permitted"))
    with pytest.raises(CannotFork, match="unshare: Operation not permitted"), server.box():
        pass
    assert not server.is_spent


def test_the_last_words_and_the_end_in_one_read_wake_the_reader_again(played: _Played) -> None:
    """Else whoever waits for the stream would wait for ever."""
    server = ForkServer(played.channel)
    played.say((relay.BEGUN, b""))
    with server.box() as box:
        played.told()
        played.say((relay.DATA, b"last"), (relay.ENDED, b'["memory"]'))
        assert box.receive() == b"last"
        assert played.told() == [(relay.AGAIN, b"")]
        played.say((relay.ENDED, b'["memory"]'))
        assert _is_readable(box)
        assert box.receive() == b""
        assert box.ended_by() == "memory"
        with pytest.raises(BrokenPipeError):
            box.send(b"more", _soon())
        assert played.told() == []
        played.say((relay.GONE, b"[]"))
    assert not server.is_spent


def test_an_end_without_words_is_an_end_at_once(played: _Played) -> None:
    """Whatever limits it had reached, memory alone ends a box."""
    server = ForkServer(played.channel)
    played.say((relay.BEGUN, b""))
    with server.box() as box:
        played.say((relay.ENDED, b'["processes"]'), (relay.GONE, b"[]"))
        assert box.receive() == b""
        assert box.ended_by() is None
        played.say((relay.GONE, b"[]"))
    assert not server.is_spent


def test_what_a_box_says_as_it_begins_is_not_lost(played: _Played) -> None:
    """It may come in one read with the word that there is a box; its end, which would be told once, is asked for again."""
    server = ForkServer(played.channel)
    played.say((relay.BEGUN, b""), (relay.DATA, b"first"), (relay.ENDED, b"[]"))
    with server.box() as box:
        assert played.told() == [(relay.BEGIN, b""), (relay.AGAIN, b"")]
        played.say((relay.ENDED, b"[]"))
        assert box.receive() == b"first"
        assert box.receive() == b""
        played.say((relay.GONE, b"[]"))
    assert not server.is_spent


def test_a_box_that_was_short_of_memory_is_the_last_of_its_server(played: _Played) -> None:
    """Though it went on to its end."""
    server = ForkServer(played.channel)
    played.say((relay.BEGUN, b""))
    with server.box() as box:
        played.say((relay.DATA, b"words"))
        assert box.receive() == b"words"
        played.say((relay.GONE, b'["memory", "processes"]'))
    assert server.is_spent


def test_what_a_box_said_is_nothing_of_the_next_one(played: _Played) -> None:
    """Words that nobody has read, and an end that is told late."""
    server = ForkServer(played.channel)
    played.say((relay.BEGUN, b""))
    with server.box():
        played.say((relay.DATA, b"of the first"), (relay.ENDED, b'["memory"]'), (relay.GONE, b"[]"))
    played.say((relay.BEGUN, b""))
    with server.box() as box:
        played.say((relay.DATA, b"of the second"))
        assert box.receive() == b"of the second"
        assert box.ended_by() is None
        played.say((relay.GONE, b"[]"))
    assert not server.is_spent


def test_a_piece_that_comes_in_parts_is_waited_for_but_not_for_ever(played: _Played) -> None:
    """A read gives all of it, or the end of the stream where the rest stays away."""
    server = ForkServer(played.channel)
    piece = relay.pack(relay.DATA, b"whole")
    played.say((relay.BEGUN, b""))
    with server.box() as box:
        played.say_bytes(piece[:3])
        assert box.receive() == b""
        played.say_bytes(piece[3:])
        assert box.receive() == b"whole"
        played.say((relay.GONE, b"[]"))


@pytest.mark.parametrize("broken", [b"", relay.pack(relay.DATA, b"words")[:6], b"d\xff\xff\xff\xff"])
def test_a_broken_stream_is_the_end_of_box_and_server(played: _Played, broken: bytes) -> None:
    """Whether it ends, ends within a piece, or holds what is none."""
    server = ForkServer(played.channel)
    played.say((relay.BEGUN, b""))
    with server.box() as box:
        played.say_bytes(broken)
        played.end()
        while box.receive():
            pass
        box.receive()
        with pytest.raises(OSError):
            box.send(b"more", _soon())
    assert server.is_spent


@pytest.mark.parametrize("answer", [[], [(relay.DATA, b"words")], [(relay.ENDED, b"[]")]])
def test_a_server_that_does_not_answer_in_time_is_spent(played: _Played, answer: list[tuple[bytes, bytes]]) -> None:
    """Whether it should make a box or end one. Where it should end one, the grading that is over is not touched by it."""
    server = ForkServer(played.channel)
    played.say((relay.BEGUN, b""))
    with server.box():
        played.say(*answer)
    assert server.is_spent

    other = ForkServer(played.channel)
    with pytest.raises(SandboxError, match="did not answer in time"), other.box():
        pass
    assert other.is_spent


def test_a_spent_server_is_ended_with_the_box_that_is_in_it(played: _Played) -> None:
    """At once, not when the next box is wanted: whatever runs there would go on until then."""
    ended = []

    @contextmanager
    def start(_shape: Shape) -> Iterator[Solution]:
        yield Solution(channel=played.channel, port=1, root="/", extra={})
        ended.append(True)

    forks = Forks(start, problem="")
    played.say((relay.BEGUN, b""))
    with forks.box(Shape(limits=Limits(), preload=())):
        assert not ended
    assert ended  # since it did not say that the box is gone
