"""What is served, in the documents clients ask for first: discovery, plain and aggregated, and OpenAPI.

Kubernetes documentation, "The Kubernetes API", sections "Discovery API" and "OpenAPI interface definition". Documents
are made when they are asked for and kept until the registry changes.
"""

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

from aiohttp import web

from hallmark.twin.cluster import statuses
from hallmark.twin.cluster.registry import Registry, Resource
from hallmark.twin.cluster.representations import JSON
from hallmark.twin.cluster.schema import openapi, swagger
from hallmark.twin.cluster.store import encode

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
SWAGGER = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
"""OpenAPI v2 in its binary form. Clients ask for it by an older name, which is no proper media type."""
SWAGGER_ASKED = frozenset({SWAGGER, SWAGGER.replace("v2.v1.0", "v2@v1.0")})
VERSION = {
    "major": "1",
    "minor": "35",
    "emulationMajor": "1",
    "emulationMinor": "35",
    "minCompatibilityMajor": "1",
    "minCompatibilityMinor": "34",
    "gitVersion": openapi.VERSION,
    "gitCommit": "0000000000000000000000000000000000000000",
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "none",
    "compiler": "none",
    "platform": "linux/amd64",
}
"""What ``kubectl version`` shows: the version of EKS that is stood in for."""
ROOTS = ("/api", "/api/v1", "/apis", "/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version")

Json = dict[str, Any]
GroupVersion = tuple[str, str]


