"""Write the release again as it was meant, and make new pods: the webhook gives them their role."""

import json
from collections.abc import Mapping
from typing import Any

from hallmark.cli.hands import Hands
from hallmark.twin.release import locate

ACCOUNT = "langsmith-ingest-queue"
HEALTHY = "langsmith-queue"
"""A neighbour that has its role."""
ROLE = "eks.amazonaws.com/role-arn"


def solve(client: Hands, scope: Mapping[str, str]) -> None:
    """Have Helm write what the release says, and restart the one component.

    Args:
        client: Gives a boto3 client for a service name, and runs ``kubectl`` and Helm.
        scope: The target: ``namespace``, ``release`` and others.
    """
    upgrade(client, scope)
    restart(client, scope)


def upgrade(client: Hands, scope: Mapping[str, str], **values: Any) -> None:
    """Write the release again, with further values if there are any."""
    place = ("-n", scope["namespace"], "--reuse-values", "--wait", "--timeout=240s", "-f", "-")
    client.helm("upgrade", scope["release"], locate.offline().reference, *place, stdin=json.dumps(values))


def annotate(client: Hands, scope: Mapping[str, str], account: str, role: str) -> None:
    """Let a service account name a role."""
    client.kubectl("-n", scope["namespace"], "annotate", "serviceaccount", account, f"{ROLE}={role}", "--overwrite")


def restart(client: Hands, scope: Mapping[str, str]) -> None:
    """Make new pods of the component, and wait for them."""
    client.kubectl("-n", scope["namespace"], "rollout", "restart", "deployment", ACCOUNT)
    rolled_out(client, scope)


def rolled_out(client: Hands, scope: Mapping[str, str]) -> None:
    """Wait for the pods of the component."""
    client.kubectl("-n", scope["namespace"], "rollout", "status", "deployment", ACCOUNT, "--timeout=240s")


def role_arn(client: Hands, scope: Mapping[str, str]) -> str:
    """Return the role that the neighbour has."""
    found = json.loads(client.kubectl("-n", scope["namespace"], "get", "serviceaccount", HEALTHY, "-o", "json"))
    return str(found["metadata"]["annotations"][ROLE])


def role_name(client: Hands, scope: Mapping[str, str]) -> str:
    """Return its name."""
    return role_arn(client, scope).rpartition("/")[2]


def trust(client: Hands, scope: Mapping[str, str]) -> dict[str, Any]:
    """Return its trust policy."""
    document: dict[str, Any] = client("iam").get_role(RoleName=role_name(client, scope))["Role"][
        "AssumeRolePolicyDocument"
    ]
    return document


def write_trust(client: Hands, scope: Mapping[str, str], document: Mapping[str, Any]) -> None:
    """Replace its trust policy."""
    name = role_name(client, scope)
    client("iam").update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(document))
