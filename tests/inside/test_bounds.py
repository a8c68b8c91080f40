"""What comes from a learner is bounded where it enters: each of these once ended a keeper, an examiner or a report."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest

from grader.inside import clear, values, wire
from grader.inside.client import MAX_RECEIVED_BYTES, MAX_VALUES, Client, Headers, Reply, Transcript
from grader.inside.cookies import MAX_COOKIES
from grader.inside.fault import Wrong
from grader.inside.fixture import show


def _nested(depth: int) -> bytes:
    return b'{"a":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


@pytest.mark.parametrize("text", [b'{"a":1e999}', b'{"a":-1e400}', b'{"a":NaN}', b'{"a":Infinity}', b"[]", b"\xff"])
def test_a_frame_that_could_not_be_written_again_is_not_read(text: bytes) -> None:
    """A number without an end in a learner's note must not end the keeper that passes it on."""
    with pytest.raises(wire.BadFrame):
        wire.decode(text)


@pytest.mark.parametrize("depth", [wire.MAX_DEPTH + 1, 500, 900, 990, 100_000])
def test_a_frame_is_not_read_where_it_is_nested_too_deeply(depth: int) -> None:
    """What Python can just read, it can't write with one more level around it."""
    with pytest.raises(wire.BadFrame):
        wire.decode(_nested(depth))


def test_a_frame_at_the_deepest_level_is_read_and_written() -> None:
    """The bound leaves room for what is said around a message."""
    message = wire.decode(_nested(wire.MAX_DEPTH))

    assert wire.encode({"id": 1, "result": {"value": [message]}})


def test_brackets_in_a_text_are_not_levels() -> None:
    """A message may hold as many brackets as it likes, as long as they aren't nested."""
    assert wire.decode(b'{"a":"' + b"[" * 1000 + b'","b":[' + b"[]," * 999 + b"[]]}")


def test_a_folder_is_cleared_however_deep_it_is(tmp_path: Path) -> None:
    """Three thousand levels are beyond Python's recursion, a path's length and a process's descriptors."""
    here = os.open(tmp_path, os.O_RDONLY)
    bottom = os.dup(here)
    for _ in range(3000):
        os.mkdir("d", dir_fd=bottom)
        below = os.open("d", os.O_RDONLY, dir_fd=bottom)
        os.close(bottom)
        bottom = below
    os.close(bottom)

    clear.empty(str(tmp_path))

    assert os.listdir(here) == []
    os.close(here)


def test_a_folder_is_cleared_whatever_lies_in_it(tmp_path: Path) -> None:
    """Folders without rights, links to elsewhere, pipes and sockets go; what a link leads to stays."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("kept")
    folder = tmp_path / "folder"
    inner = folder / "a" / "b" / "c"
    inner.mkdir(parents=True)
    (inner / "link").symlink_to(outside)
    (folder / "link").symlink_to(outside, target_is_directory=True)
    os.mkfifo(inner / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "s"))
    for each in (inner, inner.parent, inner.parent.parent):
        each.chmod(0)

    clear.empty(str(folder))

    assert list(folder.iterdir()) == []
    assert (outside / "kept").read_text() == "kept"


def test_a_folder_itself_keeps_no_mark(tmp_path: Path) -> None:
    """Neither an attribute nor rights that were taken away outlive a test."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "file").write_text("x")
    has_attribute = True
    try:
        os.setxattr(folder, "user.mark", b"1")
    except OSError:  # a file system without them
        has_attribute = False
    folder.chmod(0)

    clear.empty(str(folder))

    assert os.listdir(folder) == []
    assert not has_attribute or "user.mark" not in os.listxattr(folder)
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "value",
    [
        [[]] * 1_000_000,
        {"a": ["x" * 100] * 100_000},
        json.loads("[" * 900 + "]" * 900),
        "x" * 5_000_000,
        [Decimal("1.5")] * 200_000,
        10**4000,
    ],
)
def test_a_large_value_is_shown_by_its_beginning(value: object) -> None:
    """Neither time nor memory is spent on what is cut off anyway."""
    started = time.process_time()

    assert len(show(value)) <= 4000
    assert time.process_time() - started < 0.5


def test_a_decimal_number_has_bounds() -> None:
    """Rounding `1e999999999` would fill the examiner's memory."""
    assert values.decode({"decimal": "12.30"}) == Decimal("12.30")
    for text in ("1e999999999", "-1e-999999999", "1" * 5000, "1" * 5_000_000):
        with pytest.raises(values.Unreadable):
            values.decode({"decimal": text})


def test_a_body_with_too_many_values_is_not_read() -> None:
    """Four MiB of brackets become a hundred MiB of lists."""
    body = b"[" + b"[]," * MAX_VALUES + b"[]]"

    with pytest.raises(Wrong) as caught:
        Reply(200, "OK", Headers([]), body, 0.0, "/").json()
    assert caught.value.symptom == "too-large"


@pytest.fixture
def answering() -> Iterator[list[bytes]]:
    """A server that sends the bytes of the list to each visitor; the list's last item is its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    told = [b""]

    def serve() -> None:
        while True:
            try:
                visitor, _ = listener.accept()
            except OSError:
                return
            with visitor, suppress(OSError):  # one that has had enough hangs up
                visitor.recv(65536)
                visitor.sendall(told[0])

    threading.Thread(target=serve, daemon=True).start()
    told.append(str(listener.getsockname()[1]).encode())
    yield told
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def test_a_visitor_keeps_cookies_as_a_browser_does(answering: list[bytes]) -> None:
    """A hundred cookies of sixty kilobytes in each answer must not pile up."""
    client = Client(lambda: int(answering[1]), Transcript(), 5.0)
    for turn in range(4):
        lines = b"".join(b"Set-Cookie: c%d-%d=%s\r\n" % (turn, number, b"v" * 20) for number in range(80))
        answering[0] = b"HTTP/1.1 200 OK\r\n" + lines + b"Set-Cookie: big=" + b"v" * 5000 + b"\r\n\r\n"
        client.get("/")

    assert 1 < len(client.cookies) <= MAX_COOKIES
    assert "big" not in client.cookies


def test_the_answers_of_one_test_have_a_size_together(answering: list[bytes]) -> None:
    """A test may keep every answer that it got, so all of them count."""
    client = Client(lambda: int(answering[1]), Transcript(), 5.0)
    body = b"x" * 3_000_000
    answering[0] = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)

    with pytest.raises(Wrong) as caught:
        for _ in range(MAX_RECEIVED_BYTES // len(body) + 1):
            client.get("/")
    assert caught.value.symptom == "too-large"
