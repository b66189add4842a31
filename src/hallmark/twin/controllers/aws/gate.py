"""Which add-ons run: a controller of the twin works only while a pod of its own is ready.

So scaling a controller to zero, giving it an image that cannot be pulled or a node it does not fit on has its real
consequence: what it does for the cluster stops.
"""

from dataclasses import dataclass

from hallmark.twin.controllers.workloads.pods import is_leaving, is_ready, labels, node_name
from hallmark.twin.kube.cache import Caches
from hallmark.twin.kube.kinds import PODS, Key, Object


@dataclass(frozen=True)
class Addon:
    """How the pods of an add-on are found, whoever installed it under whatever name.

    Attributes:
        name: Its name in logs and log files.
        labels: Labels its pods have; one set of several is enough.
    """

    name: str
    labels: tuple[tuple[tuple[str, str], ...], ...]

    def owns(self, pod: Object) -> bool:
        """Whether a pod is of this add-on."""
        own = labels(pod).items()
        return any(set(one) <= set(own) for one in self.labels)


def _addon(name: str, *alternatives: dict[str, str]) -> Addon:
    return Addon(name, tuple(tuple(one.items()) for one in alternatives))


NAME, COMPONENT = "app.kubernetes.io/name", "app.kubernetes.io/component"
CLUSTER_AUTOSCALER = _addon(
    "cluster-autoscaler",
    {NAME: "aws-cluster-autoscaler"},
    {NAME: "cluster-autoscaler"},
    {"app": "cluster-autoscaler"},
)
METRICS_SERVER = _addon("metrics-server", {NAME: "metrics-server"}, {"k8s-app": "metrics-server"})
EBS_CSI_CONTROLLER = _addon("ebs-csi-controller", {"app": "ebs-csi-controller"})
FLUENT_BIT = _addon("fluent-bit", {"k8s-app": "fluent-bit"}, {NAME: "aws-for-fluent-bit"}, {NAME: "fluent-bit"})
CLOUDWATCH_AGENT = _addon("cloudwatch-agent", {NAME: "cloudwatch-agent"})
LOAD_BALANCER_CONTROLLER = _addon("aws-load-balancer-controller", {NAME: "aws-load-balancer-controller"})
EXTERNAL_SECRETS = _addon("external-secrets", {NAME: "external-secrets"})
EXTERNAL_DNS = _addon("external-dns", {NAME: "external-dns"})


class Gate:
    """Looks at the pods of add-ons.

    Args:
        caches: The cluster.
    """

    def __init__(self, caches: Caches) -> None:
        self._pods = caches[PODS]

    def pods(self, addon: Addon) -> list[Object]:
        """The ready pods of an add-on, oldest first."""
        found = [each for each in self._pods.all() if addon.owns(each) and is_ready(each) and not is_leaving(each)]
        return sorted(found, key=lambda pod: (pod["metadata"]["creationTimestamp"], pod["metadata"]["name"]))

    def active(self, addon: Addon) -> bool:
        """Whether an add-on works: one of its pods is ready."""
        return bool(self.pods(addon))

    def identity(self, addon: Addon) -> Key | None:
        """Namespace and service account that an add-on runs as; None while it does not run."""
        for pod in self.pods(addon):
            return pod["metadata"]["namespace"], pod["spec"].get("serviceAccountName", "default")
        return None

    def nodes(self, addon: Addon) -> set[str]:
        """Nodes on which an add-on works."""
        return {node_name(pod) for pod in self.pods(addon)}
