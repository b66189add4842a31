"""The real Terraform on the twin: the baseline applies, a second plan is empty, and destroy leaves nothing.

The one test that takes minutes; nearly all of them are waiting inside Terraform's provider.
"""

from pathlib import Path
from typing import Any

import pytest

from hallmark.twin.emulator import Server
from hallmark.twin.supervisor import Twin

ROOT = Path(__file__).parents[2]


def _left(twin: Twin) -> dict[str, Any]:
    """What an account that was built and destroyed still holds, apart from what AWS gives to everybody."""
    ask = twin.clients
    running = [{"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}]
    own = [{"Name": "is-default", "Values": ["false"]}]
    found: dict[str, list[Any]] = {
        "VPCs": ask("ec2").describe_vpcs(Filters=own)["Vpcs"],
        "interfaces": ask("ec2").describe_network_interfaces()["NetworkInterfaces"],
        "instances": ask("ec2").describe_instances(Filters=running)["Reservations"],
        "addresses": ask("ec2").describe_addresses()["Addresses"],
        "templates": ask("ec2").describe_launch_templates()["LaunchTemplates"],
        "volumes": ask("ec2").describe_volumes()["Volumes"],
        "Auto Scaling groups": ask("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"],
        "clusters": ask("eks").list_clusters()["clusters"],
        "databases": ask("rds").describe_db_instances()["DBInstances"],
        "caches": ask("elasticache").describe_cache_clusters()["CacheClusters"],
        "load balancers": ask("elbv2").describe_load_balancers()["LoadBalancers"],
        "target groups": ask("elbv2").describe_target_groups()["TargetGroups"],
        "web ACLs": ask("wafv2").list_web_acls(Scope="REGIONAL")["WebACLs"],
        "buckets": ask("s3").list_buckets()["Buckets"],
        "zones": ask("route53").list_hosted_zones()["HostedZones"],
        "certificates": ask("acm").list_certificates()["CertificateSummaryList"],
        "secrets": ask("secretsmanager").list_secrets()["SecretList"],
        "log groups": ask("logs").describe_log_groups()["logGroups"],
        "alarms": ask("cloudwatch").describe_alarms()["MetricAlarms"],
        "topics": ask("sns").list_topics()["Topics"],
        "roles": ask("iam").list_roles()["Roles"],
        "identity providers": ask("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"],
    }
    return {kind: things for kind, things in found.items() if things}


@pytest.mark.terraform
def test_the_baseline_applies_plans_empty_and_is_destroyed_clean(tmp_path: Path) -> None:
    """All three with the real binary and the files of this repository."""
    said: list[str] = []
    twin = Twin(tmp_path, ROOT, port=0)
    try:
        twin.up(said.append)

        assert any(line.startswith("created 1 of ") for line in said)
        assert twin.status().baseline_fits
        assert len(twin.clients("elbv2").describe_load_balancers()["LoadBalancers"]) == 1
        assert twin.plan_is_empty()
        twin.clone("222233334444")
        twin.destroy(said.append)

        assert _left(twin) == {}
        assert twin.snapshots() == ()
        assert _left(Twin(tmp_path, ROOT, account="222233334444")), "the check above would see what is left"
    finally:
        Server(tmp_path / "twin").stop()
