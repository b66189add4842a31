"""Alarms that tell somebody, and what they are about.

No alarm is judged by its name. Its metric says what it watches: a resource in a dimension, or the log group whose
lines a filter counts. An alarm on a metric that nobody publishes watches nothing.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hallmark.model import Call
from hallmark.views.base import View, cached_property

SERVER_ERRORS = frozenset({"HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count"})
"""Metrics of a load balancer that count answers with a server error (Application Load Balancers, "CloudWatch")."""
_RESTARTS = "pod_number_of_container_restarts"
_BY = tuple(map(frozenset, [
    ("ClusterName",), ("ClusterName", "Namespace", "PodName"), ("ClusterName", "Namespace", "Service"),
    ("ClusterName", "Namespace", "PodName", "FullPodName"),
]))  # fmt: skip
"""Dimensions by which the agent publishes restarts; the namespace alone is none (amazon-cloudwatch-agent-test)."""
_RESTARTING = re.compile(r"restart|crash_?loop", re.IGNORECASE)
_DATABASE = re.compile(r"postgres|database|sql|(?<![a-z])db(?![a-z])", re.IGNORECASE)
_QUEUE = re.compile(r"ingest|queue|pending|backlog", re.IGNORECASE)
_INGESTION = re.compile(rf"{_QUEUE.pattern}|(?<!\w)5(xx|\d\d)(?!\w)|(?<!\w)5\*", re.IGNORECASE)


@dataclass(frozen=True)
class Metric:
    """A CloudWatch metric: its namespace, its name, and its dimensions."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]

    @property
    def id(self) -> tuple[str, str]:
        """What a log filter says of the metric it makes."""
        return self.namespace, self.name


@dataclass(frozen=True)
class Alarm:
    """An alarm that is switched on and has an action.

    Attributes:
        name: Its name.
        metrics: Metrics it looks at, alone or in an expression.
        queries: Metrics Insights and PromQL queries it asks.
    """

    name: str
    metrics: tuple[Metric, ...]
    queries: tuple[str, ...] = ()

    @property
    def watched_pods(self) -> frozenset[str]:
        """Names of the workloads and services it is confined to; empty when it watches the whole cluster."""
        names = [m.dimensions.get("PodName") or m.dimensions.get("Service") or "" for m in self.metrics]
        return frozenset(names) if all(names) else frozenset()


@dataclass(frozen=True)
class LogFilter:
    """A metric filter: the log group it reads, the lines it counts, the metrics it makes."""

    group: str
    pattern: str
    makes: frozenset[tuple[str, str]]


