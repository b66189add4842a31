"""What a pod is made of is found wherever its specification names it."""

from typing import Any

from hallmark.twin.kube.kinds import CLAIMS, CONFIG_MAPS, SECRETS
from hallmark.twin.kubelet.supplies import references

SPEC: dict[str, Any] = {
    "containers": [
        {
            "name": "main",
            "env": [
                {"name": "secret", "value": "no reference"},
                {"name": "A", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "a"}}},
                {"name": "B", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "b"}}},
                {"name": "C", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
            ],
            "envFrom": [{"secretRef": {"name": "all"}}, {"configMapRef": {"name": "defaults"}}],
        }
    ],
    "initContainers": [{"name": "first", "env": [{"name": "D", "valueFrom": {"secretKeyRef": {"name": "early"}}}]}],
    "volumes": [
        {"name": "data", "persistentVolumeClaim": {"claimName": "data-0"}},
        {"name": "files", "secret": {"secretName": "files"}},
        {"name": "config", "configMap": {"name": "config"}},
        {"name": "both", "projected": {"sources": [{"secret": {"name": "part"}}, {"serviceAccountToken": {}}]}},
        {"name": "scratch", "emptyDir": {}},
    ],
}


def test_all_that_is_named_is_found_and_nothing_else() -> None:
    """Variables, whole sets of them, volumes and parts of volumes; init containers too."""
    assert sorted((kind.kind, name) for kind, name in references(SPEC)) == sorted(
        [
            *((SECRETS.kind, name) for name in ("keys", "all", "early", "files", "part")),
            *((CONFIG_MAPS.kind, name) for name in ("settings", "defaults", "config")),
            (CLAIMS.kind, "data-0"),
        ]
    )
