"""Metrics Server: how much nodes and pods use, asked of the kubelet every 15 seconds (metrics-server, FAQ)."""

import ssl
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import aiohttp

from hallmark.twin.controllers.aws.cloud import Cloud
from hallmark.twin.controllers.aws.gate import METRICS_SERVER
from hallmark.twin.controllers.workloads.pods import labels, status
from hallmark.twin.kube.client import Api, ApiError
from hallmark.twin.kube.kinds import NAMESPACES, NODES, PODS, Key, Kind, Object, key_of
from hallmark.twin.kube.reconcile import Mapper

NODE_METRICS = Kind("metrics.k8s.io", "v1beta1", "nodes", "NodeMetrics", namespaced=False)
POD_METRICS = Kind("metrics.k8s.io", "v1beta1", "pods", "PodMetrics")
EVERY, UNTIL_ACTIVE = 15.0, 0.5
"""Seconds between two scrapes; before a server that is not running, or a node that told nothing, is asked again."""
KUBELET = "127.0.0.1"
"""Where the kubelets of the twin's nodes listen, whatever the address of their node."""
ALL: Key = ("", "metrics")


class MetricsServer:
    """Writes NodeMetrics and PodMetrics.

    Args:
        cloud: The cluster.
        token: What the kubelet is shown.
    """

    name = "metrics-server"

    def __init__(self, cloud: Cloud, token: str) -> None:
        self._cloud = cloud
        self._api = cloud.caches.api
        self._nodes = cloud.caches[NODES]
        self._pods = cloud.caches[PODS]
        self._token = token
        self._log = cloud.log(self.name)
        self._written: dict[Kind, set[Key]] = {NODE_METRICS: set(), POD_METRICS: set()}

    def watches(self) -> Mapping[Kind, Mapper]:
        """Namespaces are always there, so this begins at once; a pod of the server that changes counts too."""
        return {NAMESPACES: lambda _: [ALL], PODS: lambda pod: [ALL] if METRICS_SERVER.owns(pod) else [], NODES: _never}

    async def reconcile(self, _: Key) -> float | None:
        """Scrape once."""
        if not self._cloud.gate.active(METRICS_SERVER):
            return UNTIL_ACTIVE
        usage = await self._scrape()
        if usage is None:
            return UNTIL_ACTIVE
        moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        known = {node["metadata"]["name"]: node for node in self._nodes.all()}
        nodes = [
            node_metrics(each, moment, known[each["nodeName"]]) for each in usage["nodes"] if each["nodeName"] in known
        ]
        pods = [pod_metrics(each, moment, self._pods.get(_pod_key(each))) for each in usage["pods"]]
        try:
            await write(self._api, NODE_METRICS, nodes, self._written[NODE_METRICS])
            await write(self._api, POD_METRICS, pods, self._written[POD_METRICS])
        except ApiError as error:  # not registered, or not available yet
            self._log.info('"Failed to store metrics" err="%s"', error.message)
            return UNTIL_ACTIVE
        return EVERY if len(nodes) == len(known) else UNTIL_ACTIVE

    async def _scrape(self) -> dict[str, Any] | None:
        port = next(filter(None, map(_kubelet_port, self._nodes.all())), 0)
        if not port:
            return None
        insecure = ssl.SSLContext(
            ssl.PROTOCOL_TLS_CLIENT
        )  # without the machine's authorities, which take 30 ms to read
        insecure.check_hostname, insecure.verify_mode = False, ssl.CERT_NONE  # as --kubelet-insecure-tls
        headers = {"Authorization": f"Bearer {self._token}"}
        timeout = aiohttp.ClientTimeout(total=10)
        try:
            async with (
                aiohttp.ClientSession(headers=headers, timeout=timeout) as session,
                session.get(f"https://{KUBELET}:{port}/stats", ssl=insecure) as answer,
            ):
                answer.raise_for_status()
                found: dict[str, Any] = await answer.json()
                return found
        except (aiohttp.ClientError, TimeoutError) as error:
            self._log.info('"Failed to scrape node" err="%s"', type(error).__name__)
            return None


def _never(_: Object) -> Iterable[Key]:
    return ()


def _kubelet_port(node: Object) -> int:
    return int(((status(node).get("daemonEndpoints") or {}).get("kubeletEndpoint") or {}).get("Port", 0))


def _pod_key(usage: Mapping[str, Any]) -> Key:
    return usage["podRef"]["namespace"], usage["podRef"]["name"]


def _amounts(usage: Mapping[str, Any]) -> dict[str, str]:
    return {
        "cpu": f"{usage['cpu']['usageNanoCores']}n",
        "memory": f"{usage['memory']['workingSetBytes'] // 1024}Ki",
    }


def node_metrics(usage: Mapping[str, Any], moment: str, node: Object) -> Object:
    """What a node uses, as the metrics API gives it."""
    return {
        "metadata": {"name": usage["nodeName"], "labels": dict(labels(node))},
        "timestamp": moment,
        "window": "15s",
        "usage": _amounts(usage),
    }


def pod_metrics(usage: Mapping[str, Any], moment: str, pod: Object | None) -> Object:
    """What a pod's containers use, as the metrics API gives it."""
    namespace, name = _pod_key(usage)
    return {
        "metadata": {"name": name, "namespace": namespace, "labels": dict(labels(pod)) if pod else {}},
        "timestamp": moment,
        "window": "15s",
        "containers": [{"name": each["name"], "usage": _amounts(each)} for each in usage["containers"]],
    }


async def write(api: Api, kind: Kind, wanted: list[Object], written: set[Key]) -> None:
    """Replace all metrics of a kind.

    Args:
        api: The cluster.
        kind: ``NODE_METRICS`` or ``POD_METRICS``.
        wanted: The present ones.
        written: Keys of those that are there; brought up to date.

    Raises:
        ApiError: The API does not take them.
    """
    for each in wanted:
        key, body = key_of(each), {"apiVersion": kind.api_version, "kind": kind.kind, **each}
        if key in written:
            await api.patch(kind, each, body)
        else:
            await _put(api, kind, body)
            written.add(key)
    for namespace, name in written - {key_of(each) for each in wanted}:
        metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
        await api.delete(kind, {"metadata": metadata})
        written.discard((namespace, name))


async def _put(api: Api, kind: Kind, body: Object) -> None:
    try:
        await api.create(kind, body)
    except ApiError as error:
        if error.reason != "AlreadyExists":
            raise
        await api.patch(kind, body, body)
