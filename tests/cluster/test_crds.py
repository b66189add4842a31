"""Custom resources: served as soon as they are defined, by the rules of their definition."""

from collections.abc import Callable
from typing import Any

from hallmark.twin.cluster.client import Client
from hallmark.waiting import until

Json = dict[str, Any]

SCHEMA: Json = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "required": ["size"],
            "properties": {
                "size": {"type": "integer", "minimum": 1},
                "replicas": {"type": "integer", "default": 1},
                "color": {"type": "string", "enum": ["red", "blue"], "default": "red"},
            },
        },
        "status": {"type": "object", "properties": {"replicas": {"type": "integer"}, "selector": {"type": "string"}}},
    },
}
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def _path(definition: Json, namespace: str, version: str = "v1") -> str:
    return f"/apis/{definition['spec']['group']}/{version}/namespaces/{namespace}/widgets"


def _widget(definition: Json, name: str, **spec: Any) -> Json:
    api_version = f"{definition['spec']['group']}/v1"
    return {"apiVersion": api_version, "kind": "Widget", "metadata": {"name": name}, "spec": spec}


def test_a_definition_is_established_at_once(client: Client, namespace: str, widgets: Callable[..., Json]) -> None:
    """It says so, discovery tells of it, and it is served."""
    definition = widgets(SCHEMA)
    group = definition["spec"]["group"]

    conditions = {one["type"]: one["status"] for one in definition["status"]["conditions"]}
    listed = client.get(f"/apis/{group}/v1").body["resources"]

    assert conditions == {"NamesAccepted": "True", "Established": "True"}
    assert definition["status"]["storedVersions"] == ["v1"]
    assert definition["status"]["acceptedNames"] == {
        "kind": "Widget",
        "plural": "widgets",
        "singular": "widget",
        "listKind": "WidgetList",
    }
    assert [one["name"] for one in listed] == ["widgets"]
    assert group in [one["name"] for one in client.get("/apis").body["groups"]]
    assert client.get(_path(definition, namespace)).body["kind"] == "WidgetList"
    assert client.get(f"/apis/apiregistration.k8s.io/v1/apiservices/v1.{group}").code == 200


def test_its_schema_completes_prunes_and_refuses(client: Client, namespace: str, widgets: Callable[..., Json]) -> None:
    """Defaults are filled in, unknown fields left out, wrong values refused by their fields."""
    definition = widgets(SCHEMA)
    path = _path(definition, namespace)

    made = client.post(f"{path}?fieldValidation=Ignore", _widget(definition, "a", size=1, unknown=2)).body
    wrong = client.post(path, _widget(definition, "b", size="1"))
    small = client.post(path, _widget(definition, "b", size=0, color="green"))
    missing = client.post(path, _widget(definition, "b"))

    assert made["spec"] == {"size": 1, "replicas": 1, "color": "red"}
    assert made["metadata"]["generation"] == 1
    assert [one.code for one in (wrong, small, missing)] == [422, 422, 422]
    assert (
        'spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"'
        in wrong.body["message"]
    )
    assert {cause["field"] for cause in small.body["details"]["causes"]} == {"spec.size", "spec.color"}
    assert "spec.size: Required value" in missing.body["message"]


def test_status_and_scale_are_as_declared(client: Client, namespace: str, widgets: Callable[..., Json]) -> None:
    """They have doors of their own then, and only then."""
    scale = {
        "specReplicasPath": ".spec.replicas",
        "statusReplicasPath": ".status.replicas",
        "labelSelectorPath": ".status.selector",
    }
    definition, plain = widgets(SCHEMA, subresources={"status": {}, "scale": scale}), widgets(SCHEMA)
    path = _path(definition, namespace)
    client.post(path, _widget(definition, "a", size=1))
    client.post(_path(plain, namespace), {**_widget(plain, "a", size=1), "status": {"replicas": 4}})

    ignored = client.patch(f"{path}/a", {"status": {"replicas": 9}}).body
    client.patch(f"{path}/a/status", {"status": {"replicas": 2, "selector": "a=b"}, "spec": {"size": 7}})
    scaled = client.patch(f"{path}/a/scale", {"spec": {"replicas": 5}}).body
    after = client.get(f"{path}/a").body

    assert "status" not in ignored
    assert (scaled["kind"], scaled["spec"], scaled["status"]) == (
        "Scale",
        {"replicas": 5},
        {"replicas": 2, "selector": "a=b"},
    )
    assert (after["spec"]["replicas"], after["spec"]["size"], after["metadata"]["generation"]) == (5, 1, 2)
    assert client.get(f"{_path(plain, namespace)}/a").body["status"] == {"replicas": 4}
    assert client.get(f"{_path(plain, namespace)}/a/status").code == 404


