"""Mutants of alarms: whom they tell, and what they are about."""

from typing import Any

from hallmark.grading.mutation import Edit, mutant
from hallmark.model import Call

TOPIC = ["arn:aws:sns:us-east-1:111122223333:alarms"]
RESTARTS, CONNECTIONS = "pod_number_of_container_restarts", "DatabaseConnections"
LENGTH = "ingestion_queue_pending"
THREE = ["pod_restarts_alarmed", "database_connectivity_alarmed", "ingestion_failures_alarmed"]


@mutant(breaks=())
def an_alarm_watches(edit: Edit) -> None:
    """An alarm on the ingress load balancer's unhealthy targets, with an action, watches instead of a health check."""
    _alarm(edit)


@mutant(breaks=())
def an_alarm_on_an_expression_watches(edit: Edit) -> None:
    """The alarm is on an expression over the load balancer's metric."""
    metric = _alarm(edit)
    for answer in edit.answers("cloudwatch", "describe_alarms"):
        alarm = answer["MetricAlarms"][-1]
        parts = {name: alarm.pop(name) for name in ("Namespace", "MetricName", "Dimensions")}
        alarm["Metrics"] = [{"Id": "e", "Expression": "m > 1"}, {"Id": metric, "MetricStat": {"Metric": parts}}]


@mutant(breaks=["health_monitored"])
def the_alarm_tells_nobody(edit: Edit) -> None:
    """The alarm has no action."""
    _alarm(edit, AlarmActions=[])


@mutant(breaks=["health_monitored"])
def the_alarm_is_muted(edit: Edit) -> None:
    """The alarm's actions are switched off."""
    _alarm(edit, ActionsEnabled=False)


@mutant(breaks=["health_monitored"])
def the_alarm_is_on_traffic(edit: Edit) -> None:
    """The alarm is on the number of requests, which says nothing about health."""
    _alarm(edit, MetricName="RequestCount")


@mutant(breaks=["health_monitored"])
def the_alarm_is_on_another_balancer(edit: Edit) -> None:
    """The alarm is on a load balancer that carries no traffic of the platform (SE-02)."""
    _alarm(edit, Dimensions=[{"Name": "LoadBalancer", "Value": "app/unused/0123456789abcdef"}])


@mutant(breaks=THREE)
def there_are_no_alarms(edit: Edit) -> None:
    """Nobody set up an alarm."""
    for answer in edit.answers("cloudwatch", "describe_alarms"):
        answer["MetricAlarms"] = []


@mutant(breaks=THREE)
def alarms_tell_nobody(edit: Edit) -> None:
    """The alarms change colour in the console, and that is all."""
    for alarm in edit.each("cloudwatch", "describe_alarms", "MetricAlarms"):
        alarm["AlarmActions"] = []


@mutant(breaks=THREE)
def alarms_are_muted(edit: Edit) -> None:
    """The actions of all alarms are switched off, as for a maintenance that never ended."""
    for alarm in edit.each("cloudwatch", "describe_alarms", "MetricAlarms"):
        alarm["ActionsEnabled"] = False


@mutant(breaks=["pod_restarts_alarmed"])
def restarts_by_namespace(edit: Edit) -> None:
    """The alarm on restarts is on the namespace: the agent publishes no such metric, so it never rings."""
    cluster, namespace = edit.scope["cluster"], edit.scope["namespace"]
    _on(edit, RESTARTS)["Dimensions"] = _named(ClusterName=cluster, Namespace=namespace)


@mutant(breaks=["pod_restarts_alarmed"])
def restarts_of_another_cluster(edit: Edit) -> None:
    """The alarm on restarts is on another cluster."""
    _on(edit, RESTARTS)["Dimensions"] = _named(ClusterName="another")


@mutant(breaks=["pod_restarts_alarmed"])
def pods_are_counted(edit: Edit) -> None:
    """The alarm is on the number of running pods, which is right again a second after a crash."""
    _on(edit, RESTARTS)["MetricName"] = "cluster_number_of_running_pods"


