"""Ways to AWS and to Services, as the twin's kubelet carries them; see :mod:`hallmark.twin.kubelet.network`."""

import json
import ssl
import urllib.error
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hallmark.errors import EnvironmentFault, UsageError
from hallmark.twin.kube import once
from hallmark.twin.kube.access import Access
from hallmark.twin.process import Process

ANSWERS_WITHIN = 10.0
LIST = "hallmark twin network"
AWS = ".amazonaws.com"

Way = Mapping[str, Any]
"""``latency``, ``bandwidth``, ``black_hole``; ``set``: whether any of them was set; ``connections``: how many."""


class Network:
    """The switchboard of one twin.

    Args:
        home: Where everything that is made at run time lies.
    """

    def __init__(self, home: Path) -> None:
        self._folder = home.resolve() / "twin" / "cluster"
        self._kubelet = Process(self._folder, "kubelet", "hallmark.twin.kubelet.main", "The twin's kubelet")

    def ways(self) -> dict[str, Way]:
        """Every way there is, by name.

        Raises:
            EnvironmentFault: The twin is down.
        """
        found: dict[str, Way] = self._ask("GET", "")
        return found

    def find(self, part: str) -> str:
        """The one name that is meant: the name itself, the first label of just one, or a part of just one.

        Raises:
            UsageError: None is, or several are.
        """
        names = list(self.ways())
        for fits in (lambda name: name == part, lambda name: name.split(".")[0] == part, lambda name: part in name):
            found = [name for name in names if fits(name)]
            if len(found) == 1:
                return found[0]
            if found:
                raise UsageError(f"{part} may be {', '.join(found[:5])}.", "write more of the name")
        raise UsageError(f"the twin knows no name of AWS and no Service by {part!r}.", LIST)

    def shape(self, name: str, *, latency: int = 0, bandwidth: int = 0, black_hole: bool = False) -> None:
        """Have this wrong with the way to a name, and nothing else.

        Args:
            name: As :meth:`find` gives it.
            latency: Milliseconds that every answer comes later.
            bandwidth: Bytes a second of each connection, in each direction; 0 for no limit.
            black_hole: Whether connections stay open and nothing passes.
        """
        self._ask("PUT", f"/{name}", {"latency": latency, "bandwidth": bandwidth, "black_hole": black_hole})

    def cut(self, name: str) -> None:
        """Reset every connection to a name."""
        self._ask("POST", f"/{name}/cut")

    def clear(self, name: str) -> None:
        """Have nothing wrong with the way to a name."""
        self._ask("DELETE", f"/{name}")

    def _ask(self, method: str, path: str, told: object = None) -> Any:
        about = self._kubelet.about()
        if about is None:
            raise EnvironmentFault("The twin is down.", "hallmark twin up")
        token = (self._folder / "token").read_text(encoding="utf-8").strip()
        kubelet = Access(f"https://127.0.0.1:{about['port']}", _unverified(), token)
        content = None if told is None else json.dumps(told).encode()
        try:
            return json.loads(once.call(kubelet, method, f"/network{path}", content, seconds=ANSWERS_WITHIN))
        except urllib.error.HTTPError as error:
            with error:
                raise UsageError(f"{error.read().decode('utf-8', 'replace')}.", LIST) from None
        except OSError as error:
            raise EnvironmentFault(f"The twin's kubelet does not answer: {error}.", "hallmark twin up") from error


def is_of_aws(name: str) -> bool:
    """Whether a name is one of AWS."""
    return name.endswith(AWS)


def _unverified() -> ssl.SSLContext:
    # A process of ours on this machine; its certificate is of whatever authority the cluster has.
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
