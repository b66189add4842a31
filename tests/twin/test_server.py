"""The server process: loopback only, one a state directory, a port that is taken is said to be."""

import json
import logging
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hallmark.twin.aws import server
from hallmark.twin.clients import Clients
from hallmark.waiting import until


def test_it_listens_on_loopback_only(emulator: Any) -> None:
    """No other address of this machine answers on the port."""
    addresses = {entry[4][0] for entry in socket.getaddrinfo(socket.gethostname(), None, family=socket.AF_INET)}
    others = {address for address in addresses if not str(address).startswith("127.")} | {"127.0.0.2"}

    for address in others:
        with socket.socket() as probe:
            probe.settimeout(2)
            assert probe.connect_ex((str(address), emulator.port)) != 0, address
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", emulator.port)) == 0


def test_a_port_that_is_taken_is_said_to_be(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """In one line, with the exit code for a fault of the surroundings."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        assert server.main(["--port", str(port), "--state", str(tmp_path)]) == 3

    assert capfd.readouterr().err == f"Port {port} on 127.0.0.1 is taken: Address already in use.\n"


def test_a_second_server_of_one_state_directory_is_refused(emulator: Any, capfd: pytest.CaptureFixture[str]) -> None:
    """Two would overwrite each other's saves."""
    assert server.main(["--port", "0", "--state", str(emulator.state)]) == 3

    assert capfd.readouterr().err == "Another server of this twin is running.\n"


def test_a_state_directory_that_cannot_be_written_is_said_to_be(tmp_path: Path) -> None:
    """Not with a traceback."""
    (tmp_path / "file").write_text("")
    command = [sys.executable, "-m", "hallmark.twin.aws.server", "--port", "0", "--state", str(tmp_path / "file" / "x")]

    finished = subprocess.run(command, capture_output=True, text=True, check=False)

    assert finished.returncode == 3
    assert finished.stderr.startswith(f"Cannot write to {tmp_path / 'file' / 'x'}: Not a directory.")


def test_the_log_holds_no_secret() -> None:
    """Neither in a message nor in a traceback: an emulated operation may fail over a value it was given."""
    formatter = server.Discreet({"LANGSMITH_LICENSE_KEY": "planted-license-key"})
    error = KeyError("rediss://:planted-auth-token@cache:6379")
    details = (KeyError, error, None)
    record = logging.LogRecord("x", logging.ERROR, "x.py", 1, "failed on %s", ("planted-license-key",), details)

    text = formatter.format(record)

    assert "failed on" in text
    assert "KeyError" in text
    assert "planted" not in text


def test_a_change_is_saved_when_the_server_ends(tmp_path: Path, serve: Any) -> None:
    """And an orderly end is noted."""
    with serve(tmp_path) as first:
        Clients(first.endpoint, "111122223333", "us-east-1")("sns").create_topic(Name="kept")

    saved = tmp_path / "autosave" / "111122223333.snapshot"
    assert json.loads((tmp_path / "server.json").read_text())["pid"] == 0
    with serve(tmp_path) as second:
        second.control.restore("111122223333", saved.read_bytes())
        topics = Clients(second.endpoint, "111122223333", "us-east-1")("sns").list_topics()["Topics"]
        assert [topic["TopicArn"].rpartition(":")[2] for topic in topics] == ["kept"]


def test_a_change_is_saved_while_the_server_runs(tmp_path: Path, serve: Any) -> None:
    """A moment after the account has come to rest; reading causes no save."""
    with serve(tmp_path) as running:
        clients = Clients(running.endpoint, "111122223333", "us-east-1")
        saved = tmp_path / "autosave" / "111122223333.snapshot"
        clients("sns").list_topics()
        clients("sns").create_topic(Name="kept")

        assert until(saved.exists, 20)
        before = saved.stat().st_mtime_ns
        clients("sns").list_topics()
        assert not until(lambda: saved.stat().st_mtime_ns != before, 6)


def test_a_save_that_fails_is_told(tmp_path: Path, serve: Any) -> None:
    """The server goes on, its health says what is wrong, and it saves again when it can."""
    (tmp_path / "autosave").write_text("in the way")
    with serve(tmp_path) as running:
        Clients(running.endpoint, "111122223333", "us-east-1")("sns").create_topic(Name="kept")

        assert until(lambda: running.control.health()["autosave_error"], 20).startswith("Cannot write to")
        (tmp_path / "autosave").unlink()
        assert until(lambda: not running.control.health()["autosave_error"], 20)
    assert (tmp_path / "autosave" / "111122223333.snapshot").is_file()
