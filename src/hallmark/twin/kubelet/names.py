"""Names of the cluster, as its DNS would answer them, and what a Service leads to.

Source: Kubernetes documentation, "DNS for Services and Pods". When the cluster has a ``kube-dns`` Service and nothing
ready behind it, no name is found: that is what the loss of CoreDNS looks like from a pod.
"""

import re
from dataclasses import dataclass

from hallmark.twin.kube.cache import Caches
from hallmark.twin.kube.kinds import ENDPOINT_SLICES, SERVICES, Object, key_of

DOMAIN = "cluster.local"
API = ("default", "kubernetes")
DNS = ("kube-system", "kube-dns")
_NAME = re.compile(
    r"(?:(?P<pod>[a-z0-9.-]+)\.)?(?P<service>[a-z0-9-]+)\.(?P<namespace>[a-z0-9-]+)\.svc\.cluster\.local"
)


@dataclass(frozen=True)
class Endpoint:
    """One address behind a Service.

    Attributes:
        ip: The pod's.
        pod: Its uid, or empty.
        port: Number of the port there.
    """

    ip: str
    pod: str
    port: int


@dataclass(frozen=True)
class Found:
    """What a name means.

    Attributes:
        name: The full name.
        service: The Service.
        pod: Name of one pod of it, or empty.
    """

    name: str
    service: Object
    pod: str


class Names:
    """Looks names up.

    Args:
        caches: The cluster.
    """

    def __init__(self, caches: Caches) -> None:
        self._caches = caches

    def answers(self) -> bool:
        """Whether the cluster's DNS answers at all."""
        return self._caches[SERVICES].get(DNS) is None or bool(self._ready(DNS, None))

    def servers(self) -> list[Endpoint]:
        """Who answers; nobody in particular without a Service of DNS."""
        return self._ready(DNS, None)

    def find(self, namespace: str, host: str) -> Found | None:
        """A Service by a name as a pod of *namespace* writes it."""
        bare = host.rstrip(".").lower()
        for suffix in ("", f".{namespace}.svc.{DOMAIN}", f".svc.{DOMAIN}", f".{DOMAIN}"):
            found = _NAME.fullmatch(f"{bare}{suffix}")
            service = self._caches[SERVICES].get((found["namespace"], found["service"])) if found else None
            if found and service:
                return Found(f"{bare}{suffix}", service, found["pod"] or "")
        return None

    def services(self) -> list[str]:
        """Full names of all Services but the API's, which pods reach in a way of its own."""
        return [full_name(each) for each in self._caches[SERVICES].all() if key_of(each) != API]

    def by_address(self, ip: str) -> Object | None:
        """The Service with this cluster IP."""
        return next((each for each in self._caches[SERVICES].all() if each["spec"].get("clusterIP") == ip), None)

    def addresses(self, found: Found) -> list[str]:
        """What DNS answers for a name."""
        ip = found.service["spec"].get("clusterIP")
        if ip and ip != "None" and not found.pod:
            return [ip]
        return sorted({each.ip for each in self.endpoints(found, None) or []})

    def endpoints(self, found: Found, port: int | None) -> list[Endpoint] | None:
        """Ready endpoints for a port of a Service; None if it has no such port.

        A headless Service has no ports of its own: its name leads to the pods, whatever port is asked for.
        """
        metadata, spec = found.service["metadata"], found.service["spec"]
        key = (metadata["namespace"], metadata["name"])
        if spec.get("clusterIP") == "None" or port is None:
            ready = self._ready(key, None)
            return [
                Endpoint(each.ip, each.pod, port or each.port)
                for each in ready
                if not found.pod or found.pod in each.pod
            ]
        named = next((each for each in spec.get("ports") or [] if each["port"] == port), None)
        return None if named is None else self._ready(key, named.get("name", ""))

    def _ready(self, service: tuple[str, str], port: str | None) -> list[Endpoint]:
        found: list[Endpoint] = []
        for slice_ in self._caches[ENDPOINT_SLICES].all(service[0]):
            if (slice_["metadata"].get("labels") or {}).get("kubernetes.io/service-name") != service[1]:
                continue
            numbers = [
                each["port"] for each in slice_.get("ports") or [] if port is None or (each.get("name") or "") == port
            ]
            for endpoint in slice_.get("endpoints") or []:
                if (endpoint.get("conditions") or {}).get("ready", True) is not False:
                    target = endpoint.get("targetRef") or {}
                    chosen = numbers[:1] or ([0] if port is None else [])
                    found += [Endpoint(endpoint["addresses"][0], target.get("name", ""), each) for each in chosen]
        return found


def full_name(service: Object) -> str:
    """The name of a Service that is complete."""
    namespace, name = key_of(service)
    return f"{name}.{namespace}.svc.{DOMAIN}"
