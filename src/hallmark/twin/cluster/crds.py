"""CustomResourceDefinitions: what they say becomes resources that are served at once.

Kubernetes documentation, "Extend the Kubernetes API with CustomResourceDefinitions". Versions are shown as they are
stored (conversion strategy ``None``); CEL rules are not evaluated.
"""

import hashlib
import re
from collections.abc import Iterator
from typing import Any

from hallmark.twin.cluster import statuses
from hallmark.twin.cluster.changes import DELETED, Event
from hallmark.twin.cluster.metadata import now
from hallmark.twin.cluster.registry import Registry, Resource
from hallmark.twin.cluster.schema import definitions
from hallmark.twin.cluster.store import encode

Json = dict[str, Any]

GROUP = "apiextensions.k8s.io"
STORAGE = f"customresourcedefinitions.{GROUP}"
CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
"""Finalizer: a definition goes after its last object."""
VERSION = re.compile(r"v(?P<major>\d+)((?P<stability>alpha|beta)(?P<minor>\d+))?")
AGE = {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}


def complete(definition: Json) -> None:
    """Complete a definition, in place: names and status, so that it is established from the first moment.

    Raises:
        Refusal: It lacks what it cannot be served without.
    """
    spec = definition.get("spec") or {}
    names = spec.get("names") or {}
    needed = {"group": spec, "scope": spec, "versions": spec, "kind": names, "plural": names}
    lacking = [name for name, place in needed.items() if not place.get(name)]
    if lacking:
        errors = [f"spec.{'names.' if needed[name] is names else ''}{name}: Required value" for name in lacking]
        raise statuses.invalid(GROUP, "CustomResourceDefinition", definition["metadata"]["name"], errors)
    spec.setdefault("conversion", {"strategy": "None"})
    metadata = definition["metadata"]
    if "deletionTimestamp" not in metadata:
        metadata["finalizers"] = list(dict.fromkeys([*(metadata.get("finalizers") or ()), CLEANUP]))
    stored = [version["name"] for version in spec["versions"] if version.get("storage")]
    status = definition.get("status") or {}
    definition["status"] = {
        "acceptedNames": dict(names),
        "conditions": status.get("conditions") or _conditions(),
        "storedVersions": list(dict.fromkeys([*status.get("storedVersions", ()), *stored])),
    }


def follow(registry: Registry, event: Event) -> None:
    """Serve what a stored definition says; to be called with every change."""
    if event.storage == STORAGE:
        spec = event.entry.object["spec"]
        registry.drop(spec["group"], spec["names"]["plural"])
        if event.type != DELETED:
            serve(registry, event.entry.object)


def serve(registry: Registry, definition: Json) -> None:
    """Serve the resources of a definition."""
    for resource in _resources(definition):
        registry.add(resource)


def _resources(definition: Json) -> Iterator[Resource]:
    spec = definition["spec"]
    names = spec["names"]
    digest = hashlib.sha256(encode(spec)).hexdigest()
    for version in _by_priority(spec["versions"]):
        if not version.get("served"):
            continue
        subresources = version.get("subresources") or {}
        yield Resource(
            group=spec["group"],
            version=version["name"],
            plural=names["plural"],
            kind=names["kind"],
            namespaced=spec["scope"] == "Namespaced",
            singular=names["singular"],
            short_names=names.get("shortNames") or (),
            categories=names.get("categories") or (),
            subresources={
                name: _subresource(spec, version, name) for name in ("status", "scale") if name in subresources
            },
            schema=definitions.custom((version.get("schema") or {}).get("openAPIV3Schema") or {"type": "object"}),
            custom=True,
            columns=version.get("additionalPrinterColumns") or [AGE],
            scale=subresources.get("scale") or {},
            hash=digest,
        )


def _by_priority(versions: list[Json]) -> list[Json]:
    return sorted(versions, key=lambda version: _priority(version["name"]))


def _priority(version: str) -> tuple[int, int, int, str]:
    # Kubernetes documentation, "Versions in CustomResourceDefinitions", section "Version priority".
    found = VERSION.fullmatch(version)
    if not found:
        return 3, 0, 0, version
    stability = {None: 0, "beta": 1, "alpha": 2}[found["stability"]]
    return stability, -int(found["major"]), -int(found["minor"] or 0), version


def _subresource(spec: Json, version: Json, name: str) -> Json:
    verbs = ["get", "patch", "update"]
    if name == "scale":
        return {"name": name, "kind": "Scale", "group": "autoscaling", "version": "v1", "verbs": verbs}
    kind = spec["names"]["kind"]
    return {"name": name, "kind": kind, "group": spec["group"], "version": version["name"], "verbs": verbs}


def _conditions() -> list[Json]:
    return [
        {
            "type": "NamesAccepted",
            "status": "True",
            "lastTransitionTime": now(),
            "reason": "NoConflicts",
            "message": "no conflicts found",
        },
        {
            "type": "Established",
            "status": "True",
            "lastTransitionTime": now(),
            "reason": "InitialNamesAccepted",
            "message": "the initial names have been accepted",
        },
    ]
