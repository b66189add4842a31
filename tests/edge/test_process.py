"""The edge as a process: where it listens, how it ends, what stays the same."""

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hallmark.errors import EnvironmentFault
from hallmark.twin.edge import report
from hallmark.twin.process import Process, is_free
from hallmark.waiting import until

HOST = "langsmith.example.com"


@pytest.fixture
def another(stage: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Starts a second edge of the same account, in a folder of its own."""
    started: list[subprocess.Popen[bytes]] = []
    second = replace(stage, folder=tmp_path, process=None)

    def start(*options: str) -> Any:
        (tmp_path / "edge.json").unlink(missing_ok=True)
        second.process = second.start(*options)
        started.append(second.process)
        return second

    yield start
    for process in started:
        process.kill()
        process.wait(20)


def test_it_listens_on_the_loopback_only(stage: Any) -> None:
    """The proxy on 127.0.0.1, TLS on an address of the twin's own."""
    inodes = set()
    for entry in Path(f"/proc/{stage.process.pid}/fd").iterdir():
        link = str(entry.readlink())
        if link.startswith("socket:["):
            inodes.add(link[8:-1])
    lines = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()]
    listening = [line[1] for line in lines if line[3] == "0A" and line[9] in inodes]
    address, port = json.loads((stage.folder / "edge.json").read_text())["direct"]
    own = f"{socket.inet_aton(address)[::-1].hex().upper()}:{port:04X}"
    assert sorted(listening) == sorted([f"0100007F:{stage.port:04X}", own])


def test_it_ends_in_order_and_comes_back_with_the_same_authority(another: Callable[..., Any]) -> None:
    """SIGTERM ends it at once, open connections or not; clients go on trusting the next one."""
    edge = another()
    authority, token, port = (edge.folder / "ca.pem").read_text(), (edge.folder / "edge.token").read_text(), edge.port
    assert edge.ask().status_code == 200
    with edge.client() as client:
        client.get(f"https://{HOST}/")
        edge.process.terminate()
        assert edge.process.wait(20) == 0
    assert json.loads((edge.folder / "edge.json").read_text())["pid"] == 0
    assert is_free(port)
    again = another("--port", str(port))
    assert again.ask().status_code == 200
    assert (again.port, (edge.folder / "ca.pem").read_text()) == (port, authority)
    assert (edge.folder / "edge.token").read_text() != token


def test_it_is_a_part_of_the_twin(another: Callable[..., Any]) -> None:
    """Found by its lock, asked by a signal whether it is well, and alone in its folder."""
    edge = another()
    part = Process(edge.folder, "edge", "hallmark.twin.edge.main", "The twin's edge")
    about = part.about()
    assert about
    assert (about["port"], about["pid"]) == (edge.port, edge.process.pid)
    assert part.responds()
    (edge.folder / "edge.code").write_text("of yesterday")
    assert not part.responds()
    command = [sys.executable, "-m", "hallmark.twin.edge.main", "--state", str(edge.folder), "--endpoint", "http://x"]
    command += ["--account", "1", "--region", "r", "--kubelet", ".", "--aws-state", "."]
    second = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "Another edge" in second.stderr


def test_a_tunnel_leads_to_an_internal_load_balancer(stage: Any, another: Callable[..., Any]) -> None:
    """As from an office network: without a rule that matches, it answers itself."""
    inside = stage.balancer("inside", Scheme="internal")
    stage.listener(inside["LoadBalancerArn"], 80)
    another("--tunnel").becomes(404, url=f"http://{inside['DNSName']}/")
    stage.clients("elbv2").delete_load_balancer(LoadBalancerArn=inside["LoadBalancerArn"])


