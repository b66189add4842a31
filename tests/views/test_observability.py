"""Logs and monitors: what counts and what does not."""

from typing import Any

import pytest

from hallmark.evidence.snapshot import Snapshot
from hallmark.model import Answer, Call, Status
from hallmark.views.all import Views
from hallmark.views.observability import Observability

SCOPE = {"cluster": "prod", "namespace": "langsmith", "release": "langsmith", "host": "ls.example.com"}
CHECK = {"Type": "HTTPS", "FullyQualifiedDomainName": "LS.example.com.", "ResourcePath": "/api/v1/info"}


def view(**answers: Any) -> Observability:
    """The view over answers given as ``service__operation``; the patterns of log groups are filled in."""
    found: dict[str, Answer] = {}
    for name, value in answers.items():
        service, _, operation = name.partition("__")
        words = ("langsmith", "prod") if operation == "describe_log_groups" else (None,)
        for word in words:
            params = {"logGroupNamePattern": word} if word else {}
            found[Call.of(service, operation, **params).key] = Answer(Status.OBSERVED, value)
    return Views(Snapshot(found, SCOPE, "2026-11-24T12:00:00Z")).observability


def monitors(**answers: Any) -> list[str]:
    """What watches, where nothing else is given."""
    nothing: dict[str, Any] = {
        "route53__list_health_checks": {"HealthChecks": []},
        "cloudwatch__describe_alarms": {"MetricAlarms": []},
        "synthetics__describe_canaries": {"Canaries": []},
        "elbv2__describe_load_balancers": {"LoadBalancers": []},
        "elb__describe_load_balancers": {"LoadBalancerDescriptions": []},
    }
    return [str(monitor) for monitor in view(**{**nothing, **answers}).monitors]


def health_check(**changes: Any) -> dict[str, Any]:
    """One health check, as Route 53 lists it."""
    return {"HealthChecks": [{"Id": "hc", "HealthCheckConfig": {**CHECK, **changes}}]}


@pytest.mark.parametrize(("name", "counts"), [
    ("/aws/containerinsights/prod/application", True),
    ("/aws/containerinsights/prod/performance", False),
    ("/aws/containerinsights/prod-2/application", False),
    ("/aws/eks/prod/cluster", False),
    ("/aws/rds/instance/langsmith/postgresql", False),
    ("/platform/prod/langsmith", True),
    ("prod/applications", True),
    ("/platform/prod/ingress", False),
])  # fmt: skip
def test_log_group_of_the_application_is_told_from_others(name: str, *, counts: bool) -> None:
    """Control plane, metrics and databases write logs too, but not the application's."""
    groups = view(logs__describe_log_groups={"logGroups": [{"logGroupName": name}]}).application_log_groups

    assert bool(groups) is counts


@pytest.mark.parametrize(("changes", "watched"), [
    ({}, True),
    ({"ResourcePath": "/health"}, True),
    ({"Type": "HTTPS_STR_MATCH", "SearchString": "version"}, True),
    ({"Type": "HTTP", "Port": 80}, False),
    ({"ResourcePath": ""}, False),
    ({"FullyQualifiedDomainName": "other.example.com"}, False),
    ({"Disabled": True}, False),
    ({"Inverted": True}, False),
])  # fmt: skip
def test_health_check_counts_when_it_watches_the_host(changes: dict[str, Any], *, watched: bool) -> None:
    """On the host, with a path, past the redirect, and in force."""
    assert bool(monitors(route53__list_health_checks=health_check(**changes))) is watched


def test_health_check_without_a_host_is_somebody_elses() -> None:
    """Calculated checks and checks of an alarm name no host."""
    answer = {"HealthChecks": [{"Id": "hc", "HealthCheckConfig": {"Type": "CALCULATED"}}]}

    assert monitors(route53__list_health_checks=answer) == []


def test_alarm_counts_only_with_an_ingress() -> None:
    """Without an ingress load balancer there is none to watch."""
    alarm = {"AlarmName": "a", "ActionsEnabled": True, "AlarmActions": ["x"], "MetricName": "UnHealthyHostCount"}
    alarm["Namespace"] = "AWS/ApplicationELB"
    alarm["Dimensions"] = [{"Name": "LoadBalancer", "Value": "app/x/1"}]

    assert monitors(cloudwatch__describe_alarms={"MetricAlarms": [alarm]}) == []


@pytest.mark.parametrize(("version", "days"), [
    ("1.35.2-20261114", 10), ("1.35.2-20260826", 90), ("1.50.0-5a1b2c3d", None), ("1.35-2026.11.12", None),
])  # fmt: skip
def test_age_of_an_image_is_told_by_its_version(version: str, days: int | None) -> None:
    """Amazon Linux says the day; Bottlerocket and Windows do not."""
    group = {
        "nodegroupName": "g", "status": "ACTIVE", "subnets": [], "nodeRole": "r", "releaseVersion": version,
        "resources": {"autoScalingGroups": []}, "scalingConfig": {"maxSize": 1},
    }  # fmt: skip
    found = {
        Call.of("eks", "list_nodegroups", clusterName="prod").key: {"nodegroups": ["g"]},
        Call.of("eks", "describe_nodegroup", clusterName="prod", nodegroupName="g").key: {"nodegroup": group},
    }
    snapshot = Snapshot({k: Answer(Status.OBSERVED, v) for k, v in found.items()}, SCOPE, "2026-11-24T12:00:00Z")
    observability = Views(snapshot).observability
    (image,) = observability.node_images

    assert (observability.days_old(image) if image.released else None) == days


def test_age_of_an_image_of_ones_own_is_asked_of_ec2() -> None:
    """A node group with an own image names the image."""
    group = {
        "nodegroupName": "g", "status": "ACTIVE", "subnets": [], "nodeRole": "r", "releaseVersion": "ami-1",
        "resources": {"autoScalingGroups": []}, "scalingConfig": {"maxSize": 1},
    }  # fmt: skip
    images = {"Images": [{"ImageId": "ami-1", "CreationDate": "2026-11-20T12:00:00.000Z"}]}
    found = {
        Call.of("eks", "list_nodegroups", clusterName="prod").key: {"nodegroups": ["g"]},
        Call.of("eks", "describe_nodegroup", clusterName="prod", nodegroupName="g").key: {"nodegroup": group},
        Call.of("ec2", "describe_images", ImageIds=["ami-1"]).key: images,
    }
    snapshot = Snapshot({k: Answer(Status.OBSERVED, v) for k, v in found.items()}, SCOPE, "2026-11-24T12:00:00Z")
    observability = Views(snapshot).observability

    assert observability.days_old(observability.node_images[0]) == 4
