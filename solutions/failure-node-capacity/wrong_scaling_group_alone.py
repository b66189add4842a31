"""The limit is raised behind EKS's back, in the Auto Scaling group."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Any, scope: Mapping[str, str]) -> None:
    """The autoscaler is content; the next update of the node group puts the old limit back."""
    which = {"clusterName": scope["cluster"], "nodegroupName": author.GROUP}
    (group,) = client("eks").describe_nodegroup(**which)["nodegroup"]["resources"]["autoScalingGroups"]
    client("autoscaling").update_auto_scaling_group(AutoScalingGroupName=group["name"], MaxSize=author.LARGEST)
    author.wait(client, scope)
