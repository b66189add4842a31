"""Schemas of custom resources: what they refuse and what they drop.

Source: Kubernetes documentation, "Extend the Kubernetes API with CustomResourceDefinitions".
"""

# ruff: noqa: E501  (a table has one case a line)

from typing import Any

import pytest

from hallmark.twin.cluster.schema import definitions, keywords, validation
from hallmark.twin.cluster.schema.definitions import Schema

Json = dict[str, Any]


def schema_of(**spec: Any) -> Schema:
    """A schema whose spec has these properties."""
    properties = {"spec": {"type": "object", "properties": spec}}
    return definitions.custom({"type": "object", "properties": properties})


# Keywords of the field "x", its value, errors.
CASES: list[tuple[Json, Any, list[str]]] = [
    ({"type": "string"}, "a", []),
    ({"type": "integer"}, "3", ['spec.x: Invalid value: "string": spec.x in body must be of type integer: "string"']),
    ({"type": "integer"}, 3.0, []),
    ({"type": "string"}, True, ['spec.x: Invalid value: "boolean": spec.x in body must be of type string: "boolean"']),
    ({"type": "boolean"}, 1, ['spec.x: Invalid value: "integer": spec.x in body must be of type boolean: "integer"']),
    ({"type": "array", "items": {"type": "string"}}, {}, ['spec.x: Invalid value: "object": spec.x in body must be of type array: "object"']),
    ({"type": "array", "items": {"type": "string"}}, ["a", 1], ['spec.x[1]: Invalid value: "integer": spec.x[1] in body must be of type string: "integer"']),
    ({"type": "string"}, None, ['spec.x: Invalid value: "null": spec.x in body must be of type string: "null"']),
    ({"type": "string", "nullable": True}, None, []),
    ({"type": "string", "enum": ["a", "b"]}, "c", ['spec.x: Unsupported value: "c": supported values: "a", "b"']),
    ({"type": "string", "pattern": "^[a-z]+$"}, "A1", ["spec.x: Invalid value: \"A1\": spec.x in body should match '^[a-z]+$'"]),
    ({"type": "string", "pattern": "[[:digit:]]"}, "a1", []),
    ({"type": "string", "minLength": 2}, "a", ['spec.x: Invalid value: "a": spec.x in body should be at least 2 chars long']),
    ({"type": "string", "maxLength": 2}, "abc", ["spec.x: Too long: may not be more than 2 bytes"]),
    ({"type": "integer", "minimum": 1}, 0, ["spec.x: Invalid value: 0: spec.x in body should be greater than or equal to 1"]),
    ({"type": "integer", "maximum": 5}, 6, ["spec.x: Invalid value: 6: spec.x in body should be less than or equal to 5"]),
    ({"type": "integer", "minimum": 1, "exclusiveMinimum": True}, 1, ["spec.x: Invalid value: 1: spec.x in body should be greater than 1"]),
    ({"type": "integer", "multipleOf": 5}, 7, ["spec.x: Invalid value: 7: spec.x in body should be a multiple of 5"]),
    ({"type": "array", "minItems": 1, "items": {"type": "string"}}, [], ["spec.x: Invalid value: []: spec.x in body should have at least 1 items"]),
    ({"type": "array", "maxItems": 1, "items": {"type": "string"}}, ["a", "b"], ["spec.x: Too many: 2: must have at most 1 items"]),
    ({"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}}, ["a", "a"], ['spec.x[1]: Duplicate value: "a"']),
    ({"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["n"], "items": {"type": "object", "properties": {"n": {"type": "string"}}}}, [{"n": "a"}, {"n": "a"}], ['spec.x[1]: Duplicate value: {"n":"a"}']),
    ({"type": "object", "required": ["y"], "properties": {"y": {"type": "string"}}}, {}, ["spec.x.y: Required value"]),
    ({"type": "object", "required": ["y"], "properties": {"y": {"type": "string", "default": "d"}}}, {}, []),
    ({"type": "string", "default": "d"}, None, []),
    ({"type": "object", "additionalProperties": {"type": "integer"}}, {"k": "v"}, ['spec.x.k: Invalid value: "string": spec.x.k in body must be of type integer: "string"']),
    ({"type": "object", "maxProperties": 1, "additionalProperties": {"type": "integer"}}, {"a": 1, "b": 2}, ["spec.x: Too many: 2: must have at most 1 items"]),
    ({"x-kubernetes-int-or-string": True}, "50%", []),
    ({"x-kubernetes-int-or-string": True}, True, ['spec.x: Invalid value: "boolean": spec.x in body must be of type integer,string: "boolean"']),
    ({"type": "object", "x-kubernetes-preserve-unknown-fields": True}, {"any": [1]}, []),
    ({"type": "string", "format": "date-time"}, "today", ['spec.x: Invalid value: "today": spec.x in body must be of type date-time: "today"']),
    ({"type": "string", "format": "date-time"}, "2026-11-01T00:00:00Z", []),
    ({"type": "string", "format": "ipv4"}, "1.2.3", ['spec.x: Invalid value: "1.2.3": spec.x in body must be of type ipv4: "1.2.3"']),
    ({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, {}, ['<nil>: Invalid value: "": "spec.x" must validate one and only one schema (oneOf). Found none valid']),
    ({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"a": "1"}, []),
    ({"type": "object", "properties": {"a": {"type": "string"}}, "anyOf": [{"required": ["a"]}, {"properties": {"a": {"enum": ["z"]}}}]}, {"a": "q"}, []),
    ({"type": "object", "properties": {"a": {"type": "string"}}, "anyOf": [{"required": ["b"]}, {"required": ["c"]}]}, {"a": "q"}, ['<nil>: Invalid value: "": "spec.x" must validate at least one schema (anyOf)']),
    ({"type": "object", "properties": {"a": {"type": "string"}}, "not": {"required": ["a"]}}, {"a": "1"}, ['<nil>: Invalid value: "": "spec.x" must not validate the schema (not)']),
]  # fmt: skip


@pytest.mark.parametrize(("keyword", "value", "expected"), CASES)
def test_keywords(keyword: Json, value: Any, expected: list[str]) -> None:
    """Each keyword is checked, in the words of the real server."""
    found = validation.check({"spec": {"x": value}}, schema_of(x=keyword), custom=True)
    assert found.errors == expected


def test_pruning() -> None:
    """What the schema does not know is dropped; metadata, kind and version are every object's."""
    schema = schema_of(
        known={"type": "string"},
        free={"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        map={"type": "object", "additionalProperties": {"type": "object", "properties": {"a": {"type": "string"}}}},
        list={"type": "array", "items": {"type": "object", "properties": {"a": {"type": "string"}}}},
        closed={"type": "object"},
    )
    base = {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "x", "labels": {"a": "b"}}}
    obj = base | {
        "spec": {
            "known": "k",
            "unknown": 1,
            "free": {"any": {"thing": 1}},
            "map": {"k": {"a": "1", "b": "2"}},
            "list": [{"a": "1", "b": "2"}],
            "closed": {"a": 1},
        },
        "status": {"a": 1},
    }
    assert validation.check(obj, schema, custom=True).unknown == [
        'unknown field "spec.unknown"',
        'unknown field "spec.map.k.b"',
        'unknown field "spec.list[0].b"',
        'unknown field "spec.closed.a"',
        'unknown field "status"',
    ]
    assert validation.prune(obj, schema) == base | {
        "spec": {
            "known": "k",
            "free": {"any": {"thing": 1}},
            "map": {"k": {"a": "1"}},
            "list": [{"a": "1"}],
            "closed": {},
        }
    }


def test_metadata_is_decoded_as_everywhere() -> None:
    """Labels of a custom resource are texts, whatever its schema says about them."""
    found = validation.check({"metadata": {"name": "x", "labels": {"a": 1}}, "spec": {}}, schema_of(), custom=True)
    where = "Go struct field ObjectMeta.metadata.labels"
    assert found.type_errors == [f"json: cannot unmarshal number into {where} of type string"]


def test_embedded_resource_keeps_what_every_object_has() -> None:
    """An embedded resource keeps its kind, version and metadata."""
    schema = schema_of(
        template={"type": "object", "x-kubernetes-embedded-resource": True, "properties": {"a": {"type": "string"}}}
    )
    obj = {"spec": {"template": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "a": "1", "b": "2"}}}
    expected = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "a": "1"}
    assert validation.prune(obj, schema)["spec"]["template"] == expected


def test_rules_in_cel_are_listed_and_not_evaluated() -> None:
    """A rule nobody here evaluates is named, so that its absence is no surprise."""
    raw = {
        "type": "object",
        "properties": {
            "spec": {"type": "object", "x-kubernetes-validations": [{"rule": "false"}], "properties": {"a": {}}}
        },
    }
    assert list(keywords.ignored(raw)) == ["properties.spec.x-kubernetes-validations"]
    assert validation.check({"spec": {}}, definitions.custom(raw), custom=True).errors == []
