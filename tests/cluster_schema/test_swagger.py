"""The OpenAPI v2 document, as kubectl reads it to validate a List."""

import json
from dataclasses import dataclass, field
from typing import Any

from hallmark.twin.cluster.schema import definitions, swagger
from hallmark.twin.cluster.schema.definitions import Schema
from hallmark.twin.cluster.schema.protobuf import _parts as parts

Json = dict[str, Any]


@dataclass(frozen=True)
class Served:
    """A resource that is served."""

    group: str
    version: str
    plural: str
    kind: str
    schema: Schema | None
    namespaced: bool = True
    subresources: dict[str, Any] = field(default_factory=dict)


CUSTOM = {
    "type": "object",
    "required": ["spec"],
    "properties": {
        "spec": {"type": "object", "properties": {"size": {"type": "integer", "maximum": 3, "default": 1}}},
        "any": {
            "type": "object",
            "x-kubernetes-preserve-unknown-fields": True,
            "properties": {"a": {"type": "string"}},
        },
        "port": {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]},
        "text": {"type": "string", "nullable": True},
    },
}
DEPLOYMENTS = Served("apps", "v1", "deployments", "Deployment", definitions.builtin("apps", "v1", "Deployment"))
THINGS = Served("example.com", "v1", "things", "Thing", definitions.custom(CUSTOM))
DOCUMENT = swagger.document([DEPLOYMENTS, THINGS])


def test_definitions_of_built_in_kinds() -> None:
    """By the names of v3; a reference keeps its description beside it."""
    deployment = DOCUMENT["definitions"]["io.k8s.api.apps.v1.Deployment"]

    assert DOCUMENT["swagger"] == "2.0"
    assert deployment["x-kubernetes-group-version-kind"] == [{"group": "apps", "version": "v1", "kind": "Deployment"}]
    assert deployment["properties"]["spec"] == {
        "$ref": "#/definitions/io.k8s.api.apps.v1.DeploymentSpec",
        "description": "Specification of the desired behavior of the Deployment.",
    }
    assert "#/components/" not in json.dumps(DOCUMENT)


def test_definitions_of_custom_kinds() -> None:
    """What v2 cannot say is left open, so that nothing is refused that the server would take."""
    thing = dict(DOCUMENT["definitions"]["com.example.v1.Thing"])
    properties = dict(thing.pop("properties"))

    assert thing == {
        "type": "object",
        "required": ["spec"],
        "x-kubernetes-group-version-kind": [{"group": "example.com", "version": "v1", "kind": "Thing"}],
    }
    assert properties.pop("metadata")["$ref"] == "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
    assert properties == {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "spec": {"type": "object", "properties": {"size": {"type": "integer"}}},
        "any": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "port": {"x-kubernetes-int-or-string": True},
        "text": {},
    }


def test_the_binary_form() -> None:
    """Fields have the numbers of gnostic's message; extensions are YAML."""
    document = dict(parts(swagger.encoded(DOCUMENT)))
    named = {dict(parts(each))[1].decode(): dict(parts(each))[2] for _, each in parts(document[9])}
    thing = list(parts(named["com.example.v1.Thing"]))
    properties = [dict(parts(each)) for _, each in parts(dict(thing)[25])]
    names = [each[1].decode() for each in properties]
    extension = dict(parts(dict(thing)[31]))
    selector = dict(parts(named["io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector"]))
    labels = next(dict(parts(each)) for _, each in parts(selector[25]) if b"matchLabels" in each)
    additional = dict(parts(dict(parts(labels[2]))[21]))

    assert document[1] == b"2.0"
    assert dict(parts(document[2])) == {1: b"Kubernetes", 2: b"v1.35.2"}
    assert named.keys() == DOCUMENT["definitions"].keys()
    assert dict(thing)[19] == b"spec"
    assert dict(parts(dict(thing)[22])) == {1: b"object"}
    assert {"spec", "any", "port", "text", "metadata"} <= {*names}
    assert extension[1] == b"x-kubernetes-group-version-kind"
    assert json.loads(dict(parts(extension[2]))[2]) == [{"group": "example.com", "version": "v1", "kind": "Thing"}]
    assert dict(parts(dict(parts(additional[1]))[22])) == {1: b"string"}
