"""What the kubelet says of its nodes: a Lease that beats, conditions, and what software they run.

Capacity, labels, taints and addresses come from whoever made the node. Source: Kubernetes documentation, "Node
Status" and "Leases".
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from hallmark.twin.kube.client import STRATEGIC, Conflict, NotFound
from hallmark.twin.kube.events import timestamp
from hallmark.twin.kube.kinds import LEASES, NODES, Key, Kind, Object, key_of
from hallmark.twin.kubelet.machine import Machine, is_ours

BEAT, LEASE_SECONDS = 10.0, 40
NAMESPACE = "kube-node-lease"
READY = {
    "Ready": ("True", "KubeletReady", "kubelet is posting ready status"),
    "MemoryPressure": ("False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    "DiskPressure": ("False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    "PIDPressure": ("False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
}
SOFTWARE = {
    "kubeletVersion": "v1.35.2-eks-1f2e3d4",
    "kubeProxyVersion": "v1.35.2-eks-1f2e3d4",
    "osImage": "Amazon Linux 2023.9.20260105",
    "kernelVersion": "6.12.63-84.121.amzn2023.x86_64",
    "containerRuntimeVersion": "containerd://2.1.5",
    "operatingSystem": "linux",
    "architecture": "amd64",
}


class Nodes:
    """Keeps our nodes ready; a controller in the sense of :mod:`hallmark.twin.kube.reconcile`.

    Args:
        machine: Where the cluster is.
        port: Where this kubelet listens.
    """

    name = "kubelet-nodes"

    def __init__(self, machine: Machine, port: int) -> None:
        self._machine = machine
        self._port = port

    def watches(self) -> Mapping[Kind, Callable[[Object], Iterable[Key]]]:
        """A node concerns itself."""
        return {NODES: lambda node: [key_of(node)]}

    async def reconcile(self, key: Key) -> float | None:
        """Keep one node ready, and look again at the next beat of its Lease."""
        node = self._machine.caches[NODES].get(key)
        if node is None or not is_ours(node) or node["metadata"].get("deletionTimestamp"):
            return None
        if (lacking := status(node, self._port, timestamp())) is not None:
            body = {"status": lacking}
            answer = await self._machine.caches.api.patch(NODES, node, body, "status", STRATEGIC)
            self._machine.caches[NODES].note(answer)
        await self._beat(node)
        return BEAT

    async def _beat(self, node: Object) -> None:
        name = node["metadata"]["name"]
        renewed = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        lease = {"metadata": {"name": name, "namespace": NAMESPACE}}
        spec = {"holderIdentity": name, "leaseDurationSeconds": LEASE_SECONDS, "renewTime": renewed}
        try:
            await self._machine.caches.api.patch(LEASES, lease, {"spec": spec})
        except NotFound:
            owner = {"apiVersion": "v1", "kind": "Node", "name": name, "uid": node["metadata"]["uid"]}
            metadata = {**lease["metadata"], "ownerReferences": [owner]}
            try:
                await self._machine.caches.api.create(LEASES, {"metadata": metadata, "spec": spec})
            except (Conflict, NotFound):
                return  # made by somebody else meanwhile, or the namespace is not there yet: at the next beat


def status(node: Object, port: int, now: str) -> Object | None:
    """What is missing or wrong in a node's status, to be merged into it; None if nothing is. Pure."""
    present: Mapping[str, Any] = node.get("status") or {}
    conditions = {each["type"]: each for each in present.get("conditions") or []}
    info = present.get("nodeInfo") or {}
    number = ((present.get("daemonEndpoints") or {}).get("kubeletEndpoint") or {}).get("Port")
    right = all(conditions.get(type_, {}).get("status") == wanted[0] for type_, wanted in READY.items())
    missing = {key: value for key, value in _identity(node).items() if not info.get(key)}
    if right and not missing and number == port:
        return None
    return {
        "conditions": [_condition(type_, conditions.get(type_), now) for type_ in READY],
        "nodeInfo": {**info, **missing},
        "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
    }


def _identity(node: Object) -> dict[str, str]:
    digest = sha256(node["metadata"]["uid"].encode()).hexdigest()
    uuid = f"ec2{digest[:5]}-{digest[5:9]}-{digest[9:13]}-{digest[13:17]}-{digest[17:29]}"
    return {**SOFTWARE, "machineID": f"ec2{digest[:29]}", "systemUUID": uuid, "bootID": node["metadata"]["uid"]}


def _condition(type_: str, old: Object | None, now: str) -> Object:
    word, reason, message = READY[type_]
    same = old is not None and old["status"] == word
    since = old["lastTransitionTime"] if old and same else now
    return {
        "type": type_, "status": word, "reason": reason, "message": message,
        "lastHeartbeatTime": now, "lastTransitionTime": since,
    }  # fmt: skip
