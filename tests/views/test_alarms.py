"""Alarms: whom they tell, and whether what they watch is the platform's."""

from collections.abc import Mapping
from typing import Any

import pytest

from hallmark.evidence.snapshot import Snapshot
from hallmark.model import Answer, Call, Status
from hallmark.views.alarms import Alarms
from hallmark.views.all import Views

SCOPE = {
    "cluster": "prod", "namespace": "langsmith", "release": "langsmith", "host": "ls.example.com",
    "postgres": "aurora",
}  # fmt: skip
LOG_GROUP = "/aws/containerinsights/prod/application"
MADE = {"metricNamespace": "Own", "metricName": "Lines", "metricValue": "1"}
NOTHING: dict[str, Any] = {
    "logs.describe_metric_filters": {"metricFilters": []},
    "elbv2.describe_load_balancers": {"LoadBalancers": []},
    "elb.describe_load_balancers": {"LoadBalancerDescriptions": []},
    "rds.describe_db_subnet_groups": {"DBSubnetGroups": [{"DBSubnetGroupName": "s", "VpcId": "v", "Subnets": []}]},
    "rds.describe_db_instances": {
        "DBInstances": [
            {
                "DBInstanceIdentifier": "aurora-1",
                "DBClusterIdentifier": "aurora",
                "DBInstanceStatus": "available",
                "PubliclyAccessible": False,
            },
        ]
    },
    "rds.describe_db_clusters": {
        "DBClusters": [
            {
                "DBClusterIdentifier": "aurora",
                "DBClusterArn": "arn:aws:rds:us-east-1:111122223333:cluster:aurora",
                "Engine": "aurora-postgresql",
                "EngineVersion": "16.4",
                "Status": "available",
                "BackupRetentionPeriod": 7,
                "StorageEncrypted": True,
                "Port": 5432,
                "DBSubnetGroup": "s",
                "VpcSecurityGroups": [],
            },
        ]
    },
}


def alarm(metric: str, namespace: str = "Own", /, **dimensions: str) -> dict[str, Any]:
    """An alarm on one metric, that tells somebody."""
    return {
        "AlarmName": "a", "ActionsEnabled": True, "AlarmActions": ["x"], "MetricName": metric, "Namespace": namespace,
        "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
    }  # fmt: skip


def view(found: dict[str, Any], counted: str | None = None, group: str = LOG_GROUP, listed: Any = None) -> Alarms:
    """The view over one alarm; *counted* is the pattern of a filter on *group*, *listed* a metric that has data."""
    answers = {Call.of(*key.split(".")).key: value for key, value in NOTHING.items()}
    answers[Call.of("cloudwatch", "describe_alarms").key] = {"MetricAlarms": [found]}
    for word in ("langsmith", "prod"):
        groups = {"logGroups": [{"logGroupName": LOG_GROUP}]}
        answers[Call.of("logs", "describe_log_groups", logGroupNamePattern=word).key] = groups
    if counted is not None:
        filters = [{"logGroupName": group, "filterPattern": counted, "metricTransformations": [MADE]}]
        answers[Call.of("logs", "describe_metric_filters").key] = {"metricFilters": filters}
    if "MetricName" in found:
        asked = {"Namespace": found["Namespace"], "MetricName": found["MetricName"]}
        answers[Call.of("cloudwatch", "list_metrics", **asked).key] = {"Metrics": [listed] if listed else []}
    stored = {key: Answer(Status.OBSERVED, value) for key, value in answers.items()}
    return Views(Snapshot(stored, SCOPE, "2026-11-24T12:00:00Z")).alarms


@pytest.mark.parametrize(("changes", "tells"), [
    ({}, True), ({"AlarmActions": []}, False), ({"AlarmActions": ["arn:aws:autoscaling:r:1:scalingPolicy:p"]}, False),
    ({"ActionsEnabled": False}, False),
])  # fmt: skip
def test_alarm_counts_when_it_tells_somebody(changes: dict[str, Any], *, tells: bool) -> None:
    """Switched on, and with an action for the state ALARM."""
    assert bool(view(alarm("m") | changes).heard) is tells


RESTARTS = ("pod_number_of_container_restarts", "ContainerInsights")
OURS = {"ClusterName": "prod", "Namespace": "langsmith"}


@pytest.mark.parametrize(("metric", "dimensions", "counts"), [
    (RESTARTS, {"ClusterName": "prod"}, True),
    (RESTARTS, {**OURS, "PodName": "langsmith-backend"}, True),
    (RESTARTS, {**OURS, "Service": "langsmith-backend"}, True),
    (RESTARTS, OURS, False),
    (RESTARTS, {"ClusterName": "test"}, False),
    (RESTARTS, {**OURS, "Namespace": "kube-system", "PodName": "coredns"}, False),
    (RESTARTS, {}, False),
    (("pod_cpu_utilization", "ContainerInsights"), {"ClusterName": "prod"}, False),
    (("kube_pod_container_status_restarts_total", "ContainerInsights/Prometheus"), OURS, True),
])  # fmt: skip
def test_alarm_on_restarts_is_on_a_metric_of_the_cluster_that_exists(
    metric: tuple[str, str], dimensions: Mapping[str, str], *, counts: bool
) -> None:
    """By cluster, workload or service; there is no such metric by namespace alone."""
    assert bool(view(alarm(*metric, **dimensions)).on_restarts) is counts


