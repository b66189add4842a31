"""Paths of the API, and which labels a selector selects."""

from typing import Any

import pytest

from hallmark.twin.kube.kinds import DEPLOYMENTS, NODES, PODS, Kind, controller_of, matches, owned_by


@pytest.mark.parametrize(
    ("kind", "place", "path"),
    [
        (PODS, ("a", "b"), "/api/v1/namespaces/a/pods/b"),
        (PODS, ("",), "/api/v1/pods"),
        (PODS, ("a", "b", "status"), "/api/v1/namespaces/a/pods/b/status"),
        (NODES, ("", "n"), "/api/v1/nodes/n"),
        (DEPLOYMENTS, ("a",), "/apis/apps/v1/namespaces/a/deployments"),
    ],
)
def test_paths(kind: Kind, place: tuple[str, ...], path: str) -> None:
    """Core and named groups, with and without namespace, objects and subresources."""
    assert kind.path(*place) == path


LABELS = {"app": "web", "tier": "front"}


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        (None, False),
        ({}, True),
        ({"matchLabels": {"app": "web"}}, True),
        ({"matchLabels": {"app": "db"}}, False),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["web", "db"]}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}, False),
        ({"matchExpressions": [{"key": "zone", "operator": "NotIn", "values": ["a"]}]}, True),
        ({"matchExpressions": [{"key": "tier", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]}, False),
        ({"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "zone", "operator": "Exists"}]}, False),
    ],
)
def test_selectors(selector: Any, expected: bool) -> None:  # noqa: FBT001  (a table's column)
    """Equalities and expressions all have to hold; an absent selector selects nothing, an empty one everything."""
    assert matches(selector, LABELS) is expected


def test_owners() -> None:
    """The reference a child gets names its controller."""
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "web", "uid": "1"}}
    child = {"metadata": {"name": "web-1", "ownerReferences": [{"uid": "0", "kind": "Node"}, *owned_by(owner)]}}

    assert controller_of(child) == {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "name": "web",
        "uid": "1",
        "controller": True,
        "blockOwnerDeletion": True,
    }
    assert controller_of({"metadata": {"name": "alone"}}) is None