class Alarms(View):
    """What rings, and for what."""

    @cached_property
    def heard(self) -> tuple[Alarm, ...]:
        """Alarms that tell somebody."""
        found = self.ask("cloudwatch", "describe_alarms")["MetricAlarms"]
        return tuple(_alarm(raw) for raw in found if raw.get("ActionsEnabled") and _tells(raw.get("AlarmActions", [])))

    @cached_property
    def filters(self) -> tuple[LogFilter, ...]:
        """Metric filters of all log groups."""
        return tuple(_filter(raw) for raw in self.ask("logs", "describe_metric_filters")["metricFilters"])

    @cached_property
    def on_restarts(self) -> tuple[Alarm, ...]:
        """Alarms on restarting containers of the cluster."""
        return tuple(a for a in self.heard if any(map(self._is_restarts, a.metrics)) or self._asks(a, _RESTARTING))

    @cached_property
    def never_ringing(self) -> tuple[Alarm, ...]:
        """Alarms on restarts by dimensions that the agent does not publish."""
        return tuple(a for a in self.heard if any(m.name == _RESTARTS and not _is_published(m) for m in a.metrics))

    @cached_property
    def on_database(self) -> tuple[Alarm, ...]:
        """Alarms on connections of the platform's database, or on what the application writes of it."""
        self._together()
        ids = self._database_ids
        logged = self._counted(_DATABASE, _INGESTION)
        return tuple(a for a in self.heard if any(m.id in logged or _is_connections(m, ids) for m in a.metrics))

    @cached_property
    def on_ingestion(self) -> tuple[Alarm, ...]:
        """Alarms on server errors at the way in, on errors the application writes, or on what waits in a queue."""
        self._together()
        logged = self._counted(_INGESTION, _DATABASE)
        errors = self.on_ingress(SERVER_ERRORS)
        return tuple(
            a
            for a in self.heard
            if a in errors
            or any(m.id in logged or self._is_queue(m) for m in a.metrics)
            or self._asks(a, _QUEUE)
        )  # fmt: skip

    def on_ingress(self, names: Collection[str]) -> tuple[Alarm, ...]:
        """Alarms on one of the metrics *names* of the ingress load balancer; its target groups carry its name too."""
        ingress = self.views.edge.ingress
        if ingress is None:
            return ()
        own = ingress.arn.partition(":loadbalancer/")[2]
        return tuple(a for a in self.heard if any(m.name in names and _balancer(m) == own for m in a.metrics))

    def _together(self) -> None:
        self.evidence.need([Call.of("cloudwatch", "describe_alarms"), Call.of("logs", "describe_metric_filters")])

    def _is_restarts(self, metric: Metric) -> bool:
        ours = self.scope("cluster") in metric.dimensions.values() and not self._is_elsewhere(metric)
        return ours and bool(_RESTARTING.search(metric.name)) and _is_published(metric)

    def _is_queue(self, metric: Metric) -> bool:
        """Whether a metric of the operator's own is about what waits, has data, and names nobody else's cluster."""
        if metric.namespace.startswith("AWS/") or metric.namespace == "ContainerInsights":
            return False
        words = " ".join([metric.name, *metric.dimensions, *metric.dimensions.values()])
        made = any(metric.id in one.makes for one in self.filters)
        return bool(_QUEUE.search(words)) and not made and not self._is_elsewhere(metric) and self._has_data(metric)

    def _has_data(self, metric: Metric) -> bool:
        """Whether anything came in two weeks: CloudWatch lists no others (API reference, ``ListMetrics``)."""
        listed = self.ask("cloudwatch", "list_metrics", Namespace=metric.namespace, MetricName=metric.name)["Metrics"]
        return any(_dimensions(raw) == metric.dimensions for raw in listed)

    def _is_elsewhere(self, metric: Metric) -> bool:
        """Whether a dimension names another cluster or another namespace."""
        own = {"cluster": self.scope("cluster"), "namespace": self.scope("namespace")}
        named = metric.dimensions.items()
        return any(word in name.lower() and value != mine for name, value in named for word, mine in own.items())

    def _asks(self, alarm: Alarm, words: re.Pattern[str]) -> bool:
        """Whether a query of the alarm is about *words* in this cluster."""
        cluster = re.compile(rf"""["']{re.escape(self.scope("cluster"))}["']""")
        return any(words.search(query) and cluster.search(query) for query in alarm.queries)

    def _counted(self, topic: re.Pattern[str], other: re.Pattern[str]) -> set[tuple[str, str]]:
        """Metrics that count lines of the application about *topic*, or about errors of any kind: not about *other*."""
        groups = {group.name for group in self.views.observability.application_log_groups}
        own = [one for one in self.filters if one.group in groups]
        meant = [one for one in own if topic.search(one.pattern) or not other.search(one.pattern)]
        return {metric for one in meant for metric in one.makes}

    @cached_property
    def _database_ids(self) -> set[str]:
        """Identifiers of the platform's databases, and of the instances of those that are clusters."""
        own = {database.id for database in self.views.data.databases}
        instances = self.ask("rds", "describe_db_instances")["DBInstances"]
        return own | {i["DBInstanceIdentifier"] for i in instances if i.get("DBClusterIdentifier") in own}


def _tells(actions: Collection[str]) -> bool:
    """Whether one of the actions does more than scale: what target tracking makes for itself tells nobody."""
    return any(":scalingPolicy:" not in action for action in actions)


def _alarm(raw: Mapping[str, Any]) -> Alarm:
    parts = raw.get("Metrics", [])
    metrics = [raw] if "MetricName" in raw else [part["MetricStat"]["Metric"] for part in parts if "MetricStat" in part]
    return Alarm(raw["AlarmName"], tuple(map(_metric, metrics)), tuple(_queries(raw)))


def _metric(raw: Mapping[str, Any]) -> Metric:
    return Metric(raw["Namespace"], raw["MetricName"], _dimensions(raw))


def _dimensions(raw: Mapping[str, Any]) -> dict[str, str]:
    return {one["Name"]: one["Value"] for one in raw.get("Dimensions", [])}


def _queries(raw: Mapping[str, Any]) -> Iterator[str]:
    yield from (part["Expression"] for part in raw.get("Metrics", []) if "Expression" in part)
    if criteria := raw.get("EvaluationCriteria", {}).get("PromQLCriteria"):
        yield criteria["Query"]


def _filter(raw: Mapping[str, Any]) -> LogFilter:
    makes = frozenset((one["metricNamespace"], one["metricName"]) for one in raw["metricTransformations"])
    return LogFilter(raw["logGroupName"], raw.get("filterPattern", ""), makes)


def _is_published(metric: Metric) -> bool:
    return metric.namespace != "ContainerInsights" or frozenset(metric.dimensions) in _BY


def _is_connections(metric: Metric, ids: Collection[str]) -> bool:
    named = {metric.dimensions.get("DBInstanceIdentifier"), metric.dimensions.get("DBClusterIdentifier")}
    return metric.id == ("AWS/RDS", "DatabaseConnections") and not named.isdisjoint(ids)


def _balancer(metric: Metric) -> str:
    return metric.dimensions.get("LoadBalancer", "") if metric.namespace == "AWS/ApplicationELB" else ""
