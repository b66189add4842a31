"""Rules of the kinds beyond their schemas, in the words of the real server."""

import tomllib
from collections.abc import Callable, Iterator
from functools import cache

from hallmark.twin.cluster.schema.definitions import DATA
from hallmark.twin.cluster.schema.rules import names, network, others, pods, storage, workloads
from hallmark.twin.cluster.schema.values import Json

Rule = Callable[[Json, Json | None], Iterator[str]]

_RULES: dict[tuple[str, str], Rule] = {
    ("", "Pod"): pods.pod,
    ("", "Service"): network.service,
    ("", "ConfigMap"): storage.config_map,
    ("", "Secret"): storage.secret,
    ("", "PersistentVolume"): storage.volume,
    ("", "PersistentVolumeClaim"): storage.claim,
    ("apps", "Deployment"): workloads.deployment,
    ("apps", "ReplicaSet"): workloads.replica_set,
    ("apps", "StatefulSet"): workloads.stateful_set,
    ("apps", "DaemonSet"): workloads.daemon_set,
    ("batch", "Job"): workloads.job,
    ("batch", "CronJob"): workloads.cron_job,
    ("networking.k8s.io", "Ingress"): network.ingress,
    ("networking.k8s.io", "NetworkPolicy"): network.network_policy,
    ("autoscaling", "HorizontalPodAutoscaler"): others.autoscaler,
    ("policy", "PodDisruptionBudget"): others.disruption_budget,
    ("rbac.authorization.k8s.io", "Role"): others.role,
    ("rbac.authorization.k8s.io", "ClusterRole"): others.role,
    ("rbac.authorization.k8s.io", "RoleBinding"): others.role_binding,
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): others.role_binding,
    ("scheduling.k8s.io", "PriorityClass"): others.priority_class,
    ("storage.k8s.io", "StorageClass"): storage.storage_class,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): others.custom_definition,
}


def check(group: str, kind: str, obj: Json, old: Json | None) -> Iterator[str]:
    """What breaks a rule of the kind.

    Args:
        group: API group, empty for the core group.
        kind: Kind.
        obj: The object with its defaults.
        old: The object before; None when it is created.
    """
    yield from names.metadata(group, kind, obj)
    rule = _RULES.get((group, kind))
    if rule:
        yield from rule(obj, old)


@cache
def table() -> Json:
    """``data/rules.toml``."""
    return tomllib.loads((DATA / "rules.toml").read_text())
