"""Whether a connection of a program would succeed, and a login; the one seam where data stores come in.

A program never decides that itself. It asks the kubelet's gate (:mod:`hallmark.twin.kubelet.gate`), which looks at
the cluster's Services and at the emulated AWS, and says what the network would do and where a connection leads.
"""

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from hallmark.twin.programs.container import Container

REFUSED, TIMED_OUT, UNKNOWN_HOST, RESET = "refused", "timed out", "unknown host", "reset"
PATIENCE = 30.0
"""Seconds the gate has for an answer; it asks AWS."""
CONNECT_SECONDS = 5.0
"""How long a program tries to connect before it says that it timed out."""


class Unreachable(Exception):
    """A connection is not possible.

    Attributes:
        outcome: One of the module's words: refused, timed out, unknown host, reset.
        ip: What the name led to, where that is known.
    """

    def __init__(self, outcome: str, ip: str = "") -> None:
        super().__init__(outcome)
        self.outcome = outcome
        self.ip = ip


class LoginRefused(Exception):
    """The store does not let the program in; the message is the store's own."""


@dataclass(frozen=True)
class Route:
    """Where a connection leads.

    Attributes:
        ip: Address of the other side, as the cluster knows it.
        address: Where it really listens on this machine; empty if there is nothing behind it here.
        port: The port there.
        authority: File with the certificate of who vouches for the other side, if that speaks TLS; else empty.
    """

    ip: str
    address: str
    port: int
    authority: str = ""


def connect(container: Container, host: str, port: int, *, established: bool = False) -> Route:
    """Connect to a name as the pod would.

    Args:
        container: Who connects.
        host: A name of the cluster or of AWS, or an address.
        port: The port.
        established: A connection that stands already: a changed security group does not cut it, see connection
            tracking in the EC2 documentation.

    Raises:
        Unreachable: The network or the other side refuses.
    """
    answer = ask(container, "connect", host=host, port=port, established=established)
    if answer["outcome"] == TIMED_OUT:
        container.pause(CONNECT_SECONDS)
    if answer["outcome"] != "connected":
        raise Unreachable(answer["outcome"], answer.get("ip", ""))
    return Route(answer["ip"], answer["address"], answer["port"], answer.get("authority", ""))


def login(container: Container, host: str, port: int, **credentials: object) -> None:
    """Log in to a data store over a connection that is possible.

    Args:
        container: Who logs in.
        host: Name of the store.
        port: The port.
        **credentials: ``user``, ``password``, ``database``, ``tls``.

    Raises:
        Unreachable: The store hangs up: it speaks TLS and the program does not, or the other way round.
        LoginRefused: The store says no.
    """
    answer = ask(container, "login", host=host, port=port, **credentials)
    if answer["outcome"] in {REFUSED, TIMED_OUT, UNKNOWN_HOST, RESET}:
        raise Unreachable(answer["outcome"])
    if answer["outcome"] != "accepted":
        raise LoginRefused(answer["message"])


def resolve(container: Container, name: str) -> tuple[str, list[str]]:
    """Full name and addresses of a name.

    Raises:
        Unreachable: There is no such name.
    """
    answer = ask(container, "resolve", host=name)
    if answer["outcome"] != "connected":
        raise Unreachable(answer["outcome"])
    return answer["name"], answer["addresses"]


def ask(container: Container, action: str, **facts: object) -> dict[str, Any]:
    """Ask the gate."""
    url = urlsplit(container.gate)
    connection = http.client.HTTPConnection(str(url.hostname), url.port, timeout=PATIENCE)
    try:
        connection.request("POST", f"{url.path}/{action}", json.dumps(facts), {"Content-Type": "application/json"})
        answer: dict[str, Any] = json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError):
        return {"outcome": TIMED_OUT}  # the kubelet is going away, and this container with it
    finally:
        connection.close()
    return answer
