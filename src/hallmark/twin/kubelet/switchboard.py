"""The switchboard: every connection of a pod to AWS goes through it, so that the way there can go wrong.

A connection to a Service goes through it only while something is wrong with the way to that Service: what stood before
stays as it is. All that is set is in memory, and gone with the kubelet.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import asdict

from hallmark.twin.kubelet.authority import Authority
from hallmark.twin.kubelet.carrying import Shaping
from hallmark.twin.kubelet.relay import Relay

FINE = Shaping()
Place = tuple[str, int]
"""Address and port of this machine."""


class Switchboard:
    """Relays by name and server.

    Args:
        address: Where relays listen.
        names: Names that can be shaped now.
        authority: Vouches for names of AWS.
    """

    def __init__(self, address: str, names: Callable[[], Iterable[str]], authority: Authority) -> None:
        self._address = address
        self._names = names
        self.authority = authority
        self._set: dict[str, Shaping] = {}
        self._relays: dict[str, dict[Place, tuple[Relay, int]]] = defaultdict(dict)

    def line(self, name: str, server: Place, *, store: bool) -> Place:
        """Where a program is sent that may connect to a server.

        Args:
            name: By which name.
            server: Where the server really is.
            store: Whether it is a data store or an endpoint of AWS: then the way always leads through a relay, which
                speaks TLS.
        """
        if not store and name not in self._set:
            return server
        if server not in self._relays[name]:
            tls = self.authority.context(name) if store else None
            relay = Relay(server, lambda: self._set.get(name, FINE), tls)
            self._relays[name][server] = relay, relay.open(self._address)
        return self._address, self._relays[name][server][1]

    def swallows(self, name: str) -> bool:
        """Whether the way to a name is a black hole: who connects gets no answer."""
        return self._set.get(name, FINE).black_hole

    def knows(self, name: str) -> bool:
        """Whether there is such a name."""
        return name in self._set or name in set(self._names())

    def report(self) -> dict[str, dict[str, object]]:
        """What is set, by name; how many connections are carried, how many in TLS, and where that is asked for."""
        return {
            name: {
                **asdict(self._set.get(name, FINE)),
                "set": name in self._set,
                "connections": sum(relay.carried for relay in self._of(name)),
                "tls": sum(relay.secured for relay in self._of(name)),
                "lines": [f"{self._address}:{port}" for _, port in self._relays.get(name, {}).values()],
            }
            for name in sorted({*self._names(), *self._set})
        }

    def shape(self, name: str, shaping: Shaping) -> None:
        """Have something wrong with the way to a name from now on."""
        self._set[name] = shaping
        self._look_again(name)

    def clear(self, name: str) -> None:
        """Have nothing wrong with it any more."""
        self._set.pop(name, None)
        self._look_again(name)

    def clear_all(self) -> None:
        """Have nothing wrong anywhere."""
        for name in list(self._set):
            self.clear(name)

    def cut(self, name: str) -> None:
        """Reset every connection that is carried to a name."""
        for relay in self._of(name):
            relay.cut()

    def close(self) -> None:
        """Reset everything."""
        for name in self._relays:
            for relay in self._of(name):
                relay.close()

    def _of(self, name: str) -> list[Relay]:
        return [relay for relay, _ in self._relays.get(name, {}).values()]

    def _look_again(self, name: str) -> None:
        for relay in self._of(name):
            relay.look_again()
