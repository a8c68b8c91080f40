import pytest

LIMITS = {"memory_mib": 96, "processes": 24, "disk_mib": 8, "open_files": 64, "output_kib": 256}


@pytest.mark.task("limits", points=1)
def test_memory(call):
    """Memory without swap."""
    call("take_memory", 4 * LIMITS["memory_mib"])


@pytest.mark.task("limits", points=1)
def test_processes(call):
    """Processes and threads."""
    assert call("start_processes", 4 * LIMITS["processes"]) < LIMITS["processes"]


@pytest.mark.task("limits", points=1)
def test_disk(call):
    """Writable space."""
    assert call("fill_disk", 4 * LIMITS["disk_mib"]) <= LIMITS["disk_mib"]


@pytest.mark.task("limits", points=1)
def test_open_files(call):
    """Open files."""
    assert call("open_files", 4 * LIMITS["open_files"]) <= LIMITS["open_files"]


@pytest.mark.task("limits", points=1)
def test_output(call):
    """Captured output."""
    call("print_much", 4 * LIMITS["output_kib"])


@pytest.mark.task("limits", points=1)
def test_processor(call):
    """One processor's worth."""
    assert call("use_processor", 1.5) <= 1.25


@pytest.mark.task("isolation", points=1)
def test_network(call):
    """No network but loopback."""
    assert call("interfaces") == ["lo"]


@pytest.mark.task("isolation", points=1)
def test_file_system(call):
    """A read-only file system."""
    assert call("writable_folders") == []


@pytest.mark.task("isolation", points=1)
def test_user(call):
    """An unprivileged user without capabilities, new privileges, or unfiltered system calls."""
    status = call("status")
    assert status["Uid"].split()[0] != "0"
    assert (status["CapEff"].strip("0"), status["CapPrm"].strip("0")) == ("", "")
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")


@pytest.mark.task("isolation", points=1)
def test_other_processes(call):
    """The examiner can't be seen."""
    assert [command for command in call("other_commands") if "inside.examiner" in command] == []


@pytest.mark.task("isolation", points=1)
def test_hidden_tests(call):
    """The hidden tests can't be seen."""
    assert call("hidden_files") == []


@pytest.mark.task("isolation", points=1)
def test_keeper(call):
    """The box's first process can't be read or slowed down."""
    assert call("signal_keeper") == []
