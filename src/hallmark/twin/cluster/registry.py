"""Which resources are served: the built-in ones, and those that custom resource definitions add."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from hallmark.twin.cluster.schema import definitions

SHARED = {("events.k8s.io", "events"): "events"}
"""Resources that are another's objects under a second name."""
METRICS = "metrics.k8s.io"
VOLATILE = frozenset({f"nodes.{METRICS}", f"pods.{METRICS}"})
"""Storages of objects that are measured again, not kept."""
ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, eq=False)
class Resource:
    """One resource in one version.

    Attributes:
        group: API group, empty for the core group.
        version: Of the group.
        plural: Name in paths.
        kind: Kind of its objects.
        namespaced: Whether its objects live in namespaces.
        singular: Name for one of them.
        verbs: What can be done.
        short_names: For typing.
        categories: Groups of resources such as ``all``.
        subresources: By name: kind, group, version, verbs.
        schema: Schema of its objects.
        custom: Whether a custom resource definition made it.
        columns: Its printer columns, for custom ones.
        scale: Paths of the scale subresource, for custom ones.
        hash: Changes when the definition changes, for custom ones.
    """

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool
    singular: str = ""
    verbs: Sequence[str] = ALL_VERBS
    short_names: Sequence[str] = ()
    categories: Sequence[str] = ()
    subresources: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    schema: definitions.Schema = definitions.ANY
    custom: bool = False
    columns: list[dict[str, Any]] | None = None
    scale: Mapping[str, str] = field(default_factory=dict)
    hash: str = ""

    @cached_property
    def api_version(self) -> str:
        """As in an object's ``apiVersion``."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @cached_property
    def storage(self) -> str:
        """Name of the storage, the same for all versions."""
        own = f"{self.plural}.{self.group}" if self.group else self.plural
        return SHARED.get((self.group, self.plural), own)

    @cached_property
    def root(self) -> str:
        """Path of its group and version."""
        return f"/apis/{self.api_version}" if self.group else f"/api/{self.version}"


class Registry:
    """All resources that are served."""

    def __init__(self) -> None:
        self._resources: dict[tuple[str, str, str], Resource] = {}
        self._hidden = {METRICS}
        self.changes = 0
        """Counts changes; whoever keeps something made from the registry compares it."""
        for resource in (*_built_in(), *_metrics()):
            self.add(resource)

    def find(self, group: str, version: str, plural: str) -> Resource | None:
        """The resource at a path."""
        return self._resources.get((group, version, plural))

    def of_kind(self, group: str, version: str, kind: str) -> Resource | None:
        """The resource of a kind of object."""
        matching = (
            one for one in self._resources.values() if (one.group, one.version, one.kind) == (group, version, kind)
        )
        return next(matching, None)

    def of_storage(self, storage: str) -> Resource | None:
        """A resource whose objects are kept there."""
        return next((one for one in self._resources.values() if one.storage == storage), None)

    def all(self) -> Iterable[Resource]:
        """Every resource, announced or not."""
        return self._resources.values()

    def announced(self) -> dict[tuple[str, str], list[Resource]]:
        """Resources that discovery tells of, by group and version, the core group first."""
        found: dict[tuple[str, str], list[Resource]] = {}
        for resource in self._resources.values():
            if resource.group not in self._hidden:
                found.setdefault((resource.group, resource.version), []).append(resource)
        return found

    def add(self, resource: Resource) -> None:
        """Serve a resource, in place of one at the same path."""
        self._resources[resource.group, resource.version, resource.plural] = resource
        self.changes += 1

    def drop(self, group: str, plural: str) -> None:
        """Serve a custom resource no more, in no version."""
        for key in [key for key in self._resources if (key[0], key[2]) == (group, plural)]:
            del self._resources[key]
        self.changes += 1

    def announce(self, group: str, *, visible: bool) -> None:
        """Tell of a group in discovery, or do not."""
        if visible == (group in self._hidden):
            self._hidden ^= {group}
            self.changes += 1


def _built_in() -> Iterable[Resource]:
    for one in definitions.discovery():
        yield Resource(
            group=one["group"],
            version=one["version"],
            plural=one["resource"],
            kind=one["kind"],
            namespaced=one["namespaced"],
            singular=one["singular"],
            verbs=one["verbs"],
            short_names=one["shortNames"],
            categories=one["categories"],
            subresources={sub["name"]: sub for sub in one["subresources"]},
            schema=definitions.builtin(one["group"], one["version"], one["kind"]) or definitions.ANY,
        )


def _metrics() -> Iterable[Resource]:
    # Announced once somebody registers the group, as Metrics Server does with its APIService.
    yield Resource(METRICS, "v1beta1", "nodes", "NodeMetrics", namespaced=False)
    yield Resource(METRICS, "v1beta1", "pods", "PodMetrics", namespaced=True)
