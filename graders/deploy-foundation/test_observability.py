"""What is watched, who is told, and whether what runs is kept up to date."""

import pytest

from hallmark.errors import Miss
from hallmark.views.alarms import Alarms
from hallmark.views.data import Data
from hallmark.views.observability import AGENT, Observability

OLDEST_IMAGE_DAYS = 90
# Answered by the web server of the frontend alone: says nothing about the application (sharp edge SE-18).
SHALLOW = frozenset({"/health", "/ok", "/"})
ALARMS = "aws cloudwatch describe-alarms --query 'MetricAlarms[].[AlarmName,ActionsEnabled,AlarmActions,MetricName]'"


@pytest.mark.check(
    "OBS-1",
    points=2,
    requires=["node_groups_healthy"],
    why="When a pod is gone its log is gone with it, unless it was shipped before.",
)
def test_application_logs_shipped(observability: Observability) -> str | None:
    """Application logs go to CloudWatch: by the CloudWatch add-on, or into a log group of the application."""
    groups = observability.application_log_groups
    if observability.agent_status != "ACTIVE" and not groups:
        cluster = observability.scope("cluster")
        raise Miss(
            expected=f"add-on {AGENT} active, or a log group for the application's logs",
            observed=f"add-on {observability.agent_status or 'not installed'}, no such log group",
            where=cluster,
            next=f"aws eks create-addon --cluster-name {cluster} --addon-name {AGENT}",
        )
    endless = [group.name for group in groups if not group.days]
    return f"{endless[0]} keeps logs for ever: give it a retention" if endless else None


@pytest.mark.check(
    "OBS-3",
    points=2,
    requires=["cluster_active"],
    why="Probes inside the cluster fall silent together with it; somebody outside has to notice.",
)
def test_health_monitored(observability: Observability) -> str | None:
    """Something outside the cluster watches the platform: a health check, an alarm with an action, or a canary."""
    monitors = observability.monitors
    if not monitors:
        raise Miss(
            expected="a Route 53 health check on the host with a path, an alarm with an action on the ingress load "
            "balancer's unhealthy targets or 5xx answers, or a running Synthetics canary",
            observed="none of the three",
            where=observability.scope("host"),
            next="aws route53 list-health-checks --query 'HealthChecks[].HealthCheckConfig'",
        )
    if all(monitor.path in SHALLOW for monitor in monitors):
        return f"{monitors[0]} is answered without the application; watch /api/v1/info instead"
    if all(monitor.kind == "Synthetics canary" for monitor in monitors):
        return f"{monitors[0]}: which host it visits cannot be seen from outside"
    return None


@pytest.mark.check(
    "OBS-5",
    points=1,
    requires=["cluster_active"],
    why="A pod that restarts again and again looks alive between two falls: only the count shows it.",
)
def test_pod_restarts_alarmed(alarms: Alarms) -> str | None:
    """An alarm with an action tells somebody when containers of the cluster restart."""
    if not alarms.on_restarts:
        deaf = ", ".join(alarm.name for alarm in alarms.never_ringing)
        raise Miss(
            expected="an alarm with an action on pod_number_of_container_restarts of the cluster, of a workload or of "
            "a service in it, or a query for restarts",
            observed=f"{deaf}: the agent publishes no such metric for these dimensions" if deaf else "none",
            where=alarms.scope("cluster"),
            next=ALARMS,
        )
    workloads = [alarm.watched_pods for alarm in alarms.on_restarts]
    return f"only these are watched: {', '.join(sorted(set().union(*workloads)))}" if all(workloads) else None


@pytest.mark.check(
    "OBS-6",
    points=1,
    requires=["postgres_found"],
    why="Without the database nobody logs in and nothing is stored; at the limit of connections new pods fail first.",
)
def test_database_connectivity_alarmed(alarms: Alarms, data: Data) -> None:
    """An alarm with an action watches the database's connections, or the errors the application writes."""
    if not alarms.on_database:
        raise Miss(
            expected="an alarm with an action on DatabaseConnections of the platform's database, or on a metric that "
            "counts database errors in the application's log group",
            observed="none",
            where=", ".join(sorted(database.id for database in data.databases)),
            next=ALARMS,
        )


@pytest.mark.check(
    "OBS-7",
    points=1,
    requires=["cluster_active"],
    why="A trace that was accepted may never be stored: the sender does not notice, somebody has to be told.",
)
def test_ingestion_failures_alarmed(alarms: Alarms) -> None:
    """An alarm with an action watches server errors, errors of ingestion in the logs, or the length of the queue."""
    if not alarms.on_ingestion:
        raise Miss(
            expected="an alarm with an action on 5xx answers of the ingress load balancer, on a metric that counts "
            "errors in the application's log group, or on a metric of the queue that has data",
            observed="none of the three",
            where=alarms.scope("cluster"),
            next=ALARMS,
        )


@pytest.mark.check(
    "SB-8",
    points=1,
    requires=["node_groups_healthy"],
    why="An image without three months of patches carries every hole that was published since.",
)
def test_node_image_recent(observability: Observability) -> str | None:
    """The nodes' machine image is younger than 90 days."""
    images = observability.node_images
    if not images:
        raise Miss(expected="a managed node group", observed="none", where=observability.scope("cluster"))
    for image in images:
        if image.released and observability.days_old(image) >= OLDEST_IMAGE_DAYS:
            cluster = observability.scope("cluster")
            raise Miss(
                expected=f"an image younger than {OLDEST_IMAGE_DAYS} days",
                observed=f"{image.version}, {observability.days_old(image)} days old",
                where=f"node group {image.node_group}",
                next=f"aws eks update-nodegroup-version --cluster-name {cluster} --nodegroup-name {image.node_group}",
            )
    undated = [image for image in images if not image.released]
    return f"the age of image {undated[0].version} cannot be told" if undated else None


@pytest.mark.check(
    "SB-8",
    points=1,
    requires=["postgres_found"],
    why="Minor versions of PostgreSQL are bug and security fixes; by hand they are forgotten.",
)
def test_database_patches_itself(observability: Observability) -> None:
    """The database takes minor upgrades by itself."""
    if manual := observability.manually_patched:
        raise Miss(
            expected="automatic minor version upgrades on",
            observed=f"off for {', '.join(manual)}",
            where=manual[0],
            next=f"aws rds modify-db-instance --db-instance-identifier {manual[0]} --auto-minor-version-upgrade",
        )