@mutant(breaks=())
def restarts_of_one_workload(edit: Edit) -> None:
    """The alarm on restarts is on one workload: a remark."""
    where = {"ClusterName": edit.scope["cluster"], "Namespace": edit.scope["namespace"]}
    _on(edit, RESTARTS)["Dimensions"] = _named(**where, PodName="langsmith-backend")


@mutant(breaks=())
def restarts_by_query(edit: Edit) -> None:
    """The alarm on restarts asks a Metrics Insights query over all pods of the namespace."""
    where = f"ClusterName = '{edit.scope['cluster']}' AND Namespace = '{edit.scope['namespace']}'"
    source = "SCHEMA(ContainerInsights, ClusterName, Namespace, PodName)"
    query = f"SELECT SUM({RESTARTS}) FROM {source} WHERE {where}"  # noqa: S608  (a Metrics Insights query)
    _instead(edit, RESTARTS, Metrics=[{"Id": "q", "Expression": query, "Period": 300}])


@mutant(breaks=())
def restarts_by_prometheus(edit: Edit) -> None:
    """The alarm on restarts asks the cluster's Prometheus metrics."""
    query = f'sum(increase(kube_pod_container_status_restarts_total{{cluster="{edit.scope["cluster"]}"}}[1h])) > 2'
    _instead(edit, RESTARTS, EvaluationCriteria={"PromQLCriteria": {"Query": query}})


@mutant(breaks=["database_connectivity_alarmed"])
def connections_of_another_database(edit: Edit) -> None:
    """The alarm on connections is on a database of somebody else."""
    _on(edit, CONNECTIONS)["Dimensions"] = _named(DBInstanceIdentifier="another")


@mutant(breaks=["database_connectivity_alarmed"])
def only_the_load_of_the_database(edit: Edit) -> None:
    """The database's processor is watched, not who can reach it."""
    _on(edit, CONNECTIONS)["MetricName"] = "CPUUtilization"


@mutant(breaks=())
def database_errors_are_counted(edit: Edit) -> None:
    """Instead of connections, the application's lines about PostgreSQL are counted."""
    made, (log, _) = {"metricNamespace": "Own", "metricName": "Refused", "metricValue": "1"}, _counted(edit)
    for answer in edit.answers("logs", "describe_metric_filters"):
        answer["metricFilters"].append(
            {**log, "filterPattern": '"postgres" "refused"', "metricTransformations": [made]}
        )
    _instead(edit, CONNECTIONS, Namespace="Own", MetricName="Refused")


@mutant(breaks=())
def all_errors_are_counted(edit: Edit) -> None:
    """One filter counts errors of every kind; it stands for the database and for ingestion."""
    _counted(edit)[0]["filterPattern"] = '?"error" ?"ERROR"'
    only_the_load_of_the_database.edit(edit)


@mutant(breaks=["ingestion_failures_alarmed"])
def the_filter_is_gone(edit: Edit) -> None:
    """The alarm is on a metric that no filter makes any more, and that has no data."""
    _, made = _counted(edit)
    name, namespace = made["metricName"], made["metricNamespace"]
    for answer in edit.answers("logs", "describe_metric_filters"):
        answer["metricFilters"] = []
    edit.put(Call.of("cloudwatch", "list_metrics", Namespace=namespace, MetricName=name), {"Metrics": []})


@mutant(breaks=["ingestion_failures_alarmed"])
def the_filter_reads_other_lines(edit: Edit) -> None:
    """The filter counts lines of the control plane."""
    _counted(edit)[0]["logGroupName"] = f"/aws/eks/{edit.scope['cluster']}/cluster"


@mutant(breaks=["ingestion_failures_alarmed"])
def the_filter_is_about_the_database(edit: Edit) -> None:
    """The filter counts lines about PostgreSQL only."""
    _counted(edit)[0]["filterPattern"] = '"postgres" "error"'


@mutant(breaks=())
def server_errors_are_alarmed(edit: Edit) -> None:
    """Server errors of a target group behind the ingress are watched instead of log lines."""
    _server_errors(edit, [*_ingress(edit), *_named(TargetGroup="targetgroup/k8s-frontend/0123456789abcdef")])