def test_it_dies_with_its_parent(stage: Any, tmp_path: Path) -> None:
    """If it is told whose child it is; no port is left behind."""
    edge = replace(stage, folder=tmp_path)
    command = [sys.executable, "-m", "hallmark.twin.edge.main", "--state", str(tmp_path), "--kubelet", str(tmp_path)]
    command += ["--endpoint", stage.clients.endpoint, "--account", "1", "--region", "us-east-1"]
    command += ["--aws-state", str(stage.aws)]
    script = "import os, subprocess, sys; subprocess.run([*sys.argv[1:], '--parent', str(os.getpid())])"
    parent = subprocess.Popen([sys.executable, "-c", script, *command])
    try:
        assert until((tmp_path / "edge.json").exists, 60)
        port, pid = edge.port, json.loads((tmp_path / "edge.json").read_text())["pid"]
        assert not is_free(port)
    finally:
        parent.kill()
        parent.wait(20)
    assert until(lambda: is_free(port), 20)
    with pytest.raises(ProcessLookupError):
        until(lambda: os.kill(pid, 0), 20)


def test_counters_are_read_by_the_twin(stage: Any, tmp_path: Path) -> None:
    """With the token of its folder; without an edge there is one sentence."""
    stage.ask(url="/counted-by-the-twin")
    assert report.read(stage.folder)["requests"][-1]["path"] == "/counted-by-the-twin"
    with pytest.raises(EnvironmentFault, match="do not answer"):
        report.read(tmp_path)


def test_a_taken_port(another: Callable[..., Any], stage: Any, tmp_path: Path) -> None:
    """One sentence."""
    del another
    edge = replace(stage, folder=tmp_path)
    with pytest.raises(AssertionError, match=f"Port {stage.port} on 127.0.0.1 is taken"):
        edge.start("--port", str(stage.port))


def test_it_goes_on_without_the_emulator(another: Callable[..., Any], stage: Any) -> None:
    """What it knew stays; the data plane of a load balancer needs no control plane. Unknown names stay unknown."""
    lost = replace(stage.clients, endpoint="http://127.0.0.1:9")
    edge = another()
    edge.clients = lost
    edge.process.kill()
    edge.process.wait(20)
    edge = another()
    with closing(socket.create_connection(("127.0.0.1", edge.port), 20)) as connection:
        connection.sendall(f"CONNECT {HOST}:443 HTTP/1.1\r\n\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 502 ")


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (b"CONNECT nonsense HTTP/1.1\r\n\r\n", b"HTTP/1.1 400 "),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.1 404 "),
        (b"GET /status HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.1 401 "),
        (b"\x16\x03\x01\r\n\r\n", b"HTTP/1."),
        (b"x" * 100_000, b""),
    ],
)
def test_what_is_no_proxys_request(stage: Any, sent: bytes, answer: bytes) -> None:
    """Refused, and the edge goes on."""
    with closing(socket.create_connection(("127.0.0.1", stage.port), 20)) as connection:
        received = b""
        try:
            connection.sendall(sent)
            received = connection.recv(100)
        except ConnectionError:
            pass
        assert received.startswith(answer)
    assert stage.ask().status_code == 200


def tunnel(stage: Any) -> ssl.SSLSocket:
    """A raw connection to the load balancer."""
    connection = http.client.HTTPSConnection("127.0.0.1", stage.port, context=stage.trust, timeout=20)
    connection.set_tunnel(HOST, 443)
    connection.connect()
    assert isinstance(connection.sock, ssl.SSLSocket)
    return connection.sock


def test_a_client_that_asks_before_it_sends(stage: Any) -> None:
    """Expect: 100-continue is answered, and the body passes."""
    with closing(tunnel(stage)) as raw:
        raw.sendall(f"POST /a HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n".encode())
        assert raw.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        raw.sendall(b"hello")
        answer = raw.recv(10_000)
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_client_that_leaves(stage: Any) -> None:
    """Is counted as 460, and its request at the target ends."""
    with closing(tunnel(stage)) as raw:
        raw.sendall(f"POST /left HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 5000000\r\n\r\n".encode() + b"x" * 70_000)
        assert until(lambda: stage.status().status_code == 200, 20)

    def statuses() -> list[int]:
        return [each["status"] for each in stage.status().json()["requests"] if each["path"] == "/left"]

    assert until(statuses, 20) == [460]


def test_signals_are_ignored_sensibly(stage: Any) -> None:
    """The health signal of the twin's parts does not end it."""
    stage.process.send_signal(signal.SIGUSR1)
    assert stage.ask().status_code == 200
