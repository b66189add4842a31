"""The objects of the cluster, as lists; every other view of Kubernetes reads them here.

Objects are found by labels, selectors, references and owners, never by names that a chart or a person chose.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from hallmark.errors import NotApplicable
from hallmark.model import Call
from hallmark.views.base import View, cached_property

Object = Mapping[str, Any]
"""A Kubernetes object as the API gives it, masked."""


class Cluster(View):
    """What the API server serves, and its objects."""

    @property
    def namespace(self) -> str:
        """The namespace of the release."""
        return self.scope("namespace")

    @cached_property
    def version(self) -> tuple[int, int]:
        """Major and minor version of the API server, for example ``(1, 35)``."""
        git_version = self.ask("kubernetes", "version")["gitVersion"]
        major, minor, *_ = git_version.removeprefix("v").split(".")
        return int(major), int(minor)

    @cached_property
    def resources(self) -> Mapping[str, list[str]]:
        """Served resources by group and version: ``{"v1": ["pods", …], "apps/v1": […]}``."""
        served: Mapping[str, list[str]] = self.ask("kubernetes", "discovery")["resources"]
        return served

    def served_version(self, group: str, resource: str) -> str:
        """Return the version of *group* in which *resource* is served, the stable ones first; empty when it is not."""
        prefix = f"{group}/"
        versions = [name.removeprefix(prefix) for name, names in self.resources.items() if name.startswith(prefix)
                    and resource in names]  # fmt: skip
        return min(versions, key=_instability, default="")

    def require(self, group: str, resource: str, what: str) -> None:
        """Make sure that this kind of cluster can have *what* at all.

        Raises:
            NotApplicable: The API server has no such resource built in, so nobody could install it.
        """
        if not self.served_version(group, resource):
            raise NotApplicable(f"This cluster's API server has no {resource} of {group}, so it cannot have {what}.")

    def objects(self, resource: str, group: str = "", version: str = "v1", namespace: str = "") -> list[Object]:
        """Return the objects of a resource, of all namespaces unless one is given; none when it is not served."""
        found = self.ask_or({"items": []}, "kubernetes", "list", **_place(resource, group, version, namespace))
        items: list[Object] = found["items"]
        return items

    def custom(self, group: str, resource: str, namespace: str = "") -> list[Object]:
        """Return the objects of a resource that may not be installed; none when it is not."""
        version = self.served_version(group, resource)
        return self.objects(resource, group, version, namespace) if version else []

    def announce(self, resources: Iterable[tuple[str, str, str]]) -> None:
        """Announce lists that will be asked for, as resource, group and namespace, so that they come together."""
        places = [_place(resource, group, "v1", namespace) for resource, group, namespace in resources]
        self.evidence.need([Call.of("kubernetes", "list", **place) for place in places])

    @cached_property
    def pods(self) -> list[Object]:
        """All pods that have not ended."""
        return [pod for pod in self.objects("pods") if pod["status"].get("phase") not in {"Succeeded", "Failed"}]

    @cached_property
    def controllers(self) -> list[Object]:
        """All Deployments, StatefulSets and DaemonSets, each with its ``kind``."""
        kinds = {"deployments": "Deployment", "statefulsets": "StatefulSet", "daemonsets": "DaemonSet"}
        self.announce((resource, "apps", "") for resource in kinds)
        return [{**one, "kind": kind} for resource, kind in kinds.items() for one in self.objects(resource, "apps")]

    @cached_property
    def services(self) -> list[Object]:
        """All Services."""
        return self.objects("services")

    @cached_property
    def addresses(self) -> frozenset[str]:
        """Where Services, pods and nodes are reached other than by a name of cluster DNS."""
        spoken = [address for service in self.services for address in _addresses_of(service)]
        pods = [one["ip"] for pod in self.pods for one in pod["status"].get("podIPs") or []]
        nodes = [one["address"] for node in self.objects("nodes") for one in node["status"].get("addresses") or []]
        return frozenset(address.lower() for address in (*spoken, *pods, *nodes))


def name_of(value: Object) -> str:
    """Return an object's name."""
    return str(value["metadata"]["name"])


def namespace_of(value: Object) -> str:
    """Return an object's namespace; empty for one that has none."""
    return str(value["metadata"].get("namespace", ""))


def labels_of(value: Object) -> Mapping[str, str]:
    """Return an object's labels."""
    return value["metadata"].get("labels") or {}


def annotations_of(value: Object) -> Mapping[str, str]:
    """Return an object's annotations."""
    return value["metadata"].get("annotations") or {}


def condition(value: Object, kind: str) -> Mapping[str, Any]:
    """Return the condition *kind* of an object's status; empty when it has none."""
    conditions: list[Mapping[str, Any]] = value.get("status", {}).get("conditions") or []
    return next((one for one in conditions if one["type"] == kind), {})


def is_true(value: Object, kind: str) -> bool:
    """Whether the condition *kind* of an object holds."""
    return condition(value, kind).get("status") == "True"


def selects(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether a label selector, or a Service's plain map, takes *labels*; an empty or missing one takes nothing.

    Kubernetes lets an empty selector take everything where a list is asked for, but no workload and no Service
    means that.
    """
    if not selector:
        return False
    if "matchLabels" not in selector and "matchExpressions" not in selector:
        return _includes(labels, selector)
    expressions = selector.get("matchExpressions") or []
    return _includes(labels, selector.get("matchLabels") or {}) and all(_meets(labels, one) for one in expressions)


def _includes(labels: Mapping[str, str], wanted: Mapping[str, Any]) -> bool:
    return wanted.items() <= labels.items()


def _meets(labels: Mapping[str, str], expression: Mapping[str, Any]) -> bool:
    key, values = expression["key"], expression.get("values") or []
    match expression["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case _:
            return key not in labels


def _addresses_of(service: Object) -> list[str]:
    spec = service["spec"]
    balancers = service.get("status", {}).get("loadBalancer", {}).get("ingress") or []
    outside = [one.get("hostname") or one.get("ip", "") for one in balancers]
    return [*(spec.get("clusterIPs") or [spec.get("clusterIP", "")]), *(spec.get("externalIPs") or []), *outside]


def _place(resource: str, group: str, version: str, namespace: str) -> dict[str, str]:
    place = {"resource": resource, "group": group, "version": version, "namespace": namespace}
    return {name: value for name, value in place.items() if value}


def _instability(version: str) -> tuple[int, str]:
    """``v1`` before ``v1beta1`` before ``v1alpha1``."""
    return ("alpha" in version) * 2 + ("beta" in version), version
