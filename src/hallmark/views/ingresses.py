"""The way in as Kubernetes describes it: Ingress, its class, the Service behind it, and the load balancer in front."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hallmark.views.balancers import Balancer, plain_name
from hallmark.views.base import View, cached_property, tags
from hallmark.views.cluster import Object, annotations_of, name_of, namespace_of, selects
from hallmark.views.edge import Record
from hallmark.views.workloads import Workload

CONTROLLER = "ingress.k8s.aws/alb"
"""What an IngressClass of the AWS Load Balancer Controller names as its controller."""
_LEGACY_CLASS = "kubernetes.io/ingress.class"
_GROUP = "k8s-elb-"
"""How names of security groups begin that the AWS cloud provider makes for a Service; the load balancer's follows."""


@dataclass(frozen=True)
class Route:
    """One path of an Ingress.

    Attributes:
        host: The host it asks for; empty: any.
        path: The path.
        is_prefix: Whether everything below the path is taken, too.
        service: The Service it leads to.
    """

    host: str
    path: str
    is_prefix: bool
    service: str

    @property
    def is_whole(self) -> bool:
        """Whether it takes every path."""
        return self.path == "/" and self.is_prefix

    def takes(self, host: str) -> bool:
        """Whether a request for *host* is taken; a wildcard stands for one label (Ingress, "Hostname wildcards")."""
        wildcard = self.host.startswith("*.") and host.partition(".")[2] == self.host[2:]
        return self.host in {"", host} or wildcard


@dataclass(frozen=True)
class Entry:
    """One Ingress.

    Attributes:
        name: Its name.
        namespace: Its namespace.
        is_alb: Whether the AWS Load Balancer Controller serves it.
        class_name: Name of its class, or empty.
        routes: Its paths; a default backend is one for any host and path, and the last.
        addresses: Host names of its load balancers, as its status says.
    """

    name: str
    namespace: str
    is_alb: bool
    class_name: str
    routes: tuple[Route, ...]
    addresses: tuple[str, ...]

    @property
    def look(self) -> str:
        """The command that shows it."""
        return f"kubectl -n {self.namespace} describe ingress {self.name}"

    def leads(self, host: str, services: Collection[str]) -> bool:
        """Whether everything on *host* is led to one of *services*: of several routes the first counts."""
        found = [route.service for route in self.routes if route.is_whole and route.takes(host)]
        return bool(found) and found[0] in services


