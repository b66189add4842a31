"""What is watched: application logs, health from outside, and how old the running images and engines are."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hallmark.model import Call
from hallmark.views.base import View, cached_property

AGENT = "amazon-cloudwatch-observability"
"""The EKS add-on that ships application logs to CloudWatch."""
_WATCHED = frozenset({"UnHealthyHostCount", "HTTPCode_Target_5XX_Count"})
_RELEASED = re.compile(r"-(\d{8})$")
"""Release versions of EKS images end with their day: ``1.35.2-20261105``."""


@dataclass(frozen=True)
class LogGroup:
    """A CloudWatch log group; ``days`` is its retention, 0 for ever."""

    name: str
    days: int


@dataclass(frozen=True)
class Monitor:
    """Something outside the cluster that watches the platform.

    Attributes:
        kind: ``Route 53 health check``, ``CloudWatch alarm`` or ``Synthetics canary``.
        id: Its id or name.
        path: The path it asks for, where that can be seen.
    """

    kind: str
    id: str
    path: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.id}" + (f" on {self.path}" if self.path else "")


@dataclass(frozen=True)
class NodeImage:
    """The machine image of a node group; ``released`` is empty when AWS does not tell."""

    node_group: str
    version: str
    released: datetime | None


class Observability(View):
    """Log groups, health checks, and the age of what runs."""

    @cached_property
    def agent_status(self) -> str:
        """Status of the CloudWatch add-on, such as ``ACTIVE`` or ``DEGRADED``; empty when it is not installed."""
        cluster = self.scope("cluster")
        answer = self.ask_or(None, "eks", "describe_addon", clusterName=cluster, addonName=AGENT)
        return str(answer["addon"]["status"]) if answer else ""

    @cached_property
    def application_log_groups(self) -> tuple[LogGroup, ...]:
        """Log groups for what the application writes.

        Container Insights names them ``/aws/containerinsights/<cluster>/application``. One of an operator's own
        choosing counts when its name has the namespace, the release or ``application`` as a part, and the cluster
        or the namespace. Logs of the control plane are the cluster's, not the application's.
        """
        words = sorted({self.scope("cluster"), self.scope("namespace")})
        answers = self.ask_all(Call.of("logs", "describe_log_groups", logGroupNamePattern=word) for word in words)
        groups = {group["logGroupName"]: group for answer in answers for group in answer["logGroups"]}
        return tuple(
            # Without a retention CloudWatch keeps logs for ever.
            LogGroup(name, group.get("retentionInDays", 0))
            for name, group in sorted(groups.items())
            if self._is_application(name)
        )

    @cached_property
    def monitors(self) -> tuple[Monitor, ...]:
        """Everything that watches the platform from outside the cluster."""
        calls = [
            Call.of("route53", "list_health_checks"),
            Call.of("cloudwatch", "describe_alarms"),
            Call.of("synthetics", "describe_canaries"),
        ]
        checks, _, canaries = self.ask_all(calls)
        return (
            *(_health_check(each) for each in checks["HealthChecks"] if self._watches_host(each["HealthCheckConfig"])),
            *(Monitor("CloudWatch alarm", each.name) for each in self.views.alarms.on_ingress(_WATCHED)),
            *(
                Monitor("Synthetics canary", each["Name"])
                for each in canaries["Canaries"]
                if each["Status"]["State"] == "RUNNING"
            ),
        )

    @cached_property
    def node_images(self) -> tuple[NodeImage, ...]:
        """Images of the managed node groups."""
        cluster = self.scope("cluster")
        names = [group.name for group in self.views.compute.node_groups]
        calls = [Call.of("eks", "describe_nodegroup", clusterName=cluster, nodegroupName=name) for name in names]
        versions = [str(answer["nodegroup"]["releaseVersion"]) for answer in self.ask_all(calls)]
        custom = self._custom_images([version for version in versions if version.startswith("ami-")])
        return tuple(
            NodeImage(name, version, custom.get(version) or _release_day(version))
            for name, version in zip(names, versions, strict=True)
        )

    @cached_property
    def manually_patched(self) -> tuple[str, ...]:
        """Databases of the platform that take no minor upgrades by themselves."""
        own = {database.id for database in self.views.data.databases}
        instances = self.ask("rds", "describe_db_instances")["DBInstances"]
        members = [i for i in instances if {i["DBInstanceIdentifier"], i.get("DBClusterIdentifier")} & own]
        return tuple(i["DBInstanceIdentifier"] for i in members if not i["AutoMinorVersionUpgrade"])

    def days_old(self, image: NodeImage) -> int:
        """Age of an image when the evidence was taken. Only for images whose day is known."""
        if image.released is None:
            raise ValueError(f"the day of {image.version} is not known")
        return (datetime.fromisoformat(self.evidence.collected_at) - image.released).days

    def _is_application(self, name: str) -> bool:
        cluster, namespace, release = self.scope("cluster"), self.scope("namespace"), self.scope("release")
        parts = name.strip("/").split("/")
        if parts[:2] == ["aws", "containerinsights"]:
            return parts[2:] == [cluster, "application"]
        # Everything else below /aws/ belongs to an AWS service: /aws/eks/<cluster>/cluster is the control plane.
        return parts[0] != "aws" and bool({namespace, release, "application", "applications"} & set(parts))

    def _watches_host(self, config: Mapping[str, Any]) -> bool:
        """A health check on the host with a path, that runs and means what it says.

        Without TLS it is the redirect of the load balancer that answers, and Route 53 takes any status below 400.
        """
        named = config.get("FullyQualifiedDomainName", "").lower().rstrip(".")
        right = named == self.views.edge.host and config["Type"].startswith("HTTPS")
        return right and bool(config.get("ResourcePath")) and not config.get("Disabled") and not config.get("Inverted")

    def _custom_images(self, ids: list[str]) -> Mapping[str, datetime]:
        if not ids:
            return {}
        found = self.ask("ec2", "describe_images", ImageIds=sorted(set(ids)))["Images"]
        return {image["ImageId"]: datetime.fromisoformat(image["CreationDate"]) for image in found}


def _health_check(raw: Mapping[str, Any]) -> Monitor:
    return Monitor("Route 53 health check", raw["Id"], raw["HealthCheckConfig"]["ResourcePath"])


def _release_day(version: str) -> datetime | None:
    found = _RELEASED.search(version)
    return datetime.strptime(found[1], "%Y%m%d").replace(tzinfo=UTC) if found else None
