"""The real Terraform on the twin: the baseline applies, a second plan is empty, and destroy leaves nothing.

So it is with the release on top: what its controllers make in AWS is nothing Terraform minds, and goes with it.

The one test that takes minutes; nearly all of them are waiting inside Terraform's provider.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hallmark.twin.supervisor import Twin

pytestmark = pytest.mark.xdist_group("baseline")

ROOT = Path(__file__).parents[2]


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


def _audit(home: Path) -> tuple[int, str]:
    """What `hallmark audit` says of the twin."""
    command = [sys.executable, "-c", "from hallmark.cli import main; main()", "audit"]
    environment = {**os.environ, "HALLMARK_HOME": str(home), "HALLMARK_ROOT": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout


@pytest.mark.terraform
def test_baseline_and_release_are_built_plan_empty_and_are_destroyed_clean(tmp_path: Path) -> None:
    """With the real binary and the files of this repository; the release has a load balancer, a volume and records."""
    said: list[str] = []
    twin = Twin(tmp_path, ROOT, port=0)
    try:
        twin.up(said.append)

        assert any(line.startswith("created 1 of ") for line in said)
        assert twin.fits
        assert {"baseline", "deployed"} == set(twin.snapshots())
        assert len(twin.clients("elbv2").describe_load_balancers()["LoadBalancers"]) == 1
        assert twin.plan_is_empty()
        assert _audit(tmp_path)[0] == 1
        twin.reset(to="baseline")
        assert twin.clients("elbv2").describe_load_balancers()["LoadBalancers"] == []
        assert twin.plan_is_empty()
        twin.reset()
        twin.clone("222233334444")
        twin.destroy(said.append)

        begun = said.index("Removing the release: its load balancer and volumes go with it.")
        assert not any(line.startswith("removed ") for line in said[:begun])
        assert any(line.startswith("removed 1 of ") for line in said[begun:])
        assert _left(twin) == {}
        assert _audit(tmp_path) == (0, "Nothing is left.\n")
        assert twin.snapshots() == ()
        assert _left(Twin(tmp_path, ROOT, account="222233334444")), "the check above would see what is left"
    finally:
        twin.down()