class Discovery:
    """Answers what is served.

    Args:
        registry: Tells it.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._kept: dict[tuple[str, ...], tuple[bytes, str]] = {}
        self._kept_at = -1

    def paths(self, request: web.BaseRequest) -> web.Response:
        """``/``: all roots."""
        roots = [_root(*one) for one in self._registry.announced()]
        return _answer(request, *_tagged({"paths": sorted({*ROOTS, *roots})}))

    def legacy(self, request: web.BaseRequest) -> web.Response:
        """``/api``: the core group."""
        if _wants_aggregated(request):
            return self._aggregated(request, core=True)
        versions = {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
        return _answer(request, *_tagged(versions))

    def groups(self, request: web.BaseRequest) -> web.Response:
        """``/apis``: all other groups."""
        if _wants_aggregated(request):
            return self._aggregated(request, core=False)
        groups = {"kind": "APIGroupList", "apiVersion": "v1", "groups": list(self._groups().values())}
        return _answer(request, *_tagged(groups))

    def group(self, request: web.BaseRequest, name: str) -> web.Response:
        """``/apis/<group>``: its versions.

        Raises:
            Refusal: It is not served.
        """
        group = self._groups().get(name)
        if group is None:
            raise statuses.no_such_path()
        return _answer(request, *_tagged({"kind": "APIGroup", "apiVersion": "v1", **group}))

    def resources(self, request: web.BaseRequest, group: str, version: str) -> web.Response:
        """``/apis/<group>/<version>``: its resources.

        Raises:
            Refusal: It is not served.
        """
        found = self._registry.announced().get((group, version))
        if not found:
            raise statuses.no_such_path()
        name = f"{group}/{version}" if group else version
        listed = [one for resource in found for one in _listed(resource)]
        resources = {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": name, "resources": listed}
        return _answer(request, *_tagged(resources))

    def openapi_index(self, request: web.BaseRequest) -> web.Response:
        """``/openapi/v3``: where the documents are, each with a hash by which clients keep it."""
        paths = {
            _root(*one).strip("/"): {"serverRelativeURL": f"/openapi/v3{_root(*one)}?hash={_hash(one, resources)}"}
            for one, resources in self._registry.announced().items()
        }
        return _answer(request, *_tagged({"paths": paths}))

    def openapi_document(self, request: web.BaseRequest, group: str, version: str) -> web.Response:
        """``/openapi/v3/apis/<group>/<version>``: the document.

        Raises:
            Refusal: It is not served.
        """
        resources = self._registry.announced().get((group, version))
        if not resources:
            raise statuses.no_such_path()
        return _answer(request, *self._keep(("openapi", group, version), lambda: openapi.document(resources)))

    def swagger(self, request: web.BaseRequest) -> web.Response:
        """``/openapi/v2``: the one document of everything."""
        if request.headers.get("Accept", "").partition(",")[0].strip() in SWAGGER_ASKED:
            return _answer(request, *self._keep(("swagger", "binary"), self._swagger_bytes), content_type=SWAGGER)
        return _answer(request, *self._keep(("swagger",), self._swagger))

    def _swagger(self) -> Json:
        return swagger.document(one for resources in self._registry.announced().values() for one in resources)

    def _swagger_bytes(self) -> bytes:
        return swagger.encoded(self._swagger())

    def _aggregated(self, request: web.BaseRequest, *, core: bool) -> web.Response:
        body = self._keep(("aggregated", str(core)), lambda: _aggregated(self._registry, core=core))
        return _answer(request, *body, content_type=AGGREGATED)

    def _groups(self) -> dict[str, Json]:
        groups: dict[str, Json] = {}
        for group, version in self._registry.announced():
            if group:
                told = {"groupVersion": f"{group}/{version}", "version": version}
                groups.setdefault(group, {"name": group, "versions": [], "preferredVersion": told})["versions"].append(
                    told
                )
        return groups

    def _keep(self, key: tuple[str, ...], make: Callable[[], Json | bytes]) -> tuple[bytes, str]:
        if self._kept_at != self._registry.changes:
            self._kept, self._kept_at = {}, self._registry.changes
        if key not in self._kept:
            self._kept[key] = _tagged(make())
        return self._kept[key]


def _wants_aggregated(request: web.BaseRequest) -> bool:
    accept = request.headers.get("Accept", "").partition(",")[0].replace(" ", "")
    return "as=APIGroupDiscoveryList" in accept and "v=v2" in accept.split(";")


def _aggregated(registry: Registry, *, core: bool) -> Json:
    groups: dict[str, list[Json]] = {}
    for (group, version), resources in registry.announced().items():
        if (group == "") == core:
            told = {"version": version, "resources": [_discovered(one) for one in resources], "freshness": "Current"}
            groups.setdefault(group, []).append(told)
    items = [
        {"metadata": {"name": group, "creationTimestamp": None}, "versions": found} for group, found in groups.items()
    ]
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}


def _discovered(resource: Resource) -> Json:
    told: Json = {
        "resource": resource.plural,
        "responseKind": _kind(resource.group, resource.version, resource.kind),
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        told["shortNames"] = list(resource.short_names)
    if resource.categories:
        told["categories"] = list(resource.categories)
    if resource.subresources:
        told["subresources"] = [
            {
                "subresource": name,
                "responseKind": _kind(one["group"], one["version"], one["kind"]),
                "verbs": one["verbs"],
            }
            for name, one in resource.subresources.items()
        ]
    return told


def _listed(resource: Resource) -> Iterable[Json]:
    told: Json = {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        told["shortNames"] = list(resource.short_names)
    if resource.categories:
        told["categories"] = list(resource.categories)
    yield told
    for name, one in resource.subresources.items():
        told = {
            "name": f"{resource.plural}/{name}",
            "singularName": "",
            "namespaced": resource.namespaced,
            "kind": one["kind"],
            "verbs": one["verbs"],
        }
        if (one["group"], one["version"]) != (resource.group, resource.version):
            told |= {"group": one["group"], "version": one["version"]}
        yield told


def _kind(group: str, version: str, kind: str) -> Json:
    return {"group": group, "version": version, "kind": kind}


def _root(group: str, version: str) -> str:
    return f"/apis/{group}/{version}" if group else f"/api/{version}"


def _hash(one: GroupVersion, resources: list[Resource]) -> str:
    told = (VERSION["gitVersion"], *one, *(f"{resource.plural}{resource.hash}" for resource in resources))
    return hashlib.sha256("/".join(told).encode()).hexdigest().upper()


def _tagged(document: Json | bytes) -> tuple[bytes, str]:
    body = document if isinstance(document, bytes) else encode(document)
    return body, f'"{hashlib.sha256(body).hexdigest().upper()}"'


def _answer(request: web.BaseRequest, body: bytes, tag: str, content_type: str = JSON) -> web.Response:
    headers = {"ETag": tag, "Vary": "Accept", "Cache-Control": "public"}
    if request.headers.get("If-None-Match", "") in {tag, f"W/{tag}"}:
        return web.Response(status=304, headers=headers)
    return web.Response(body=body, headers={**headers, "Content-Type": content_type})
