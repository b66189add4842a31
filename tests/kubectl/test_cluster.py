"""The cluster itself: nodes and their maintenance, custom resources, deletion of what belongs together."""

from typing import Any

import pytest
import yaml

BUDGET = "create pdb web --selector=app=web --min-available=2"


def test_maintenance_of_a_node(web: Any) -> None:
    """A cordoned node gets no pods; draining it moves its pods, not those of DaemonSets, as budgets allow."""
    web.kubectl("create", "-f", "-", stdin=yaml.safe_dump(DAEMONS))
    web.follow(
        [
            ("rollout status ds/log --timeout=30s", 0, "successfully rolled out"),
            (BUDGET, 0, "created"),
            ("cordon node-a", 0, "node/node-a cordoned"),
            ("cordon node-a", 0, "node/node-a already cordoned"),
            ("get node node-a", 0, "Ready,SchedulingDisabled"),
            ("drain node-a --pod-selector=app", 1, "cannot delete DaemonSet-managed Pods"),
            (
                "drain node-a --ignore-daemonsets --pod-selector=app --timeout=1s",
                1,
                "Cannot evict pod as it would violate the pod's disruption budget.",
            ),
            ("delete pdb web", 0, "deleted"),
            ("drain node-a --ignore-daemonsets --pod-selector=app --timeout=30s", 0, "node/node-a drained"),
            ("rollout status deploy/web --timeout=30s", 0, "successfully rolled out"),
        ]
    )
    assert set(web.get("pods -l app=web", ".items[*].spec.nodeName").split()) == {"node-b"}
    assert set(web.get("pods -l app=log", ".items[*].spec.nodeName").split()) == {"node-a", "node-b"}
    web.follow(
        [
            ("uncordon node-a", 0, "node/node-a uncordoned"),
            ("taint node node-a busy=yes:NoSchedule", 0, "node/node-a tainted"),
            ("taint node node-a busy-", 0, "node/node-a untainted"),
        ]
    )


DAEMONS = {
    "apiVersion": "apps/v1",
    "kind": "DaemonSet",
    "metadata": {"name": "log"},
    "spec": {
        "selector": {"matchLabels": {"app": "log"}},
        "template": {
            "metadata": {"labels": {"app": "log"}},
            "spec": {"containers": [{"name": "log", "image": "registry.k8s.io/pause:3.10"}]},
        },
    },
}


@pytest.mark.parametrize(
    ("policy", "left"),
    [("background", []), ("foreground", []), ("orphan", ["replicaset.apps"])],
)
def test_deletion_of_what_is_owned(web: Any, policy: str, left: list[str]) -> None:
    """With its owner, before it, or not at all."""
    web.kubectl("delete", "deploy", "web", f"--cascade={policy}", "--timeout=20s")
    if policy == "background":
        web.kubectl("wait", "replicaset", "-l", "app=web", "--for=delete", "--timeout=20s")

    found = web.kubectl("get", "deploy,replicaset", "-l", "app=web", "-o", "name").splitlines()
    assert [each.partition("/")[0] for each in found] == left


def test_custom_resources(cluster: Any) -> None:
    """Defined, explained, validated, listed with columns of their own, scaled, and gone with their definition."""
    group = f"{cluster.namespace}.example.com"
    crd = f"crd/boats.{group}"
    cluster.apply(definition(group))
    boat = {"apiVersion": f"{group}/v1", "kind": "Boat", "metadata": {"name": "ann"}, "spec": {"masts": 2}}
    cluster.kubectl("wait", crd, "--for=condition=Established", "--timeout=10s")
    cluster.apply(boat)
    complaint = cluster.refused("apply", "-f", "-", stdin=yaml.safe_dump({**boat, "spec": {"masts": "many"}}))
    unknown = cluster.refused("apply", "-f", "-", stdin=yaml.safe_dump({**boat, "spec": {"oars": 1}}))

    assert "spec.masts: Invalid value" in complaint
    assert 'unknown field "spec.oars"' in unknown
    cluster.follow(
        [
            ("get boats", 0, "NAME   MASTS\nann    2"),
            ("get bt ann -o name", 0, f"boat.{group}/ann"),
            ("explain boat.spec.masts", 0, "How many."),
            ("scale boat/ann --replicas=3", 0, f"boat.{group}/ann scaled"),
            ('patch boat ann --type=merge -p \'{"spec":{"masts":9}}\'', 1, "should be less than or equal to 4"),
            ('patch boat ann --subresource=status --type=merge -p \'{"status":{"afloat":true}}\'', 0, "patched"),
            ("get boat ann -o jsonpath={.spec.masts}{.status.afloat}", 0, "3true"),
            ("api-resources --api-group=" + group, 0, "boats"),
            (f"delete {crd} --timeout=10s", 0, "deleted"),
            ("get boats", 1, "the server could not find the requested resource"),
        ]
    )


def definition(group: str) -> dict[str, Any]:
    """A custom resource with a schema, columns and subresources."""
    masts = {"type": "integer", "maximum": 4, "description": "How many."}
    spec = {"type": "object", "properties": {"masts": masts}}
    status = {"type": "object", "properties": {"afloat": {"type": "boolean"}, "masts": {"type": "integer"}}}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "subresources": {
            "status": {},
            "scale": {"specReplicasPath": ".spec.masts", "statusReplicasPath": ".status.masts"},
        },
        "additionalPrinterColumns": [{"name": "Masts", "type": "integer", "jsonPath": ".spec.masts"}],
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec, "status": status}}},
    }
    names = {"kind": "Boat", "plural": "boats", "singular": "boat", "shortNames": ["bt"]}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"boats.{group}"},
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [version]},
    }
