"""OpenAPI v3 documents: one per group and version, as ``kubectl explain`` and clients that validate read them.

Source: Kubernetes documentation, "The Kubernetes API", OpenAPI V3; the shape of paths and schemas is the real server's.
"""

from collections.abc import Container, Iterable, Iterator
from typing import Any, Protocol

from hallmark.twin.cluster.schema import definitions
from hallmark.twin.cluster.schema.values import Json

VERSION = "v1.35.2"
"""Of Kubernetes."""
_REFERENCE = "#/components/schemas/"
_OWN = frozenset({"x-zero", "x-go"})
_METADATA = "apimachinery.pkg.apis.meta.v1."
_METHODS = {
    "get": ("get", "get"),
    "list": ("get", "list"),
    "create": ("post", "post"),
    "update": ("put", "put"),
    "patch": ("patch", "patch"),
    "delete": ("delete", "delete"),
}
"""Verb to HTTP method and the document's own word for it."""
_PATCHES = ("application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json")
_STRATEGIC = "application/strategic-merge-patch+json"
"""Not for custom resources; ``kubectl apply`` looks here which one to send."""


class Resource(Protocol):
    """What is asked about a resource."""

    @property
    def group(self) -> str:
        """API group, empty for the core group."""

    @property
    def version(self) -> str:
        """Version of the group."""

    @property
    def plural(self) -> str:
        """Name in paths."""

    @property
    def kind(self) -> str:
        """Kind of its objects."""

    @property
    def namespaced(self) -> bool:
        """Whether its objects are in namespaces."""

    @property
    def schema(self) -> definitions.Schema | None:
        """Schema of its objects; None if everything is allowed."""

    @property
    def subresources(self) -> Container[str]:
        """Names of its subresources."""


def document(resources: Iterable[Resource]) -> Json:
    """The document of one group and version.

    Args:
        resources: Everything served in the group and version.
    """
    served = list(resources)
    paths = {path: body for each in served for path, body in _paths(each)}
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": VERSION},
        "paths": paths,
        "components": {"schemas": schemas(served)},
    }


def schemas(resources: Iterable[Resource]) -> Json:
    """The schemas of resources and all they refer to, by their names in the document."""
    found: Json = {}
    for each in resources:
        found.update(_components(each))
    for name in ("DeleteOptions", "Patch", "Status"):
        _collect(_METADATA + name, found)
    return found


def _components(resource: Resource) -> Json:
    schema = resource.schema
    if schema is None:
        return {}
    if schema.definition:
        found: Json = {}
        _collect(schema.definition, found)
        listed = f"{schema.definition}List"
        if definitions.builtin(resource.group, resource.version, f"{resource.kind}List"):
            _collect(listed, found)
        return found
    found = {}
    _collect(f"{_METADATA}ObjectMeta", found)
    _collect(f"{_METADATA}ListMeta", found)
    body = _body(schema.raw)
    body["x-kubernetes-group-version-kind"] = [_kind(resource)]
    name = component(resource)
    found[name] = body
    found[f"{name}List"] = _custom_list(resource, name)
    return found


def component(resource: Resource) -> str:
    """Name of a resource's schema in the document."""
    if resource.schema is not None and resource.schema.definition:
        return f"io.k8s.{resource.schema.definition}"
    reverse = ".".join(reversed(resource.group.split(".")))
    return f"{reverse}.{resource.version}.{resource.kind}"


def _custom_list(resource: Resource, name: str) -> Json:
    items = {"type": "array", "items": {"$ref": _REFERENCE + name}}
    listed = {"group": resource.group, "version": resource.version, "kind": f"{resource.kind}List"}
    return {
        "type": "object",
        "description": f"{resource.kind}List is a list of {resource.kind}",
        "required": ["items"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "items": items,
            "metadata": {"allOf": [{"$ref": f"{_REFERENCE}io.k8s.{_METADATA}ListMeta"}]},
        },
        "x-kubernetes-group-version-kind": [listed],
    }


def _collect(name: str, into: Json) -> None:
    """Add a definition and all it refers to."""
    key = f"io.k8s.{name}"
    if key in into:
        return
    raw = definitions.definition(name)
    into[key] = _body(raw)
    for each in _references(raw):
        _collect(each, into)


def _references(raw: Any) -> Iterator[str]:
    if isinstance(raw, dict):
        if isinstance(raw.get("$ref"), str):
            yield raw["$ref"]
        for each in raw.values():
            yield from _references(each)
    elif isinstance(raw, list):
        for each in raw:
            yield from _references(each)


def _body(raw: Any) -> Any:
    """A schema as the document has it: what stands beside a reference makes it one of several."""
    if isinstance(raw, list):
        return [_body(each) for each in raw]
    if not isinstance(raw, dict):
        return raw
    body = {key: _properties(each) if key == "properties" else _body(each) for key, each in raw.items()}
    body = {key: each for key, each in body.items() if key not in _OWN}
    if not isinstance(body.get("$ref"), str):
        return body
    reference = {"$ref": f"{_REFERENCE}io.k8s.{body.pop('$ref')}"}
    return {"allOf": [reference], "default": {}, **body} if body else reference


def _properties(raw: Json) -> Json:
    return {name: _body(each) for name, each in raw.items()}


def _kind(resource: Resource) -> Json:
    return {"group": resource.group, "version": resource.version, "kind": resource.kind}


def _paths(resource: Resource) -> Iterator[tuple[str, Json]]:
    root = f"/apis/{resource.group}/{resource.version}" if resource.group else f"/api/{resource.version}"
    place = f"{root}/namespaces/{{namespace}}" if resource.namespaced else root
    parameters = [_parameter("namespace")] if resource.namespaced else []
    yield f"{place}/{resource.plural}", _operations(resource, ("list", "create"), parameters)
    named = [*parameters, _parameter("name")]
    one = _operations(resource, ("get", "update", "patch", "delete"), named)
    yield f"{place}/{resource.plural}/{{name}}", one
    if "status" in resource.subresources:
        yield f"{place}/{resource.plural}/{{name}}/status", _operations(resource, ("get", "update", "patch"), named)


def _operations(resource: Resource, verbs: Iterable[str], parameters: list[Json]) -> Json:
    return {"parameters": parameters, **{_METHODS[verb][0]: _operation(resource, verb) for verb in verbs}}


def _operation(resource: Resource, verb: str) -> Json:
    reference = {"$ref": _REFERENCE + component(resource)}
    answer = {"$ref": f"{reference['$ref']}List"} if verb == "list" else reference
    operation: Json = {
        "x-kubernetes-action": _METHODS[verb][1],
        "x-kubernetes-group-version-kind": _kind(resource),
        "responses": {"200": {"description": "OK", "content": {"application/json": {"schema": answer}}}},
    }
    if verb in ("create", "update", "patch"):
        names = ("fieldManager", "fieldValidation", "dryRun")
        operation["parameters"] = [_parameter(name, "query") for name in names]
        media = (*_PATCHES, *(() if _is_custom(resource) else (_STRATEGIC,))) if verb == "patch" else ("*/*",)
        body = {"$ref": f"{_REFERENCE}io.k8s.{_METADATA}Patch"} if verb == "patch" else reference
        operation["requestBody"] = {"content": {each: {"schema": body} for each in media}}
    return operation


def _is_custom(resource: Resource) -> bool:
    return resource.schema is None or not resource.schema.definition


def _parameter(name: str, place: str = "path") -> Json:
    return {"name": name, "in": place, "schema": {"type": "string"}} | ({"required": True} if place == "path" else {})