def test_versions_show_the_same_objects(client: Client, namespace: str, widgets: Callable[..., Json]) -> None:
    """Each says its own version; one that is not served is not there."""
    definition = widgets(SCHEMA)
    name = definition["metadata"]["name"]
    one = definition["spec"]["versions"][0]
    versions = [
        one,
        {**one, "name": "v1beta1", "storage": False},
        {**one, "name": "v0", "storage": False, "served": False},
    ]

    assert client.patch(f"{CRDS}/{name}", {"spec": {"versions": versions}}).code == 200
    client.post(_path(definition, namespace), _widget(definition, "a", size=1))

    old = client.get(f"{_path(definition, namespace, 'v1beta1')}/a").body
    assert old["apiVersion"].endswith("/v1beta1")
    assert client.get(f"{_path(definition, namespace)}/a").body["apiVersion"].endswith("/v1")
    assert client.get(_path(definition, namespace, "v0")).code == 404
    group = client.get(f"/apis/{definition['spec']['group']}").body
    assert [version["version"] for version in group["versions"]] == ["v1", "v1beta1"]


def test_columns_are_as_declared(client: Client, namespace: str, widgets: Callable[..., Json]) -> None:
    """Name first."""
    columns = [{"name": "Size", "type": "integer", "jsonPath": ".spec.size"}]
    definition = widgets(SCHEMA, additionalPrinterColumns=columns)
    client.post(_path(definition, namespace), _widget(definition, "a", size=3))

    accept = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
    table = client.get(_path(definition, namespace), **accept).body

    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Size"]
    assert table["rows"][0]["cells"] == ["a", 3]


def test_a_definition_takes_its_objects_along(client: Client, namespace: str, widgets: Callable[..., Json]) -> None:
    """It waits for one that is held."""
    definition = widgets(SCHEMA)
    path, crd = _path(definition, namespace), f"{CRDS}/{definition['metadata']['name']}"
    client.post(path, _widget(definition, "a", size=1))
    held = _widget(definition, "b", size=1)
    held["metadata"]["finalizers"] = ["example.com/hold"]
    client.post(path, held)

    client.delete(crd)

    assert until(lambda: client.get(f"{path}/a").code == 404, 5.0)
    assert client.get(crd).code == 200
    client.patch(f"{path}/b", {"metadata": {"finalizers": None}})
    assert until(lambda: client.get(crd).code == 404, 5.0)
    assert client.get(path).code == 404


def test_no_strategic_merge_for_custom_resources(client: Client, namespace: str, widgets: Callable[..., Json]) -> None:
    """Nobody knows their merge keys."""
    definition = widgets(SCHEMA)
    client.post(_path(definition, namespace), _widget(definition, "a", size=1))

    answer = client.patch(f"{_path(definition, namespace)}/a", {"spec": {"size": 2}}, "strategic")

    assert (answer.code, answer.body["reason"]) == (415, "UnsupportedMediaType")


def test_a_replacement_must_name_its_version(client: Client, namespace: str, widgets: Callable[..., Json]) -> None:
    """Other than with built-in kinds."""
    definition = widgets(SCHEMA)
    client.post(_path(definition, namespace), _widget(definition, "a", size=1))

    answer = client.put(f"{_path(definition, namespace)}/a", _widget(definition, "a", size=2))

    assert answer.code == 422
    assert "metadata.resourceVersion: Invalid value" in answer.body["message"]


def test_cluster_scoped_resources_have_no_namespace(
    client: Client, namespace: str, widgets: Callable[..., Json]
) -> None:
    """They are not served in one."""
    definition = widgets(SCHEMA, "Cluster")
    path = f"/apis/{definition['spec']['group']}/v1/widgets"

    assert "namespace" not in client.post(path, _widget(definition, "a", size=1)).body["metadata"]
    assert client.get(_path(definition, namespace)).code == 404


def test_a_definition_says_what_it_defines(client: Client) -> None:
    """One that does not is refused with what it lacks."""
    answer = client.post(CRDS, {"metadata": {"name": "widgets.example.com"}, "spec": {"names": {"kind": "Widget"}}})

    assert answer.code == 422
    assert [cause["field"] for cause in answer.body["details"]["causes"]] == [
        "spec.group",
        "spec.scope",
        "spec.versions",
        "spec.names.plural",
    ]
