"""The way in without a proxy: a client that knows an address and a name, and nothing of the twin."""

import http.client
import json
import socket
import ssl
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hallmark.twin.edge import direct
from hallmark.waiting import until

HOST = "langsmith.example.com"
HANDSHAKE = 22
"""Type of the record that a server answers a greeting with (RFC 8446, 5.1)."""


def place(stage: Any) -> tuple[str, int]:
    """Address and port."""
    address, port = json.loads((stage.folder / "edge.json").read_text())["direct"]
    return address, port


def visit(stage: Any, name: str | None = HOST, host: str = "") -> int:
    """The status of one request.

    Args:
        stage: The edge.
        name: What the greeting asks for.
        host: Header; by default the name and the port, as clients send it.
    """
    context = stage.trust
    context.check_hostname = bool(name)
    with socket.create_connection(place(stage), 20) as sock, context.wrap_socket(sock, server_hostname=name) as talk:
        talk.sendall(f"GET / HTTP/1.1\r\nHost: {host or f'{name}:{place(stage)[1]}'}\r\n\r\n".encode())
        answer = http.client.HTTPResponse(talk)
        answer.begin()
        return answer.status


def greeting(name: str) -> bytes:
    """The first message of a client."""
    outgoing = ssl.MemoryBIO()
    talk = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        talk.do_handshake()
    return outgoing.read()


def refused(stage: Any, word: str) -> int:
    """How many connections were refused for a reason."""
    found: dict[str, int] = stage.status().json()["refused"]
    return found.get(word, 0)


def test_the_name_in_the_greeting_leads(stage: Any) -> None:
    """A port in the Host header is nothing to a rule about hosts: its values cannot hold one."""
    assert visit(stage) == 200
    assert visit(stage, host=f"{HOST.upper()}:8443") == 200


@pytest.mark.parametrize("size", [1, 60])
def test_a_greeting_in_pieces(stage: Any, size: int) -> None:
    """It is answered once all of it is there."""
    with socket.create_connection(place(stage), 20) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        said = greeting(HOST)
        for start in range(0, len(said), size):
            sock.sendall(said[start : start + size])
        assert sock.recv(1) == bytes([HANDSHAKE])


def test_rules_still_look_at_the_host(stage: Any) -> None:
    """The greeting chooses the load balancer, the Host header the rule, as on AWS."""
    assert visit(stage, host="other.example.com:8443") == 404


@pytest.mark.parametrize("name", ["nobody.example.com", "example.org", None])
def test_an_unknown_name_is_closed(stage: Any, name: str | None) -> None:
    """So is a greeting without a name: nothing tells where it leads."""
    before = refused(stage, "unresolved")
    with pytest.raises(OSError, match=r"EOF|reset"):
        visit(stage, name)
    assert refused(stage, "unresolved") == before + 1


@pytest.mark.parametrize("sent", [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01"])
def test_what_is_no_tls_is_closed(stage: Any, sent: bytes) -> None:
    """Nothing is answered to a client that speaks HTTP, or that leaves in the middle of its greeting."""
    received = b""
    with socket.create_connection(place(stage), 20) as sock, suppress(OSError):  # reset or closed, as it comes
        sock.sendall(sent)
        sock.shutdown(socket.SHUT_WR)
        received = sock.recv(100)
    assert received == b""
    assert visit(stage) == 200


def test_a_record_that_comes_and_goes(stage: Any) -> None:
    """Where a name leads is asked for each connection; this one ends at a certificate for another name."""

    def leads() -> bool:
        try:
            visit(stage, "later.example.com")
        except ssl.SSLCertVerificationError:
            return True
        except OSError:
            return False
        raise AssertionError("no certificate is for this name")

    assert not leads()
    stage.alias("later.example.com", stage.ids["dns"])
    assert until(leads, 20)
    target = {"HostedZoneId": "Z35SXDOTRQ7X7K", "DNSName": f"dualstack.{stage.ids['dns']}."}
    gone = {"Name": "later.example.com", "Type": "A", "AliasTarget": {**target, "EvaluateTargetHealth": False}}
    stage.record(gone, "DELETE")
    assert until(lambda: not leads(), 20)


def test_firewall_rules_count(stage: Any) -> None:
    """A client that the security group does not let in comes no further than by the proxy."""
    stage.authorize(revoke=True)
    try:
        assert until(stage.is_silent, 20)
        with pytest.raises(OSError, match=r"EOF|reset"):
            visit(stage)
    finally:
        stage.authorize()
    assert stage.becomes(200).status_code == 200
    assert visit(stage) == 200


def test_a_name_is_read_once_it_is_there() -> None:
    """Before that, more is waited for."""
    said = greeting(HOST)

    assert direct.asked_for(said) == HOST
    assert direct.asked_for(said[:-1]) is None
    assert direct.asked_for(said[:1]) is None


def test_two_twins_have_two_addresses(stage: Any, tmp_path: Path) -> None:
    """Always the same for one folder, never a pod's, on loopback."""
    own = place(stage)[0]

    assert own == direct.address(stage.folder)
    assert own.startswith("127.1.")
    assert direct.address(tmp_path) != own


def test_another_port_where_the_usual_one_is_taken(stage: Any, tmp_path: Path) -> None:
    """As where 443 is for root alone: clients find the port in the URL, and the listener is the same."""
    with socket.create_server((direct.address(tmp_path), 443)):
        second = replace(stage, folder=tmp_path)
        process = second.start()
        try:
            assert place(second) == (direct.address(tmp_path), 8443)
            assert visit(second) == 200
        finally:
            process.terminate()
            assert process.wait(20) == 0