@mutant(breaks=["ingestion_failures_alarmed"])
def server_errors_of_another_balancer(edit: Edit) -> None:
    """Server errors of a load balancer are watched that carries nothing of the platform (SE-02)."""
    _server_errors(edit, _named(LoadBalancer="app/unused/0123456789abcdef"))


@mutant(breaks=())
def the_queue_is_alarmed(edit: Edit) -> None:
    """The length of the queue is published and watched instead of log lines."""
    _queue(edit, ClusterName=edit.scope["cluster"])


@mutant(breaks=["ingestion_failures_alarmed"])
def the_queue_of_another_cluster(edit: Edit) -> None:
    """The length of another cluster's queue is watched."""
    _queue(edit, ClusterName="another")


@mutant(breaks=["database_connectivity_alarmed"])
def the_alarm_only_adds_a_reader(edit: Edit) -> None:
    """Target tracking watches connections to scale by them, and tells nobody."""
    policy = "arn:aws:autoscaling:us-east-1:111122223333:scalingPolicy:p:resource/rds/cluster:db:policyName/readers"
    _on(edit, "DatabaseConnections")["AlarmActions"] = [policy]


def _alarm(edit: Edit, **changes: Any) -> str:
    """Have one more alarm, by default on the ingress, and no health check; returns the name of its metric."""
    for answer in edit.answers("route53", "list_health_checks"):
        answer["HealthChecks"] = []
    alarm = {"MetricName": "UnHealthyHostCount", "Namespace": "AWS/ApplicationELB", "Dimensions": _ingress(edit)}
    return str(_add(edit, alarm | changes)["MetricName"]).lower()


def _add(edit: Edit, alarm: dict[str, Any]) -> dict[str, Any]:
    added = {"AlarmName": "added", "ActionsEnabled": True, "AlarmActions": TOPIC, **alarm}
    for answer in edit.answers("cloudwatch", "describe_alarms"):
        answer["MetricAlarms"].append(added)
    return added


def _instead(edit: Edit, metric: str, **alarm: Any) -> None:
    """Replace the alarm on *metric* by another."""
    for answer in edit.answers("cloudwatch", "describe_alarms"):
        answer["MetricAlarms"] = [one for one in answer["MetricAlarms"] if one["MetricName"] != metric]
    _add(edit, alarm)


def _on(edit: Edit, metric: str) -> dict[str, Any]:
    """Return the alarm on *metric*."""
    alarms = edit.each("cloudwatch", "describe_alarms", "MetricAlarms")
    return next(one for one in alarms if one["MetricName"] == metric)


def _server_errors(edit: Edit, where: list[dict[str, str]]) -> None:
    """Watch server errors instead of log lines."""
    errors = {"Namespace": "AWS/ApplicationELB", "MetricName": "HTTPCode_Target_5XX_Count", "Dimensions": where}
    _instead(edit, _counted(edit)[1]["metricName"], **errors)


def _queue(edit: Edit, **dimensions: str) -> None:
    """Watch the length of a queue instead of log lines; the metric has data."""
    metric = {"Namespace": "Own", "MetricName": LENGTH, "Dimensions": _named(**dimensions)}
    _instead(edit, _counted(edit)[1]["metricName"], **metric)
    edit.put(Call.of("cloudwatch", "list_metrics", Namespace="Own", MetricName=LENGTH), {"Metrics": [metric]})


def _counted(edit: Edit) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the log filter, and the metric it makes."""
    found = next(edit.each("logs", "describe_metric_filters", "metricFilters"))
    return found, found["metricTransformations"][0]


def _ingress(edit: Edit) -> list[dict[str, str]]:
    arn = next(edit.each("elbv2", "describe_load_balancers", "LoadBalancers"))["LoadBalancerArn"]
    return _named(LoadBalancer=arn.partition(":loadbalancer/")[2])


def _named(**dimensions: str) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in dimensions.items()]