class Ingresses(View):
    """Ingresses and Services of the release's namespace."""

    @cached_property
    def all(self) -> tuple[Entry, ...]:
        """Every Ingress of the namespace."""
        cluster = self.views.cluster
        cluster.announce([("ingresses", "networking.k8s.io", cluster.namespace),
                          ("ingressclasses", "networking.k8s.io", "")])  # fmt: skip
        listed = cluster.objects("ingresses", "networking.k8s.io", namespace=cluster.namespace)
        return tuple(self._entry(one) for one in listed)

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """Ingresses of class ALB that lead everything on some host to the frontend."""
        frontends = {name_of(service) for service in self.frontends}
        return tuple(
            one
            for one in self.all
            if one.is_alb and any(route.is_whole and route.service in frontends for route in one.routes)
        )

    @cached_property
    def entry(self) -> Entry | None:
        """The Ingress that leads the host to the frontend; of several, the first; None when there is none at all."""
        host, frontends = self.views.edge.host, {name_of(service) for service in self.frontends}
        return next((one for one in self.entries if one.leads(host, frontends)), None)

    @cached_property
    def frontends(self) -> list[Object]:
        """Services that select the pods of the frontend."""
        frontend = self.views.workloads.component("frontend")
        return self.services_of(frontend) if frontend else []

    def services_of(self, workload: Workload) -> list[Object]:
        """Return the Services that select the pods of *workload*."""
        return [
            service
            for service in self.views.cluster.services
            if namespace_of(service) == workload.namespace
            and selects(service["spec"].get("selector"), workload.pod_labels)
        ]

    @cached_property
    def exposed(self) -> list[Object]:
        """Services of the namespace that have a load balancer of their own."""
        services = self.views.cluster.services
        own = [service for service in services if namespace_of(service) == self.views.cluster.namespace]
        return [service for service in own if service["spec"].get("type") == "LoadBalancer"]

    @cached_property
    def service_balancers(self) -> tuple[Balancer, ...]:
        """Load balancers in AWS that were made for Services of the namespace, whatever became of those."""
        prefix = f"{self.views.cluster.namespace}/"
        return tuple(one for one in self.views.edge.balancers if one.service.startswith(prefix))

    @cached_property
    def service_groups(self) -> tuple[str, ...]:
        """Ids of security groups in AWS that were made for such load balancers, whatever became of those.

        AWS Load Balancer Controller tags them with the Service. The AWS cloud provider tags them with the cluster only,
        but of a Service that is still there the name can be told.
        """
        services, namespace = self.views.cluster.services, self.views.cluster.namespace
        foreign = {_GROUP + _balancer_of(one) for one in services if namespace_of(one) != namespace}
        owned = f"kubernetes.io/cluster/{self.scope('cluster')}"
        return tuple(
            group
            for group, raw in self.views.network.security_groups.items()
            if tags(raw).get("service.k8s.aws/stack", "").startswith(f"{namespace}/")
            or (raw["GroupName"].startswith(_GROUP) and raw["GroupName"] not in foreign and owned in tags(raw))
        )

    @cached_property
    def balancer(self) -> Balancer | None:
        """The load balancer in AWS whose name the Ingress got; None when there is none."""
        addresses = {plain_name(address) for address in (self.entry.addresses if self.entry else ())}
        return next((one for one in self.views.edge.balancers if one.dns in addresses), None)

    @cached_property
    def balancers(self) -> tuple[Balancer, ...]:
        """Every load balancer in AWS whose name an Ingress of the namespace got."""
        addresses = {plain_name(address) for one in self.all for address in one.addresses}
        return tuple(one for one in self.views.edge.balancers if one.dns in addresses)

    @cached_property
    def others(self) -> tuple[Entry, ...]:
        """Ingresses that another controller serves, and that lead to the frontend."""
        frontends = {name_of(service) for service in self.frontends}
        found = (one for one in self.all if one.class_name and not one.is_alb and one.addresses)
        return tuple(one for one in found if any(route.service in frontends for route in one.routes))

    @cached_property
    def records(self) -> tuple[Record, ...]:
        """The DNS records of the host that its users meet."""
        balancer, edge = self.balancer, self.views.edge
        internal = balancer is not None and balancer.scheme == "internal"
        return tuple(r for r in edge.records if r.is_private == internal) or edge.records

    def _entry(self, value: Object) -> Entry:
        spec = value["spec"]
        class_name = spec.get("ingressClassName") or annotations_of(value).get(_LEGACY_CLASS, "")
        balancers = value.get("status", {}).get("loadBalancer", {}).get("ingress") or []
        return Entry(
            name=name_of(value),
            namespace=namespace_of(value),
            is_alb=self._is_alb(class_name),
            class_name=class_name,
            routes=tuple(_routes(spec)),
            addresses=tuple(str(one["hostname"]) for one in balancers if one.get("hostname")),
        )

    def _is_alb(self, class_name: str) -> bool:
        classes = self.views.cluster.objects("ingressclasses", "networking.k8s.io")
        named = [one["spec"].get("controller") for one in classes if name_of(one) == class_name]
        # The controller also takes the class "alb" when nobody made an IngressClass of that name.
        return named == [CONTROLLER] or (class_name == "alb" and not named)


def _balancer_of(service: Object) -> str:
    """Return what the load balancer of a Service is called: ``a`` and its uid, without dashes (cloud-provider)."""
    return f"a{service['metadata']['uid'].replace('-', '')}"[:32]


def _routes(spec: Mapping[str, Any]) -> Iterator[Route]:
    for rule in spec.get("rules") or []:
        for path in rule.get("http", {}).get("paths") or []:
            if service := path["backend"].get("service"):
                yield Route(rule.get("host", "").lower(), *_path(path), service["name"])
    if service := spec.get("defaultBackend", {}).get("service"):
        yield Route("", "/", is_prefix=True, service=service["name"])


def _path(raw: Mapping[str, Any]) -> tuple[str, bool]:
    """A path, and whether everything below it is taken: what is no prefix is a pattern of the load balancer's."""
    text, kind = raw.get("path", ""), raw.get("pathType", "ImplementationSpecific")
    if kind == "ImplementationSpecific" and (not text or text.endswith("/*")):
        return text[:-2] or "/", True
    return text or "/", kind == "Prefix"
