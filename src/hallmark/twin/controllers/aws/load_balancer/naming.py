"""Names and tags the controller gives in AWS (aws-load-balancer-controller, ``pkg/ingress/model_build_*.go``)."""

import hashlib
import re
from dataclasses import dataclass

CLUSTER, STACK, RESOURCE = "elbv2.k8s.aws/cluster", "ingress.k8s.aws/stack", "ingress.k8s.aws/resource"
Tags = dict[str, str]


@dataclass(frozen=True)
class Group:
    """Ingresses that share one load balancer.

    Attributes:
        namespace: Of the one Ingress of an implicit group, or empty.
        name: Name of the group, or of that Ingress.
    """

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


def balancer_name(cluster: str, group: Group, scheme: str) -> str:
    """Name of the load balancer of a group."""
    identity = _hash(cluster, str(group), scheme)
    if group.namespace:
        return f"k8s-{_short(group.namespace)}-{_short(group.name)}-{identity}"
    return f"k8s-{_plain(group.name)[:17]}-{identity}"


def target_group_name(cluster: str, namespace: str, service: str, *identity: str) -> str:
    """Name of the target group of one port of a Service; *identity* is all that a target group cannot change."""
    return f"k8s-{_short(namespace)}-{_short(service)}-{_hash(cluster, namespace, service, *identity)}"


def tags(cluster: str, group: Group, resource: str) -> Tags:
    """What the controller finds its own things by."""
    return {CLUSTER: cluster, STACK: str(group), RESOURCE: resource}


def as_list(tags_: Tags) -> list[dict[str, str]]:
    """Tags as AWS takes them."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags_.items())]


def _short(name: str) -> str:
    return _plain(name)[:8]


def _plain(name: str) -> str:
    return re.sub(r"[^0-9A-Za-z]", "", name)


def _hash(*parts: str) -> str:
    return hashlib.sha256("".join(parts).encode()).hexdigest()[:10]
