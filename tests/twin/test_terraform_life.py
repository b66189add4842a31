"""The real Terraform on the twin: the baseline applies, a second plan is empty, and destroy leaves nothing.

So it is with the release on top: what its controllers make in AWS is nothing Terraform minds, and goes with it. The
apply is the one from which all twins of the tests are made; to destroy takes minutes, most of them of waiting.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hallmark.twin.supervisor import Twin

pytestmark = pytest.mark.xdist_group("destroy")

COSTLY = ("ec2 vpc", "ec2 nat", "ec2 i", "eks", "rds", "elasticache", "elbv2", "s3", "secretsmanager")
"""How what the audit finds of each kind begins."""


def _left(twin: Twin) -> dict[str, Any]:
    """What an account that was built and destroyed still holds, apart from what AWS gives to everybody."""
    ask = twin.clients
    running = [{"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}]
    own = [{"Name": "is-default", "Values": ["false"]}]
    found: dict[str, list[Any]] = {
        "VPCs": ask("ec2").describe_vpcs(Filters=own)["Vpcs"],
        "security groups": [
            each for each in ask("ec2").describe_security_groups()["SecurityGroups"] if each["GroupName"] != "default"
        ],
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
def test_terraform_built_it_and_has_nothing_more_to_do(built: Path) -> None:
    """The twin from which all others are made, with the real binary and the files of this repository."""
    told = json.loads((built.parent / "build.json").read_text())

    assert any(line.startswith("created 1 of ") for line in told["said"])
    assert told["nothing to do"] == {"deployed": True, "baseline": True}


@pytest.mark.terraform
def test_destroy_leaves_nothing(clone: Callable[[], Any]) -> None:
    """What costs money is found before, and nothing is after; the release goes first, with what is its own."""
    project, said = clone(), list[str]()
    twin = project.twin
    twin.up()

    found = project.run("audit")
    assert found.returncode == 1
    assert [kind for kind in COSTLY if f"left: {kind} " not in found.stdout.replace("-", " ")] == []
    assert len(twin.clients("elbv2").describe_load_balancers()["LoadBalancers"]) == 1
    twin.reset(to="baseline")
    assert twin.clients("elbv2").describe_load_balancers()["LoadBalancers"] == []
    twin.reset()
    twin.clone("222233334444")
    twin.destroy(said.append)

    begun = said.index("Removing the release: its load balancer and volumes go with it.")
    assert not any(line.startswith("removed ") for line in said[:begun])
    assert any(line.startswith("removed 1 of ") for line in said[begun:])
    assert _left(twin) == {}
    clean = project.run("audit")
    assert (clean.returncode, clean.stdout) == (0, "Nothing is left.\n")
    assert twin.snapshots() == ()
    assert _left(Twin(project.home, project.root, account="222233334444")), "the check above would see what is left"
    twin.down()
