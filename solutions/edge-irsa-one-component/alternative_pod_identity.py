"""EKS Pod Identity instead of the annotation."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

from hallmark.cli.hands import Hands
from hallmark.waiting import until

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))
SYSTEM, AGENT = ("-n", "kube-system"), ("daemonset", "eks-pod-identity-agent")
PATIENCE = 120.0


def solve(client: Hands, scope: Mapping[str, str]) -> None:
    """Agent, trust for it, and an association for the one service account."""
    eks, cluster = client("eks"), scope["cluster"]
    eks.create_addon(clusterName=cluster, addonName="eks-pod-identity-agent")
    agent = {
        "Effect": "Allow",
        "Principal": {"Service": "pods.eks.amazonaws.com"},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
    }
    document = author.trust(client, scope)
    author.write_trust(client, scope, {**document, "Statement": [*document["Statement"], agent]})
    bound = {"namespace": scope["namespace"], "serviceAccount": author.ACCOUNT}
    eks.create_pod_identity_association(clusterName=cluster, roleArn=author.role_arn(client, scope), **bound)
    until(lambda: client.kubectl(*SYSTEM, "get", *AGENT, "--ignore-not-found", "-o", "name"), PATIENCE)
    client.kubectl(*SYSTEM, "rollout", "status", *AGENT, f"--timeout={PATIENCE:.0f}s")
    author.restart(client, scope)
