"""A file is there whole or not at all, whoever else writes it."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from grader import whole_file as module
from grader.store.place import home_place
from grader.whole_file import unshared, whole_file, write_whole
from tests.conftest import ROOT


def test_threads_that_write_one_file_never_mix(tmp_path: Path) -> None:
    """They have one process number, and so have the first processes of two containers that share a folder."""
    path = tmp_path / "report.json"
    together = threading.Barrier(2)

    def write(letter: bytes) -> None:
        for _ in range(50):
            together.wait(30)
            with whole_file(path) as file:
                file.write(letter * 10_000)
                file.flush()
                file.write(letter * 10_000)

    with ThreadPoolExecutor(2) as pool:
        for written in [pool.submit(write, letter) for letter in (b"a", b"b")]:
            written.result()
    assert path.read_bytes() in (b"a" * 20_000, b"b" * 20_000)
    assert os.listdir(tmp_path) == ["report.json"]


def test_a_failure_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    """The content may come from what fails half-way."""
    path = tmp_path / "report.json"
    path.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), whole_file(path) as file:
        file.write(b"half")
        raise ZeroDivisionError
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["report.json"]


def test_a_long_name_fits(tmp_path: Path) -> None:
    """A name may have 255 bytes; ours beside it too."""
    path = tmp_path / ("é" * 125 + ".json")
    with whole_file(path) as file:
        file.write(b"{}")
    assert path.read_bytes() == b"{}"
    assert len(os.fsencode(unshared(tmp_path / ("\U0001f963" * 63)).name)) <= 255


def test_who_looks_for_a_place_at_once_finds_the_same(tmp_path: Path) -> None:
    """One who takes away the other's probe would send it to the home folder, and the history would be split."""
    state = tmp_path / "course" / ".grade"
    together = threading.Barrier(2)

    def look() -> set[Path | None]:
        together.wait(30)
        return {home_place(state) for _ in range(300)}

    with ThreadPoolExecutor(2) as pool:
        for found in [pool.submit(look) for _ in range(2)]:
            assert found.result() == {state}


def test_a_pipe_is_written_and_stays(tmp_path: Path) -> None:
    """Whoever waits at its other end would wait for ever if a file took its place."""
    path = tmp_path / "report.json"
    os.mkfifo(path)
    with ThreadPoolExecutor(1) as pool:
        heard = pool.submit(path.read_bytes)
        write_whole(path, b"{}")
        assert heard.result(30) == b"{}"
    assert stat.S_ISFIFO(path.lstat().st_mode)
    assert os.listdir(tmp_path) == ["report.json"]


def test_a_device_is_written_and_stays(tmp_path: Path) -> None:
    """`/dev/null` is no file of ours: here one like it, in a folder of its own."""
    path = tmp_path / "null"
    try:
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 3))
        path.read_bytes()
    except PermissionError:
        pytest.skip("devices can't be made or opened here")
    write_whole(path, b"{}")
    assert stat.S_ISCHR(path.lstat().st_mode)
    assert os.listdir(tmp_path) == ["null"]


def test_a_disk_and_a_socket_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was on the disk would be gone."""
    monkeypatch.chdir(tmp_path)  # a socket's name is short
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind("report.json")
        with pytest.raises(OSError, match="it is a socket"):
            write_whole(Path("report.json"), b"{}")
    try:
        os.mknod("disk", stat.S_IFBLK | 0o600, os.makedev(250, 0))
    except PermissionError:
        return
    with pytest.raises(OSError, match="it is a block device"):
        write_whole(Path("disk"), b"{}")


def test_what_is_linked_elsewhere_is_replaced(tmp_path: Path) -> None:
    """A pull request may have put the link there."""
    (tmp_path / "precious").write_bytes(b"precious")
    (tmp_path / "report.json").symlink_to("precious")
    write_whole(tmp_path / "report.json", b"{}")
    assert (tmp_path / "precious").read_bytes() == b"precious"
    assert not (tmp_path / "report.json").is_symlink()


@pytest.mark.parametrize("name", ["stdout", "fd/1"])
def test_the_systems_own_names_are_written_as_they_are(tmp_path: Path, name: str) -> None:
    """`/dev/stdout` is a link of the system's: it stays, and goes on where the program's output is."""
    # Links like those of /dev, which is not put at risk by a test.
    devices = tmp_path / "dev"
    devices.mkdir()
    (devices / "stdout").symlink_to("/proc/self/fd/1")
    (devices / "fd").symlink_to("/proc/self/fd")
    code = (
        "import os, sys; from pathlib import Path; from grader import whole_file as module; "
        "module.DEVICES = sys.argv[1]; os.write(1, b'1'); "
        "module.write_whole(Path(sys.argv[1], sys.argv[2]), b'2'); os.write(1, b'3')"
    )
    with open(tmp_path / "out", "wb") as out:
        subprocess.run([sys.executable, "-c", code, str(devices), name], cwd=ROOT, stdout=out, check=True)

    assert (tmp_path / "out").read_bytes() == b"123"
    assert (devices / "stdout").is_symlink()


def test_nothing_new_is_made_among_the_devices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is mistyped is told."""
    monkeypatch.setattr(module, "DEVICES", str(tmp_path))
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "stdoutt", b"{}")
    assert os.listdir(tmp_path) == []
