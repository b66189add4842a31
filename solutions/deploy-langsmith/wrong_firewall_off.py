"""There is a web ACL, and the load balancer of the Ingress is not behind it."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

from hallmark.cli.hands import Hands
from hallmark.waiting import until

release = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("release.py"))))


def solve(client: Hands, scope: Mapping[str, str]) -> None:
    """Let the controller take the web ACL away."""
    release.upgrade(client, scope, {"ingress": {"annotations": {release.annotation("wafv2-acl-arn"): "none"}}})
    wafv2, address = client("wafv2"), client("elbv2").describe_load_balancers()["LoadBalancers"]
    arn = next(one["LoadBalancerArn"] for one in address if one["Type"] == "application")
    if not until(lambda: "WebACL" not in wafv2.get_web_acl_for_resource(ResourceArn=arn), 60):
        raise TimeoutError("the web ACL is still there")
