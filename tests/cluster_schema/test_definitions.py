"""Schemas and discovery: what is served, and what is known about it."""

import pytest

from hallmark.twin.cluster.schema import definitions
from hallmark.twin.cluster.schema.definitions import Schema


@pytest.mark.parametrize(
    ("group", "version", "kind"),
    [
        ("", "v1", "Pod"),
        ("", "v1", "PodList"),
        ("apps", "v1", "Deployment"),
        ("autoscaling", "v1", "Scale"),
        ("autoscaling", "v2", "HorizontalPodAutoscaler"),
        ("policy", "v1", "Eviction"),
        ("authentication.k8s.io", "v1", "TokenRequest"),
        ("apiextensions.k8s.io", "v1", "CustomResourceDefinition"),
        ("apiregistration.k8s.io", "v1", "APIService"),
        ("apps", "v1", "DeleteOptions"),
    ],
)
def test_kinds_of_the_version_have_a_schema(group: str, version: str, kind: str) -> None:
    """Kinds that Kubernetes 1.35 serves have a schema of type object."""
    schema = definitions.builtin(group, version, kind)
    assert schema is not None
    assert schema.type == "object"


@pytest.mark.parametrize(
    ("group", "version", "kind"),
    [("", "v1", "Nope"), ("apps", "v1beta1", "Deployment"), ("flowcontrol.apiserver.k8s.io", "v1", "FlowSchema")],
)
def test_other_kinds_have_none(group: str, version: str, kind: str) -> None:
    """A kind that is not served has no schema."""
    assert definitions.builtin(group, version, kind) is None


def test_each_resource_has_a_schema() -> None:
    """Discovery lists nothing whose kind is unknown, subresources included."""
    resources = definitions.discovery()
    kinds = {(each["group"], each["version"], each["kind"]) for each in resources}
    options = {"PodExecOptions", "PodAttachOptions", "PodPortForwardOptions"} | {
        f"{each}ProxyOptions" for each in ("Pod", "Node", "Service")
    }
    kinds |= {
        (sub["group"], sub["version"], sub["kind"])
        for each in resources
        for sub in each["subresources"]
        if sub["kind"] not in options  # made of the query, never of a body
    }
    assert [kind for kind in sorted(kinds) if definitions.builtin(*kind) is None] == []


def test_discovery_of_deployments() -> None:
    """A resource comes with names, verbs and subresources; short names are the resource's alone."""
    found = next(e for e in definitions.discovery() if e["resource"] == "deployments")
    verbs = ["get", "patch", "update"]
    assert found == {
        "group": "apps",
        "version": "v1",
        "resource": "deployments",
        "singular": "deployment",
        "kind": "Deployment",
        "namespaced": True,
        "verbs": ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
        "shortNames": ["deploy"],
        "categories": ["all"],
        "subresources": [
            {"name": "scale", "kind": "Scale", "group": "autoscaling", "version": "v1", "verbs": verbs},
            {"name": "status", "kind": "Deployment", "group": "apps", "version": "v1", "verbs": verbs},
        ],
    }


def test_core_group_is_the_empty_one() -> None:
    """Pods are in the group without a name, once."""
    assert [(e["group"], e["version"]) for e in definitions.discovery() if e["resource"] == "pods"] == [("", "v1")]


def test_what_is_known_of_a_list(deployments: Schema) -> None:
    """A node of a list knows how patches and applies merge it."""
    ports = deployments.at("spec").at("template").at("spec").at("containers").items.at("ports")
    assert (ports.type, ports.list_type, ports.map_keys) == ("array", "map", ("containerPort", "protocol"))
    assert (ports.merge_key, ports.patch_strategy) == ("containerPort", frozenset({"merge"}))


def test_special_types(deployments: Schema) -> None:
    """Quantities, numbers that may be texts, and embedded objects have types of their own."""
    container = deployments.at("spec").at("template").at("spec").at("containers").items
    assert container.at("resources").at("limits").at("cpu").type == "quantity"
    assert container.at("livenessProbe").at("httpGet").at("port").type == "int-or-string"
    revision = definitions.builtin("apps", "v1", "ControllerRevision")
    assert revision is not None
    assert revision.at("data").type == "any"


def test_enumerations_of_go_are_known(deployments: Schema) -> None:
    """Constants of a Go type are the values of the field."""
    policy = deployments.at("spec").at("template").at("spec").at("containers").items.at("imagePullPolicy")
    assert policy.enum == ("Always", "IfNotPresent", "Never")


def test_nodes_are_resolved_once(deployments: Schema) -> None:
    """Whoever asks again gets the same node, also by another way."""
    job = definitions.builtin("batch", "v1", "Job")
    assert job is not None
    ours, theirs = (each.at("spec").at("template").at("spec").at("containers") for each in (deployments, job))
    assert ours is theirs


def test_custom_schema_has_what_every_object_has() -> None:
    """A custom resource's metadata is known, whatever its definition says about it."""
    schema = definitions.custom({"type": "object", "properties": {"spec": {"type": "object"}}})
    assert schema.at("metadata").at("labels").values is not None
    assert schema.at("spec").type == "object"
    assert not schema.at("spec").is_open
