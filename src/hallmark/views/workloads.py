"""The workloads of the release: what is to run, what runs, and what its containers are told.

A workload belongs to the release by its labels, and its pods by its selector. Which part of the application it is,
is said by the component label that the chart puts on pods and selectors only (LangSmith chart 0.16).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hallmark.views.base import View, cached_property
from hallmark.views.cluster import Object, is_true, labels_of, name_of, namespace_of, selects

APPLICATION = ("frontend", "backend", "platform-backend", "queue", "ingest-queue", "playground", "ace-backend")
"""The seven application workloads of the reference."""
USING_BUCKET = ("backend", "platform-backend", "queue", "ingest-queue")
"""Those that read and write the bucket."""
_INSTANCE, _COMPONENT = "app.kubernetes.io/instance", "app.kubernetes.io/component"


@dataclass(frozen=True)
class Variable:
    """What a container gets as one environment variable.

    Attributes:
        name: Its name.
        facts: Of a literal or ConfigMap entry: ``value``, perhaps ``leak`` and ``url``.
        secret: Name of the Secret it comes from, or empty.
        key: Key of that Secret.
        is_optional: Whether the container starts without it.
    """

    name: str
    facts: Mapping[str, Any]
    secret: str = ""
    key: str = ""
    is_optional: bool = False

    @property
    def value(self) -> str:
        """The literal value, as far as it was kept."""
        return str(self.facts.get("value", ""))


@dataclass(frozen=True)
class Workload:
    """One Deployment, StatefulSet or DaemonSet.

    Attributes:
        kind: Which of them.
        name: Its name.
        namespace: Its namespace.
        component: Value of its component label, or empty.
        wanted: Pods it is to have.
        ready: Pods that are ready.
        is_current: Whether its controller has seen the newest version, and all pods are of it, with none left over.
        selector: Selects its pods.
        pod: The pod specification of its template.
        pod_labels: Labels of its pods.
        claims: Volume claim templates by name.
    """

    kind: str
    name: str
    namespace: str
    component: str
    wanted: int
    ready: int
    is_current: bool
    selector: Mapping[str, Any]
    pod: Mapping[str, Any]
    pod_labels: Mapping[str, str]
    claims: Mapping[str, Object]

    @property
    def is_ready(self) -> bool:
        """Whether everything it is to run runs, and it is to run something."""
        return self.is_current and self.ready == self.wanted > 0

    @property
    def where(self) -> str:
        """What a person looks for."""
        return f"{self.kind} {self.namespace}/{self.name}"

    @property
    def look(self) -> str:
        """The command that shows it."""
        return f"kubectl -n {self.namespace} describe {self.kind.lower()} {self.name}"

    @property
    def service_account(self) -> str:
        """The service account of its pods."""
        return str(self.pod.get("serviceAccountName") or "default")

    @property
    def containers(self) -> list[Mapping[str, Any]]:
        """Its containers, without those that only prepare."""
        found: list[Mapping[str, Any]] = self.pod["containers"]
        return found

    @property
    def all_containers(self) -> list[Mapping[str, Any]]:
        """Its containers and init containers."""
        return [*self.containers, *self.pod.get("initContainers", [])]

    @property
    def leaks(self) -> list[tuple[str, str]]:
        """What its commands give away: names of containers, and kinds of secrets."""
        return [(one["name"], kind) for one in self.all_containers for kind in one.get("leaks", [])]


@dataclass(frozen=True)
class Ending:
    """The last time a container ended and was started again.

    Attributes:
        pod: Namespace and name of its pod.
        container: Its name.
        reason: Why, in the word of the kubelet, for example ``OOMKilled``.
        seconds_ago: Seconds before the evidence was taken.
    """

    pod: str
    container: str
    reason: str
    seconds_ago: float


class Workloads(View):
    """The workloads of the release."""

    @cached_property
    def all(self) -> tuple[Workload, ...]:
        """Every workload that carries the release's label, in its namespace."""
        release = self.scope("release")
        return tuple(
            workload(one)
            for one in self.views.cluster.controllers
            if namespace_of(one) == self.views.cluster.namespace and labels_of(one).get(_INSTANCE) == release
        )

    @cached_property
    def installed(self) -> datetime | None:
        """When the release's oldest workload was made, which no upgrade changes; None when there is none."""
        names = {(one.kind, one.name) for one in self.all}
        made = [
            datetime.fromisoformat(one["metadata"]["creationTimestamp"])
            for one in self.views.cluster.controllers
            if namespace_of(one) == self.views.cluster.namespace and (one["kind"], name_of(one)) in names
        ]
        return min(made, default=None)

    @cached_property
    def application(self) -> Mapping[str, Workload]:
        """Those of the seven application workloads that exist, by component."""
        return {name: found for name in APPLICATION if (found := self.component(name))}

    @cached_property
    def clickhouse(self) -> Workload | None:
        """The ClickHouse of the release; None when it is outside the cluster."""
        return self.component("clickhouse")

    @cached_property
    def using_stores(self) -> tuple[Workload, ...]:
        """The application workloads that are told where a data store is."""
        told = {"POSTGRES_DATABASE_URI", "REDIS_DATABASE_URI", "REDIS_CLUSTER_DATABASE_URIS"}
        return tuple(one for one in self.application.values() if told & set(self.variables(one)))

    @cached_property
    def endings(self) -> tuple[Ending, ...]:
        """The last ending of each container of the release that was started again, as its pod remembers it."""
        now = datetime.fromisoformat(self.evidence.collected_at)
        pods = [pod for one in self.all for pod in self.pods(one)]
        return tuple(ending for pod in pods for ending in _endings(pod, now))

    def of_image(self, name: str) -> tuple[Workload, ...]:
        """Return the workloads of the cluster that run an image of a name, such as ``clickhouse-server``."""
        found = [workload(one) for one in self.views.cluster.controllers]
        return tuple(one for one in found if _runs(one.containers, name))

    def loose(self, name: str) -> tuple[str, ...]:
        """Return namespace and name of each pod of no workload that runs an image of a name.

        A pod with a command of its own may be a client of what it is the image of, unless it takes a workload's place.
        """
        served = [one for one in self.all if _runs(one.containers, name)]
        return tuple(
            f"{namespace_of(pod)}/{name_of(pod)}"
            for pod in self.views.cluster.pods
            if not pod["metadata"].get("ownerReferences")
            and _runs(pod["spec"]["containers"], name)
            and (any(pod in self.pods(one) for one in served) or not _has_command(pod))
        )

    def component(self, name: str) -> Workload | None:
        """Return the workload of one component, such as ``platform-backend``."""
        wanted = f"{self.views.release.full_name}-{name}"
        return next((one for one in self.all if one.component == wanted), None)

    def pods(self, workload: Workload) -> list[Object]:
        """Return the pods of *workload* that have not ended and are not about to."""
        return [
            pod
            for pod in self.views.cluster.pods
            if namespace_of(pod) == workload.namespace
            and selects(workload.selector, labels_of(pod))
            and "deletionTimestamp" not in pod["metadata"]
        ]

    def ready_pods(self, workload: Workload) -> list[Object]:
        """Return the pods of *workload* that are ready."""
        return [pod for pod in self.pods(workload) if is_true(pod, "Ready")]

    def variables(self, workload: Workload) -> dict[str, Variable]:
        """Return the environment of all containers of *workload* by name; of equal names the first counts."""
        found: dict[str, Variable] = {}
        for container in workload.containers:
            found = {**self.environment(container), **found}
        return found

    def environment(self, container: Mapping[str, Any]) -> dict[str, Variable]:
        """Return the environment of one container. What ``env`` says wins over ``envFrom`` (API reference)."""
        found: dict[str, Variable] = {}
        for source in container.get("envFrom", []):
            found |= self._from(source)
        for entry in container.get("env", []):
            found[entry["name"]] = self._variable(entry)
        return found

    @cached_property
    def config_maps(self) -> Mapping[str, Mapping[str, Any]]:
        """Facts about the entries of each ConfigMap of the namespace, by its name."""
        listed = self.views.cluster.objects("configmaps", namespace=self.views.cluster.namespace)
        return {name_of(one): one.get("data") or {} for one in listed}

    def _from(self, source: Mapping[str, Any]) -> dict[str, Variable]:
        prefix = source.get("prefix", "")
        if reference := source.get("configMapRef"):
            entries = self.config_maps.get(reference["name"], {})
            return {prefix + key: Variable(prefix + key, facts) for key, facts in entries.items()}
        reference = source["secretRef"]
        keys = self.views.secrets.keys(reference["name"])
        return {prefix + key: Variable(prefix + key, {}, reference["name"], key) for key in keys}

    def _variable(self, entry: Mapping[str, Any]) -> Variable:
        origin = entry.get("valueFrom") or {}
        if reference := origin.get("secretKeyRef"):
            optional = bool(reference.get("optional"))
            return Variable(entry["name"], {}, reference["name"], reference["key"], is_optional=optional)
        if reference := origin.get("configMapKeyRef"):
            return Variable(entry["name"], self.config_maps.get(reference["name"], {}).get(reference["key"], {}))
        return Variable(entry["name"], {} if origin else entry)


