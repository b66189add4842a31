"""The server process: found, refused twice, killed at any moment, stopped in a second."""

import http.client
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hallmark.twin.cluster import server as module
from hallmark.twin.cluster.bench import Server, running
from hallmark.twin.cluster.client import Client
from hallmark.waiting import until

Json = dict[str, Any]

CONFIGMAPS = "/api/v1/namespaces/default/configmaps"


def test_it_says_where_it_is(tmp_path: Path) -> None:
    """While it runs, and that it does not any more."""
    with running(tmp_path) as server:
        about = json.loads((tmp_path / "server.json").read_text())
        assert (tmp_path / "server.lock").read_text() == str(server.pid)

    assert about.keys() == {"pid", "port", "started"}
    assert (about["pid"], about["port"]) == (server.pid, server.port)
    assert json.loads((tmp_path / "server.json").read_text()) == about | {"pid": 0}


def test_its_secrets_are_its_own(server: Server) -> None:
    """Nobody else can read keys, tokens or objects."""
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in server.state.iterdir()}

    assert modes.keys() >= {
        "ca.crt",
        "ca.key",
        "kubeconfig",
        "objects.sqlite",
        "server.pem",
        "service-account.key",
        "token",
    }
    assert {name for name, mode in modes.items() if mode & 0o077} == set()


def test_a_second_server_of_one_state_folder_is_refused(server: Server, capfd: pytest.CaptureFixture[str]) -> None:
    """Two would overwrite each other's objects."""
    assert module.main(["--port", "0", "--state", str(server.state)]) == 3

    assert capfd.readouterr().err == "Another server of this cluster is running.\n"


def test_a_port_that_is_taken_is_said_to_be(tmp_path: Path, server: Server, capfd: pytest.CaptureFixture[str]) -> None:
    """In one line."""
    assert module.main(["--port", str(server.port), "--state", str(tmp_path)]) == 3

    assert capfd.readouterr().err == f"Port {server.port} on 127.0.0.1 is taken: Address already in use.\n"


def test_it_listens_on_loopback_only(server: Server) -> None:
    """Not on another address of this machine."""
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.2", server.port)) != 0


def test_it_stops_in_a_second_with_watches_open(tmp_path: Path) -> None:
    """Each watch ends in order, none is cut off."""
    ended: list[list[Json]] = []
    with running(tmp_path) as server, Client.of(tmp_path / "kubeconfig") as client:
        streams = [client.watch(f"{CONFIGMAPS}?watch=1") for _ in range(10)]
        threads = [threading.Thread(target=lambda one=one: ended.append(list(one))) for one in streams]
        for thread in threads:
            thread.start()
        begun = time.monotonic()
        os.kill(server.pid, signal.SIGTERM)
        for thread in threads:
            thread.join(5)
        assert until(lambda: json.loads((tmp_path / "server.json").read_text())["pid"] == 0, 5, pause=0.01)
        seconds = time.monotonic() - begun

    assert [[one["type"] for one in events] for events in ended] == [["ADDED"]] * 10
    assert seconds < 1


def test_one_file_is_a_snapshot(tmp_path: Path, configmap: Callable[..., Json]) -> None:
    """A copy of it, taken while the server is stopped, is the whole cluster."""
    first, second = tmp_path / "first", tmp_path / "second"
    with running(first) as server, Client.of(server.state / "kubeconfig") as client:
        stored = client.post(CONFIGMAPS, configmap("a")).body
    assert not (first / "objects.sqlite-wal").exists()
    second.mkdir()
    (second / "objects.sqlite").write_bytes((first / "objects.sqlite").read_bytes())

    with running(second) as server, Client.of(server.state / "kubeconfig") as client:
        assert client.get(f"{CONFIGMAPS}/a").body == stored


def test_what_was_answered_survives_a_kill(tmp_path: Path, configmap: Callable[..., Json]) -> None:
    """Every write that was answered is there, each whole, and revisions go on rising."""
    command = [sys.executable, "-m", "hallmark.twin.cluster.server", "--state", str(tmp_path), "--port", "0"]
    answered: dict[str, str] = {}
    for life in range(2):
        with subprocess.Popen(command) as process:
            assert until(lambda: _pid(tmp_path) == process.pid, 20)
            killer = threading.Timer(0.3, process.kill)
            with Client.of(tmp_path / "kubeconfig") as client:
                assert _stored(client) == answered
                killer.start()
                try:
                    for number in range(100_000):
                        body = client.post(CONFIGMAPS, configmap(f"c{life}-{number}")).body
                        answered[body["metadata"]["name"]] = body["metadata"]["resourceVersion"]
                except (OSError, http.client.HTTPException):
                    pass  # the server is gone
        _forget_unanswered(tmp_path, answered)

    assert len(answered) > 30
    revisions = [int(one) for one in answered.values()]
    assert revisions == sorted(set(revisions))


def _pid(state: Path) -> int:
    try:
        return int(json.loads((state / "server.json").read_text())["pid"])
    except FileNotFoundError:
        return 0


def _stored(client: Client) -> dict[str, str]:
    items = client.get(CONFIGMAPS).body["items"]
    return {
        one["metadata"]["name"]: one["metadata"]["resourceVersion"]
        for one in sorted(items, key=lambda one: int(one["metadata"]["resourceVersion"]))
        if one["metadata"]["name"] != "kube-root-ca.crt" and one["data"] == {"key": "value"}
    }


def _forget_unanswered(state: Path, answered: dict[str, str]) -> None:
    # The write that the kill interrupted may be there or not; both are right.
    with running(state) as server, Client.of(server.state / "kubeconfig") as client:
        stored = _stored(client)
        extra = stored.keys() - answered.keys()
        assert len(extra) <= 1
        for name in extra:
            answered[name] = stored[name]