def test_alarm_that_never_rings_is_told_apart() -> None:
    """The miss can name it."""
    assert [a.name for a in view(alarm(*RESTARTS, **OURS)).never_ringing] == ["a"]
    assert view(alarm(*RESTARTS, ClusterName="prod")).never_ringing == ()


@pytest.mark.parametrize(("query", "counts"), [
    ("SELECT SUM(pod_number_of_container_restarts) FROM SCHEMA(x) WHERE ClusterName = 'prod'", True),
    ("SELECT SUM(pod_number_of_container_restarts) FROM SCHEMA(x) WHERE ClusterName = 'prod-2'", False),
    ("SELECT SUM(pod_cpu_utilization) FROM SCHEMA(x) WHERE ClusterName = 'prod'", False),
])  # fmt: skip
def test_query_counts_when_it_is_about_restarts_in_the_cluster(query: str, *, counts: bool) -> None:
    """Metrics Insights and PromQL alike."""
    bare = {"AlarmName": "a", "ActionsEnabled": True, "AlarmActions": ["x"]}

    assert bool(view({**bare, "Metrics": [{"Id": "q", "Expression": query}]}).on_restarts) is counts
    assert bool(view({**bare, "EvaluationCriteria": {"PromQLCriteria": {"Query": query}}}).on_restarts) is counts


def test_alarm_says_to_which_workloads_it_is_confined() -> None:
    """The whole cluster is no workload."""
    confined = view(alarm(*RESTARTS, **OURS, PodName="langsmith-queue")).on_restarts
    whole = view(alarm(*RESTARTS, ClusterName="prod")).on_restarts

    assert [a.watched_pods for a in (*confined, *whole)] == [{"langsmith-queue"}, frozenset()]


@pytest.mark.parametrize(("metric", "dimensions", "counts"), [
    ("DatabaseConnections", {"DBClusterIdentifier": "aurora"}, True),
    ("DatabaseConnections", {"DBInstanceIdentifier": "aurora-1"}, True),
    ("DatabaseConnections", {"DBInstanceIdentifier": "other"}, False),
    ("DatabaseConnections", {}, False),
    ("CPUUtilization", {"DBInstanceIdentifier": "aurora-1"}, False),
])  # fmt: skip
def test_alarm_on_connections_is_on_the_database_of_the_platform(
    metric: str, dimensions: Mapping[str, str], *, counts: bool
) -> None:
    """On the cluster or on an instance of it."""
    assert bool(view(alarm(metric, "AWS/RDS", **dimensions)).on_database) is counts


@pytest.mark.parametrize(("pattern", "database", "ingestion"), [
    ('"error"', True, True),
    ("", True, True),
    ('"postgres" "refused"', True, False),
    ('{ $.kubernetes.container_name = "*ingest-queue" && $.log = "*error*" }', False, True),
    ("[ip, user, time, request, status=5*, size]", False, True),
    ("{ $.status = 503 }", False, True),
    ('"ingest" "database"', True, True),
])  # fmt: skip
def test_lines_the_application_writes_count_for_what_they_are_about(
    pattern: str, *, database: bool, ingestion: bool
) -> None:
    """A pattern for errors of any kind stands for both."""
    found = view(alarm("Lines"), pattern)

    assert (bool(found.on_database), bool(found.on_ingestion)) == (database, ingestion)


def test_lines_of_other_log_groups_do_not_count() -> None:
    """The control plane's errors are not the application's, and a metric made of them is not the operator's own."""
    found = view(alarm("Lines"), '"ingest"', "/aws/eks/prod/cluster")

    assert (found.on_database, found.on_ingestion) == ((), ())


@pytest.mark.parametrize(("name", "namespace", "dimensions", "counts"), [
    ("ingestion_queue_pending", "Own", {}, True),
    ("waiting", "Own", {"queue": "runs", "ClusterName": "prod"}, True),
    ("waiting", "Own", {"ClusterName": "prod"}, False),
    ("ingestion_queue_pending", "Own", {"cluster": "test"}, False),
    ("ingestion_queue_pending", "Own", {"k8s.namespace.name": "other"}, False),
    ("ApproximateNumberOfMessagesVisible", "AWS/SQS", {"QueueName": "q"}, False),
    ("pod_cpu_utilization", "ContainerInsights", {**OURS, "PodName": "langsmith-queue"}, False),
])  # fmt: skip
def test_queue_is_told_by_the_metric(name: str, namespace: str, dimensions: Mapping[str, str], *, counts: bool) -> None:
    """A metric the operator publishes about what waits, and not of another cluster."""
    found = alarm(name, namespace, **dimensions)

    assert bool(view(found, listed=found).on_ingestion) is counts


def test_queue_without_data_is_not_watched() -> None:
    """An alarm on a metric that nobody publishes never rings."""
    assert view(alarm("ingestion_queue_pending")).on_ingestion == ()
    assert view(alarm("queue"), listed=alarm("queue", other="x")).on_ingestion == ()


def test_server_errors_without_an_ingress_are_somebody_elses() -> None:
    """Without an ingress load balancer there is none to watch."""
    found = alarm("HTTPCode_Target_5XX_Count", "AWS/ApplicationELB", LoadBalancer="app/x/1")

    assert view(found).on_ingestion == ()