def workload(value: Object) -> Workload:
    """Read a Deployment, StatefulSet or DaemonSet; *value* says which by its ``kind``."""
    spec, status = value["spec"], value.get("status", {})
    template = spec["template"]
    per_node = value["kind"] == "DaemonSet"
    wanted = status.get("desiredNumberScheduled", 0) if per_node else spec.get("replicas", 1)
    updated = status.get("updatedNumberScheduled", 0) if per_node else status.get("updatedReplicas", 0)
    # A rollout that is stuck keeps old pods beside the new ones, and those are the ones that are ready.
    there = updated if per_node else status.get("replicas", 0)
    seen = status.get("observedGeneration", 0) >= value["metadata"].get("generation", 0)
    selector = spec["selector"]
    return Workload(
        kind=value["kind"],
        name=name_of(value),
        namespace=namespace_of(value),
        component=(selector.get("matchLabels") or {}).get(_COMPONENT, ""),
        wanted=wanted,
        ready=status.get("numberReady" if per_node else "readyReplicas", 0),
        is_current=seen and there == updated == wanted,
        selector=selector,
        pod=template["spec"],
        pod_labels=template["metadata"].get("labels") or {},
        claims=_claims(spec.get("volumeClaimTemplates") or []),
    )


def _runs(containers: Iterable[Mapping[str, Any]], name: str) -> bool:
    pattern = re.compile(rf"(^|/){re.escape(name)}($|[:@])")
    return any(pattern.search(each.get("image", "")) for each in containers)


def _has_command(pod: Object) -> bool:
    return any({"command", "args"} & set(each) for each in pod["spec"]["containers"])


def _endings(pod: Object, now: datetime) -> Iterable[Ending]:
    for each in pod["status"].get("containerStatuses") or []:
        if ended := (each.get("lastState") or {}).get("terminated"):
            ago = (now - datetime.fromisoformat(ended["finishedAt"])).total_seconds()
            yield Ending(f"{namespace_of(pod)}/{name_of(pod)}", each["name"], ended.get("reason", ""), ago)


def _claims(templates: Iterable[Object]) -> dict[str, Object]:
    return {name_of(template): template for template in templates}
