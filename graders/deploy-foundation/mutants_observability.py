"""Mutants of logs, monitors and patching."""

from typing import Any

from hallmark.grading.mutation import Edit, mutant
from hallmark.model import Status


@mutant(breaks=["application_logs_shipped", "ingestion_failures_alarmed"])
def no_agent_and_no_log_group(edit: Edit) -> None:
    """Nothing ships the application's logs; the control plane's log group does not count."""
    edit.status("eks", "describe_addon", Status.ABSENT, code="ResourceNotFoundException")
    _keep_log_groups(edit, "/aws/eks/")


@mutant(breaks=["application_logs_shipped", "ingestion_failures_alarmed"])
def agent_is_degraded(edit: Edit) -> None:
    """The add-on is there but does not run, and no log group is."""
    for addon in edit.each("eks", "describe_addon", "addon"):
        addon["status"] = "DEGRADED"
    _keep_log_groups(edit, "/aws/eks/")


@mutant(breaks=())
def fluent_bit_instead_of_the_addon(edit: Edit) -> None:
    """The operator's own agent writes into the log group."""
    edit.status("eks", "describe_addon", Status.ABSENT, code="ResourceNotFoundException")


@mutant(breaks=())
def log_group_of_own_choosing(edit: Edit) -> None:
    """The application's log group has a name of the operator's choosing."""
    edit.status("eks", "describe_addon", Status.ABSENT, code="ResourceNotFoundException")
    name = f"/platform/{edit.scope['namespace']}/pods"
    for answer in edit.answers("logs", "describe_log_groups"):
        answer["logGroups"] = [{"logGroupName": name}]
    for counted in edit.each("logs", "describe_metric_filters", "metricFilters"):
        counted["logGroupName"] = name


@mutant(breaks=["health_monitored"])
def nothing_watches(edit: Edit) -> None:
    """There is no health check."""
    for answer in edit.answers("route53", "list_health_checks"):
        answer["HealthChecks"] = []


@mutant(breaks=["health_monitored"])
def another_host_is_watched(edit: Edit) -> None:
    """The health check watches another host."""
    _health_check(edit, FullyQualifiedDomainName="www.example.com")


@mutant(breaks=["health_monitored"])
def health_check_is_disabled(edit: Edit) -> None:
    """The health check is disabled: Route 53 then calls everything healthy."""
    _health_check(edit, Disabled=True)


@mutant(breaks=["health_monitored"])
def health_check_without_path(edit: Edit) -> None:
    """The health check only opens a connection."""
    _health_check(edit, Type="TCP", ResourcePath="")


@mutant(breaks=["health_monitored"])
def health_check_ends_at_the_redirect(edit: Edit) -> None:
    """The health check asks port 80, where the load balancer redirects whether anything is behind it or not."""
    _health_check(edit, Type="HTTP", Port=80)


@mutant(breaks=())
def health_check_is_shallow(edit: Edit) -> None:
    """The health check asks for /health, which is answered without the application: a remark."""
    _health_check(edit, ResourcePath="/health")


@mutant(breaks=())
def a_canary_watches(edit: Edit) -> None:
    """A Synthetics canary watches instead of a health check."""
    nothing_watches.edit(edit)
    for answer in edit.answers("synthetics", "describe_canaries"):
        answer["Canaries"] = [{"Name": "langsmith", "Status": {"State": "RUNNING"}}]


@mutant(breaks=["health_monitored"])
def the_canary_is_stopped(edit: Edit) -> None:
    """The canary is stopped, and there is no health check."""
    nothing_watches.edit(edit)
    for answer in edit.answers("synthetics", "describe_canaries"):
        answer["Canaries"] = [{"Name": "langsmith", "Status": {"State": "STOPPED"}}]


@mutant(breaks=["node_image_recent"])
def node_image_is_old(edit: Edit) -> None:
    """The nodes' image is from 2023."""
    for group in edit.each("eks", "describe_nodegroup", "nodegroup"):
        group["releaseVersion"] = "1.35.1-20230601"


@mutant(breaks=())
def node_image_tells_no_day(edit: Edit) -> None:
    """The nodes run Bottlerocket, whose versions tell no day."""
    for group in edit.each("eks", "describe_nodegroup", "nodegroup"):
        group["releaseVersion"] = "1.50.0-5a1b2c3d"


@mutant(breaks=["database_patches_itself"])
def database_is_patched_by_hand(edit: Edit) -> None:
    """The database takes no minor upgrades by itself."""
    for database in edit.each("rds", "describe_db_instances", "DBInstances"):
        database["AutoMinorVersionUpgrade"] = False


def _health_check(edit: Edit, **changes: Any) -> None:
    for config in edit.each("route53", "list_health_checks", "HealthChecks.HealthCheckConfig"):
        config.update(changes)


def _keep_log_groups(edit: Edit, prefix: str) -> None:
    for answer in edit.answers("logs", "describe_log_groups"):
        answer["logGroups"] = [group for group in answer["logGroups"] if group["logGroupName"].startswith(prefix)]
