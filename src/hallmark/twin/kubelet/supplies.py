"""What a pod is made of: Secrets, ConfigMaps, claims and Services of its namespace, addresses, and tokens."""

import asyncio
from collections.abc import Iterator
from typing import Any

from hallmark.twin.kube.kinds import CLAIMS, CONFIG_MAPS, SECRETS, SERVICE_ACCOUNTS, SERVICES, Kind, Object
from hallmark.twin.kubelet.environment import Sources
from hallmark.twin.kubelet.machine import Machine, internal_ip
from hallmark.twin.kubelet.volumes import Stock

RENEWED_AFTER = 0.8
"""Part of a token's life after which a new one is asked for."""
REFERENCES = {
    "secret": SECRETS,
    "secretRef": SECRETS,
    "secretKeyRef": SECRETS,
    "configMap": CONFIG_MAPS,
    "configMapRef": CONFIG_MAPS,
    "configMapKeyRef": CONFIG_MAPS,
    "persistentVolumeClaim": CLAIMS,
}
"""Fields of a pod's specification that name something else, and its kind (Kubernetes API reference, PodSpec)."""
NAMES = ("name", "secretName", "claimName")
"""Where such a field says the name."""


class Supplies:
    """Looks up what one pod is made of.

    Args:
        machine: What pods share.
        pod: The pod, as it was when it came here; what is read of it does not change.
    """

    def __init__(self, machine: Machine, pod: Object) -> None:
        self._machine = machine
        self._caches = machine.caches
        self._pod = pod
        self._namespace: str = pod["metadata"]["namespace"]
        self._tokens: dict[str, tuple[float, str]] = {}

    async def renew(self) -> None:
        """Ask the API for all of it, as kubelets do when a pod comes to them: caches of several kinds differ in age.

        Raises:
            ApiError: The API does not give something.
            EnvironmentFault: The API does not answer.
        """
        wanted = set(references(self._pod["spec"]))
        await asyncio.gather(*(self._caches[kind].renew((self._namespace, name)) for kind, name in wanted))

    def environment(self, ip: str) -> Sources:
        """For the variables of its containers.

        Args:
            ip: The pod's address.
        """
        return Sources(
            secret=lambda name: self._look_up(SECRETS, name),
            config_map=lambda name: self._look_up(CONFIG_MAPS, name),
            services=self._services(),
            addresses=self._addresses(ip),
            allocatable=self._allocatable(),
        )

    def volumes(self, ip: str) -> Stock:
        """For its volumes."""
        return Stock(
            secret=lambda name: self._look_up(SECRETS, name),
            config_map=lambda name: self._look_up(CONFIG_MAPS, name),
            claim=lambda name: self._look_up(CLAIMS, name),
            token=self._token,
            addresses=self._addresses(ip),
            allocatable=self._allocatable(),
        )

    @property
    def renewal(self) -> float | None:
        """Seconds until the first of its tokens has to be renewed; None without tokens."""
        moments = [moment for moment, _ in self._tokens.values()]
        return max(1.0, min(moments) - asyncio.get_running_loop().time()) if moments else None

    def _look_up(self, kind: Kind, name: str) -> Object | None:
        found = self._caches[kind].get((self._namespace, name))
        return {**found, "kind": kind.kind} if found else None

    def _services(self) -> list[Object]:
        own = self._caches[SERVICES].all(self._namespace)
        api = self._caches[SERVICES].get(("default", "kubernetes"))
        return [*([api] if api and self._namespace != "default" else []), *own]

    def _node(self) -> Object | None:
        return self._machine.node(self._pod["spec"]["nodeName"])

    def _addresses(self, ip: str) -> dict[str, str]:
        return {"status.podIP": ip, "status.hostIP": internal_ip(self._node())}

    def _allocatable(self) -> dict[str, str]:
        return dict(((self._node() or {}).get("status") or {}).get("allocatable") or {})

    async def _token(self, audience: str, seconds: int) -> str:
        now = asyncio.get_running_loop().time()
        renewed, token = self._tokens.get(audience, (0.0, ""))
        if not token or now >= renewed:
            token = await self._request(audience, seconds)
            self._tokens[audience] = (now + seconds * RENEWED_AFTER, token)
        return token

    async def _request(self, audience: str, seconds: int) -> str:
        metadata = self._pod["metadata"]
        bound = {"apiVersion": "v1", "kind": "Pod", "name": metadata["name"], "uid": metadata["uid"]}
        whom = {"audiences": [audience]} if audience else {}
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": seconds, "boundObjectRef": bound, **whom},
        }
        account = self._pod["spec"].get("serviceAccountName", "default")
        path = SERVICE_ACCOUNTS.path(self._namespace, account, "token")
        answer = await self._caches.api.call("POST", path, body)
        token: str = answer["status"]["token"]
        return token


def references(part: Any) -> Iterator[tuple[Kind, str]]:
    """Kinds and names of what a part of a pod's specification is made of."""
    if isinstance(part, list):
        for each in part:
            yield from references(each)
    elif isinstance(part, dict):
        for field, value in part.items():
            name = next((value[key] for key in NAMES if key in value), "") if isinstance(value, dict) else ""
            if field in REFERENCES and name:
                yield REFERENCES[field], name
            else:
                yield from references(value)
