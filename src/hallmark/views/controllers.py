"""What runs beside the release and keeps it going: autoscaler, metrics, log agent, and gateways that should not be.

A controller is known by its label, or where charts differ by the image it runs. What it reports about itself is
read where its form is fixed by the controller.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from hallmark.errors import Unobservable
from hallmark.views.base import View, cached_property
from hallmark.views.cluster import Object, annotations_of, condition, labels_of, name_of
from hallmark.views.workloads import Workload, workload

METRICS_SERVICE = "v1beta1.metrics.k8s.io"
"""The API service of the resource metrics, as Kubernetes names it."""
AUTOSCALER_STATUS = "cluster-autoscaler-status"
"""The ConfigMap in which Cluster Autoscaler reports (its FAQ, "How can I check what is going on")."""
_UPDATED = "cluster-autoscaler.kubernetes.io/last-updated"
_GATEWAYS = (
    ("gateway.networking.k8s.io", "httproutes"),
    ("gateway.networking.k8s.io", "grpcroutes"),
    ("gateway.networking.k8s.io", "tlsroutes"),
    ("gateway.networking.k8s.io", "tcproutes"),
    ("networking.istio.io", "virtualservices"),
)
_HEALTH = re.compile(r"^\s+(?:health:\s*\n\s+status:|Health:)\s*(?P<status>\w+)", re.MULTILINE)
"""Health of the whole cluster comes first, in YAML since 1.30 and in plain text before."""
_GROUPS = re.compile(r"^\s*(?:-\s+)?[nN]ame:\s*[\"']?(?P<name>[^\s\"']+)", re.MULTILINE)
"""Each node group by its name, in both forms; on AWS that is the name of its Auto Scaling group."""
_SHIPPERS = re.compile(r"fluent-?bit|fluentd|vector")
_COLLECTORS = re.compile(r"cloudwatch-agent|opentelemetry-collector|otelcol")
_NAMES = ("app.kubernetes.io/name", "k8s-app", "app")


@dataclass(frozen=True)
class AutoscalerReport:
    """What Cluster Autoscaler last said: its health, how many seconds before the evidence, and of which groups."""

    health: str
    seconds_old: float
    groups: frozenset[str]


class Controllers(View):
    """Controllers, wherever in the cluster they run."""

    @cached_property
    def autoscalers(self) -> tuple[Workload, ...]:
        """Cluster Autoscaler."""
        return self._running(re.compile(r"cluster-autoscaler"), re.compile(r"(^|/)cluster-autoscaler[:@-]"))

    @cached_property
    def autoscaler_report(self) -> AutoscalerReport | None:
        """Its last report; None when it has never written one.

        Raises:
            Unobservable: The report does not say when it was written.
        """
        namespaces = dict.fromkeys(["kube-system", *(one.namespace for one in self.autoscalers)])
        asked = {"version": "v1", "resource": "configmaps", "name": AUTOSCALER_STATUS}
        found = [self.ask_or(None, "kubernetes", "get", namespace=namespace, **asked) for namespace in namespaces]
        # One that has moved to another namespace leaves its old report behind.
        return min(map(self._report, filter(None, found)), key=lambda one: one.seconds_old, default=None)

    def _report(self, found: Object) -> AutoscalerReport:
        status = found.get("data", {}).get("status", "")
        health, groups = _HEALTH.search(status), frozenset(_GROUPS.findall(status))
        written = _time(annotations_of(found).get(_UPDATED, ""))
        age = (datetime.fromisoformat(self.evidence.collected_at) - written).total_seconds()
        return AutoscalerReport(health["status"] if health else "Initializing", age, groups)

    @cached_property
    def metrics_state(self) -> str:
        """Why the metrics API is not available, in the word of Kubernetes; empty when it is."""
        self.views.cluster.require("apiregistration.k8s.io", "apiservices", "a Metrics Server")
        services = self.views.cluster.objects("apiservices", "apiregistration.k8s.io")
        own = next((one for one in services if name_of(one) == METRICS_SERVICE), None)
        if own is None:
            return "no API service of that name"
        found = condition(own, "Available")
        return "" if found.get("status") == "True" else str(found.get("reason") or "no status")

    @cached_property
    def log_shippers(self) -> tuple[Workload, ...]:
        """DaemonSets that ship the logs of containers.

        Fluent Bit, Fluentd and Vector are there for that alone. The CloudWatch agent and OpenTelemetry collectors may
        be there for figures only: they count when they have the nodes' log folder mounted.
        """
        daemons = [one for one in self._running(None, _SHIPPERS) if one.kind == "DaemonSet"]
        others = [one for one in self._running(None, _COLLECTORS) if one.kind == "DaemonSet" and _reads_logs(one)]
        return (*daemons, *others)

    @cached_property
    def identity_agents(self) -> tuple[Workload, ...]:
        """The agents that give pods the role of an EKS Pod Identity association."""
        name = re.compile(r"eks-pod-identity-agent")
        return tuple(one for one in self._running(name, name) if one.kind == "DaemonSet")

    @cached_property
    def routes_around(self) -> tuple[str, ...]:
        """Gateway routes and virtual services in the release's namespace: other ways in than an Ingress."""
        cluster = self.views.cluster
        return tuple(
            f"{resource.removesuffix('s')} {name_of(one)}"
            for group, resource in _GATEWAYS
            for one in cluster.custom(group, resource, cluster.namespace)
        )

    @cached_property
    def gateway_classes(self) -> tuple[str, ...]:
        """Gateway controllers that are set up in the cluster."""
        return tuple(name_of(one) for one in self.views.cluster.custom("gateway.networking.k8s.io", "gatewayclasses"))

    def _running(self, label: re.Pattern[str] | None, image: re.Pattern[str]) -> tuple[Workload, ...]:
        found = [(one, workload(one)) for one in self.views.cluster.controllers]
        return tuple(
            each
            for raw, each in found
            if (label and any(label.search(labels_of(raw).get(name, "")) for name in _NAMES))
            or any(image.search(container.get("image", "")) for container in each.containers)
        )


def _reads_logs(agent: Workload) -> bool:
    paths = [volume["hostPath"]["path"] for volume in agent.pod.get("volumes", []) if "hostPath" in volume]
    return any(path.rstrip("/") in {"/var", "/var/log", "/var/log/pods", "/var/log/containers"} for path in paths)


def _time(text: str) -> datetime:
    """Read the time as Go writes it: ``2026-11-24 12:00:00.123456789 +0000 UTC``."""
    found = re.match(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(\.\d+)? ([+-]\d{4})", text)
    if not found:
        raise Unobservable("malformed", f"{AUTOSCALER_STATUS} does not say when it was written")
    return datetime.strptime(f"{found[1]} {found[3]}", "%Y-%m-%d %H:%M:%S %z").astimezone(UTC)
